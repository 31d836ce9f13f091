import { randomUUID } from 'node:crypto';
import type { SipEndpoint } from '../sip/endpoint.js';
import type { Target } from '../sip/flow.js';
import { headerKey } from '../sip/header-names.js';
import { newCallId, newTag } from '../sip/ids.js';
import { SipRequest, SipResponse, type HeaderPairs } from '../sip/message.js';
import { NameAddr } from '../sip/name-addr.js';
import { ParseError } from '../sip/parse-error.js';
import { targetOf } from '../sip/target.js';
import { SipUri } from '../sip/uri.js';
import { textHeader, type ApplicationText, type TextRest } from './application-text.js';
import { describe, type ControlConnection } from './control-connection.js';
import { OrderError } from './proxy-order.js';

/** Methods that make, need or end dialogs, which this server does not keep for applications. */
const refused = new Set(['INVITE', 'SUBSCRIBE', 'BYE', 'PRACK', 'UPDATE', 'REFER', 'CANCEL']);

/** The last number given to a CSeq; it starts from the time of day so that a restart does not repeat itself. */
let lastSequence = Math.floor(Date.now() / 1000) % 1_000_000_000;

/**
 * Sends a request outside of any dialog for an application, tells it what was sent, and then each response but 100;
 * 408 and 503 are made here when none comes.
 * @param route the next hop that the application wants, '' for the request's own
 * @throws OrderError with the text of the NOK
 */
export function sendForApplication(
  sip: SipEndpoint,
  text: ApplicationText & { kind: 'request' },
  route: string,
  from: ControlConnection,
  requestId: string,
): void {
  if (refused.has(text.method)) throw new OrderError(`${text.method} by the application is not supported`);
  const uri = readUri(text.uri, `invalid request-uri: ${text.uri}`);
  const target = targetOf(route === '' ? uri : readUri(route, 'invalid route'));
  if (target === undefined) throw new OrderError('requested protocol/transport not available');
  if (sip.isSelf(target.host, target.port)) throw new OrderError('can not send request to myself');
  const id = randomUUID();
  const transaction = sip.request(
    complete(sip, text),
    {
      onResponse: (response, flow) => {
        if (response.status === 100) return;
        const bytes = response.raw?.length ?? 0;
        const facts = describe('network', bytes, flow.proto, flow.host, flow.port);
        from.tell(['sip', ...facts, id, '', ''], response.toBuffer());
      },
      onFailure: (cause) => {
        const made = SipResponse.to(transaction.request, cause === 'timeout' ? 408 : 503, {
          toTag: newTag(),
        });
        from.tell(['sip', ...describe('network', 0, target.proto, '', 0), id, '', ''], made.toBuffer());
      },
    },
    target,
  );
  tellSent(sip, transaction.request, target, from, requestId, id);
}

function tellSent(
  sip: SipEndpoint,
  request: SipRequest,
  target: Target,
  from: ControlConnection,
  requestId: string,
  id: string,
): void {
  const sent = request.toBuffer();
  const facts = describe('application', sent.length, target.proto, sip.host, sip.port);
  from.reply(requestId, ['OK', ...facts, id, 'Msg sent:', ''], sent);
}

/** Fills in what the application left out (drachtio-protocol, section 5). */
function complete(sip: SipEndpoint, text: ApplicationText & { kind: 'request' }): SipRequest {
  const { rest, method, uri } = text;
  const own: HeaderPairs = [
    ['Max-Forwards', textHeader(rest, 'Max-Forwards') ?? '70'],
    ['From', tagged(textHeader(rest, 'From') ?? `<${sip.uri('udp')}>`)],
    ['To', textHeader(rest, 'To') ?? `<${uri}>`],
    ['Call-ID', textHeader(rest, 'Call-ID') ?? newCallId()],
    ['CSeq', `${sequence(rest)} ${method}`],
  ];
  const names = new Set(own.map(([name]) => headerKey(name)));
  const others = rest.headers
    .filter((h) => !names.has(headerKey(h.name)))
    .map((h) => [h.name, h.value] as const);
  return SipRequest.create(method, uri, {
    headers: [...own, ...others],
    ...(rest.contentType === undefined ? {} : { body: rest.body, contentType: rest.contentType }),
  });
}

function tagged(from: string): string {
  try {
    const address = NameAddr.parse(from);
    return address.param('tag') === undefined ? address.withParam('tag', newTag()).toString() : from;
  } catch (error) {
    if (error instanceof ParseError) throw new OrderError('malformed From');
    throw error;
  }
}

function sequence(rest: TextRest): number {
  const given = /^(\d{1,10})/.exec(textHeader(rest, 'CSeq') ?? '')?.[1];
  if (given !== undefined && Number(given) < 2 ** 31) return Number(given);
  return ++lastSequence;
}

function readUri(text: string, complaint: string): SipUri {
  try {
    return SipUri.parse(text);
  } catch (error) {
    if (error instanceof ParseError) throw new OrderError(complaint);
    throw error;
  }
}
