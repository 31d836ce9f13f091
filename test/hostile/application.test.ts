/** Messages that drachtio-server lets through and nobody should have sent: each costs itself alone, and tells nobody a number. */
import fc from 'fast-check';
import t from 'tap';
import { application, NUMBER } from './application.js';
import { parsers } from './parsers.js';

const CALLER = '+12025550147';
const good: Readonly<Record<string, string>> = {
  Via: 'SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa',
  From: `<sip:${CALLER}@192.0.2.1>;tag=1`,
  To: `<sip:${NUMBER}@192.0.2.5>`,
  'Call-ID': 'call-1',
  CSeq: '1 INVITE',
  Contact: '<sip:a@192.0.2.1>',
};
function text(
  change: Readonly<Record<string, string | null>> = {},
  { start = `INVITE sip:${NUMBER}@192.0.2.5 SIP/2.0`, more = [] as readonly string[], body = '' } = {},
): string {
  const lines = Object.entries({ ...good, ...change }).flatMap(([name, value]) =>
    value === null ? [] : [`${name}: ${value}`],
  );
  return [start, ...lines, ...more, `Content-Length: ${String(Buffer.byteLength(body))}`, '', body].join(
    '\r\n',
  );
}
const many = (line: string, count = 1000): string[] => Array.from({ length: count }, () => line);
const to = (uri: string): string => text({}, { start: `INVITE ${uri} SIP/2.0` });
const method = (name: string, change: Readonly<Record<string, string | null>> = {}): string =>
  text({ CSeq: `1 ${name}`, ...change }, { start: `${name} sip:${NUMBER}@192.0.2.5 SIP/2.0` });

/** `proxied`, or the status of the answer. */
const cases: readonly (readonly [what: string, message: string, expected: number | 'proxied'])[] = [
  ['a plain call', text(), 'proxied'],
  ['a name of 50 KB', text({ From: `"${'n'.repeat(50_000)}" <sip:${CALLER}@h>;tag=1` }), 'proxied'],
  ['a name of quotes and backslashes that nothing closes', text({ From: `"${'\\"'.repeat(25_000)} <sip:${CALLER}@h>;tag=1` }), 'proxied'],
  ['a name of brackets', text({ From: `${'<'.repeat(50_000)};tag=1` }), 'proxied'],
  ['a NUL in the caller', text({ From: `<sip:${CALLER}\0@h>;tag=1` }), 'proxied'],
  ['escaped line ends in the caller', text({ From: `<sip:${CALLER}%0d%0aX-Tagswitch-Plan:x@h>;tag=1` }), 'proxied'],
  ['a broken escape in the caller', text({ From: `<sip:${CALLER}%zz@h>;tag=1` }), 'proxied'],
  ['no From, no To, no Contact', text({ From: null, To: null, Contact: null }), 'proxied'],
  ['no Call-ID and no CSeq', text({ 'Call-ID': null, CSeq: null }), 'proxied'],
  ['a Call-ID with the marks of the control port', text({ 'Call-ID': 'a|b#c|12#' }), 'proxied'],
  ['a Call-ID of 30 KB', text({ 'Call-ID': 'c'.repeat(30_000) }), 'proxied'],
  ['a CSeq that is none', text({ CSeq: 'INVITE INVITE INVITE' }), 'proxied'],
  ['names that JavaScript has for itself', text({}, { more: ['__proto__: x', 'constructor: y', 'toString: z', 'hasOwnProperty: 1'] }), 'proxied'],
  ['ten callers', text({}, { more: many(`From: <sip:${CALLER}@h>;tag=2`, 10) }), 'proxied'],
  ['a thousand Diversions', text({}, { more: many(`Diversion: "${CALLER}" <sip:${CALLER}@h>;reason=unknown`) }), 'proxied'],
  ['a thousand entries of History-Info', text({}, { more: many(`History-Info: <sip:${CALLER}@h?Privacy=none>;index=1`) }), 'proxied'],
  ['a thousand asserted identities', text({}, { more: many('P-Asserted-Identity: "a, b" <sip:nobody@h>') }), 'proxied'],
  ['a thousand wishes for privacy', text({ Privacy: 'none;'.repeat(10_000) }), 'proxied'],
  ['two thousand signatures', text({}, { more: many('Identity: a.b.c;info=<https://x>;ppt=shaken', 1000) }), 'proxied'],
  ['a signature of 50 KB', text({ Identity: `${'a'.repeat(25_000)}.${'b'.repeat(25_000)}.c;info=<https://x>` }), 'proxied'],
  ['a Date of nowhere', text({ Date: 'Thu, 99 Foo -1 99:99:99 GMT' }), 'proxied'],
  ['a body of parts with a boundary like a pattern', text({ 'Content-Type': 'multipart/mixed;boundary="(((((.*"' }, { body: '--(((((.*\r\nContent-Type: x\r\n\r\ny\r\n\r\nz' }), 'proxied'],
  ['a type that takes the library seconds', text({ 'Content-Type': `multipart/${';'.repeat(50_000)}` }, { body: 'a\r\n\r\nb' }), 400],
  ['a name with an escape', text({}, { more: [`%50-Asserted-Identity: <sip:${CALLER}@h>`] }), 400],
  ['a line without a colon', text({}, { more: ['no colon'] }), 400],
  ['a request line of two words', text({}, { start: `INVITE sip:${NUMBER}@192.0.2.5` }), 400],
  ['two blanks in the request line', text({}, { start: `INVITE  sip:${NUMBER}@192.0.2.5 SIP/2.0` }), 400],
  ['a blank behind the request line', text({}, { start: `INVITE sip:${NUMBER}@192.0.2.5 SIP/2.0 ` }), 'proxied'],
  ['a fold before the first header', text({}, { start: `INVITE sip:${NUMBER}@192.0.2.5 SIP/2.0\r\n X-Folded: 1` }), 'proxied'],
  ['three hundred headers', text({}, { more: many('X-Many: 1', 300) }), 'proxied'],
  ['extensions that nobody has', text({ 'Proxy-Require': 'x', Require: 'y' }), 'proxied'],
  ['a user of nothing', to('sip:@192.0.2.5'), 400],
  ['a scheme that nobody knows', to('nobody-knows:whom'), 416],
  ['a number that is no SIP URI', to(`tel:${NUMBER}`), 416],
  ['a web page', to('https://example.com/'), 416],
  ['escaped line ends in the number', to(`sip:${NUMBER}%0d%0aX-Tagswitch-Plan:%20x@192.0.2.5`), 404],
  ['an escaped NUL in the number', to(`sip:${NUMBER}%00@192.0.2.5`), 404],
  ['a broken escape in the number', to(`sip:${NUMBER}%@192.0.2.5`), 400],
  ['a number of 10 KB', to(`sip:${'1'.repeat(10_000)}@192.0.2.5`), 400],
  ['no number', to('sip:192.0.2.5'), 484],
  ['a leg that no node sent', to(`sip:leg.${'A'.repeat(32)}@192.0.2.5`), 403],
  ['a plan of his own', text({ 'X-Tagswitch-Plan': 'x' }), 403],
  ['a plan behind a CR', text({ 'X-Odd': 'a\rX-Tagswitch-Plan: b' }), 403],
  ['a plan behind an LF', text({ 'X-Odd': 'a\nx-tagswitch-plan : b' }), 403],
  ['a plan in a fold', text({ 'X-Odd': 'a\r\n X-Tagswitch-Plan: b' }), 403],
  ['OPTIONS', method('OPTIONS'), 200],
  ['a MESSAGE', method('MESSAGE'), 405],
  ['a REGISTER of 50 KB', method('REGISTER', { Contact: '<sip:a@h>,'.repeat(5000) }), 405],
  ['an INFO of no dialog', method('INFO', { To: '<sip:a@h>;tag=x' }), 481],
]; // prettier-ignore

