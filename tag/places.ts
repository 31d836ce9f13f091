/**
 * The places of a page that show one printed number, and what is written in them. Changes text and attributes alone, never
 * HTML; everything can be put back. What the page itself writes later, and what it adds, is looked at again.
 */
import { dialled, patternOf } from './pattern.js';
import type { Held } from './visit.js';

/** `[selector, attribute, template]`: what a site adds to the places; without attribute the element's text. */
export type Rule = readonly [selector: string, attribute: string, template: string];

/** A text or an attribute that shows the number. */
export interface Place {
  readonly node: Text | Attr;
  readonly before: string;
  after: string;
  readonly make: Make;
}

type Make = (number: string, display: string) => string;

const OFF = '[contenteditable],[data-tagswitch-off]';
const NEVER = 'head,script,style,textarea,select';
/** What may say the number too, of an element that shows it or is around one that does, and of an image in a link. */
const ATTRIBUTES = ['title', 'aria-label', 'alt'];
/** A number that is spread over several elements is looked for in one with no more text and children than this. */
const MOST_SPREAD = 200;
/** A list of more children is long. */
const MOST_CHILDREN = 9;
/** More children than this of anything are not in the page's first picture. */
const SEEN = 99;
/** Whose HTML a framework takes over: what it has not taken over yet is not touched, or it would not know its own page. */
const TAKEN_OVER = '#__next,#__nuxt,[data-hydrate]';
/** Since the page's start. */
const PATIENCE_MS = 3_000;
/** Between two heartbeats. A page that always writes its own number back shall have it. */
const MOST_WRITES = 1_000;

/**
 * @param printed the number that stands in the page; '' finds marked elements alone
 * @param hideMs for how long at most the printed number keeps its room and is not seen, so that nobody sees it change
 */
