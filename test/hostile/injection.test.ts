/**
 * What has a meaning to SIP or to FreeSWITCH, put into every field that gets near them: of the call, and of what operators
 * declare. What leaves is looked at, header by header and leg by leg.
 */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { planHeaders } from '../../src/media/dial-strings.js';
import { EventSocket } from '../../src/media/event-socket.js';
import { safeHeaders, safeValue } from '../../src/sip/safe.js';
import { parseDialString } from '../../src/standalone/media-server/dialplan/dial-string.js';
import { faults, file } from '../directory/file-fixture.js';
import { keepingLogger } from '../support/logger.js';
import { application, NODE, NUMBER } from './application.js';

/** Each would do something where it is taken for more than text. */
const PAYLOADS = [
  ...[
    '\r\nX-Tagswitch-Plan: x',
    '\nX-Tagswitch-Plan: x',
    '\rX-Tagswitch-Plan: x',
    '\r\n\r\nv=0',
    '\r\n X-Folded: x',
    '\0',
  ],
  ...['%0d%0aX-Tagswitch-Plan: x', '%0aX: x', '%00', '%', '%zz', '\u0085X: x', '\u2028X: x'],
  ...[
    '{api_on_answer=status}',
    '[leg_timeout=1]',
    '<leg_timeout=1>',
    ',sofia/tagswitch/sip:x@192.0.2.66',
    '|loopback/x',
    ':_:user/1',
  ],
  ...[
    '^^:',
    "'",
    '\\',
    '\\,',
    '$1',
    '$0',
    '${system(id)}',
    '${sip_h_From}',
    '$${domain}',
    '`id`',
    '&bridge()',
    '}',
    ']',
    '"',
    ' inline',
  ],
  ...[
    '@192.0.2.66',
    ';transport=tcp',
    ';lr',
    '?Route=%3Csip:192.0.2.66%3E',
    '>,<sip:x@192.0.2.66',
    '#',
    '/../../etc/passwd',
    '😀',
  ],
];

/** The one form of a plan that the dialplan bridges. */
const dialplan = readFileSync('freeswitch-conf/dialplan/tagswitch.xml', 'utf8');
const PLAN = new RegExp(
  (/name="first trunk"[^>]*>\s*<condition [^>]*expression="([^"]*)"/.exec(dialplan)?.[1] ?? '').replaceAll(
    '$${tagswitch_switch_pattern}',
    '192[.]0[.]2[.]5:5060',
  ),
);
const HEADERS: Readonly<Record<string, RegExp>> = {
  'X-Tagswitch-Call': /^call_[0-9a-hjkmnp-tv-z]{16}[.]acc_0{16}$/,
  'X-Tagswitch-Caller': /^(?:\+?[0-9]{1,20}|anonymous)$/,
  'X-Tagswitch-Whisper': /^tone$/,
  'X-Tagswitch-Limit': /^60$/,
  'X-Tagswitch-Plan': PLAN,
  'Content-Length': /^0$/,
};

/** What is wrong with a frame that orders an INVITE to be proxied; undefined where nothing is. */
function wrongIn(frame: string): string | undefined {
  const [leader = '', start = '', ...lines] = frame.split('\r\n');
  const [, , , remain, full, redirects, order, silence, final, ...targets] = leader.split('|');
  if (
    [remain, full, redirects, order, silence, final].join() !== 'remainInDialog,fullResponse,,serial,1500ms,'
  )
    return `another order: ${leader}`;
  const target = `sip:${NUMBER}@${NODE}:5180`;
  if (targets.join() !== target || start !== `INVITE ${target} SIP/2.0`)
    return `another target: ${leader} ${start}`;
  if (lines.splice(-2).join('') !== '') return 'a body';
  const seen = new Set<string>();
  for (const line of lines) {
    const [, name = '', value = ''] = /^([^:]*): (.*)$/s.exec(line) ?? [];
    if (seen.has(name)) return `twice: ${name}`;
    seen.add(name);
    if (HEADERS[name]?.test(value) !== true || /[\r\n\0]/.test(value))
      return `a header that is not ours: ${line}`;
  }
  return seen.size === Object.keys(HEADERS).length ? undefined : `headers are missing: ${[...seen].join()}`;
}

