import type { HeaderPairs, SipRequest } from '../sip/message.js';
import type { ServerTransaction } from '../sip/server-transaction.js';

const ALLOW = ['Allow', 'INVITE, ACK, BYE, CANCEL, OPTIONS'] as const;

/** What a party can do, for OPTIONS and for its answers (RFC 3261 section 11.2). */
export const capabilities: HeaderPairs = [ALLOW, ['Accept', 'application/sdp']];

/** Methods that we know, and that a party does not do. */
const KNOWN = ['REGISTER', 'PRACK', 'UPDATE', 'INFO', 'REFER', 'SUBSCRIBE', 'NOTIFY', 'MESSAGE', 'PUBLISH'];

/** 405 for a method that we know, 501 for one that nobody told us of (section 21.5.2). */
export function refuseMethod(transaction: ServerTransaction): void {
  transaction.reply(KNOWN.includes(transaction.request.method) ? 405 : 501, { headers: [ALLOW] });
}

/** Whether the body is a session description. */
export function hasSdp(request: SipRequest): boolean {
  return /^application\/sdp\s*(;|$)/i.test(request.get('Content-Type') ?? '');
}

/** Why an INVITE that opens a dialog is refused before anybody looks at its description (section 8.2); undefined: it is not. */
export function inviteRefusal(invite: SipRequest): { status: number; headers: HeaderPairs } | undefined {
  const required = invite.getAll('Require');
  if (required.length > 0) return { status: 420, headers: [['Unsupported', required.join(', ')]] };
  if (invite.contactUri === undefined || invite.fromTag === undefined) return { status: 400, headers: [] };
  if (invite.body.length > 0 && !hasSdp(invite)) {
    return { status: 415, headers: [['Accept', 'application/sdp']] };
  }
  return undefined;
}
