/** What a page shows of its printed numbers: every place that the tag found, and what it left alone. Changes nothing. */
import { explainer, reasons, type Reason } from './explain.js';
import type { Place, Rule } from './places.js';

/** One line of the overlay's tables. */
export interface Finding {
  readonly node: Node;
  readonly where: string;
  /** What kind of place it is, or why it is none. */
  readonly kind: string;
  readonly before: string;
  /** What stands there now. */
  readonly after: string;
}

/** What the overlay reads of the elements of the tag. */
export interface Told {
  readonly numbers: readonly string[];
  readonly rules: readonly Rule[];
}

const OVERLAY = '[data-tagswitch-overlay]';
const OFF = '[data-tagswitch-off]';
const NEVER = `head,script,style,textarea,select,[contenteditable],${OFF}`;
/** Says the number to the tag, or is a document that is looked through itself. */
const NAMES_IT = ['data-tagswitch', 'srcdoc'];
/** How much of it a page can be told at once. */
const MOST = 200;

const SPLIT = 'split over elements';
/** Characters before a text that a number might begin in. */
const MOST_SPREAD = 500;

type Explainer = ReturnType<typeof explainer>;

/** Every place that the tag found. */
export function placesFound(places: readonly Place[], { numbers, rules }: Told): Finding[] {
  const explain = explainer(numbers);
  const at = (node: Text | Attr) => (isText(node) ? node : ownerOf(node)) as Node;
  const inOrder = [...places].sort((a, b) =>
    at(a.node).compareDocumentPosition(at(b.node)) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1,
  );
  const all = inOrder.map((place) => {
    const { node, before } = place;
    return {
      ...{ node, before, where: pathTo(node), after: node.nodeValue ?? '' },
      kind: kindOf(place, rules, explain),
    };
  });
  // A number that is split over texts is shown by those alone that have some of it.
  return all.filter(({ kind, before }) => kind !== SPLIT || /\d/.test(before)).slice(0, MOST);
}

function kindOf({ node, before }: Place, rules: readonly Rule[], explain: Explainer): string {
  const element = ownerOf(node);
  const name = isText(node) ? '' : node.name;
  if (rules.some(([selector, attribute]) => attribute === name && element?.matches(selector))) return 'rule';
  if (name === 'href') return 'tel: link';
  if (name) return `attribute ${name}`;
  if (explain.finds(before)) return 'text';
  return element?.hasAttribute('data-tagswitch') ? 'mark' : SPLIT;
}

/** What looks like the printed number, or like any telephone number, and was left alone. */
export function placesLeft(document: Document, places: readonly Place[], { numbers }: Told): Finding[] {
  const explain = explainer(numbers);
  const found = new Map(places.map((place) => [place.node as Node, place]));
  const left: Finding[] = [];
  const add = (node: Node, written: string, reason: Reason) => {
    if (left.length < MOST)
      left.push({ node, where: pathTo(node), kind: reasons[reason], before: written, after: written });
  };

  const lookAtText = (text: Text, outside: Reason | undefined) => {
    const place = found.get(text);
    // A piece of a number says nothing by itself.
    if (place && !explain.finds(place.before)) return;
    // What else is in the text; the place itself holds it as the page wrote it.
    const data = place?.before ?? text.data;
    const never = text.parentElement?.closest(NEVER);
    const inside = never ? insideOf(never) : outside;
    for (const { written, reason } of explain.untouched(data, inside)) add(text, written, reason);
    if (place || inside) return;
    if (explain.finds(data)) add(text, data.trim(), 'unknown');
    else if (explain.endsIn(data) && isSpread(text, explain)) add(text, data.trim(), 'spread');
  };

  const lookAtAttributes = (element: Element, outside: Reason | undefined) => {
    // The tag's own element names the number too.
    if (element.matches('script[data-site]')) return;
    const off = element.closest(OFF) ? ('off' as const) : outside;
    for (const node of element.attributes) {
      const data = found.get(node)?.before ?? node.value;
      const isLink = node.name === 'href' && /^tel:/i.test(data);
      // Of what the tag does not look at by itself, only its own number is worth a line.
      const inside = isLink ? off : element.closest('head') ? 'head' : (off ?? 'attribute');
      if (found.has(node) || NAMES_IT.includes(node.name)) continue;
      const others = explain.untouched(data, inside);
      for (const { written, reason } of others) add(node, written, reason);
      if (isLink && !inside && explain.finds(data)) add(node, data, 'unknown');
    }
  };

  const lookThrough = (root: Document | ShadowRoot, outside?: Reason) => {
    const walker = root.ownerDocument ?? root;
    const nodes = walker.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT, (node) =>
      (node as Element).matches?.(OVERLAY) ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT,
    );
    for (let node = nodes.nextNode(); node && left.length < MOST; node = nodes.nextNode()) {
      if (isText(node)) {
        if (/\d/.test(node.data)) lookAtText(node, outside);
        continue;
      }
      const element = node as Element;
      lookAtAttributes(element, outside);
      if (element.shadowRoot) {
        const { shadowRoot } = element;
        const isKnown = places.some(({ node }) => node.getRootNode() === shadowRoot);
        lookThrough(shadowRoot, isKnown ? undefined : 'shadow');
      }
      if (element.tagName === 'IFRAME') {
        const inside = (element as HTMLIFrameElement).contentDocument;
        if (inside) lookThrough(inside, element.closest(OFF) ? 'off' : undefined);
        else add(element, element.getAttribute('src') ?? '', 'frame');
      }
    }
  };
  lookThrough(document);
  return left;
}

/** Whether a text ends a number that begins in texts before it. */
function isSpread(text: Text, explain: Explainer): boolean {
  let before = '';
  for (let node: Node | null = text; node && before.length < MOST_SPREAD;) {
    for (let other = node.previousSibling; other; other = other.previousSibling)
      before = (other.textContent ?? '') + before;
    if (explain.findsBetween(before + text.data, before.length, before.length + text.length)) return true;
    node = node.parentNode;
  }
  return false;
}

function insideOf(element: Element): Reason {
  if (element.matches(OFF)) return 'off';
  const name = element.localName;
  return name in reasons ? (name as Reason) : 'editable';
}

/** A short path to the element of a node, for people and for the browser's console. */
function pathTo(node: Node): string {
  const steps: string[] = [];
  let element = node.nodeType === Node.ELEMENT_NODE ? (node as Element) : ownerOf(node as Text | Attr);
  for (; element && steps.length < 4; element = element.parentElement) {
    if (element.id) {
      steps.unshift(`#${CSS.escape(element.id)}`);
      break;
    }
    steps.unshift(stepOf(element));
    if (element.localName === 'body') break;
  }
  const root =
    node.nodeType === Node.ATTRIBUTE_NODE ? (node as Attr).ownerElement?.getRootNode() : node.getRootNode();
  const outer =
    root instanceof ShadowRoot
      ? `${pathTo(root.host)} (shadow) `
      : node.ownerDocument === document
        ? ''
        : 'iframe ';
  return outer + steps.join(' > ');
}

function stepOf(element: Element): string {
  const { localName, parentElement } = element;
  const alike = [...(parentElement?.children ?? [])].filter((other) => other.localName === localName);
  return alike.length > 1 ? `${localName}:nth-of-type(${alike.indexOf(element) + 1})` : localName;
}

export function ownerOf(node: Text | Attr): Element | null {
  return isText(node) ? node.parentElement : node.ownerElement;
}

function isText(node: Node): node is Text {
  return node.nodeType === Node.TEXT_NODE;
}
