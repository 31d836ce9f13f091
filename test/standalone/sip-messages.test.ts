import fc from 'fast-check';
import t from 'tap';
import { SipRequest, SipResponse } from '../../src/standalone/sip/message.js';
import { NameAddr } from '../../src/standalone/sip/name-addr.js';
import { ParseError } from '../../src/standalone/sip/parse-error.js';
import { parseLimits, parseMessage, parseParts } from '../../src/standalone/sip/parse.js';
import { StreamFramer } from '../../src/standalone/sip/stream-framer.js';
import { nextHop, targetOf } from '../../src/standalone/sip/target.js';
import { responseTarget } from '../../src/standalone/sip/transport.js';
import { SipUri } from '../../src/standalone/sip/uri.js';
import { Via } from '../../src/standalone/sip/via.js';

const base = [
  'Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKa',
  'From: <sip:a@192.0.2.1>;tag=f',
  'To: <sip:b@192.0.2.2>',
  'Call-ID: c1',
  'CSeq: 1 INVITE',
];
/** A message of the base lines with some changed: `{ 'CSeq': null }` takes one out, others are put in place or added. */
function text(
  change: Record<string, string | null> = {},
  start = 'INVITE sip:b@192.0.2.2 SIP/2.0',
  body = '',
): Buffer {
  const left = { ...change };
  const lines = base.flatMap((line) => {
    const name = line.slice(0, line.indexOf(':'));
    if (!(name in left)) return [line];
    const value = left[name];
    delete left[name];
    return value === null ? [] : [`${name}: ${value}`];
  });
  for (const [name, value] of Object.entries(left)) if (value !== null) lines.push(`${name}: ${value}`);
  return Buffer.from(`${[start, ...lines].join('\r\n')}\r\n\r\n${body}`);
}
const request = (bytes: Buffer): SipRequest => {
  const message = parseMessage(bytes);
  if (message?.kind !== 'request') throw new Error('not a request');
  return message;
};
/** The status that a refusal has, 0 when there is none. */
const statusOf = (action: () => unknown): number => {
  try {
    action();
    return 0;
  } catch (error) {
    if (error instanceof ParseError) return error.status;
    throw error;
  }
};

t.test('what is taken', async (t) => {
  const odd = request(
    Buffer.from(
      [
        'NEWMETHOD sip:user;par=u%40h@192.0.2.2;unknown?x=y%20z SIP/2.0',
        'TO :   sip:vivekg@chair.example.com ;   tag    = 1918181833n',
        'f: "A \\"quoted\\" <name>, with; all" <sip:a@192.0.2.1>  ;\ttag = 98asjd8',
        'Max-Forwards: 0068',
        'i: weird.call-id@192.0.2.3',
        'Content-Length   : 4',
        'CSEQ: 0009',
        '  NEWMETHOD',
        'V: SIP  / 2.0',
        ' /UDP',
        '    192.0.2.2;branch=z9hG4bK1,',
        '  SIP/2.0/TCP  spindle.example.com ; branch = z9hG4bK9ikj8 , SIP/2.0/UDP 192.168.255.111 ; hidden',
        's:',
        'NewFangled-Header:   new "\\"fang',
        ' led" value: with colon',
        'm: <sip:a@192.0.2.1>;q=0.5, "B, c" <sip:b@192.0.2.1>',
        '',
        'bodyrest',
      ].join('\r\n'),
    ),
  );
  t.equal(odd.method, 'NEWMETHOD');
  t.equal(odd.toTag, '1918181833n');
  t.equal(odd.fromTag, '98asjd8');
  t.equal(odd.from.displayName, 'A "quoted" <name>, with; all');
  t.equal(odd.callId, 'weird.call-id@192.0.2.3');
  t.same(odd.cseq, { number: 9, method: 'NEWMETHOD' });
  t.equal(odd.maxForwards, 70, 'four digits are no hop count');
  t.same(
    odd.getAll('Via').map((via) => Via.parse(via).sentBy),
    ['192.0.2.2:5060', 'spindle.example.com:5060', '192.168.255.111:5060'],
  );
  t.equal(odd.get('subject'), '');
  t.same(odd.getAll('Contact').length, 2);
  t.equal(odd.contactUri, 'sip:a@192.0.2.1');
  t.equal(odd.body.toString(), 'body', 'what follows Content-Length is dropped');
  t.equal(odd.sipUri().user, 'user;par=u%40h');
  t.equal(odd.sipUri().headers, 'x=y%20z');
  t.equal(parseMessage(Buffer.from('\r\n\r\n')), undefined, 'a keepalive');
  t.equal(parseMessage(Buffer.from([0, 0, 0, 0])), undefined, 'the NULs that some phones send');
  t.equal(request(Buffer.concat([Buffer.from('\r\n\r\n'), text()])).method, 'INVITE', 'empty lines before');
  const latin = text({ 'X-Name': 'Zoë' }).toString('utf8');
  const raw = Buffer.from(latin, 'latin1');
  t.ok(request(raw).toBuffer().includes(Buffer.from('Zo\xeb', 'latin1')), 'Latin-1 goes out as it came');
  t.ok(
    request(text({ 'X-Name': 'Zoë' }))
      .toBuffer()
      .includes(Buffer.from('Zoë')),
    'and so does UTF-8',
  );
  t.equal(request(text({}, 'INVITE tel:+12025550100 SIP/2.0')).uri, 'tel:+12025550100');
  t.equal(
    statusOf(() => request(text({}, 'INVITE tel:+12025550100 SIP/2.0')).sipUri()),
    416,
  );
  const response = parseMessage(text({}, 'SIP/2.0 183 '));
  t.equal(response?.kind === 'response' && response.status, 183);
  t.equal(
    request(text({}, undefined, 'no length')).body.toString(),
    'no length',
    'a datagram ends where it ends',
  );
  t.same(request(text()).raw, text());
});

