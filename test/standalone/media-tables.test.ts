import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import {
  causeOf,
  causeOfStatus,
  q850,
  reasonOf,
  statusOfCause,
} from '../../src/standalone/media-server/causes.js';
import { Channel } from '../../src/standalone/media-server/channel/channel.js';
import { loadConfiguration } from '../../src/standalone/media-server/configuration/load.js';
import { readDialplan } from '../../src/standalone/media-server/configuration/dialplan-file.js';
import { parseXml, type XmlElement } from '../../src/standalone/media-server/configuration/xml.js';
import { parseDialString } from '../../src/standalone/media-server/dialplan/dial-string.js';
import { expand } from '../../src/standalone/media-server/dialplan/expand.js';
import { expression, hunt } from '../../src/standalone/media-server/dialplan/hunt.js';
import { CommandReader, longestBlock } from '../../src/standalone/media-server/event-socket/framing.js';
import { Subscription } from '../../src/standalone/media-server/event-socket/subscription.js';
import { decodeByte, encode } from '../../src/standalone/media-server/media/g711.js';
import { openSound } from '../../src/standalone/media-server/media/player.js';
import { parseSdp, writeSdp } from '../../src/standalone/media-server/media/sdp.js';
import { parseToneStream, toneFrames } from '../../src/standalone/media-server/media/tone.js';

const xml = (text: string): XmlElement =>
  parseXml(text.split('\n').map((line, index) => ({ text: line, file: 'x.xml', line: index + 1 })));

t.test('XML: what is read, and what is refused by file and line', async (t) => {
  const root = xml(
    `<?xml version="1.0"?>\n<!-- <no> --><a x='1 "2"' y="&lt;&#65;&#x42;&amp;">\n t<b/>ext <include><c>&quot;</c></include><![CDATA[<&]]>\n</a>`,
  );
  t.equal(root.attributes.get('x'), '1 "2"');
  t.equal(root.attributes.get('y'), '<AB&');
  t.same(
    root.children.map((child) => [child.name, child.text, child.line]),
    [
      ['b', '', 3],
      ['c', '"', 3],
    ],
  );
  t.equal(root.text.trim(), 'text <&');
  const faults: readonly (readonly [string, number, RegExp])[] = [
    ['<a>\n<b>\n</a>', 3, /<\/a> where <\/b> of line 2/],
    ['<a>\n', 1, /<a> is never closed/],
    ['<a/>\n<b/>', 2, /second root/],
    ['<a/>\ntext', 2, /outside/],
    ['<a\nx=1/>', 2, /not quoted/],
    ['<a x="1" x="2"/>', 1, /twice/],
    ['<a x="1"y="2"/>', 1, /blank/],
    ['<a x="<"/>', 1, /< in the value/],
    ['<a>\n&nbsp;</a>', 2, /no known entity/],
    ['<a>&#0;</a>', 1, /no known entity/],
    ['<!DOCTYPE a [<!ENTITY b "c">]>\n<a/>', 1, /document type/],
    ['<a><!-- \n</a>', 1, /comment has no end/],
    ['</a>', 1, /closes nothing/],
    ['', 1, /no element/],
    ['<a', 1, /has no end/],
    ['<a x/>', 1, /no value/],
  ];
  for (const [text, line, message] of faults)
    t.throws(() => xml(text), { file: 'x.xml', line, message }, JSON.stringify(text));
  fc.assert(
    fc.property(
      fc.string({
        unit: fc.constantFrom('<', '>', 'a', '/', '"', "'", '=', '&', ';', '!', '-', '?', ' ', '\n'),
      }),
      (text) => {
        try {
          xml(text);
        } catch (error) {
          return (error as { code?: string }).code === 'configuration';
        }
        return true;
      },
    ),
  );
});

