/** The demonstration page's own script: tells in words and a bar what the tags do, and lists the calls to the number. */
import type {} from './loader.js';
import type { Shown } from './visit.js';

interface Call {
  readonly id: string;
  readonly caller: string | null;
  readonly startedAt: string;
  readonly answered: boolean;
  readonly ended: boolean;
  readonly ringMs: number | null;
  readonly talkMs: number | null;
  readonly result: string | null;
}

const POLL_MS = 2_000;
const words: Readonly<Record<string, string>> = {
  answered: 'answered',
  busy: 'busy',
  noAnswer: 'no answer',
  cancelled: 'hung up',
  rejected: 'rejected',
  failed: 'failed',
};

/** Whose number the page shows. What is true of some alone is marked `data-whose` in the page. */
type Whose = 'own' | 'class' | 'all' | 'nobody';
const whose: Readonly<Record<string, Whose>> = {
  session: 'own',
  token: 'own',
  bucket: 'class',
  overflow: 'all',
};
const sayings: Readonly<Record<Whose, string>> = {
  own: 'This number is yours alone',
  class: 'You share this number with visitors who came the way that you came',
  all: 'The overflow number: all for whom there is no number of their own share it',
  nobody: 'The printed number: none could be given to this visit',
};

const element = (id: string): HTMLElement => {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no element ${id}`);
  return found;
};

let shown: Shown | undefined;
let total = 1;
let listed = '';
let listedFor: string | null = null;
/** What rings the printed number, which the page was served with. */
const printedCommand = element('command').textContent;

document.addEventListener('tagswitch', (event) => {
  tell((event as CustomEvent<Shown>).detail);
});

function tell(now: Shown): void {
  shown = now;
  const { state, number, ends, level = 'none' } = shown;
  const status = element('state');
  const mine = whose[level] ?? 'nobody';
  const text = sayings[mine];
  // A screen reader tells changes, not every heartbeat.
  if (status.textContent !== text) status.textContent = text;
  status.classList.toggle('held', state === 'held');
  element('life').hidden = state !== 'held';
  if (ends !== undefined) total = Math.max(1, ends - Date.now());
  element('command').textContent = number === undefined ? printedCommand : `bin/tagswitch call ${number}`;
  for (const part of document.querySelectorAll<HTMLElement>('[data-whose]'))
    part.hidden = !part.dataset['whose']?.split(' ').includes(mine);
  // The calls of a link that is this page's no more are not calls to the number that it shows.
  const link = shown.link ?? null;
  if (link !== listedFor) {
    listedFor = link;
    fill('', []);
  }
  count();
  void list();
}
// It may have been told before this script listened.
void window.tagswitch?.number()?.then(tell);

function count(): void {
  if (shown?.ends === undefined) return;
  const left = Math.max(0, shown.ends - Date.now());
  const seconds = Math.ceil(left / 1000);
  element('countdown').textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  (element('left') as HTMLProgressElement).value = left / total;
}

async function list(): Promise<void> {
  if (!shown?.link || shown.number === undefined || document.visibilityState !== 'visible') return;
  try {
    const { link, number } = shown;
    const query = new URLSearchParams({ link, number });
    const response = await fetch(`/demo/calls?${query.toString()}`);
    if (!response.ok) return;
    const text = await response.text();
    // The page may have another number by now.
    if (text === listed || link !== listedFor) return;
    fill(text, (JSON.parse(text) as { items: Call[] }).items);
  } catch {
    // The server is away for a moment; the list stays as it is.
  }
}

function fill(text: string, calls: readonly Call[]): void {
  listed = text;
  element('no-calls').hidden = calls.length > 0;
  element('calls-box').hidden = calls.length === 0;
  element('calls').replaceChildren(...calls.map(row));
}

function row(call: Call): HTMLElement {
  const line = document.createElement('tr');
  const cell = (text: string, kind = '') => {
    const cell = document.createElement('td');
    cell.textContent = text;
    cell.className = kind;
    line.append(cell);
  };
  const now = call.ended ? (words[call.result ?? ''] ?? '?') : call.answered ? 'talking' : 'ringing';
  cell(new Date(call.startedAt).toLocaleTimeString());
  cell(call.caller ?? 'hidden');
  cell(now, call.answered ? 'ok' : '');
  cell(seconds(call.ringMs));
  cell(seconds(call.talkMs));
  return line;
}

function seconds(ms: number | null): string {
  return ms === null ? '–' : `${(ms / 1000).toFixed(1)} s`;
}

element('copy').addEventListener('click', () => {
  const button = element('copy');
  const tell = (text: string) => void (button.textContent = text);
  setTimeout(tell, 2_000, 'Copy');
  navigator.clipboard.writeText(element('command').textContent ?? '').then(
    () => tell('Copied'),
    () => tell('Select it'),
  );
});
setInterval(count, 1_000);
setInterval(() => void list(), POLL_MS);
