/**
 * Every parser of ours on text that is nearly right: it reads it or says no in its own way, and whatever it read can be
 * written. FUZZ_SEED and FUZZ_RUNS look for more than CI does.
 */
import fc from 'fast-check';
import t from 'tap';
import { CallerIdentity } from '../../src/sip/caller-identity.js';
import { headerValues } from '../../src/sip/header-lines.js';
import { safeHeaders, UnsafeValue } from '../../src/sip/safe.js';
import { dialledNumber, parseSipUri } from '../../src/sip/sip-uri.js';
import { mintLegToken, readLegToken } from '../../src/routing/leg-token.js';
import { CommandReader } from '../../src/standalone/media-server/event-socket/framing.js';
import { parseSdp, writeSdp } from '../../src/standalone/media-server/media/sdp.js';
import { SipRequest, SipResponse } from '../../src/standalone/sip/message.js';
import { NameAddr } from '../../src/standalone/sip/name-addr.js';
import { ParseError } from '../../src/standalone/sip/parse-error.js';
import { parseMessage } from '../../src/standalone/sip/parse.js';
import { StreamFramer } from '../../src/standalone/sip/stream-framer.js';
import { SipUri } from '../../src/standalone/sip/uri.js';
import { Via } from '../../src/standalone/sip/via.js';
import { parsers } from './parsers.js';

const seed = Number(process.env['FUZZ_SEED'] ?? 4475);
const numRuns = Number(process.env['FUZZ_RUNS'] ?? 600);
const bounds = { seed, numRuns };
t.comment(`FUZZ_SEED=${String(seed)} FUZZ_RUNS=${String(numRuns)}`);

const piece = fc.oneof(
  fc.constantFrom(
    ...[
      '"',
      '\\',
      '\\"',
      '<',
      '>',
      ';',
      ',',
      ':',
      '@',
      '=',
      '?',
      '&',
      '%',
      '%0d%0a',
      '%00',
      '%',
      '%zz',
      '%c3%a9',
      '|',
      '/',
    ],
    ...[
      '\r\n',
      '\r',
      '\n',
      '\0',
      '\r\n ',
      '\r\n\r\n',
      '\u2028',
      '\u0085',
      ' ',
      '\t',
      '  ',
      '${x}',
      '${',
      '$${',
      '}',
      '{',
      '[',
      ']',
      "'",
    ],
    ...[
      'sip:',
      'sips:',
      'tel:',
      'sip:+12025550123@h',
      '<sip:+12025550123@h>',
      'anonymous',
      'tag=',
      'branch=',
      ';lr',
      '*',
      '(',
      ')',
    ],
    ...[
      '-1',
      '0',
      '4294967296',
      '99999999999999999999',
      '+12025550123',
      'leg.',
      'X-Tagswitch-Plan: x',
      'SIP/2.0',
      'INVITE',
      'é',
      '\ud800',
      '😀',
    ],
    ...[
      '__proto__',
      'constructor',
      'toString',
      'Content-Length: 5',
      'v=0',
      'm=audio 1 RTP/AVP 0',
      'a=rtpmap:0 PCMU/8000',
      '<a b="c">',
      '</a>',
      '<!--',
      ']]>',
      '&#0;',
      '&#x110000;',
      '&amp',
    ],
  ),
  fc.string({ maxLength: 6 }),
  fc.string({ unit: 'binary', maxLength: 4 }),
);
const pieces = fc.array(piece, { maxLength: 8 }).map((list) => list.join(''));
interface Change {
  readonly at: number;
  readonly put: string;
  readonly gone: number;
}
const changes = fc.array(fc.record({ at: fc.nat(10_000), put: pieces, gone: fc.nat(12) }), { maxLength: 3 });
const changed = (text: string, list: readonly Change[]): string =>
  list.reduce((now, { at, put, gone }) => {
    const place = at % (now.length + 1);
    return now.slice(0, place) + put + now.slice(place + gone);
  }, text);
/** Texts of some forms, filled and then damaged in a few places. */
const nearly = (forms: readonly string[]): fc.Arbitrary<string> =>
  fc.tuple(fc.constantFrom(...forms), pieces, changes).map(([form, filling, list]) =>
    changed(
      form.replaceAll('*', () => filling),
      list,
    ),
  );

