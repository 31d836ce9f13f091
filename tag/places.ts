/**
 * The places of a page that show one printed number, and what is written in them. Changes text and attributes alone, never
 * HTML; everything can be put back. What the page itself writes later, and what it adds, is looked at again.
 */
import { dialled, patternOf } from './pattern.js';

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

const MARK = 'data-tagswitch';
/** What React sends later than the page is nobody's until it stands in its place. */
const OFF = `[${MARK}-off],[id^="S:"]`;
const LINK = 'a[href^="tel:" i]';
const TEXTS = 'title,aria-label,alt,placeholder'.split(',');
const OF_INTEREST = `${LINK},[${TEXTS.join('],[')}],[${MARK}],iframe`;
const NEVER = `head,script,style,textarea,select,[contenteditable],${OFF}`;
/** A number that is spread over several elements is looked for in one with no more text than this. */
const MOST_SPREAD = 60;
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
  const [country, national] = dialled(printed);
  const e164 = country + national;
  const pattern = patternOf(country, national);
  /** Of the printed number, and of the one that is shown: what the page copies is known again. */
  const patterns = national ? [pattern] : [];
  let waiting: ReturnType<typeof setTimeout> | undefined;
  let hidden: HTMLElement[] | undefined = hideMs > 0 ? [] : undefined;
  let writes = 0;
  let shown: readonly [number: string, display: string] | undefined;

  /** The text with the printed number where it or one that was shown is written; undefined where none is. */
  const printedForm = (text: string) =>
    patterns.reduce<string | undefined>(
      (form, { replace }) => replace(form ?? text, e164) ?? form,
      undefined,
    );

  const put = (place: Place) => {
    const { node, before, make } = place;
    const text = shown ? make(...shown) : before;
    if (text !== node.nodeValue && writes++ < MOST_WRITES) node.nodeValue = place.after = text;
  };

  /** Whether a framework will still take the server's HTML over: what was changed before, it would not know as its own. */
  const isAwaited = () => {
    // In Next.js it may be the whole document.
    const root =
      document.querySelector(TAKEN_OVER) ?? document.querySelector('[src*="/_next/"]')?.closest('html');
    if (!root || performance.now() > PATIENCE_MS || (root as Element & { __vue_app__?: object }).__vue_app__)
      return;
    const isLate = (node: Node | null) =>
      node && node.nodeType < 8 && !/__react/.test(Object.keys(node) as unknown as string);
    // React takes what is in a `Suspense` over later than what is around it.
    const isLateBoundary = ({ nodeValue, nextSibling }: Node) =>
      (nodeValue === '$' && isLate(nextSibling)) as unknown as number;
    return isLate(root.lastElementChild) || document.createTreeWalker(root, 128, isLateBoundary).nextNode();
  };

  const add = (node: Place['node'] | null, make: Make, before = node?.nodeValue ?? '') => {
    if (!node || all.has(node)) return;
    const place = { node, before, after: node.nodeValue ?? '', make };
    all.set(node, place);
    const element = ownerOf(node) as HTMLElement;
    if (hidden?.push(element)) element.style.visibility = 'hidden';
    put(place);
  };

  /** Where the number is written in an attribute. */
  const addWritten = (node: Attr | null) => {
    const form = printedForm(node?.value ?? '');
    if (form) add(node, (to, display) => pattern.replace(form, to, display) ?? form, form);
  };

  /** The attribute of an element, or the one piece of text that it holds. */
  const addOnly = (element: Element, name: string, make: Make) => {
    const { firstChild, childNodes } = element;
    if (name) add(element.getAttributeNode(name), make);
    else if (firstChild?.nodeType === 3 && !childNodes[1]) add(firstChild as Text, make);
  };

  const texts = (root: Node, look: (text: Text) => void) => {
    const walker = document.createTreeWalker(root, 4);
    do if (walker.currentNode.nodeType === 3) look(walker.currentNode as Text);
    while (walker.nextNode());
  };

  const lookAtText = (text: Text) => {
    if (!patterns.some(({ tail }) => tail.test(text.data)) || text.parentElement?.closest(NEVER)) return;
    // One number may be spread over several pieces of text.
    for (let up = 0, root: Node | null = text; root && up < 4; up++, root = root.parentElement) {
      const whole = root.textContent ?? '';
      const form = (!up || whole.length < MOST_SPREAD) && printedForm(whole);
      if (!form) continue;
      let from = 0;
      return texts(root, (piece) => {
        const start = from;
        const end = (from += piece.length);
        // Each piece gets its part, where the new number has the same form.
        const make: Make = (to, display) => {
          const made = pattern.replace(form, to, display) ?? form;
          return up ? (made.length === form.length ? made : form).slice(start, end) : made;
        };
        add(piece, make, up ? form.slice(start, end) : form);
      });
    }
  };

  const lookAtElement = (element: Element) => {
    // Documents of the same site are looked through likewise; of another one we see nothing.
    if ('contentDocument' in element) {
      const look = () => {
        const inside = (element as HTMLIFrameElement).contentDocument;
        if (inside) watch(inside);
      };
      element.addEventListener('load', look);
      look();
    }
    if (element.closest(OFF)) return;
    const mark = element.getAttribute(MARK);
    const isMarked = mark === '' || mark === e164;
    if (element.matches(LINK)) {
      if (isMarked) addOnly(element, 'href', (to) => 'tel:' + to);
      else addWritten(element.getAttributeNode('href'));
    }
    TEXTS.forEach((name) => addWritten(element.getAttributeNode(name)));
    if (isMarked) addOnly(element, '', (_to, display) => display);
  };

  const scan = (root: Node) => {
    if (isAwaited()) {
      waiting ??= setTimeout(() => {
        waiting = undefined;
        scan(document);
      }, 50);
      return;
    }
    if (national) texts(root, lookAtText);
    const each = (selector: string, look: (element: Element) => void) => {
      if ((root as Element).matches?.(selector)) look(root as Element);
      (root as Element).querySelectorAll?.(selector).forEach(look);
    };
    for (const [selector, name, template] of rules)
      each(selector, (element) =>
        addOnly(element, name, (to, display) =>
          template.replace('{number}', to).replace('{display}', display),
        ),
      );
    each(OF_INTEREST, lookAtElement);
  };

  const changed = (records: readonly MutationRecord[]) => {
    for (const { target, attributeName, addedNodes } of records) {
      const node = attributeName ? (target as Element).getAttributeNode(attributeName) : target;
      const place = node && all.get(node);
      if (place && place.after === node.nodeValue) continue;
      if (place) all.delete(node);
      addedNodes.forEach(scan);
      if (target.nodeType === 3 || attributeName || (target as Element).matches?.(`[${MARK}]`)) scan(target);
    }
    observer.takeRecords();
  };
  const observer = new MutationObserver(changed);

  const render = () => {
    changed(observer.takeRecords());
    for (const [node, place] of all) {
      if (ownerOf(place.node)?.isConnected) put(place);
      else all.delete(node);
    }
    observer.takeRecords();
  };

  /** Looks through a document or an open shadow root, and what comes into it later. */
  const watch = (root: Document | ShadowRoot) => {
    observer.observe(root, {
      subtree: true,
      childList: true,
      characterData: true,
      attributeFilter: ['href', ...TEXTS],
    });
    scan(root);
  };

  const unhide = () => {
    hidden?.forEach(({ style }) => (style.visibility = ''));
    hidden = undefined;
  };
  setTimeout(unhide, hideMs);

  return {
    watch,
    /** What was found, by its node. */
    all: all as ReadonlyMap<Node, Place>,
    /** The number that stands in all places from now on; the printed one without any. */
    show(to?: string, display = '') {
      const isNew = to !== shown?.[0];
      shown = to ? [to, display] : undefined;
      if (to && national && isNew) {
        patterns[1] = patternOf(country, to.slice(country.length));
        // A server may have written it into the page.
        scan(document);
      }
      writes = 0;
      render();
      unhide();
    },
  };
}

/** The element that a text or an attribute is of. */
function ownerOf(node: Text | Attr): Element | null {
  return node.parentElement ?? (node as Attr).ownerElement;
}