t.test('the configuration of FreeSWITCH in the repository is read as a whole', async (t) => {
  const folder = join(import.meta.dirname, '../../../freeswitch-conf');
  const read = loadConfiguration(
    folder,
    { TAGSWITCH_FREESWITCH_SECRET: 's', TAGSWITCH_NODE_SIP_PORT: '5999' },
    new Map([['tagswitch_spool', '/x']]),
  );
  t.match(read.profile, {
    name: 'tagswitch',
    sipIp: '127.0.0.1',
    sipPort: 5999,
    context: 'tagswitch',
    callerIdType: 'none',
  });
  t.ok(read.profile.mayInvite('127.0.0.1'));
  t.notOk(read.profile.mayInvite('127.0.0.2'));
  t.match(read.eventSocket, { port: 8021, password: 's' });
  t.equal(read.spool.folder, '/x/cdr-csv');
  t.equal(read.heartbeatMs, 20_000);
  t.ok(read.dialplan.has('tagswitch_end'));
});

t.test('bad configuration is named by file and line', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'conf-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'd'));
  const put = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  const load = (overrides: Record<string, string> = {}) =>
    loadConfiguration(folder, { HERE: 'env' }, new Map(Object.entries(overrides)));
  t.throws(() => load(), { message: /freeswitch\.xml:1: cannot be read \(ENOENT\)/ });
  const root = (inside: string, profile = '<param name="sip-port" value="$${port}"/>'): string =>
    `<document>\n<X-PRE-PROCESS cmd="set" data="port=5"/>\n${inside}\n<section name="configuration"><configuration name="sofia.conf"><profiles><profile name="p"><settings>${profile}</settings></profile></profiles></configuration></section>\n<section name="dialplan">\n<X-PRE-PROCESS cmd="include" data="d/*.xml"/>\n</section></document>`;
  put('freeswitch.xml', root('<X-PRE-PROCESS cmd="env-set" data="port=$HERE"/>'));
  t.throws(
    () => load(),
    { message: /freeswitch\.xml:4: sip-port "env" is no number/ },
    'env-set replaces set',
  );
  t.equal(load({ port: '7' }).profile.sipPort, 7, 'an override wins over both');
  const bad: readonly (readonly [string, RegExp])[] = [
    ['<X-PRE-PROCESS cmd="exec" data="ls"/>', /freeswitch\.xml:3: X-PRE-PROCESS exec is not supported/],
    [
      '<!--\n<X-PRE-PROCESS cmd="set" data="a=b"/> -->',
      /freeswitch\.xml:4: FreeSWITCH runs X-PRE-PROCESS inside comments/,
    ],
    ['<a/> <X-PRE-PROCESS cmd="set" data="a=b"/>', /must stand alone/],
    ['<X-PRE-PROCESS cmd="set" data="a"/>', /needs name=value/],
    ['<X-PRE-PROCESS cmd="env-set" data="a=b"/>', /needs name=\$VARIABLE/],
    ['<X-PRE-PROCESS cmd="include" data="freeswitch.xml"/>', /included too deeply/],
  ];
  for (const [inside, message] of bad) {
    put('freeswitch.xml', root(inside));
    t.throws(() => load({ port: '7' }), { message }, inside);
  }
  put('freeswitch.xml', root(''));
  const plans: readonly (readonly [string, RegExp])[] = [
    [
      '<include><context name="c"><extension><condition><condition/></condition></extension></context></include>',
      /d\/p\.xml:1: <condition> in a condition/,
    ],
    [
      '<include>\n<context name="c"><extension name="e"><condition wday="1"/></extension></context></include>',
      /d\/p\.xml:2: attribute wday/,
    ],
    [
      '<include><context name="c"><extension name="e"><condition><action data="x"/></condition></extension></context></include>',
      /needs application/,
    ],
    [
      '<include><context name="c"><extension name="e"><condition break="maybe"/></extension></context></include>',
      /break "maybe"/,
    ],
    ['<include><x/></include>', /<x> in the dialplan/],
    ['<include><context name="c">', /p\.xml:1: <context> is never closed|where/],
  ];
  for (const [plan, message] of plans) {
    put('d/p.xml', plan);
    t.throws(() => load(), { message });
  }
  put('d/p.xml', '<include></include>');
  put('freeswitch.xml', root('', '<param name="apply-inbound-acl" value="nobody"/>'));
  t.throws(() => load(), { message: /no access list "nobody"/ });
});

