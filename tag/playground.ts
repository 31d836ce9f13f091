/** The playground: sends the form into the frame whenever something changes, and tells what the page in it does. */
import type { Seen } from './playground-page.js';
import { examplesFor } from './playground-examples.js';
import type { Shown } from './visit.js';

/** After the last key. */
const REST_MS = 500;

const element = <T extends HTMLElement>(id: string): T => {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no element ${id}`);
  return found as T;
};
const form = element<HTMLFormElement>('form');
const frame = element<HTMLIFrameElement>('result');
const html = element<HTMLTextAreaElement>('html');
const example = element<HTMLSelectElement>('example');
const status = element('status');
const mostBytes = Number(html.dataset['most']);
const printed = element<HTMLInputElement>('number').value;
const examples = examplesFor(printed);
let timer: ReturnType<typeof setTimeout> | undefined;

/** The page in the frame. It is of this origin, whatever its author writes. */
const inside = () => frame.contentWindow as (Window & typeof globalThis) | null;

function say(text: string, isWrong = false): void {
  if (status.textContent !== text) status.textContent = text;
  status.classList.toggle('wrong', isWrong);
}

function show(): void {
  clearTimeout(timer);
  const bytes = new TextEncoder().encode(html.value).length;
  element('size').textContent = `${bytes.toLocaleString('en')} of ${mostBytes.toLocaleString('en')} bytes`;
  if (bytes > mostBytes) return say('The page is too large: shorten its HTML', true);
  // What brought the visitor is in the page's own address, as on any page.
  const address = new URL('/demo/playground/page', location.href);
  for (const name of ['utm_source', 'gclid']) {
    const { value } = element<HTMLInputElement>(name);
    if (value) address.searchParams.set(name, value);
  }
  form.action = address.href;
  element('requests').replaceChildren();
  element('paper').setAttribute('aria-pressed', 'false');
  say('Asking for a number');
  form.submit();
}

function soon(): void {
  clearTimeout(timer);
  timer = setTimeout(show, REST_MS);
}

function choose(id: string): void {
  const chosen = examples.find((one) => one.id === id) ?? examples[0];
  if (!chosen) return;
  html.value = chosen.html;
  example.value = chosen.id;
  element('says').textContent = chosen.says;
  element<HTMLInputElement>('number').value = printed;
  for (const id of ['rules', 'consent', 'analytics', 'utm_source', 'gclid'])
    element<HTMLInputElement>(id).value = chosen.settings?.[id] ?? '';
  element<HTMLInputElement>('overlay').checked = chosen.settings?.['overlay'] === '1';
  show();
}

const sayings: Readonly<Record<string, string>> = {
  session: 'this visit\u2019s own number',
  bucket: 'the number of all who came this way',
  overflow: 'the overflow number, everybody\u2019s',
};

function tell({ state, display = '', level = '' }: Shown): void {
  say(
    state === 'printed'
      ? 'The page shows its printed number: none could be given to this visit'
      : `The page shows ${display}: ${sayings[level] ?? level}`,
  );
}

frame.addEventListener('load', () => {
  const page = inside()?.document;
  if (!page?.body || page.URL === 'about:blank') return;
  if (page.contentType.includes('json')) return say(refusal(page.body.textContent ?? ''), true);
  page.addEventListener('tagswitch', (event) => tell((event as CustomEvent<Shown>).detail));
  void inside()?.tagswitch?.number()?.then(tell);
  const tag = page.querySelector('script[data-site]');
  if (tag) element('snippet').textContent = elementText(tag);
});

/** What the server said in place of a page. */
function refusal(text: string): string {
  try {
    const { title, errors = [] } = JSON.parse(text) as {
      title?: string;
      errors?: readonly { field: string; expected: string }[];
    };
    return [title, ...errors.map(({ field, expected }) => `${field}: ${expected}`)].join('. ');
  } catch {
    return 'The server did not answer with a page';
  }
}

/** An element as its page has it, for copying. */
function elementText(tag: Element): string {
  const quoted = (text: string) => text.replace(/&/g, '&amp;').replace(/"/g, '&quot;').replace(/</g, '&lt;');
  const attributes = [...tag.attributes].map(({ name, value }) =>
    value ? ` ${name}="${quoted(value)}"` : ` ${name}`,
  );
  return `<script${attributes.join('')}></${'script'}>`;
}

addEventListener('message', ({ origin, source, data }) => {
  const { seen } = (data ?? {}) as { seen?: Seen };
  // A page that is being left has no window any more when its last word arrives.
  if (origin !== location.origin || (source && source !== inside()) || !seen) return;
  const line = document.createElement('tr');
  const { method, path, what, status, bytes, ms, isKept } = seen;
  const answered = status === undefined ? 'beacon' : status === 0 ? 'no answer' : String(status);
  // A link is as hard to guess as a key, and nobody reads it anyway.
  const short = path.replace(/(lnk_\w{4})\w+/, '$1\u2026').replace(/(\/t\/\w{6})\w+/, '$1\u2026');
  const about = path.endsWith('/leave') ? 'a page that was left' : what;
  const size = bytes ? `${bytes.toLocaleString('en')} B` : '\u2013';
  const time = isKept ? 'kept' : ms === undefined ? '\u2013' : `${ms} ms`;
  for (const text of [method, about ? `${short} (${about})` : short, answered, size, time]) {
    const cell = document.createElement('td');
    cell.textContent = text;
    line.append(cell);
  }
  element('requests').append(line);
});

for (const { id, name } of examples) example.append(new Option(name, id));
example.addEventListener('change', () => {
  history.replaceState(null, '', `#example=${example.value}`);
  choose(example.value);
});
for (const part of form.elements) if (part !== example) part.addEventListener('input', soon);
form.addEventListener('submit', (event) => {
  event.preventDefault();
  show();
});
element('paper').addEventListener('click', () => {
  const isOn = element('paper').getAttribute('aria-pressed') !== 'true';
  element('paper').setAttribute('aria-pressed', String(isOn));
  inside()?.dispatchEvent(new Event(isOn ? 'beforeprint' : 'afterprint'));
});
element('another').addEventListener('click', () => {
  for (const name of Object.keys(localStorage))
    if (name.startsWith('tagswitch.')) localStorage.removeItem(name);
  document.cookie = 'tsv=; Path=/; Max-Age=0';
  show();
});
element('copy').addEventListener('click', () => {
  const said = (text: string) => void (element('copy').textContent = text);
  setTimeout(said, 2_000, 'Copy');
  navigator.clipboard.writeText(element('snippet').textContent ?? '').then(
    () => said('Copied'),
    () => said('Select it'),
  );
});
choose(location.hash.replace('#example=', ''));
