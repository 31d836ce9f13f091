import { Seq } from '../../src/calls/events.js';
import type { Answered, Attributed, Ended, Planned, Received, Ringing } from '../../src/calls/events.js';

export const T0 = 1_795_366_067_000;
export const ACCOUNT = 'acc_0123456789abcdef';

/** `call_` and 16 characters, for the `n`th call of a test. */
export function callId(n: number): string {
  return `call_${n.toString(16).padStart(16, '0')}`;
}

export function received(call: string, more: Partial<Received> = {}): Received {
  return {
    v: 1,
    kind: 'received',
    account: ACCOUNT,
    call,
    seq: Seq.received,
    at: T0,
    number: '+12025550100',
    caller: 'c1.sealed',
    callerHash: 'hash',
    trunk: 'trk_0123456789abcdef',
    level: 'session',
    late: false,
    endpoint: 'end_0123456789abcdef',
    site: 'site_0123456789abcdef',
    session: 's-1',
    visitor: 'v-1',
    link: 'lnk_0123456789abcdef',
    touch: '{"source":"test"}',
    test: false,
    why: 'linked',
    ...more,
  };
}

/** Another than the newest holder is credited. */
export function attributed(call: string, more: Partial<Attributed> = {}): Attributed {
  const factors = [{ what: 'delay', factor: 0.01 }];
  return {
    v: 1,
    kind: 'attributed',
    account: ACCOUNT,
    call,
    seq: Seq.attributed,
    at: T0,
    level: 'session',
    late: true,
    why: 'lastHolder',
    endpoint: 'end_0000000000000002',
    site: 'site_0123456789abcdef',
    session: 's-2',
    link: 'lnk_0000000000000002',
    probability: 0.75,
    candidates: [
      {
        link: 'lnk_0000000000000002',
        endpoint: 'end_0000000000000002',
        session: 's-2',
        probability: 0.75,
        because: [...factors, { what: 'tapped', factor: 12 }],
      },
      {
        link: 'lnk_0123456789abcdef',
        endpoint: 'end_0123456789abcdef',
        session: 's-1',
        visitor: 'v-1',
        probability: 0.2,
        because: factors,
      },
    ],
    ...more,
  };
}

export function planned(call: string, more: Partial<Planned> = {}): Planned {
  return {
    v: 1,
    kind: 'planned',
    account: ACCOUNT,
    call,
    seq: Seq.planned,
    at: T0 + 5,
    media: 'bridged',
    mediaNode: 'node-1',
    destinations: ['sip:agent@127.0.0.1:5070'],
    callId: 'abc@127.0.0.1',
    ...more,
  };
}

export function ringing(call: string, more: Partial<Ringing> = {}): Ringing {
  return { v: 1, kind: 'ringing', account: ACCOUNT, call, seq: Seq.ringing, at: T0 + 100, ...more };
}

export function answered(call: string, more: Partial<Answered> = {}): Answered {
  return { v: 1, kind: 'answered', account: ACCOUNT, call, seq: Seq.answered, at: T0 + 2_100, ...more };
}

export function ended(call: string, more: Partial<Ended> = {}): Ended {
  return {
    v: 1,
    kind: 'ended',
    account: ACCOUNT,
    call,
    seq: Seq.endedByNode,
    at: T0 + 12_100,
    result: 'answered',
    reason: { status: 200, q850: 16, text: 'NORMAL_CLEARING' },
    fault: 'caller',
    destination: 'sip:agent@127.0.0.1:5070',
    ...more,
  };
}
