/**
 * The places of a page that show the printed number: elements marked `data-tagswitch`, links `tel:`, and text that holds
 * it in any way of writing. Changes text and `href` alone, never HTML; everything can be put back.
 */
interface Place {
  readonly node: Text | HTMLElement;
  readonly before: string;
  after: string;
  /** The text around the number in a text node. */
  readonly make: (number: string, display: string) => string;
}

const LIKE_A_NUMBER = /[+(]{0,2}\d(?:[\s().\-\u00a0\u2010\u2011]{0,3}\d){6,16}/g;
const NEVER = 'script,style,textarea,noscript,select,[contenteditable],[data-tagswitch],[data-tagswitch-off]';

/** Whether `text` writes the number with these digits: whole, or without its country code (1 to 3 digits). */
function writes(text: string, digits: string): boolean {
  const written = text.replace(/\(0\)|\D/g, '').replace(/^0+/, '');
  return written.length > 6 && digits.endsWith(written) && digits.length - written.length < 4;
}

function find(root: HTMLElement, printed: string): Place[] {
  const digits = printed.replace(/\D/g, '');
  const places: Place[] = [];
  const text = (node: Text, make: Place['make']) =>
    places.push({ node, before: node.data, after: node.data, make });
  for (const link of root.querySelectorAll<HTMLElement>('a[href^="tel:" i]')) {
    if (link.closest('[data-tagswitch-off]')) continue;
    const href = link.getAttribute('href') ?? '';
    if (!link.hasAttribute('data-tagswitch') && !writes(href, digits)) continue;
    places.push({ node: link, before: href, after: href, make: (number) => `tel:${number}` });
  }
  for (const element of root.querySelectorAll<HTMLElement>('[data-tagswitch]')) {
    // A mark on an element with one piece of text and nothing else: that is the number, however it is written.
    const [only, second] = element.childNodes;
    if (only instanceof Text && second === undefined) text(only, (_number, display) => display);
  }
  if (digits.length > 6) {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      if (!(node instanceof Text) || node.parentElement?.closest(NEVER)) continue;
      const { data } = node;
      if (!(data.match(LIKE_A_NUMBER) ?? []).some((like) => writes(like, digits))) continue;
      text(node, (_number, display) =>
        data.replace(LIKE_A_NUMBER, (like) => (writes(like, digits) ? display : like)),
      );
    }
  }
  return places;
}

function value({ node }: Place): string {
  return node instanceof Text ? node.data : (node.getAttribute('href') ?? '');
}

function write(place: Place, text: string): void {
  // What the page itself has changed since is the page's.
  if (value(place) !== place.after || text === place.after) return;
  if (place.node instanceof Text) place.node.data = text;
  else place.node.setAttribute('href', text);
  place.after = text;
}

/** @param printed the number that stands in the page, E.164; '' finds marked elements alone */
export function pageNumbers(root: HTMLElement, printed: string) {
  const places = find(root, printed);
  return {
    show: (number: string, display: string) =>
      places.forEach((place) => write(place, place.make(number, display))),
    putBack: () => places.forEach((place) => write(place, place.before)),
  };
}