t.test('each is answered or treated as what it is', async (t) => {
  const stderr: string[] = [];
  const write = process.stderr.write.bind(process.stderr);
  process.stderr.write = (said: string | Uint8Array) => stderr.push(said.toString()) > 0;
  t.teardown(() => {
    process.stderr.write = write;
  });
  const { give, isWell, log, events } = await application(t);
  for (const [what, message, expected] of cases) {
    const { status } = await give(message);
    t.equal(status ?? 'proxied', expected, what);
    // Of a stranger: never further than to an answer.
    t.type((await give(message, '192.0.2.77')).status, 'number', `${what}, of a stranger`);
  }
  t.ok(isWell(), 'over the one connection that there was');
  const told = JSON.stringify([log.lines, stderr, events.map((event) => ({ ...event, number: '' }))]);
  t.notMatch(told, /2025550147/, 'and no line names who called');
  t.notOk(log.lines.some(({ level }) => level === 'error'));
});

t.test('whatever comes, it is answered or proxied, and the connection holds', async (t) => {
  const { give, isWell } = await application(t);
  const forms = parsers.find(({ name }) => name === 'caller identity')?.forms ?? [];
  const odd = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.constantFrom(
      '\r\n',
      '\r',
      '\n',
      '\0',
      '%0d%0a',
      '"',
      '\\',
      '<',
      '>',
      ',',
      ';',
      '@',
      ':',
      '${x}',
      '|',
      '#',
      'sip:',
      '\r\nTo: x',
    ),
  );
  const change = fc.record({ at: fc.nat(5000), put: fc.array(odd, { maxLength: 4 }), gone: fc.nat(9) });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...forms),
      fc.array(odd, { maxLength: 5 }),
      change,
      async (form, filling, { at, put, gone }) => {
        const filled = form.replaceAll('*', () => filling.join(''));
        // An ACK has no answer: the method is left as it is.
        const place = 7 + (at % (filled.length - 6));
        const sip = filled.slice(0, place) + put.join('') + filled.slice(place + gone);
        await give(sip);
        if (!isWell()) throw new Error('it cost the connection');
      },
    ),
    {
      seed: Number(process.env['FUZZ_SEED'] ?? 5118),
      numRuns: Number(process.env['FUZZ_RUNS'] ?? 200),
      interruptAfterTimeLimit: 30_000,
      markInterruptAsFailure: true,
    },
  );
});