t.test('what is refused, with its status', async (t) => {
  const cases: [string, Buffer, number][] = [
    ['no From', text({ From: null }), 400],
    ['no To', text({ To: null }), 400],
    ['no Call-ID', text({ 'Call-ID': null }), 400],
    ['no CSeq', text({ CSeq: null }), 400],
    ['no Via', text({ Via: null }), 400],
    ['two CSeqs', text({ cseq: '1 INVITE' }), 400],
    ['two Call-IDs, one compact', text({ i: 'c2' }), 400],
    ['an empty Call-ID', text({ 'Call-ID': '' }), 400],
    ['CSeq of another method', text({ CSeq: '1 BYE' }), 400],
    ['CSeq beyond 2^31', text({ CSeq: '36893488147419103232 INVITE' }), 400],
    ['CSeq beyond 2^31 by one', text({ CSeq: '2147483648 INVITE' }), 400],
    ['CSeq without a number', text({ CSeq: 'INVITE' }), 400],
    ['a negative length', text({ 'Content-Length': '-999' }), 400],
    ['a length beyond the datagram', text({ 'Content-Length': '9999' }), 400],
    ['two lengths that differ', text({ 'Content-Length': '0', l: '1' }, undefined, 'x'), 400],
    ['an open quote', text({ To: '"Mr. J. User <sip:j.user@example.com>' }), 400],
    ['an open bracket', text({ From: '<sip:a@192.0.2.1;tag=f' }), 400],
    ['a bracketed Request-URI', text({}, 'INVITE <sip:user@example.com> SIP/2.0'), 400],
    ['blanks in the Request-URI', text({}, 'INVITE sip:user@example.com; lr SIP/2.0'), 400],
    ['two blanks in the request line', text({}, 'INVITE  sip:user@example.com SIP/2.0'), 400],
    ['a blank after the request line', text({}, 'INVITE sip:user@example.com SIP/2.0 '), 400],
    ['a method that is no token', text({}, 'IN(VITE sip:user@example.com SIP/2.0'), 400],
    ['another version', text({}, 'INVITE sip:user@example.com SIP/7.0'), 505],
    ['no version', text({}, 'INVITE sip:user@example.com'), 400],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), 400],
    ['a status beyond SIP', text({}, 'SIP/2.0 4294967301 better not break the receiver'), 400],
    ['a status below SIP', text({}, 'SIP/2.0 099 x'), 400],
    [
      'a header without a colon',
      Buffer.from(text().toString().replace('\r\n\r\n', '\r\nnonsense\r\n\r\n')),
      400,
    ],
    [
      'a header name with a blank',
      Buffer.from(text().toString().replace('\r\n\r\n', '\r\nX-Tag switch: 1\r\n\r\n')),
      400,
    ],
    ['a bare LF in a header', text({ 'X-A': 'a\nX-Tagswitch-Call: 1' }), 400],
    ['a bare CR in a header', text({ 'X-A': 'a\rX-Tagswitch-Call: 1' }), 400],
    ['a NUL in a header', text({ 'X-A': 'a\0' }), 400],
    ['a Via of nothing', text({ Via: 'nothing' }), 400],
    ['a Via with a port of 0', text({ Via: 'SIP/2.0/UDP 192.0.2.1:0;branch=z9hG4bKa' }), 400],
    ['a head without end', Buffer.from('INVITE sip:b@192.0.2.2 SIP/2.0\r\nFrom: x'), 400],
    ['LF for CRLF', Buffer.from(text().toString().replaceAll('\r\n', '\n')), 400],
    [
      'too many headers',
      text(Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`X-${i}`, '1']))),
      400,
    ],
    ['a head too large', text({ 'X-A': 'a'.repeat(parseLimits.head) }), 513],
    ['a message too large', text({}, undefined, 'a'.repeat(parseLimits.message)), 513],
  ];
  for (const [what, bytes, status] of cases)
    t.equal(
      statusOf(() => parseMessage(bytes)),
      status,
      what,
    );
  try {
    parseMessage(text({ CSeq: '1 BYE' }));
  } catch (error) {
    const { method, headers } = error as ParseError;
    t.equal(method, 'INVITE');
    t.equal(headers.length, 5, 'enough to answer with');
  }
});