t.test('variables are expanded as FreeSWITCH does', async (t) => {
  const values: Record<string, string> = {
    a: 'hello',
    b: '${a} b',
    name: 'a',
    deep: '${deep}',
    money: '5$',
    inner: '${x(1)}',
  };
  const table: readonly (readonly [string, string])[] = [
    ['x${a}y', 'xhelloy'],
    ['${missing}', ''],
    ['${a:1}', 'ello'],
    ['${a:1:2}', 'el'],
    ['${a:-2}', 'lo'],
    ['${a:-9}', 'hello'],
    ['${a:9}', ''],
    ['${b}', 'hello b'],
    ['${${name}}', 'hello'],
    ['\\${a}', '${a}'],
    ['$${a}', 'hello'],
    ['${money}', '5$'],
    ['${a', '${a'],
    ['$', '$'],
    ['no', 'no'],
  ];
  for (const [text, expected] of table)
    t.equal(
      expand(text, (name) => values[name]),
      expected,
      text,
    );
  t.doesNotThrow(() => expand('${deep}', (name) => values[name]), 'no end of recursion');
  for (const text of ['${system(rm)}', '${hash select/x}', '${inner}'])
    t.throws(() => expand(text, (name) => values[name]), { code: 'functionRefused' });
});

t.test('the dialplan is searched as FreeSWITCH does', async (t) => {
  const plan = readDialplan([
    xml(`<section><context name="c">
      <extension name="1" continue="true"><condition field="destination_number" expression="^(\\d)(\\d*)$"><action application="a" data="$1-$2-$3-\${v}"/><anti-action application="not" data="$1"/></condition></extension>
      <extension name="2"><condition field="\${v}" expression="^x$" break="never"><action application="b"/></condition><condition field="network_addr" expression="^10"><action application="c"/></condition></extension>
      <extension name="3"><condition field="\${v}" expression="^y$" break="on-true"><action application="d"/></condition><condition field="\${v}" expression="^w$"><action application="e"/></condition></extension>
      <extension name="4"><condition field="destination_number" expression="." break="always"><action application="f" inline="true"/><action application="g"/></condition><condition><action application="h"/></condition></extension>
      <extension name="5"><condition><action application="never"/></condition></extension>
    </context></section>`),
  ]);
  const run = (number: string, v: string, address: string): string[] => {
    const inline: string[] = [];
    const found = hunt({
      extensions: plan.get('c') ?? [],
      field: (name) => ({ destination_number: number, network_addr: address })[name],
      variable: (name) => ({ v })[name],
      runInline: (action) => inline.push(`inline ${action.application}`),
      onMatch: () => undefined,
    });
    return [
      ...inline,
      ...found.actions.map(
        (action) => `${action.application}${action.data === '' ? '' : `(${action.data})`}`,
      ),
    ];
  };
  t.same(run('123', 'x', '10.1'), ['a(1-23--${v})', 'b', 'c'], 'both conditions of 2, which ends the search');
  t.same(
    run('123', 'y', '10.1'),
    ['a(1-23--${v})', 'c'],
    'break="never" goes on past a condition that does not hold',
  );
  t.same(run('a', 'y', '9'), ['not($1)', 'd'], 'an anti-action counts as a match; its extension continues');
  t.same(run('123', 'y', '9'), ['a(1-23--${v})', 'd'], 'on-true ends the conditions of 3');
  t.same(run('', 'z', '9'), ['not($1)', 'never'], '3 fails at its first condition, 4 wants a digit');
  t.same(
    run('123', 'z', '9'),
    ['inline f', 'a(1-23--${v})', 'g'],
    'always ends the conditions of 4, inline runs at once',
  );
  t.same(
    run('123', 'w', '9'),
    ['a(1-23--${v})', 'e'],
    'and a first condition that does not hold lets the second count',
  );
  t.ok(expression('(?i)^ABC$').test('abc'));
  t.ok(expression('/^abc$/i').test('ABC'));
  t.notOk(expression('^abc$').test('ABC'));
});