const formsOf = (wanted: string): readonly string[] =>
  parsers.find(({ name }) => name === wanted)?.forms ?? [];
/** What `read` makes of it; undefined where it says no with the error that is its own. */
function readOr<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

for (const { name, read, throws = [], forms } of parsers) {
  t.test(`${name}: read, or refused as declared`, async () => {
    fc.assert(
      fc.property(nearly(forms), (text) => {
        try {
          read(text);
        } catch (error) {
          if (!throws.some((kind) => error instanceof kind)) throw error;
        }
      }),
      bounds,
    );
  });
}

t.test('a SIP message that is taken goes out as it came, one line a header', async () => {
  fc.assert(
    fc.property(nearly(formsOf('SIP message')), (text) => {
      const message = readOr(() => parseMessage(Buffer.from(text)));
      if (message === undefined) return;
      const written = message.toBuffer();
      const again = parseMessage(written);
      if (again?.toBuffer().equals(written) !== true) throw new Error('differs when it is read again');
      const [head = ''] = written.toString('latin1').split('\r\n\r\n');
      const lines = message.headers.filter(({ name }) => !/^(l|content-length)$/i.test(name)).length + 2;
      if (head.split(/\r\n|\r|\n|\0/).length !== lines) throw new Error('a value opened a line of its own');
      if (message instanceof SipRequest) {
        const answer = SipResponse.to(message, 400, { toTag: 'x' }).toBuffer();
        if (parseMessage(answer)?.kind !== 'response') throw new Error('its answer cannot be read');
      }
    }),
    bounds,
  );
});

t.test('URI, address and Via are written as they are read', async () => {
  const kinds: readonly (readonly [string, (text: string) => { toString(): string }])[] = [
    ['SIP URI', (text) => SipUri.parse(text)],
    ['address', (text) => NameAddr.parse(text)],
    ['Via', (text) => Via.parse(text)],
  ];
  for (const [name, parse] of kinds) {
    fc.assert(
      fc.property(
        nearly([...formsOf(name), 'sip:a@h', '"A" <sip:a@h;x>;tag=1', 'SIP/2.0/UDP h:1;branch=x']),
        (text) => {
          const written = readOr(() => parse(text))?.toString();
          if (written !== undefined && parse(written).toString() !== written)
            throw new Error(`differs: ${written}`);
        },
      ),
      bounds,
    );
  }
});

t.test('the answer to a session description has its streams, and lines of its own alone', async () => {
  const local = {
    address: '192.0.2.9', port: 4000, codecs: [{ codec: 'PCMU', payloadType: 0 }], telephoneEvent: undefined,
    direction: 'sendrecv', sessionId: 1, version: 1,
  } as const; // prettier-ignore
  const forms = ['v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 0 *\r\na=*\r\nm=video 1 X *\r\n'];
  fc.assert(
    fc.property(nearly([...formsOf('session description'), ...forms]), (text) => {
      const offer = parseSdp(text);
      if (offer === undefined) return;
      const lines = writeSdp(local, offer).split('\r\n');
      if (lines.pop() !== '') throw new Error('no last line end');
      if (!lines.every((line) => /^[a-z]=[^\r\n\0]*$/.test(line)))
        throw new Error(`a line broke out: ${lines.join('|')}`);
      if (lines.filter((line) => line.startsWith('m=')).length !== offer.lines.length)
        throw new Error('another number of streams');
    }),
    bounds,
  );
});