t.test('URIs, addresses, targets', async (t) => {
  const full = 'sip:+12025550100;x=1@192.0.2.7:5070;transport=tcp;lr?X=1';
  const uri = SipUri.parse(full);
  t.equal(uri.toString(), full);
  t.same(
    [uri.user, uri.host, uri.port, uri.param('LR'), uri.param('none')],
    ['+12025550100;x=1', '192.0.2.7', 5070, '', undefined],
  );
  t.same(targetOf(uri), { proto: 'tcp', host: '192.0.2.7', port: 5070 });
  t.equal(targetOf(SipUri.parse('sips:a@192.0.2.1')), undefined);
  t.equal(targetOf(SipUri.parse('sip:a@192.0.2.1;transport=ws')), undefined);
  t.same(targetOf(SipUri.parse('sip:[2001:db8::1]:5061')), {
    proto: 'udp',
    host: '[2001:db8::1]',
    port: 5061,
  });
  t.equal(
    uri.withoutParam('transport').withParam('ob', '').toString(),
    'sip:+12025550100;x=1@192.0.2.7:5070;lr;ob?X=1',
  );
  for (const bad of [
    '',
    'sip:',
    'sip:@x',
    'sip:a@',
    'sip:a@b:99999',
    'sip:a b@c',
    '192.0.2.1',
    'sip:a@b:x',
  ]) {
    t.throws(() => SipUri.parse(bad), ParseError, bad);
  }
  t.equal(NameAddr.parse('sip:a@b;tag=1').uri, 'sip:a@b', 'without brackets, parameters are the header’s');
  t.equal(NameAddr.parse('sip:a@b;tag=1').param('tag'), '1');
  t.equal(NameAddr.parse('<sip:a@b;x=1>;tag=1').uri, 'sip:a@b;x=1');
  t.equal(NameAddr.parse('Bob <sip:a@b>').withParam('tag', 'z').toString(), 'Bob <sip:a@b>;tag=z');
  const invite = request(text({ Route: '<sip:192.0.2.8;lr>, <sip:192.0.2.9:99;lr;transport=tcp>' }));
  t.same(nextHop(invite), { proto: 'udp', host: '192.0.2.8', port: 5060 });
  const after = invite.withoutFirst('Route');
  t.equal(after.get('Route'), '<sip:192.0.2.9:99;lr;transport=tcp>');
  t.equal(after.withoutFirst('Route').has('Route'), false);
  t.equal(after.raw, undefined, 'what was changed is not what came');
});

