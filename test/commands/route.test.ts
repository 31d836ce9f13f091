import t from 'tap';
import { routeCommand, routeText } from '../../src/commands/route.js';
import { keepLines } from './fake-switch.js';

t.test('bad arguments are named, all at once', async (t) => {
  const { lines, ...io } = keepLines();
  const argv = ['123', '--caller', 'x', '--at', 'noon', '--attestation', 'Z', '--key', 'a b'];
  t.equal(await routeCommand(argv, { ...io, http: { host: '127.0.0.1', port: 1 } }), 2);
  t.equal(lines.err.length, 5);
  t.match(lines.err.join('\n'), /NUMBER: .*--caller: .*--at: .*--attestation: .*--key: /s);
  for (const at of ['2026-12-25T10:00:00', 'Dec 25 2026', '2026-02-30T10:00:00Z'])
    t.equal(
      await routeCommand(['+12025550100', '--at', at], { ...io, http: { host: '127.0.0.1', port: 1 } }),
      2,
      at,
    );
  t.equal(await routeCommand([], { ...io, http: { host: '127.0.0.1', port: 1 } }), 2);
  t.match(lines.err.at(-1), /NUMBER: expected/);
});

t.test('nothing answers: exit code 1', async (t) => {
  const { lines, ...io } = keepLines();
  t.equal(await routeCommand(['+12025550100'], { ...io, http: { host: '127.0.0.1', port: 1 } }), 1);
  t.match(lines.err[0], /is tagswitch started/);
});

t.test('the way in sentences', async (t) => {
  const steps = (...list: [string, string][]) =>
    list.map(([name, because]) => ({ endpoint: `end_${name}`, name, because }));
  const standsFor = { endpoint: 'end_sales', name: 'sales', why: 'linked' };
  const at = '2026-12-25T10:00:00.000Z';
  t.same(
    routeText({
      number: '+12025550100',
      at,
      standsFor,
      steps: steps(['sales', 'number'], ['texas', 'area'], ['desk', 'closed']),
      turnedAway: null,
      plan: {
        rounds: [
          [
            {
              ringMs: 20_000,
              legs: [
                { to: '+12125550160', trunk: 'a' },
                { to: 'sip:d@192.0.2.9:5060', trunk: null },
              ],
            },
            { ringMs: 5000, legs: [{ to: 'sip:e@192.0.2.9:5060', trunk: null }] },
          ],
          [{ ringMs: 20_000, legs: [{ to: '+12125550160', trunk: 'b' }] }],
        ],
        whisper: 'tone',
        maxCallMs: 3_600_000,
      },
    }),
    [
      'A call to +1 202 555 0100 at 2026-12-25T10:00:00.000Z',
      'stands for sales: it is linked to it now.',
      'goes to texas, by a rule, for the area of the caller.',
      'goes to desk, as overflow, for the one before is closed.',
      'rings',
      '  20 s: +12125550160 over a and sip:d@192.0.2.9:5060',
      '  5 s: sip:e@192.0.2.9:5060',
      'rings, when that way is out of order (2.)',
      '  20 s: +12125550160 over b',
      'The callee alone hears tone first.',
      'It ends 3600 s after its answer.',
    ],
  );
  const turnedAway = (why: string, stands: typeof standsFor | null = standsFor): string =>
    routeText({
      number: '+12025550100',
      at,
      standsFor: stands,
      steps: steps(['sales', 'number']),
      turnedAway: why,
      plan: null,
    }).at(-1) ?? '';
  t.match(turnedAway('closed'), /^gets 480: it is closed/);
  t.match(turnedAway('unknownNumber', null), /^gets 404/);
  t.match(turnedAway('noWayOut'), /^gets 480: none of its destinations/);
});

t.test('what the switch says, as text and as JSON', async (t) => {
  const route = {
    number: '+12025550100',
    at: '2026-12-25T10:00:00.000Z',
    standsFor: { endpoint: 'end_1', name: 'sales', why: 'poolDefault' },
    steps: [{ endpoint: 'end_1', name: 'sales', because: 'number' }],
    turnedAway: 'closed',
    plan: null,
  };
  const asked: string[] = [];
  const { createServer } = await import('node:http');
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.setHeader('content-type', 'application/json').end(JSON.stringify(route));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const address = server.address();
  const http = {
    host: '127.0.0.1',
    port: typeof address === 'object' && address !== null ? address.port : 0,
  };
  const { lines, ...io } = keepLines();
  const argv = ['+12025550100', '--at', '2026-12-25T11:00:00+01:00', '--attestation', 'A'];
  t.equal(await routeCommand(argv, { ...io, http }), 0);
  t.match(lines.out, [
    'A call to +1 202 555 0100 at 2026-12-25T10:00:00.000Z',
    /^stands for sales/,
    /^gets 480/,
  ]);
  t.match(asked[0], /number=%2B12025550100&at=2026-12-25T10%3A00%3A00.000Z&attestation=A/);
  const json = keepLines();
  t.equal(await routeCommand([...argv, '--json'], { ...json, http }), 0);
  t.same(JSON.parse(json.lines.out.join('\n')), route);
});