t.test('dial strings', async (t) => {
  const dialled = (text: string): unknown => {
    const { variables, groups } = parseDialString(text);
    return [
      Object.fromEntries(variables),
      groups.map((group) =>
        group.map((leg) =>
          'uri' in leg ? [leg.profile, leg.uri, Object.fromEntries(leg.variables)] : leg.cause,
        ),
      ),
    ];
  };
  const table: readonly (readonly [string, unknown])[] = [
    ['sofia/p/sip:a@b', [{}, [[['p', 'sip:a@b', {}]]]]],
    ['sofia/p/a@b:1;transport=tcp', [{}, [[['p', 'sip:a@b:1;transport=tcp', {}]]]]],
    [
      '{x=1,y=2}[z=3]sofia/p/sip:a@b,[z=4]sofia/p/sip:c@d|sofia/q/sip:e@f',
      [
        { x: '1', y: '2' },
        [
          [
            ['p', 'sip:a@b', { z: '3' }],
            ['p', 'sip:c@d', { z: '4' }],
          ],
          [['q', 'sip:e@f', {}]],
        ],
      ],
    ],
    ["{x='a,b',y=c\\,d}sofia/p/sip:a@b", [{ x: 'a,b', y: 'c,d' }, [[['p', 'sip:a@b', {}]]]]],
    ['{^^:x=a,b:y=c}sofia/p/sip:a@b', [{ x: 'a,b', y: 'c' }, [[['p', 'sip:a@b', {}]]]]],
    ['[a=1|2,b=3]sofia/p/sip:a@b', [{}, [[['p', 'sip:a@b', { a: '1|2', b: '3' }]]]]],
    ['{x={y}}sofia/p/sip:a@b', [{ x: '{y}' }, [[['p', 'sip:a@b', {}]]]]],
    ['loopback/1', [{}, [['CHAN_NOT_IMPLEMENTED']]]],
    ['sofia/gateway/g/1', [{}, [['CHAN_NOT_IMPLEMENTED']]]],
    ['sofia/p', [{}, [['INVALID_URL']]]],
    ['', [{}, [['CHAN_NOT_IMPLEMENTED']]]],
    ['{x=1', [{}, [['CHAN_NOT_IMPLEMENTED']]]],
  ];
  for (const [text, expected] of table) t.same(dialled(text), expected, text);
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('{', '}', '[', ']', ',', '|', '=', "'", '\\', 's', '/', '^') }),
      (text) => parseDialString(text).groups.length > 0,
    ),
  );
});

t.test('causes and responses', async (t) => {
  const table: readonly (readonly [number, string, number])[] = [
    [486, 'USER_BUSY', 486],
    [480, 'NO_USER_RESPONSE', 408],
    [404, 'UNALLOCATED_NUMBER', 404],
    [603, 'CALL_REJECTED', 603],
    [503, 'NORMAL_TEMPORARY_FAILURE', 503],
    [408, 'RECOVERY_ON_TIMER_EXPIRE', 504],
    [487, 'ORIGINATOR_CANCEL', 487],
    [500, 'NORMAL_TEMPORARY_FAILURE', 503],
    [488, 'INCOMPATIBLE_DESTINATION', 488],
    [502, 'NETWORK_OUT_OF_ORDER', 503],
    [499, 'NORMAL_UNSPECIFIED', 480],
    [403, 'CALL_REJECTED', 603],
  ];
  for (const [status, cause, back] of table) {
    t.equal(causeOfStatus(status), cause);
    t.equal(statusOfCause(causeOfStatus(status)), back);
  }
  t.equal(causeOf('user_busy'), 'USER_BUSY');
  t.equal(causeOf('41'), 'NORMAL_TEMPORARY_FAILURE');
  t.equal(causeOf('nonsense'), undefined);
  t.equal(q850('ORIGINATOR_CANCEL'), 16);
  t.equal(reasonOf('LOSE_RACE'), 'SIP;cause=200;text="Call completed elsewhere"');
  t.equal(reasonOf('USER_BUSY'), 'Q.850;cause=17;text="USER_BUSY"');
  const channel = new Channel(
    'inbound',
    'sofia/p/x',
    {
      username: '',
      callerIdName: '',
      callerIdNumber: '1',
      originalCallerIdName: '',
      originalCallerIdNumber: '',
      calleeIdName: '',
      calleeIdNumber: '',
      networkAddress: '',
      ani: '',
      destinationNumber: '',
      context: 'c',
    },
    1,
    (name) => (name === 'of_the_node' ? 'yes' : undefined),
  );
  channel.variables.set('Sip_H_X', 'v');
  t.equal(channel.get('sip_h_x'), 'v', 'names compare without case');
  t.equal(channel.get('caller_id_number'), '1');
  t.equal(channel.get('of_the_node'), 'yes', 'what the channel has not, the node has');
  channel.variables.set('of_the_node', 'no');
  t.equal(channel.get('of_the_node'), 'no');
  channel.variables.set('sip_h_X', '');
  t.equal(channel.get('sip_h_x'), undefined, 'an empty value takes it away');
});