t.test('Via: where an answer goes (RFC 3261 18.2.2, RFC 3581)', async (t) => {
  const answer = (via: string, from: [string, number]) => {
    const marked = Via.parse(via).withSource(...from);
    return responseTarget(SipResponse.to(request(text({ Via: marked.toString() })), 200));
  };
  const at = (host: string, port: number, proto = 'udp') => ({ proto, host, port });
  t.same(answer('SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKa', ['192.0.2.1', 9]), at('192.0.2.1', 5070));
  t.same(answer('SIP/2.0/UDP pc.example.com;branch=z9hG4bKa', ['192.0.2.1', 9]), at('192.0.2.1', 5060));
  t.same(answer('SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bKa;rport', ['192.0.2.1', 9]), at('192.0.2.1', 9));
  t.same(
    answer('SIP/2.0/TCP 10.0.0.1:5070;branch=z9hG4bKa;rport', ['192.0.2.1', 9]),
    at('192.0.2.1', 5070, 'tcp'),
  );
  t.same(
    answer('SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKa;received=203.0.113.66;maddr=203.0.113.66', [
      '192.0.2.1',
      9,
    ]),
    at('192.0.2.1', 5070),
    'nobody sends our answers elsewhere',
  );
});

t.test('messages are changed by copies', async (t) => {
  const invite = request(text({ 'X-A': '1', 'x-a': '2' }));
  t.same(invite.getAll('X-A'), ['1', '2']);
  t.same(invite.withHeader('X-A', '3').getAll('x-a'), ['3']);
  t.same(invite.withAdded('X-A', '3').getAll('x-a'), ['1', '2', '3']);
  t.equal(invite.without('x-a').has('X-A'), false);
  t.equal(invite.withFirst('Record-Route', '<sip:x;lr>').headers[1]?.name, 'Record-Route', 'after Via');
  t.equal(invite.withFirst('Via', 'SIP/2.0/UDP x;branch=z9hG4bKq').topVia.branch, 'z9hG4bKq');
  t.throws(() => invite.withAdded('X-A', 'a\r\nX-Tagswitch-Call: 1'), ParseError);
  t.throws(() => invite.withUri('sip:a\r\nX: 1'), ParseError);
  const busy = SipResponse.to(invite, 486, { toTag: 'q' });
  t.equal(busy.toTag, 'q');
  t.equal(busy.has('X-A'), false);
  t.equal(SipResponse.to(request(text({ To: '<sip:b@x>;tag=old' })), 200, { toTag: 'new' }).toTag, 'old');
  const routed = request(text({ 'Record-Route': '<sip:p;lr>' }));
  t.equal(SipResponse.to(routed, 180).get('Record-Route'), '<sip:p;lr>');
  t.equal(SipResponse.to(routed, 486).has('Record-Route'), false);
  const parts = parseParts(Buffer.from('SIP/2.0 486 Busy Here\r\nX-P: 1\r\n\r\nv=0'));
  t.same(
    [parts.startLine, parts.headers, parts.body.toString()],
    ['SIP/2.0 486 Busy Here', [{ name: 'X-P', value: '1' }], 'v=0'],
  );
});

