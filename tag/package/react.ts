'use client';
/** For React 18 and later: the number as a part of what React renders, which the tag then leaves alone. */
import {
  createElement,
  useCallback,
  useSyncExternalStore,
  type AnchorHTMLAttributes,
  type ReactElement,
} from 'react';
import { dialled, patternOf } from '../pattern.js';
import type { Shown } from '../visit.js';
import type { Given } from './given.js';
import { e164, lastTold, subscribe } from './shown.js';

export type { Given };

export interface TrackedNumberOptions {
  /** The printed number: country code, a blank, and the rest. */
  readonly number: string;
  /** As it is written for people; the number itself when absent. */
  readonly display?: string | undefined;
  /** What `allocate` gave to the server that rendered the page. */
  readonly given?: Given | undefined;
}

export interface TrackedNumberNow {
  /** E.164. */
  readonly number: string;
  /** In the form of the printed one, where it has the same length and country. */
  readonly display: string;
  readonly href: string;
  readonly state: Shown['state'];
  /** How certain a call to it is this visitor's: `session`, `bucket`, `overflow`; `none` for the printed one. */
  readonly level: string;
}

const nothing = () => undefined;

/**
 * The number that is to be shown in the place of a printed one. On the server and in the first render it is the printed (or
 * given) one, so that hydration finds what the server sent.
 */
export function useTrackedNumber(options: TrackedNumberOptions): TrackedNumberNow {
  const { number: printed, display = printed, given } = options;
  const listen = useCallback((changed: () => void) => subscribe(printed, changed), [printed]);
  const shown = useSyncExternalStore(listen, () => lastTold(printed), nothing);
  const { number, display: otherForm } =
    (shown ? (shown.state === 'printed' ? undefined : shown) : given) ?? {};
  const [, country = '', national = ''] = dialled(printed);
  if (!number) {
    const own = e164(printed);
    return { number: own, display, href: `tel:${own}`, state: 'printed', level: 'none' };
  }
  return {
    number,
    display:
      (national && patternOf(country, national).replace(display, number, otherForm ?? number)) ||
      otherForm ||
      number,
    href: `tel:${number}`,
    state: shown?.state ?? 'held',
    level: shown?.level ?? given?.level ?? 'none',
  };
}

export type TrackedNumberProps = TrackedNumberOptions &
  Omit<AnchorHTMLAttributes<HTMLAnchorElement>, 'href' | 'children'>;

/** The number as a link that dials it. */
export function TrackedNumber({ number, display, given, ...rest }: TrackedNumberProps): ReactElement {
  const now = useTrackedNumber({ number, display, given });
  // The tag would write into what React takes for its own.
  return createElement('a', { ...rest, href: now.href, 'data-tagswitch-off': '' }, now.display);
}
