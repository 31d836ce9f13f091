/** Asks for a visitor's number from a server. */
import { isKnownBot } from '../../src/http/bots.js';
import type { Given } from './given.js';
import type { Reply } from '../visit.js';

/** What brought the visitor, each member optional; `query` are the parameters of the page's address. */
export interface Touch {
  readonly source?: string;
  readonly medium?: string;
  readonly campaign?: string;
  readonly keyword?: string;
  readonly clickIds?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly landingPage?: string;
  readonly referrer?: string;
}

export interface AllocateOptions {
  /** Where tagswitch is: `https://numbers.example.com`. */
  readonly base: string;
  /** An API key of the account. It is never to reach a page. */
  readonly key: string;
  readonly site: string;
  readonly endpoint: string;
  /** The same that the page's tag says: see its attribute `data-session`. */
  readonly session: string;
  readonly visitor?: string | undefined;
  readonly touch?: Touch | undefined;
  /** The visitor's header `User-Agent`: who says that he is a crawler is not asked for. */
  readonly userAgent?: string | undefined;
  /** How long the page may wait. */
  readonly timeoutMs?: number | undefined;
}

const PATIENCE_MS = 300;

/**
 * The number for a visit, undefined where there is none to be shown but the printed one. Whatever fails, the page is to be
 * sent in time: a failure is no error here.
 */
export async function allocate(options: AllocateOptions): Promise<Given | undefined> {
  const { base, key, userAgent, timeoutMs = PATIENCE_MS, ...body } = options;
  if (isKnownBot(userAgent)) return undefined;
  try {
    const response = await fetch(new URL('/v1/allocations', base), {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMs),
    });
    const { number, display, level } = (await response.json()) as Reply;
    return response.ok && level !== 'none' ? { number, display, level } : undefined;
  } catch {
    // Away, too slow, or no JSON: the printed number it is.
    return undefined;
  }
}