t.test('a stream, cut at every byte', async (t) => {
  const one = text({ 'Content-Length': '4' }, undefined, 'v=0\n');
  const two = text({ l: '0', CSeq: '2 BYE' }, 'BYE sip:b@192.0.2.2 SIP/2.0');
  const bad = text({ 'Content-Length': '3', CSeq: '9 ACK' }, undefined, 'abc');
  const stream = Buffer.concat([one, Buffer.from('\r\n'), two, Buffer.from('\r\n\r\n'), bad, one]);
  const read = (pieces: Buffer[]) => {
    const framer = new StreamFramer();
    const items = pieces.flatMap((piece) => [...framer.push(piece)]);
    t.notOk(framer.unfinished);
    return items.map((i) =>
      i.kind === 'message' && i.message.kind === 'request' ? i.message.method : i.kind,
    );
  };
  const expected = ['INVITE', 'BYE', 'ping', 'malformed', 'INVITE'];
  t.same(read([stream]), expected);
  for (let cut = 1; cut < stream.length; cut++) {
    const seen = read([stream.subarray(0, cut), stream.subarray(cut)]);
    if (seen.join() !== expected.join()) t.same(seen, expected, `cut at ${cut}`);
  }
  t.same(read(Array.from(stream, (_, i) => stream.subarray(i, i + 1))), expected, 'byte by byte');
  t.equal(
    statusOf(() => [...new StreamFramer().push(text())]),
    400,
    'a stream needs Content-Length',
  );
  t.equal(
    statusOf(() => [...new StreamFramer().push(text({ 'Content-Length': '99999999' }))]),
    513,
  );
  t.equal(
    statusOf(() => [...new StreamFramer().push(Buffer.alloc(parseLimits.head + 1, 'a'))]),
    513,
  );
});

const token = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,12}$/);
const value = fc
  .string({ unit: 'grapheme', maxLength: 30 })
  .map((s) => s.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]/gu, 'x').trim());
const headers = fc.array(
  fc.tuple(
    token.map((name) => `X-${name}`),
    value,
  ),
  { maxLength: 12 },
);

t.test('what is written is read as the same', async () => {
  fc.assert(
    fc.property(
      headers,
      fc.uint8Array({ maxLength: 200 }),
      fc.constantFrom('INVITE', 'BYE', 'FOO'),
      (more, body, method) => {
        const made = SipRequest.create(method, 'sip:b@192.0.2.2', {
          headers: [
            ['Via', 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa'],
            ['From', '<sip:a@192.0.2.1>;tag=f'],
            ['To', '<sip:b@192.0.2.2>'],
            ['Call-ID', 'c'],
            ['CSeq', `1 ${method}`],
            ...more,
          ],
          body: Buffer.from(body),
          contentType: 'application/octet-stream',
        });
        const read = request(made.toBuffer());
        const same =
          read.startLine === made.startLine &&
          read.body.equals(made.body) &&
          JSON.stringify(read.headers.slice(0, -1)) === JSON.stringify(made.headers) &&
          read.toBuffer().equals(made.toBuffer());
        if (!same) throw new Error(`differs: ${read.toString()}`);
      },
    ),
    { numRuns: 300 },
  );
});

t.test('whatever comes, it is a message, a keepalive or a ParseError', async () => {
  const valid = text({ 'Record-Route': '<sip:p;lr>', 'Content-Length': '3' }, undefined, 'abc');
  const mutated = fc
    .array(fc.record({ at: fc.nat(valid.length), bytes: fc.uint8Array({ maxLength: 4 }), gone: fc.nat(6) }), {
      maxLength: 5,
    })
    .map((changes) => {
      let bytes = valid;
      for (const { at, bytes: put, gone } of changes) {
        bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(put), bytes.subarray(at + gone)]);
      }
      return bytes;
    });
  const anything = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(fc.oneof(mutated, anything), (bytes) => {
      for (const read of [() => parseMessage(bytes), () => [...new StreamFramer().push(bytes)]]) {
        try {
          read();
        } catch (error) {
          if (!(error instanceof ParseError)) throw error;
        }
      }
      if (statusOf(() => parseMessage(bytes)) !== 0) return;
      // What was taken can be used and passed on without another look.
      const message = parseMessage(bytes);
      if (message === undefined) return;
      void [message.callId, message.fromTag, message.toTag, message.topVia.sentBy, message.cseq];
      if (message.kind === 'request') {
        void SipResponse.to(message, 400, { toTag: 'x' }).toBuffer();
        void nextHop(message);
      }
      parseMessage(message.toBuffer());
    }),
    { numRuns: 3000 },
  );
});