t.test('a stream means the same wherever it is cut', async () => {
  const read = (parts: readonly Buffer[]): string => {
    const framer = new StreamFramer();
    const seen: string[] = [];
    try {
      for (const part of parts)
        for (const item of framer.push(part))
          seen.push(item.kind === 'message' ? item.message.toString() : item.kind);
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      seen.push('lost');
    }
    // A sign of life may be asked for once or twice in a row of line ends.
    return seen.filter((what) => what !== 'ping').join('\n');
  };
  const commands = (parts: readonly Buffer[]): string => {
    const reader = new CommandReader();
    return JSON.stringify(
      parts.flatMap((part) => reader.read(part)).map(({ line, headers }) => [line, ...headers]),
    );
  };
  const cuts = fc.array(fc.nat(2000), { maxLength: 6 });
  const inPieces = (bytes: Buffer, at: readonly number[]): Buffer[] => {
    const ends = [...new Set(at.map((end) => end % (bytes.length + 1)))].sort((a, b) => a - b);
    return [0, ...ends].map((from, i) => bytes.subarray(from, ends[i] ?? bytes.length));
  };
  const stream = fc
    .tuple(nearly(formsOf('SIP stream')), nearly(formsOf('SIP stream')))
    .map((two) => two.join(''));
  fc.assert(
    fc.property(stream, cuts, (text, at) => {
      const bytes = Buffer.from(text);
      if (read([bytes]) !== read(inPieces(bytes, at))) throw new Error('cut otherwise, it reads otherwise');
    }),
    bounds,
  );
  fc.assert(
    fc.property(nearly(['api *\n\napi status\n\n', 'sendmsg x\nname: *\n\nexit\n\n']), cuts, (text, at) => {
      const bytes = Buffer.from(text);
      if (commands([bytes]) !== commands(inPieces(bytes, at)))
        throw new Error('cut otherwise, it reads otherwise');
    }),
    bounds,
  );
});

t.test('a caller is a number or nobody, and so is who diverted the call', async () => {
  const identity = new CallerIdentity({ seal: (number) => number, hash: (number) => number });
  const isNumber = (value: string | undefined) => value === undefined || /^\+?[0-9]{1,20}$/.test(value);
  fc.assert(
    fc.property(nearly(formsOf('caller identity')), fc.boolean(), (raw, assertedIdentity) => {
      const header = (name: string) => headerValues(raw, name.toLowerCase()).join(',');
      const trunk = { assertedIdentity };
      const found = [
        identity.number({ header }, trunk),
        identity.shown({ header }, trunk),
        identity.diverting({ raw }, trunk),
      ];
      if (!found.every(isNumber)) throw new Error(`no number: ${JSON.stringify(found)}`);
    }),
    bounds,
  );
});

t.test('a request URI gives a number in E.164 or none', async () => {
  fc.assert(
    fc.property(nearly(['sip:*@h', 'sip:+12025550100*@h', 'sip:+12025550100;*@h;*']), (text) => {
      const number = dialledNumber(parseSipUri(text)?.user ?? '');
      if (number !== undefined && !/^\+[1-9][0-9]{6,14}$/.test(number)) throw new Error(number);
    }),
    bounds,
  );
});

t.test('a leg token says what was put in, and any other text says nothing', async () => {
  const key = Buffer.alloc(32, 7);
  const now = 1_700_000_000;
  const claims = fc.record({
    call: fc.constantFrom('call_0123456789abcdef', 'call_zzzzzzzzzzzzzzzz'),
    leg: fc.nat(63),
    trunk: fc.nat(0xffffffff),
    destination: fc.nat(0xffffffff),
    expires: fc.integer({ min: now, max: now + 200 }),
  });
  fc.assert(
    fc.property(claims, changes, (said, list) => {
      const token = mintLegToken(said, key);
      if (JSON.stringify(readLegToken(token, key, now)) !== JSON.stringify(said))
        throw new Error('not what was put in');
      const other = changed(token, list);
      // Four letters may write the same last bits: what counts is what they say.
      const read = readLegToken(other, key, now);
      if (typeof read !== 'string' && JSON.stringify(read) !== JSON.stringify(said))
        throw new Error(`forged: ${other}`);
      if (typeof readLegToken(token, Buffer.alloc(32, 8), now) !== 'string')
        throw new Error('of another key');
    }),
    bounds,
  );
});

t.test('no name and no value gets a second line into a message', async () => {
  fc.assert(
    fc.property(pieces, pieces, (name, value) => {
      let lines: string[];
      try {
        lines = Object.entries(safeHeaders({ [`X-${name}`]: value })).map(([its, said]) => `${its}: ${said}`);
      } catch (error) {
        if (error instanceof UnsafeValue) return;
        throw error;
      }
      if (lines.length !== 1 || !/^X-[^\s:]*: [^\r\n\0]*$/.test(lines[0] ?? '')) throw new Error('broke out');
    }),
    bounds,
  );
});
