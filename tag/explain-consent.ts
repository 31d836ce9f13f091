/** Whether a visitor may be recognised, and what says so. Pure: no page. */
import type { Consent } from './visit.js';

export interface ConsentFacts {
  /** What the tag's element says. */
  readonly setting: string | undefined;
  /** `analytics_storage` of Google's consent mode, as the page said it last. */
  readonly mode: string | undefined;
  readonly globalPrivacyControl: boolean;
  /** Whether the page view has a session: there is one where consent was granted, and nowhere else. undefined: not known. */
  readonly hasSession: boolean | undefined;
}

/** As the analytics tag decides it, from the weightiest: the visitor's choice here, the browser's signal, the page's. */
export function explainConsent(facts: ConsentFacts): string {
  const { setting, mode, globalPrivacyControl, hasSession } = facts;
  const [said, by]: readonly [consent: string, by: string] = globalPrivacyControl
    ? ['denied', 'the browser sends Global Privacy Control']
    : mode !== undefined
      ? [mode, "Google's consent mode (analytics_storage)"]
      : setting !== undefined
        ? [setting, "data-consent on the tag's element"]
        : ['granted', 'nobody asked, which the tag takes for a yes'];
  const consent = said as Consent;
  const isGranted = consent === 'granted';
  // What the page told tagswitch.consent() cannot be read; that it outweighs the rest can be seen.
  if (hasSession !== undefined && hasSession !== isGranted)
    return `${hasSession ? 'granted' : 'not granted'}: the page called tagswitch.consent()`;
  return `${isGranted ? 'granted' : consent === 'unset' ? 'not granted yet (unset)' : 'not granted'}: ${by}`;
}
