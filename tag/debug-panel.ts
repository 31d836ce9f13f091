/** The overlay's panel: lists what it is told, can be moved, folded and closed, by mouse and by keyboard. */
import { ownerOf, type Finding } from './debug-page.js';
import { style } from './debug-style.js';
import type { Line } from './debug-status.js';

export interface Panel {
  /** @param places of which the page shows another number */
  fill(status: readonly Line[], places: readonly Finding[], left: readonly Finding[]): void;
  readonly close: () => void;
  readonly host: HTMLElement;
}

/** How far an arrow key moves it. */
const STEP = 24;
/** Where a window is narrower, the places come first. */
const NARROW = 400;
/** Characters of a text that are shown, and how many of them before what is another. */
const MOST_TEXT = 90;
const MOST_BEFORE = 30;

function make<K extends keyof HTMLElementTagNameMap>(
  name: K,
  className = '',
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(name);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

function button(text: string, label: string, pressed: () => void): HTMLButtonElement {
  const element = make('button', '', text);
  element.type = 'button';
  element.setAttribute('aria-label', label);
  element.title = label;
  element.addEventListener('click', pressed);
  return element;
}

/** @param closed told when it is gone */
export function openPanel(closed: () => void): Panel {
  const host = make('div');
  host.setAttribute('data-tagswitch-off', '');
  host.setAttribute('data-tagswitch-overlay', '');
  const root = host.attachShadow({ mode: 'closed' });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(style);
  root.adoptedStyleSheets = [sheet];
  const gone = new AbortController();
  const until = { signal: gone.signal };

  const summary = make('p');
  summary.setAttribute('role', 'status');
  const facts = make('dl');
  const found = make('ul');
  const left = make('ul', 'left');
  const known = make('details', '', make('summary', '', 'What the tag knows'), facts);
  known.open = innerWidth > NARROW;
  const body = make('div', 'body', summary, known);
  body.append(make('h3', '', 'Places that show the number'), found, make('h3', '', 'Left as they are'), left);

  const title = make('h2', '', 'tagswitch');
  title.id = 'title';
  const move = button('\u2725', 'Move: drag, or arrow keys', () => undefined);
  const fold = button('\u2013', 'Fold', () => {
    body.hidden = !body.hidden;
    fold.setAttribute('aria-expanded', String(!body.hidden));
    fold.firstChild?.replaceWith(body.hidden ? '+' : '\u2013');
  });
  fold.setAttribute('aria-expanded', 'true');
  const close = () => {
    if (gone.signal.aborted) return;
    gone.abort();
    host.remove();
    closed();
  };
  const head = make('header', '', title, move, fold, button('\u00d7', 'Close', close));
  const panel = make('section', 'panel', head, body);
  panel.setAttribute('role', 'dialog');
  panel.setAttribute('aria-labelledby', title.id);
  const mark = make('div', 'mark');
  mark.hidden = true;
  root.append(mark, panel);

  movable(panel, head, move);
  panel.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') close();
  });

  let marked: Node | undefined;
  const outline = () => {
    const box = marked?.isConnected === false ? undefined : marked && boxOf(marked);
    mark.hidden = !box || box.width === 0;
    if (!box) return;
    for (const [side, value] of [
      ['left', box.left - 5],
      ['top', box.top - 5],
      ['width', box.width + 10],
      ['height', box.height + 10],
    ] as const)
      mark.style.setProperty(side, `${value}px`);
  };
  for (const event of ['scroll', 'resize'])
    addEventListener(event, outline, { capture: true, passive: true, ...until });

  const showPlace = (node: Node) => {
    const element = node.nodeType === Node.ELEMENT_NODE ? (node as Element) : ownerOf(node as Text | Attr);
    element?.scrollIntoView({ block: 'center' });
    marked = node.nodeType === Node.TEXT_NODE ? node : (element ?? undefined);
    outline();
  };

  /** The lines are made anew only where they say something new: whoever walks through them by keyboard stays where he is. */
  const list = (into: HTMLElement, findings: readonly Finding[], none: string) => {
    const at = [...into.children].findIndex((line) => line.contains(root.activeElement));
    into.replaceChildren(
      ...(findings.length > 0
        ? findings.map((finding) => line(finding, showPlace))
        : [make('li', 'none', none)]),
    );
    if (at >= 0) into.children[at]?.querySelector('button')?.focus();
  };

  let filled = '';
  return {
    host,
    close,
    fill(status, places, others) {
      outline();
      const says = ({ where, kind, before, after }: Finding) => [where, kind, before, after];
      const now = JSON.stringify([status, places.map(says), others.map(says)]);
      if (now === filled) return;
      filled = now;
      const count = `${places.length} place${places.length === 1 ? '' : 's'} found, ${others.length} left alone`;
      if (summary.textContent !== count) summary.textContent = count;
      facts.replaceChildren(
        ...status.flatMap(([label, value]) => [make('dt', '', label), make('dd', '', value)]),
      );
      list(found, places, 'None: the printed number stands nowhere in this page.');
      list(left, others, 'Nothing else looks like a telephone number.');
    },
  };
}

