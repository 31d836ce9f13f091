/** What the page shows in the place of its printed numbers, as the tag told it last. */
import type { Shown } from '../visit.js';

const EVENT = 'tagswitch';
/** By the printed number. */
const known = new Map<string, Shown>();
let isListening = false;

/** A printed number without the blank after its country code. */
export const e164 = (printed: string) => printed.replace(/\s/g, '');

function remember(event: Event): Shown {
  const shown = (event as CustomEvent<Shown>).detail;
  known.set(shown.printed, shown);
  return shown;
}

/** What the tag told last of a printed number; undefined before it did, and where there is no page. */
export function lastTold(printed: string): Shown | undefined {
  return known.get(e164(printed));
}

/**
 * Which number the page shows in the place of a printed one (E.164; the first tag's when absent). Waits for the tag, however
 * late that is loaded.
 */
export function number(printed?: string): Promise<Shown> {
  if (typeof document === 'undefined')
    return Promise.reject(new Error('there is no page that shows a number'));
  const wanted = printed && e164(printed);
  return new Promise((resolve) => {
    const take = (shown: Shown) => {
      if (wanted && shown.printed !== wanted) return;
      document.removeEventListener(EVENT, hear);
      resolve(shown);
    };
    const hear = (event: Event) => take(remember(event));
    document.addEventListener(EVENT, hear);
    void window.tagswitch?.number(wanted)?.then(take);
  });
}

/**
 * Tells a listener at once which number the page shows in the place of a printed one, as far as that is known, and then
 * each time that it changes. Returns the way to stop.
 */
export function subscribe(printed: string, listener: (shown: Shown) => void): () => void {
  const wanted = e164(printed);
  // Whoever listens later has to be told of what changed in between.
  if (!isListening) document.addEventListener(EVENT, remember);
  isListening = true;
  let isOn = true;
  const tell = (shown: Shown) => {
    if (isOn && shown.printed === wanted) listener(shown);
  };
  const hear = (event: Event) => tell(remember(event));
  document.addEventListener(EVENT, hear);
  tell(lastTold(wanted) ?? { state: 'printed', printed: wanted });
  // The tag may have told it before anybody listened.
  void window.tagswitch?.number(wanted)?.then((shown) => {
    if (known.has(wanted)) return;
    if (shown.printed === wanted) known.set(wanted, shown);
    tell(shown);
  });
  return () => {
    isOn = false;
    document.removeEventListener(EVENT, hear);
  };
}