/** A good INVITE with `payload` in one place. */
const FIELDS: Readonly<Record<string, (payload: string) => string>> = {
  'request URI, user': (p) => invite({}, `sip:${NUMBER}${p}@192.0.2.5`),
  'request URI, before the user': (p) => invite({}, `sip:${p}${NUMBER}@192.0.2.5`),
  'request URI, parameter': (p) => invite({}, `sip:${NUMBER}@192.0.2.5;x=${p}`),
  'request URI, test token': (p) => invite({}, `sip:${NUMBER}@192.0.2.5;tagswitch-test=${p}`),
  'From, user': (p) => invite({ From: `<sip:+12025550147${p}@h>;tag=1` }),
  'From, user alone': (p) => invite({ From: `<sip:${p}@h>;tag=1` }),
  'From, name': (p) => invite({ From: `"${p}" <sip:+12025550147@h>;tag=1` }),
  'From, name without quotes': (p) => invite({ From: `${p} <sip:+12025550147@h>;tag=1` }),
  'From, tag': (p) => invite({ From: `<sip:+12025550147@h>;tag=${p}` }),
  To: (p) => invite({ To: `"${p}" <sip:${p}@h>` }),
  'P-Asserted-Identity, user': (p) => invite({ 'P-Asserted-Identity': `<sip:+12025550148${p}@h>` }),
  'P-Asserted-Identity, telephone': (p) => invite({ 'P-Asserted-Identity': `<tel:+12025550148${p}>` }),
  'P-Asserted-Identity, name': (p) => invite({ 'P-Asserted-Identity': `"${p}" <tel:+12025550148>` }),
  Privacy: (p) => invite({ Privacy: `none;${p}` }),
  Diversion: (p) => invite({ Diversion: `"${p}" <sip:+12025550149${p}@h>;reason=${p}` }),
  'History-Info': (p) =>
    invite({ 'History-Info': `<sip:+12025550149${p}@h?${p}>;index=1,<sip:a@h>;index=2` }),
  Identity: (p) => invite({ Identity: `a.b.c;info=<https://h/${p}>;ppt=shaken` }),
  Date: (p) => invite({ Date: p }),
  Contact: (p) => invite({ Contact: `<sip:${p}@h>` }),
  'Call-ID': (p) => invite({ 'Call-ID': `call${p}` }),
  'User-to-User': (p) => invite({ 'User-to-User': p }),
  'a header of theirs': (p) => invite({ 'X-Carrier': p }),
  'a name of theirs': (p) => invite({ [`X-${p}`]: '1' }),
  'User-Agent': (p) => invite({ 'User-Agent': p }),
};
function invite(change: Readonly<Record<string, string>>, uri = `sip:${NUMBER}@192.0.2.5`): string {
  const headers = {
    Via: 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa', From: '<sip:+12025550147@h>;tag=1', To: `<sip:${NUMBER}@h>`, 'Call-ID': 'c',
    CSeq: '1 INVITE', ...change,
  }; // prettier-ignore
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [`INVITE ${uri} SIP/2.0`, ...lines, 'Content-Length: 0', '', ''].join('\r\n');
}

t.test('nothing that a caller writes leaves as more than it is', async (t) => {
  const { give, isWell, log, port } = await application(t);
  t.equal(wrongIn((await give(invite({}))).frame), undefined, 'a plain call leaves as it should');
  for (const [field, made] of Object.entries(FIELDS)) {
    const wrong: string[] = [];
    let proxied = 0;
    for (const payload of PAYLOADS) {
      const message = made(payload);
      const { status, frame } = await give(message);
      if (status === undefined) proxied += 1;
      // A proxy takes nothing away: what the media node would believe must not be handed on at all.
      const forged = /[\r\n]\s*X-Tagswitch/.test(message);
      const why =
        status === undefined
          ? forged
            ? 'a plan of his own'
            : wrongIn(frame)
          : ![400, 403, 404, 416, 484].includes(status) && `answered ${String(status)}`;
      if (typeof why === 'string') wrong.push(`${JSON.stringify(payload)}: ${why}`);
    }
    t.same(wrong, [], field);
    if (!/^(?:request URI, (?:user|before)|a name)/.test(field))
      t.ok(proxied > 10, `${field}: most are calls like any other`);
  }
  t.ok(isWell());
  t.notOk(port.frames.some((frame) => /\|sip\|.*\r\nX-Tagswitch/is.test(frame)));
  t.notMatch(JSON.stringify(log.lines), /2025550147|2025550148|2025550149/, 'no line names who called');
});

