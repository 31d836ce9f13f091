import type { HeaderPairs, SipRequest } from '../sip/message.js';
import { allowed } from './call/leg.js';

/** What the server is and has when a request outside of every dialog comes. */
export interface Standing {
  readonly stopping: boolean;
  readonly paused: boolean;
  readonly full: boolean;
  readonly mayInvite: boolean;
  /** The same request came another way already (RFC 3261 section 8.2.2.2). */
  readonly merged: boolean;
}

export interface Refusal {
  readonly status: number;
  readonly reason?: string;
  readonly headers?: HeaderPairs;
}

/** How a request outside of every dialog is answered: undefined for an INVITE that is taken. */
export function admit(request: SipRequest, standing: Standing): Refusal | undefined {
  if (request.toTag !== undefined) return { status: 481 };
  switch (request.method) {
    case 'OPTIONS':
      return {
        status: 200,
        headers: [
          ['Accept', 'application/sdp'],
          ['Allow', allowed],
        ],
      };
    case 'INVITE':
      return admitInvite(request, standing);
    case 'REGISTER':
    case 'SUBSCRIBE':
    case 'MESSAGE':
    case 'REFER':
    case 'PUBLISH':
      return { status: 405, headers: [['Allow', allowed]] };
    default:
      return { status: 501, headers: [['Allow', allowed]] };
  }
}

function admitInvite(request: SipRequest, standing: Standing): Refusal | undefined {
  if (standing.stopping) return { status: 410 };
  if (standing.paused || standing.full) {
    return { status: 503, reason: 'Maximum Calls In Progress', headers: [['Retry-After', '300']] };
  }
  if (!standing.mayInvite) return { status: 403 };
  const required = request.getAll('Require');
  if (required.length > 0) return { status: 420, headers: [['Unsupported', required.join(', ')]] };
  if (standing.merged) return { status: 482 };
  if (request.maxForwards === 0) return { status: 483, reason: 'Too Many Hops' };
  if (request.contactUri === undefined) return { status: 400, reason: 'Missing Contact' };
  return undefined;
}
