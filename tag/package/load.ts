/** Puts the tag's element into the page. */
import type { Tagswitch } from '../loader.js';
import type { Rule } from '../places.js';

/** What the snippet of `POST /v1/tags` has as attributes. */
export interface TagOptions {
  readonly src: string;
  readonly integrity?: string | undefined;
  /** Of the page's Content Security Policy. */
  readonly nonce?: string | undefined;
  readonly site: string;
  /** Without one it is the analytics tag alone. */
  readonly endpoint?: string | undefined;
  readonly tag?: string | undefined;
  /** The number that stands in the page: country code, a blank, and the rest. */
  readonly number?: string | undefined;
  readonly session?: string | undefined;
  readonly visitor?: string | undefined;
  readonly consent?: 'granted' | 'denied' | undefined;
  readonly bucket?: string | undefined;
  readonly area?: string | undefined;
  readonly proof?: string | undefined;
  readonly rules?: readonly Rule[] | undefined;
  /** '0': the printed number is never hidden while another is asked for. */
  readonly hide?: '0' | undefined;
}

/** Elements that are on their way, or there. */
const loading = new Map<HTMLScriptElement, Promise<Tagswitch>>();

/**
 * Puts the tag into the page, once for a site, endpoint and number, however often it is called; an element that the page's
 * own HTML has counts too. Rejects where the script cannot be loaded, and may then be called again.
 */
export function load(options: TagOptions): Promise<Tagswitch> {
  if (typeof document === 'undefined')
    return Promise.reject(new Error('there is no page to load a tag into'));
  const { src, integrity, nonce, rules, ...data } = options;
  const script = document.createElement('script');
  script.src = src;
  script.async = true;
  // A script of another origin has no integrity, and no error worth reading, without it.
  script.crossOrigin = 'anonymous';
  if (integrity) script.integrity = integrity;
  if (nonce) script.nonce = nonce;
  const attributes = { ...data, rules: rules && JSON.stringify(rules) };
  for (const [name, value] of Object.entries(attributes)) if (value) script.dataset[name] = value;

  const there = [...document.scripts].find((one) => isSame(one, script));
  const known = there && loading.get(there);
  if (known) return known;
  // Scripts of the page's HTML have come, or failed, before it is complete.
  const isComing = there && (window.tagswitch !== undefined || document.readyState !== 'complete');
  if (!isComing) {
    there?.remove();
    document.head.append(script);
  }
  const element = isComing ? there : script;
  const loaded = new Promise<Tagswitch>((resolve, reject) => {
    const fail = (why: string) => {
      loading.delete(element);
      element.remove();
      reject(new Error(`the tag ${src} ${why}`));
    };
    const succeed = () => {
      if (window.tagswitch) resolve(window.tagswitch);
      else fail('was loaded, and did not start');
    };
    if (isComing && window.tagswitch) return succeed();
    element.addEventListener('load', succeed);
    element.addEventListener('error', () =>
      fail('could not be loaded: blocked, not there, or not what integrity says'),
    );
  });
  loading.set(element, loaded);
  return loaded;
}

function isSame(a: HTMLScriptElement, b: HTMLScriptElement): boolean {
  return (
    a.src === b.src && ['site', 'endpoint', 'number'].every((name) => a.dataset[name] === b.dataset[name])
  );
}