export function placesOf(printed: string, rules: readonly Rule[], hideMs: number) {
  const all = new Map<Node, Place>();
  const [, country = '', national = ''] = dialled(printed);
  const e164 = country + national;
  const pattern = patternOf(country, national);
  /** Of the printed number, and of the one that is shown: what the page copies is known again. */
  const patterns = national ? [pattern] : [];
  const marked = `:is([data-tagswitch=""],[data-tagswitch="${e164}"])`;
  const chosen: readonly Rule[] = [
    ...rules,
    [marked, '', '{display}'],
    [marked + '[href^="tel:" i]', 'href', 'tel:{number}'],
  ];
  let hidden: (Animation | undefined)[] | undefined = [];
  let writes = 0;
  let shown: Pick<Held, 'number' | 'display'> | undefined;
  /** The number whose pattern is the second one. */
  let sought: string | undefined;

  /** Whether more than a look at it is worth its time. */
  const isNear = (text: string) => patterns.some(({ tail }) => tail.test(text));

  /** The text with the printed number where it or one that was shown is written; undefined where none is. */
  const printedForm = (text: string) => {
    let form: string | undefined;
    for (const { replace } of patterns) form = replace(form ?? text, e164, e164) ?? form;
    return form;
  };

  const put = (place: Place) => {
    const { node, before, make } = place;
    const text = shown ? make(shown.number, shown.display) : before;
    if (text !== node.nodeValue && writes++ < MOST_WRITES) node.nodeValue = place.after = text;
  };

  /**
   * Whether a framework will still take this element over from the server's HTML: what was changed before, it would not know as
   * its own. React does so part by part, Next.js with the whole document, Vue at once.
   */
  const isAwaited = (element: Element) => {
    const root = element.closest(TAKEN_OVER) ?? document.head.querySelector('[src*="/_next/"]');
    return (
      root &&
      performance.now() < PATIENCE_MS &&
      !(root as Element & { __vue_app__?: object }).__vue_app__ &&
      !/__react/.test(Object.keys(element) as unknown as string)
    );
  };

  const add = (node: Place['node'] | null, make: Make, before = node?.nodeValue as string) => {
    const element = node && elementOf(node);
    if (!element || all.has(node) || element.closest(OFF)) return;
    if (isAwaited(element)) return void setTimeout(scan, 50, element);
    const place = { node, before, after: before, make };
    all.set(node, place);
    // An animation leaves no trace in the page's HTML, and no policy forbids it.
    hidden?.push(node.parentElement?.animate({ visibility: ['hidden', 'hidden'] }, hideMs));
    put(place);
    for (let up: Element | null = element.firstElementChild ?? element; up; up = up.parentElement)
      for (const name of ATTRIBUTES) lookAtAttribute(up, name);
  };

  /** Where the number is written in an attribute. */
  const lookAtAttribute = (element: Element, name: string) => {
    const value = element.getAttribute(name);
    const isLink = name === 'href';
    // Of links, those that dial; what no digit is may be escaped in them.
    const plain = value && (!isLink ? value : /^\s*tel:/i.test(value) && unescape(value));
    const form = plain && printedForm(plain);
    if (form)
      add(
        element.getAttributeNode(name),
        (to, display) => pattern.replace(form, to, display, isLink) as string,
        form === plain ? value : form,
      );
  };

  /**
   * The texts of a node, to be shared out: all; to be looked at: of a long list only what has the number's last digits.
   * @param most so many of the children of each
   */
  const texts = (node: Node, look: (text: Text) => void, most = Infinity) => {
    if (node.nodeType === 3) return look(node as Text);
    const isShort = look !== lookAtText || !isLong(node);
    for (let child = node.firstChild; child && most--; child = child.nextSibling)
      if (isShort || isNear(child.textContent as string)) texts(child, look, most);
  };

  const lookAtText = (text: Text) => {
    if (!isNear(text.data) || text.parentElement?.closest(NEVER)) return;
    // One number may be spread over several pieces of text, but not over a whole list.
    for (
      let up = 0, root: Node | null = text;
      root && up < 4 && !isLong(root);
      up++, root = root.parentElement
    ) {
      const whole = root.textContent as string;
      const form = (!up || whole.length < MOST_SPREAD) && printedForm(whole);
      if (!form) continue;
      let from = 0;
      const share = (piece: Text) => {
        const start = from;
        const end = (from += piece.length);
        // Each piece gets its part, where the new number has the same form.
        const make: Make = (to, display) => {
          const made = pattern.replace(form, to, display) as string;
          return up ? (made.length === form.length ? made : form).slice(start, end) : made;
        };
        // One that holds all of it is looked at on its own.
        if (!up || !printedForm(piece.data)) add(piece, make, form.slice(start, end));
      };
      return texts(root, share);
    }
  };

  /** Documents of the same site are looked through likewise; of another one we see nothing. */
  const enter = ({ target }: { readonly target: EventTarget | null }) => {
    const inside = (target as HTMLIFrameElement).contentDocument;
    if (inside) watch(inside);
  };

  const scan = (root: Node) => {
    // A document has the number, most likely.
    if (root.nodeType > 8 || isNear(root.textContent as string)) texts(root, lookAtText);
    const each = (selector: string, look: (element: Element) => void) => {
      if ((root as Element).matches?.(selector)) look(root as Element);
      (root as Element).querySelectorAll?.(selector).forEach(look);
    };
    for (const [selector, name, template] of chosen)
      each(selector, (element) => {
        const firstChild = element.firstChild;
        // The attribute, or the one piece of text that it holds.
        const isText = !name && firstChild?.nodeType === 3 && !firstChild.nextSibling;
        add(isText ? (firstChild as Text) : element.getAttributeNode(name), (to, display) =>
          template.replace('{number}', to).replace('{display}', display),
        );
      });
    each('[href*="tel:" i]', (element) => lookAtAttribute(element, 'href'));
    if (self.length)
      each('iframe', (target) => {
        target.addEventListener('load', enter);
        enter({ target });
      });
  };

  /** Looks through all of these, and through each of them once. */
  const look = (roots: Set<Node>) =>
    roots.forEach((root) => {
      for (let up: Node | null = root; (up = up.parentNode);) if (roots.has(up)) return;
      scan(root);
    });

  const changed = (records: readonly MutationRecord[]) => {
    const roots = new Set<Node>();
    // A text may have been found by a selector of its element.
    const see = (node: Node) => roots.add((node.nodeType === 3 && node.parentNode) || node);
    for (const { target, attributeName, addedNodes } of records) {
      const node = attributeName ? (target as Element).getAttributeNode(attributeName) : target;
      const place = all.get(node as Node);
      if (place && place.after === place.node.nodeValue) continue;
      all.delete(node as Node);
      addedNodes.forEach(see);
      if (attributeName) lookAtAttribute(target as Element, attributeName);
      else if (target.nodeType === 3) see(target);
    }
    look(roots);
  };
  const observer = new MutationObserver(changed);

  const render = () => {
    changed(observer.takeRecords());
    for (const [node, place] of all) {
      if (elementOf(node)?.isConnected) put(place);
      else all.delete(node);
    }
  };

  /** From now on the number that is shown is known again. A page that is being read is looked through for the printed one alone. */
  const seek = () => {
    if (shown && national && document.readyState !== 'loading' && sought !== (sought = shown.number)) {
      patterns[1] = patternOf(country, sought.slice(country.length));
      // Or a server has written this one into it.
      if (!all.size) scan(document);
    }
  };

  /** Looks through a document or an open shadow root, and what comes into it later. */
  const watch = (root: Document | ShadowRoot) => {
    const isLoading = () => (root as Document).readyState === 'loading';
    if (isLoading()) {
      // There would be a record of each of its nodes. But its first picture shall be right.
      root.addEventListener('readystatechange', () => watch(root), { once: true });
      requestAnimationFrame(() => isLoading() && texts(root, lookAtText, SEEN));
    } else {
      // First, or there would be a record of each text that it writes.
      scan(root);
      observer.observe(root, {
        subtree: true,
        childList: true,
        characterData: true,
        attributeFilter: ['href', ...ATTRIBUTES],
      });
      seek();
    }
  };

  return {
    watch,
    /** What was found, by its node. */
    all: all as ReadonlyMap<Node, Place>,
    /** The number that stands in all places from now on; the printed one without any. */
    show(to?: typeof shown) {
      shown = to;
      seek();
      writes = 0;
      render();
      hidden?.forEach((animation) => animation?.cancel());
      hidden = undefined;
    },
  };
}

/** A list. */
const isLong = (node: Node) => (node as Element).childElementCount > MOST_CHILDREN;

function elementOf(node: Node): Element | null {
  return node.parentElement ?? (node as Attr).ownerElement;
}