t.test('what operators declare is refused where it would be more than it is', async (t) => {
  const list = (...items: string[]): string => `[${items.join(', ')}]`;
  const trunk = (more: string): string =>
    file({ trunks: list(`{name: carrier, addresses: [192.0.2.0/24], ${more}}`) });
  const endpoint = (more: string): string =>
    file({ endpoints: list(`{name: sales, destinations: ["sip:agent@192.0.2.9:5070"], ${more}}`) });
  const text = (value: string): string => JSON.stringify(value);
  const declared: Readonly<Record<string, (payload: string) => string>> = {
    'destination, user': (p) =>
      file({ endpoints: list(`{name: sales, destinations: [${text(`sip:agent${p}@192.0.2.9:5070`)}]}`) }),
    'destination, host': (p) =>
      file({ endpoints: list(`{name: sales, destinations: [${text(`sip:agent@192.0.2.9${p}:5070`)}]}`) }),
    'destination, end': (p) =>
      file({
        endpoints: list(
          `{name: sales, destinations: [${text(`sip:agent@192.0.2.9:5070;transport=udp${p}`)}]}`,
        ),
      }),
    'destination, number': (p) =>
      file({
        endpoints: list(
          `{name: sales, destinations: [{to: ${text(`+12125550160${p}`)}, trunks: [carrier]}]}`,
        ),
      }),
    gateway: (p) => trunk(`gateway: ${text(`sip.example.com${p}`)}`),
    techPrefix: (p) => trunk(`gateway: sip.example.com, techPrefix: ${text(`77${p}`)}`),
    'outgoing, becomes': (p) =>
      trunk(`gateway: sip.example.com, outgoing: [{prefix: "+", becomes: ${text(`00${p}`)}}]`),
    'incoming, becomes': (p) =>
      trunk(`gateway: sip.example.com, incoming: [{prefix: "0", becomes: ${text(`+44${p}`)}}]`),
    whisper: (p) => endpoint(`whisper: ${text(`hello${p}`)}`),
    callerShown: (p) => endpoint(`callerShown: ${text(`+12025550150${p}`)}`),
    number: (p) => file({ pools: list(`{name: main, numbers: [${text(`+12025550100${p}`)}]}`) }),
    announcement: (p) =>
      file({
        pools: list(
          `{name: main, numbers: ["+12025550100-+12025550199"], inQuarantine: announce, announcement: ${text(`closed${p}`)}}`,
        ),
      }),
  };
  for (const [field, made] of Object.entries(declared)) {
    t.same(faults(made('')), [], `${field}: good without`);
    const taken = PAYLOADS.filter((payload) => faults(made(payload)).length === 0);
    t.same(taken, field === 'techPrefix' ? ['#'] : [], field);
  }
});

t.test('what goes on from the caller to the callee may hold nothing that FreeSWITCH acts on', async (t) => {
  const passed = [
    ...dialplan.matchAll(
      /field="\$\{(?:sip_h_Diversion|sip_history_info|sip_h_identity)\}" expression="([^"]*)"/g,
    ),
  ].map(
    ([, expression = '']) =>
      new RegExp(
        expression
          .replaceAll('&lt;', '<')
          .replaceAll('&gt;', '>')
          .replaceAll('&quot;', '"')
          .replaceAll('&amp;', '&'),
      ),
  );
  t.equal(passed.length, 3);
  const acted = [..."${}[]\\'|^`\r\n\0\u0085\u2028"];
  for (const pattern of passed) {
    t.ok(pattern.test('a.b;info=<https://h/c>;x="y"'));
    t.same(
      acted.filter((character) => pattern.test(`<https://h>${character}`)),
      [],
    );
  }
});

t.test('the gates before SIP and the event socket', async (t) => {
  const breaks = PAYLOADS.filter((payload) => /[\r\n\0]/.test(payload));
  t.ok(breaks.length > 5);
  for (const payload of breaks) {
    t.throws(() => safeValue('x', `a${payload}`), { code: 'unsafeValue' });
    t.throws(() => safeHeaders({ 'X-A': payload }), { code: 'unsafeValue' });
    t.throws(() => safeHeaders({ [`X-${payload}`]: 'a' }), { code: 'unsafeValue' });
  }
  const listener = { up: () => undefined, down: () => undefined, headers: [], event: () => undefined };
  const socket = new EventSocket({ host: '127.0.0.1', port: 9, secret: 'x' }, listener, keepingLogger());
  for (const payload of breaks) await t.rejects(socket.api(`status ${payload}`), { code: 'unsafe' });

  // The last look at a caller's number, wherever it came from and however a trunk writes it.
  for (const payload of PAYLOADS) {
    for (const caller of [payload, `+12025550147${payload}`, `${payload}+12025550147`]) {
      const leg = { leg: 0, trunk: 1, destination: { serial: 2, to: '+12025550160', trunks: [] } };
      const { headers } = planHeaders(
        { rounds: [[{ legs: [leg], ringMs: 20_000 }]] },
        { call: 'call_0000000000000000', account: 'acc_0000000000000000', switchAddress: '192.0.2.5:5060', caller: '+12025550123', written: () => caller, token: () => 'A'.repeat(32) },
      ); // prettier-ignore
      t.equal(headers['X-Tagswitch-Caller'], 'anonymous');
      const plan = headers['X-Tagswitch-Plan'] ?? '';
      t.match(plan, PLAN);
      t.equal(parseDialString(plan).groups.flat().length, 1, 'one leg, as planned');
    }
  }
});
