/** Every parser of ours that is given text of strangers, as one list: slow-input.test.ts and fuzz.test.ts go through it. */
import { generateKeyPairSync } from 'node:crypto';
import sipParser from 'drachtio-srf/lib/sip-parser/parser.js';
import { callOf, legEndFromEvent, legEndFromLine } from '../../src/calls/leg-end.js';
import { headerText } from '../../src/media/event-header.js';
import { eventReader } from '../../src/media/event-reader.js';
import { destinationOfToken, readLegToken } from '../../src/routing/leg-token.js';
import { CallerIdentity } from '../../src/sip/caller-identity.js';
import { dialogRecord } from '../../src/sip/dialog-record.js';
import { headerLines, headerValues } from '../../src/sip/header-lines.js';
import { hasForgedHeader } from '../../src/sip/screening.js';
import { oddFrame } from '../../src/sip/sip-frame.js';
import { dialledNumber, parseSipUri } from '../../src/sip/sip-uri.js';
import { isOurs, readPassport } from '../../src/sip/stir/identity-header.js';
import { taken } from '../../src/sip/stir/verstat.js';
import { expandGlobals } from '../../src/standalone/media-server/configuration/preprocess.js';
import { ConfigurationError } from '../../src/standalone/media-server/configuration/source.js';
import { parseXml } from '../../src/standalone/media-server/configuration/xml.js';
import { parseDialString } from '../../src/standalone/media-server/dialplan/dial-string.js';
import { expand, FunctionRefused } from '../../src/standalone/media-server/dialplan/expand.js';
import { BlockTooLong, CommandReader } from '../../src/standalone/media-server/event-socket/framing.js';
import { parseSdp } from '../../src/standalone/media-server/media/sdp.js';
import { readApplicationText } from '../../src/standalone/sip-server/application-text.js';
import { FrameDecoder, FrameError, parseFrame } from '../../src/standalone/sip-server/control-frame.js';
import { OrderError, readProxyOrder } from '../../src/standalone/sip-server/proxy-order.js';
import { NameAddr } from '../../src/standalone/sip/name-addr.js';
import { ParseError } from '../../src/standalone/sip/parse-error.js';
import { parseMessage } from '../../src/standalone/sip/parse.js';
import { StreamFramer } from '../../src/standalone/sip/stream-framer.js';
import { SipUri } from '../../src/standalone/sip/uri.js';
import { Via } from '../../src/standalone/sip/via.js';
import { readVisitorToken } from '../../src/visitors/token.js';

export interface Parser {
  readonly name: string;
  readonly read: (text: string) => unknown;
  /** What it may throw; anything else is a fault of ours. */
  readonly throws?: readonly (abstract new (...values: never[]) => Error)[];
  /** Texts that it reads, or nearly, with `*` where hostile text is put. */
  readonly forms: readonly string[];
  /** How long a text it looks into at all; 64,000 where that is not said. */
  readonly longest?: number;
}

/** A header that is read where the message has it, as the application sees one that drachtio-srf read. */
const headersOf = (raw: string) => ({
  raw,
  header: (name: string) => headerValues(raw, name.toLowerCase()).join(',') || undefined,
});
const identity = new CallerIdentity({ seal: (number) => number, hash: (number) => number });
const trust = { assertedIdentity: true };

const legKey = Buffer.alloc(32, 7);
const { publicKey } = generateKeyPairSync('ed25519');
const visitorKey = { algorithm: 'EdDSA', key: publicKey } as const;

const message = (...lines: string[]): string =>
  [
    'INVITE sip:+12025550100@192.0.2.2 SIP/2.0',
    'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa',
    'From: <sip:+12025550123@192.0.2.1>;tag=f',
    'To: <sip:+12025550100@192.0.2.2>',
    'Call-ID: c1',
    'CSeq: 1 INVITE',
    ...lines,
    '',
    '',
  ].join('\r\n');
const requests = [
  message('*'),
  message('X-Any: *'),
  message('Content-Type: *', 'Content-Length: 0'),
  message('Contact: <sip:a@192.0.2.1>;*', 'Route: *'),
  ...['192.0.2.1;branch=z9hG4bKa', 'tag=f', 'c1', '1 INVITE', '<sip:+12025550100@192.0.2.2>'].flatMap(
    (part) => [message().replace(part, '*'), message().replace(part, `${part}*`)],
  ),
  message().replace('sip:+12025550100@192.0.2.2 SIP', 'sip:*@192.0.2.2 SIP'),
  message().replace('INVITE sip:+12025550100@192.0.2.2 SIP/2.0', 'SIP/2.0 486 *'),
  message().replace('INVITE ', '*'),
];
const callers = [
  ...[
    '*',
    '"*',
    '"*"',
    '"*" <sip:+12025550123@h>',
    '<*',
    '<sip:*>',
    'x*<sip:a@h>',
    '<tel:*>',
    '<sip:a@h>;*',
  ].flatMap((value) => [
    message(`P-Asserted-Identity: ${value}`, `Diversion: ${value}`).replace(
      '<sip:+12025550123@192.0.2.1>;tag=f',
      value,
    ),
    message(`History-Info: ${value},<sip:a@h>;index=1`, `Privacy: ${value}`),
  ]),
];
const control = (leader: string, sip: string): string => `${leader}\r\n${sip}`;

