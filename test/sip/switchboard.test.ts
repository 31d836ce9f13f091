/** What a process does with requests when it has too much to do, and when it stops. */
import t from 'tap';
import type { InboundCalls } from '../../src/sip/inbound.js';
import type { OutboundLegs } from '../../src/sip/outbound.js';
import { isPressed, Pressure } from '../../src/sip/pressure.js';
import type { IncomingRequest } from '../../src/sip/requests.js';
import { Switchboard } from '../../src/sip/switchboard.js';
import { keepingLogger } from '../support/logger.js';
import { until } from '../support/until.js';

t.test('pressed above one line, relieved below another', async (t) => {
  const calm = { delayMs: 1, heap: 0.2 };
  t.equal(isPressed(false, { delayMs: 1500, heap: 0.2 }, calm), false, 'a machine that stood still once');
  t.equal(isPressed(true, calm, { delayMs: 1500, heap: 0.2 }), false);
  for (const [before, delayMs, heap, after] of [
    [false, 5, 0.2, false],
    [false, 100, 0.85, false],
    [false, 101, 0.2, true],
    [false, 5, 0.86, true],
    [true, 60, 0.2, true],
    [true, 5, 0.8, true],
    [true, 40, 0.7, false],
  ] as const)
    t.equal(
      isPressed(before, { delayMs, heap }, { delayMs, heap }),
      after,
      `${String(before)}, ${String(delayMs)} ms, ${String(heap)}`,
    );
});

t.test('a loop that is held up is noticed, and so is its recovery', async (t) => {
  const told: boolean[] = [];
  const pressure = new Pressure((pressed) => void told.push(pressed));
  t.teardown(() => {
    pressure.close();
  });
  const end = Date.now() + 5000;
  while (!pressure.pressed && Date.now() < end) {
    const until_ = performance.now() + 150;
    while (performance.now() < until_);
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.equal(pressure.pressed, true);
  await until(() => !pressure.pressed, 5000);
  t.same(told, [true, false]);
});

class FakeRequest {
  readonly answers: { status: number; headers: Readonly<Record<string, string>> }[] = [];
  readonly method: string;
  readonly uri: string;
  readonly raw = '';
  readonly sourceAddress = '192.0.2.1';
  #listener: (() => void) | undefined;

  constructor(uri: string, method = 'INVITE') {
    this.uri = uri;
    this.method = method;
  }

  header(): undefined {
    return undefined;
  }

  respond(status: number, headers: Readonly<Record<string, string>> = {}): void {
    if (this.answers.length > 0) return;
    this.answers.push({ status, headers });
    this.#listener?.();
  }

  onSettled(listener: () => void): void {
    this.#listener = listener;
    if (this.answers.length > 0) listener();
  }

  asRequest(): IncomingRequest {
    return this as unknown as IncomingRequest;
  }
}

function board() {
  const state = { pressed: false };
  const taken: string[] = [];
  const why: string[] = [];
  const take = async (request: IncomingRequest): Promise<void> => void taken.push(request.uri);
  const switchboard = new Switchboard({
    directory: () =>
      ({ trunksByAddress: () => [{ account: {}, trunk: {} }], numberOwner: () => undefined }) as never,
    nodes: {
      isNode: () => true,
      choose: () => undefined,
      callBack: () => undefined,
      ringOut: () => undefined,
    },
    inbound: { take } as unknown as InboundCalls,
    outbound: { take } as unknown as OutboundLegs,
    switchAddress: '192.0.2.5:5060',
    pressed: () => state.pressed,
    refused: (reason) => void why.push(reason),
    log: keepingLogger(),
  });
  return { state, taken, why, switchboard };
}

t.test(
  'under pressure new calls are sent elsewhere before any work; legs of calls that were taken are not',
  async (t) => {
    const { state, taken, why, switchboard } = board();
    state.pressed = true;
    const waits = new Set<string>();
    for (let i = 0; i < 40; i += 1) {
      const call = new FakeRequest('sip:+12025550100@192.0.2.9');
      switchboard.invite(call.asRequest());
      t.equal(call.answers[0]?.status, 503);
      waits.add(call.answers[0]?.headers['Retry-After'] ?? '');
    }
    t.ok(waits.size > 1, 'not all come again at once');
    for (const wait of waits) t.ok(Number(wait) >= 1 && Number(wait) <= 5);
    t.same(taken, []);
    t.same(new Set(why), new Set(['overload']));
    const leg = `sip:leg.${'A'.repeat(32)}@192.0.2.9`;
    switchboard.invite(new FakeRequest(leg).asRequest());
    t.same(taken, [leg]);
    const options = new FakeRequest('sip:192.0.2.9', 'OPTIONS');
    switchboard.other(options.asRequest());
    t.equal(options.answers[0]?.status, 503, 'a carrier that asks hears it, too');
    state.pressed = false;
    switchboard.invite(new FakeRequest('sip:+12025550100@192.0.2.9').asRequest());
    t.equal(taken.length, 2);
  },
);

t.test('a stop waits for what is being decided, and no longer than it may', async (t) => {
  const { switchboard } = board();
  const [first, second] = [
    new FakeRequest('sip:+12025550100@192.0.2.9'),
    new FakeRequest('sip:+12025550101@192.0.2.9'),
  ];
  switchboard.invite(first.asRequest());
  switchboard.invite(second.asRequest());
  let drained = false;
  const draining = switchboard.drain(10_000).then(() => (drained = true));
  first.respond(404);
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(drained, false, 'one is left');
  second.respond(480);
  await draining;

  const slow = board();
  const stuck = new FakeRequest('sip:+12025550102@192.0.2.9');
  slow.switchboard.invite(stuck.asRequest());
  await slow.switchboard.drain(20);
  t.equal(stuck.answers[0]?.status, 503, 'what is not decided in time is sent elsewhere');
  await slow.switchboard.drain(10_000);
  const options = new FakeRequest('sip:192.0.2.9', 'OPTIONS');
  slow.switchboard.other(options.asRequest());
  t.equal(options.answers[0]?.status, 503);
});