function line({ node, where, kind, before, after }: Finding, show: (node: Node) => void): HTMLElement {
  const texts = before === after ? [before] : [before, after];
  const differs = [...before].findIndex((character, at) => character !== after.charAt(at));
  const short = texts.map((text) => shortened(text, Math.max(0, differs - MOST_BEFORE)));
  const button = make(
    'button',
    '',
    make('span', 'kind', kind),
    make('span', 'text', short.join(' \u2192 ')),
    make('span', 'where', where),
  );
  button.type = 'button';
  button.addEventListener('click', () => show(node));
  return make('li', '', button);
}

/** @param from where a long text begins to be of interest */
function shortened(text: string, from: number): string {
  const start = text.length > MOST_TEXT ? from : 0;
  const end = start + MOST_TEXT;
  const part = text.slice(start, end).replace(/\s+/g, ' ').trim();
  return `${start > 0 ? '\u2026' : ''}${part}${end < text.length ? '\u2026' : ''}`;
}

/** Where a node is seen, by the coordinates of this window, through the frames that it is in. */
function boxOf(node: Node): DOMRect {
  const range = (node.ownerDocument ?? document).createRange();
  range.selectNode(node);
  const { left, top, width, height } =
    node.nodeType === Node.TEXT_NODE
      ? range.getBoundingClientRect()
      : (node as Element).getBoundingClientRect();
  let [x, y] = [left, top];
  for (let { defaultView } = node.ownerDocument ?? document; defaultView && defaultView !== window;) {
    const frame = defaultView.frameElement;
    if (!frame) break;
    const outer = frame.getBoundingClientRect();
    x += outer.left + frame.clientLeft;
    y += outer.top + frame.clientTop;
    defaultView = frame.ownerDocument.defaultView;
  }
  return new DOMRect(x, y, width, height);
}

function movable(panel: HTMLElement, head: HTMLElement, grip: HTMLElement): void {
  const put = (left: number, top: number) => {
    const within = (value: number, most: number) => `${Math.max(0, Math.min(value, most))}px`;
    panel.style.setProperty('right', 'auto');
    panel.style.setProperty('bottom', 'auto');
    panel.style.setProperty('left', within(left, innerWidth - panel.offsetWidth));
    panel.style.setProperty('top', within(top, innerHeight - head.offsetHeight));
  };
  let from: readonly [x: number, y: number] | undefined;
  head.addEventListener('pointerdown', (event) => {
    const button = (event.target as Element).closest('button');
    if (button && button !== grip) return;
    const { left, top } = panel.getBoundingClientRect();
    from = [event.clientX - left, event.clientY - top];
    head.setPointerCapture(event.pointerId);
  });
  head.addEventListener('pointermove', ({ clientX, clientY }) => {
    if (from) put(clientX - from[0], clientY - from[1]);
  });
  for (const end of ['pointerup', 'pointercancel']) head.addEventListener(end, () => (from = undefined));
  const ways: Readonly<Record<string, readonly [x: number, y: number]>> = {
    ArrowLeft: [-STEP, 0],
    ArrowRight: [STEP, 0],
    ArrowUp: [0, -STEP],
    ArrowDown: [0, STEP],
  };
  grip.addEventListener('keydown', (event) => {
    const way = ways[event.key];
    if (!way) return;
    event.preventDefault();
    const { left, top } = panel.getBoundingClientRect();
    put(left + way[0], top + way[1]);
  });
}