/** As the connection does: what the guard lets through is read by the library. */
function readFrame(frame: string): unknown {
  const odd = oddFrame(frame);
  if (odd?.kind === 'kept') return undefined;
  const seen = odd?.frame ?? frame;
  const end = seen.indexOf('\r\n');
  const [, kind] = seen.slice(0, Math.max(0, end)).split('|', 2);
  if (end < 0 || end + 2 === seen.length || (kind !== 'sip' && kind !== 'response')) return undefined;
  const { parseSipMessage } = sipParser as { parseSipMessage: (text: string, lazy: boolean) => unknown };
  const read = parseSipMessage(seen.slice(end + 2), true);
  if (read === undefined) throw new Error('the library cannot read what the guard let through');
  return read;
}

export const parsers: readonly Parser[] = [
  {
    name: 'SIP message',
    read: (text) => parseMessage(Buffer.from(text)),
    throws: [ParseError],
    longest: 30_000,
    forms: requests,
  },
  {
    name: 'SIP stream',
    read: (text) => [...new StreamFramer().push(Buffer.from(text))],
    throws: [ParseError],
    longest: 30_000,
    forms: [message('X-Any: *', 'Content-Length: 0'), message('Content-Length: *'), '\r\n*'],
  },
  {
    name: 'Via',
    read: (text) => Via.parse(text),
    throws: [ParseError],
    forms: ['*', 'SIP/2.0/UDP *', 'SIP/2.0/UDP h*x', 'SIP/2.0/UDP h;*', 'SIP*'],
  },
  {
    name: 'address',
    read: (text) => NameAddr.parse(text),
    throws: [ParseError],
    forms: ['*', '"*', '"*" <sip:a@h>', '<*', '<sip:*>', 'sip:a@h;*'],
  },
  {
    name: 'SIP URI',
    read: (text) => SipUri.parse(text),
    throws: [ParseError],
    forms: ['*', 'sip:*', 'sip:*@h', 'sip:a@h*', 'sip:a@h;*', 'sip:a@h?*'],
  },
  {
    name: 'session description',
    read: parseSdp,
    forms: [
      '*',
      'v=0\r\n*',
      'v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP *x',
      'v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 0*',
      'v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 0\r\na=rtpmap:0 *x',
      'v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 0\r\na=sendonly*x',
      'v=0\r\nc=IN IP4 *',
    ],
  },
  {
    name: 'dial string',
    read: parseDialString,
    forms: ['*', '{*', '[*', '{*}sofia/p/sip:a@h', '[a=*]sofia/p/sip:a@h', "{a='*'}sofia/p/sip:a@h"],
  },
  {
    name: 'variables',
    read: (text) => expand(text, (name) => (name === 'x' ? 'y' : undefined)),
    throws: [FunctionRefused],
    forms: ['*', '${*', '${*}', '${x}*', '${x:*}'],
  },
  {
    name: 'globals',
    read: (text) => expandGlobals(text, new Map([['x', 'y']])),
    forms: ['*', '$${*', '$${*}', '$${x}*'],
  },
  {
    name: 'XML',
    read: (text) => parseXml(text.split('\n').map((line, at) => ({ text: line, file: 'f', line: at + 1 }))),
    throws: [ConfigurationError],
    forms: ['*', '<a>*</a>', '<a *>', '<a b="*"/>', '<!--*--><a/>', '<a><![CDATA[*]]></a>', '<*'],
  },
  {
    name: 'event socket commands',
    read: (text) => new CommandReader().read(Buffer.from(text)),
    throws: [BlockTooLong],
    forms: ['*', 'api *\n\n', 'sendmsg\nname: *\n\n'],
  },
  { name: 'event socket headers', read: headerText, forms: ['*', 'Content-Length: *', 'A: *\nB: *'] },
  {
    name: 'control port frames',
    read: (text) => [...new FrameDecoder().push(Buffer.from(text))].map((payload) => parseFrame(payload)),
    throws: [FrameError],
    forms: ['*', '5#*'],
  },
  {
    name: 'application text',
    read: (text) => readApplicationText(Buffer.from(text), 'h:1'),
    throws: [OrderError],
    forms: ['*', 'INVITE sip:a@h SIP/2.0\r\nFrom: *\r\n\r\n', 'SIP/2.0 200 *\r\n\r\n'],
  },
  {
    name: 'proxy order',
    read: (text) => readProxyOrder(parseFrame(Buffer.from(text))),
    throws: [OrderError],
    forms: [
      '*',
      control('i|proxy|t|remainInDialog|||serial|1s||*', 'INVITE sip:a@192.0.2.1 SIP/2.0\r\nX-A: b\r\n\r\n'),
      control(
        'i|proxy|t|remainInDialog|||serial|1s||sip:a@192.0.2.1',
        'INVITE sip:a@192.0.2.1 SIP/2.0\r\nX-A: *\r\n\r\n',
      ),
    ],
  },
  {
    name: 'frames before drachtio-srf',
    read: readFrame,
    forms: [
      '*',
      'i|sip|*',
      ...requests.map((sip) => control('i|sip|network|9|udp|192.0.2.1|5060|10:00:00|t|', sip)),
      control('i|response|r|OK|network|1|udp|h|5|t|||continue', 'SIP/2.0 486 *\r\nVia: x\r\n\r\n'),
    ],
  },
  {
    name: 'dialog records',
    read: dialogRecord,
    forms: [
      '*',
      control('a|cdr:stop|network|10:00:00|*', 'BYE sip:a@b SIP/2.0\r\nCall-ID: x\r\n\r\n'),
      control('a|cdr:stop|network|10:00:00|x', 'SIP/2.0 486 *\r\nCall-ID: *\r\n\r\n'),
    ],
  },
  { name: 'header lines', read: (text) => [headerLines(text), hasForgedHeader(text)], forms: requests },
  {
    name: 'caller identity',
    read: (text) => {
      const request = headersOf(text);
      return [
        identity.number(request, trust),
        identity.shown(request, trust),
        identity.diverting(request, trust),
      ];
    },
    forms: callers,
  },
  {
    name: 'verstat',
    read: (text) => taken(headersOf(text).header),
    forms: [
      ...callers,
      message('Attestation-Info: *', 'P-Asserted-Identity: <sip:a@h>;verstat=TN-Validation-Passed'),
    ],
  },
  {
    name: 'request URI',
    read: (text) => [parseSipUri(text), dialledNumber(text)],
    forms: ['*', 'sip:*', 'sip:*@h', 'sip:a@*', 'sip:a@h;*', 'sip:a@h?*'],
  },
  {
    name: 'Identity',
    read: (text) => [isOurs(text), readPassport(text, { orig: '12025550123', dest: '12025550100', date: 1 })],
    forms: [
      '*',
      'e30.e30.*;info=<https://h>',
      'e30.e30.AA*',
      'e30.e30.AA;info=<*>;ppt=shaken',
      'e30.e30.AA;info="*"',
      '..AA;info=<https://h>;*',
    ],
  },
  {
    name: 'leg token',
    read: (text) => [readLegToken(text, legKey, 1_700_000_000), destinationOfToken(text)],
    forms: ['*', 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA*'],
  },
  {
    name: 'visitor token',
    read: (text) => readVisitorToken(text, visitorKey, ['site_x'], 1),
    forms: ['*', 'e30.e30.*', 'eyJhbGciOiJFZERTQSJ9.*.AA', 'eyJhbGciOiJFZERTQSJ9.e30.AA*'],
  },
  {
    name: 'event of a media node in lines',
    read: eventReader(['Event-Name', 'note']),
    forms: [
      '*',
      'Event-Name: *\n\n',
      'Event-Name: HEARTBEAT*',
      '*: Event-Name\n\n',
      'note: *\nEvent-Name: a\n\n',
    ],
  },
  { name: 'spool line', read: legEndFromLine, forms: ['*', '"call_*"', '"*",'] },
  {
    name: 'events of a media node',
    read: (text) => {
      const event = {
        'Event-Name': 'CHANNEL_HANGUP_COMPLETE',
        'Call-Direction': 'inbound',
        'variable_sip_h_X-Tagswitch-Call': 'call_0000000000000000.acc_0000000000000000',
        variable_start_uepoch: '1000000',
        variable_end_uepoch: text,
        variable_hangup_cause: text,
        variable_bridge_channel: text,
      };
      return [callOf({ ...event, 'variable_sip_h_X-Tagswitch-Call': text }), legEndFromEvent(event)];
    },
    forms: ['*', '2000000', 'sofia/p/leg.*@h'],
  },
];