t.test('sounds: G.711, tones, WAV files', async (t) => {
  for (const codec of ['PCMU', 'PCMA'] as const) {
    for (let byte = 0; byte < 256; byte += 1) {
      const sample = decodeByte(codec, byte);
      const again = encode(codec, Int16Array.of(sample))[0];
      t.equal(decodeByte(codec, again ?? 0), sample, `${codec} ${byte}`);
    }
  }
  t.same([...encode('PCMU', Int16Array.of(0, 32767, -32768))], [0xff, 0x80, 0x00]);
  t.same([...encode('PCMA', Int16Array.of(0, 32767, -32768))], [0xd5, 0xaa, 0x2a]);
  t.same(parseToneStream('v=-10;%(500\\,100\\,660)%(100,0,440,480);loops=2'), {
    segments: [
      { on: 500, off: 100, frequencies: [660] },
      { on: 100, off: 0, frequencies: [440, 480] },
    ],
    loops: 2,
    decibels: -10,
  });
  for (const bad of ['', '%(a)', '%(1,2,9000)', 'x', '%(100,0,440', 'path=/etc/passwd'])
    t.equal(parseToneStream(bad), undefined, bad);
  const tone = parseToneStream('%(100,100,1000);loops=2');
  const frames = tone ? [...toneFrames(tone)] : [];
  t.equal(frames.length, 20);
  const energy = frames.map((frame) => frame.reduce((sum, sample) => sum + Math.abs(sample), 0) > 0);
  t.same(
    energy,
    [1, 2].flatMap(() => [...Array<boolean>(5).fill(true), ...Array<boolean>(5).fill(false)]),
  );
  const crossings = frames
    .slice(0, 5)
    .flatMap((frame) => [...frame])
    .filter((sample, at, all) => at > 0 && sample >= 0 !== (all[at - 1] ?? 0) >= 0).length;
  t.ok(Math.abs(crossings - 200) <= 2, `1,000 Hz for 100 ms crosses zero 200 times: ${crossings}`);

  const folder = mkdtempSync(join(tmpdir(), 'wav-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const wav = (kind: number, bits: number, data: Buffer, rate = 8000): string => {
    const format = Buffer.alloc(24);
    format.write('fmt ', 0, 'latin1');
    format.writeUInt32LE(16, 4);
    format.writeUInt16LE(kind, 8);
    format.writeUInt16LE(1, 10);
    format.writeUInt32LE(rate, 12);
    format.writeUInt16LE(bits, 22);
    const head = Buffer.alloc(8);
    head.write('data', 0, 'latin1');
    head.writeUInt32LE(data.length, 4);
    const path = join(folder, `${kind}-${bits}-${rate}.wav`);
    writeFileSync(path, Buffer.concat([Buffer.from('RIFF\0\0\0\0WAVE', 'latin1'), format, head, data]));
    return path;
  };
  const linear = Buffer.alloc(400);
  linear.writeInt16LE(-1234, 0);
  const [first, second] = [...(await openSound(wav(1, 16, linear)))];
  t.equal(first?.[0], -1234);
  t.equal(second?.length, 160, 'the last frame is filled up');
  t.equal([...(await openSound(wav(7, 8, Buffer.from([0x80]))))][0]?.[0], 32124);
  for (const path of [
    wav(1, 16, linear, 16000),
    wav(3, 32, linear),
    join(folder, 'none.wav'),
    'http://x/y',
    'tone_stream://x',
  ]) {
    await t.rejects(openSound(path), { code: 'unplayableFile' }, path);
  }
});

t.test('session descriptions', async (t) => {
  const offer = parseSdp(
    'v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\ns=-\r\nc=IN IP4 1.2.3.4\r\nt=0 0\r\na=sendonly\r\nm=video 5 RTP/AVP 99\r\nm=audio 4000 RTP/AVP 18 97 0 101\r\nc=IN IP4 5.6.7.8\r\na=rtpmap:97 pcma/8000\r\na=rtpmap:101 telephone-event/8000\r\n',
  );
  t.match(offer, { address: '5.6.7.8', port: 4000, telephoneEvent: 101, direction: 'sendonly' });
  t.same(offer?.codecs, [
    { codec: 'PCMA', payloadType: 97 },
    { codec: 'PCMU', payloadType: 0 },
  ]);
  const answer = writeSdp(
    {
      address: '9.9.9.9',
      port: 6,
      codecs: offer?.codecs.slice(0, 1) ?? [],
      telephoneEvent: 101,
      direction: 'recvonly',
      sessionId: 1,
      version: 2,
    },
    offer,
  );
  t.match(answer, /m=video 0 RTP\/AVP 99\r\nm=audio 6 RTP\/AVP 97 101\r\na=rtpmap:97 PCMA\/8000\r\n/);
  t.equal(parseSdp('v=0\r\nc=IN IP4 0.0.0.0\r\nm=audio 4 RTP/AVP 0\r\n')?.direction, 'inactive');
  for (const bad of [
    '',
    'hello',
    'v=0\r\nc=IN IP4 1.1.1.1\r\nm=audio 4 RTP/SAVP 0\r\n',
    'v=0\r\nm=audio 4 RTP/AVP 0\r\n',
  ])
    t.equal(parseSdp(bad), undefined);
  fc.assert(fc.property(fc.string(), (text) => (parseSdp(`v=0\r\n${text}`), true)));
});

t.test('commands of the event socket are cut at blank lines, wherever the bytes were cut', async (t) => {
  const text = 'auth x y\n\n\nbgapi status\r\nJob-UUID: 7\r\n\r\nevent json ä\n\n';
  const whole = new CommandReader().read(Buffer.from(text));
  t.same(
    whole.map(({ line, headers }) => [line, ...headers]),
    [['auth x y'], ['bgapi status', ['job-uuid', '7']], ['event json ä']],
  );
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1 }), (sizes) => {
      const reader = new CommandReader();
      const bytes = Buffer.from(text);
      const read = [];
      for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
        const size = sizes[turn % sizes.length] ?? 1;
        read.push(...reader.read(bytes.subarray(at, at + size)));
        at += size;
      }
      return JSON.stringify(read.map(({ line }) => line)) === JSON.stringify(whole.map(({ line }) => line));
    }),
  );
  t.throws(() => new CommandReader().read(Buffer.alloc(longestBlock + 1, 'x')), { code: 'blockTooLong' });
  const wants = new Subscription();
  wants.add(['HEARTBEAT', 'CUSTOM', 'a::b']);
  t.ok(wants.wants({ 'Event-Name': 'HEARTBEAT' }));
  t.ok(wants.wants({ 'Event-Name': 'CUSTOM', 'Event-Subclass': 'a::b' }));
  t.notOk(wants.wants({ 'Event-Name': 'CUSTOM', 'Event-Subclass': 'c::d' }));
  wants.addFilter('Unique-ID', 'abc');
  t.ok(wants.mayWant('HEARTBEAT', { 'Unique-ID': 'abc' }));
  t.ok(wants.mayWant('HEARTBEAT', {}), 'what is not known yet may be what is wanted');
  t.notOk(wants.mayWant('HEARTBEAT', { 'Unique-ID': 'def' }));
  t.notOk(wants.mayWant('BACKGROUND_JOB', { 'Unique-ID': 'abc' }));
  wants.addFilter('X', '/^y$/');
  t.ok(wants.mayWant('HEARTBEAT', { 'Unique-ID': 'def' }), 'one filter is enough');
  t.notOk(wants.wants({ 'Event-Name': 'HEARTBEAT' }));
  t.ok(wants.wants({ 'Event-Name': 'HEARTBEAT', X: 'y' }));
  wants.removeFilters();
  wants.remove(['HEARTBEAT']);
  t.notOk(wants.wants({ 'Event-Name': 'HEARTBEAT' }));
});
