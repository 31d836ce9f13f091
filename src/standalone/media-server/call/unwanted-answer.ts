import type { SipEndpoint } from '../../sip/endpoint.js';
import type { SipResponse } from '../../sip/message.js';
import type { Log } from '../log.js';
import { Dialog } from './dialog.js';

/**
 * Acknowledges the answer of a callee that came after the refusal of his INVITE, and hangs up: a proxy refused it in his name
 * when it was cancelled (RFC 3261 section 16.10), and he had answered. Any other response does nothing.
 */
export function endUnwanted(sip: SipEndpoint, response: SipResponse, log: Log): void {
  const { status, cseq } = response;
  if (cseq.method !== 'INVITE' || status < 200 || status >= 300) return;
  const dialog = Dialog.asCaller(response);
  const hangUp = (): void => {
    sip.request(dialog.request('BYE'), { onResponse: () => undefined });
  };
  sip
    .sendRequest(dialog.request('ACK'))
    .then(hangUp)
    .catch(() => {
      log('warning', 'an answer that came too late could not be ended', {});
    });
}
