/**
 * Signalling as carriers and PBXs really do it (RFC 3261 and its family): sipp at both ends of the whole switch, a scenario
 * a behaviour, on the standalone servers and on the real ones. The page docs/reference/signalling.md has the list.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { sipp, type SippRun } from '../standalone/support/sipp.js';
import { freeRange } from '../support/free-range.js';
import { CutLine } from '../support/cut-line.js';
import { LossyLink } from '../support/lossy-link.js';
import { declarationOf, numbersOf } from './declaration.js';
import { CROSSING, endsOf, SCENARIOS, type Ends, type Scenario } from './signalling/scenarios.js';
import { CarrierSteps, scenarioXml } from './signalling/steps.js';
import { onRealServers, System } from './system.js';

t.setTimeout(900_000);

/** Calls of each scenario. Over TCP sipp takes two messages that come in one piece for one. */
const CALLS = { udp: 3, tcp: 1 } as const;
/** Scenarios at once. */
const WIDE = 4;
/** How late our orders reach drachtio-server where CANCELs are to cross them, ms. */
const LATE_MS = 80;
/** The names of scenarios to run alone, cut by commas. */
const only = process.env['SCENARIOS']?.split(',');

interface Ready extends Ends {
  readonly scenario: Scenario;
  readonly number: string;
  readonly port: number;
  /** Before the carrier and before the callee, where the line is bad. */
  readonly lines?: readonly [LossyLink | undefined, LossyLink];
}

async function run(
  t: Test,
  system: System,
  ready: Ready,
  proto: 'udp' | 'tcp',
  folder: string,
): Promise<void> {
  const { scenario, number, carrier, callee } = ready;
  const { name } = scenario;
  const calls = CALLS[proto];
  const seconds = scenario.seconds ?? 25;
  const runs: SippRun[] = [];
  const [carriersLine, calleesLine] = ready.lines ?? [];
  carriersLine?.between(system.settings.sip.port);
  calleesLine?.between(system.settings.sip.port, ready.port);
  try {
    const write = (end: string, xml: string): string => {
      writeFileSync(join(folder, `${name}.${end}.xml`), xml);
      return `${name}.${end}`;
    };
    const common = { calls, seconds, folder, patient: true } as const;
    const theirs =
      callee === undefined
        ? undefined
        : await sipp(write('callee', scenarioXml(name, callee, calleesLine?.outer)), proto, {
            ...common,
            port: ready.port,
          });
    if (theirs !== undefined) runs.push(theirs);
    const mine = await sipp(
      write('carrier', scenarioXml(name, carrier(new CarrierSteps(number)), carriersLine?.outer)),
      proto,
      {
        ...common,
        to: carriersLine?.inner ?? system.settings.sip.port,
        rate: 10,
      },
    );
    runs.push(mine);
    await went(t, mine, `${name}: the carrier's end`);
    if (theirs !== undefined && scenario.calleeMayMiss !== true)
      await went(t, theirs, `${name}: the callee's end`);
  } finally {
    for (const run of runs) run.stop();
    for (const line of ready.lines ?? []) {
      if (line === undefined) continue;
      t.ok(line.struck > 0, `${name}: the line was bad`);
      line.close();
    }
  }
  const records = await system.finished(number, ready.record === null ? 0 : calls, 15_000);
  t.equal(records.length, ready.record === null ? 0 : calls, `${name}: records`);
  for (const record of records) t.match(record, ready.record ?? {}, name);
}

/** Whether every call of that end went as the scenario says; what sipp complains of is told where not. */
async function went(t: Test, end: SippRun, what: string): Promise<void> {
  const { code, errors } = await end.ended;
  t.equal(code, 0, what);
  if (code !== 0) t.comment(errors);
}

interface Round {
  readonly proto: 'udp' | 'tcp';
  readonly what: string;
  readonly scenarios: readonly Scenario[];
  /** Our orders reach drachtio-server late: it carries them out though the caller has given up. The standalone one does not. */
  readonly late?: boolean;
}

const rounds: Round[] = [
  { proto: 'udp', what: 'signalling over UDP throughout', scenarios: SCENARIOS },
  {
    proto: 'tcp',
    what: 'signalling over TCP throughout',
    scenarios: SCENARIOS.filter(({ udpOnly }) => udpOnly !== true),
  },
];
if (onRealServers)
  rounds.push({
    proto: 'udp',
    what: 'calls that are cancelled while our order is on its way',
    scenarios: [CROSSING],
    late: true,
  });

/** The address of a line to drachtio-server's control port that is slow. */
async function lateLine(t: Test): Promise<string> {
  const [host = '', port = ''] = (process.env['TAGSWITCH_DRACHTIO'] ?? '').split(':');
  const line = await CutLine.open({ host, port: Number(port) }, LATE_MS);
  t.teardown(() => line.close());
  return `127.0.0.1:${String(line.port)}`;
}

for (const { proto, what, scenarios, late } of rounds) {
  t.test(what, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'tagswitch-sipp-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    const ready: Ready[] = [];
    const firstPort = await freeRange(scenarios.length);
    for (const scenario of scenarios) {
      const ends = endsOf(scenario);
      if (ends === undefined) continue;
      if (only !== undefined && !only.includes(scenario.name)) continue;
      const lines =
        scenario.line === undefined
          ? {}
          : {
              lines: [
                scenario.lineAt === 'callee' ? undefined : await LossyLink.open(scenario.line),
                await LossyLink.open(scenario.line),
              ] as const,
            };
      ready.push({
        ...ends,
        ...lines,
        scenario,
        port: firstPort + ready.length,
        number: numbersOf(ready.length).first,
      });
    }
    const system = await System.start(
      declarationOf(
        ready.map(({ scenario, port, lines }) => ({
          name: scenario.name,
          ring: [[`sip:agent@127.0.0.1:${String(lines?.[1].outer ?? port)}`]],
        })),
        proto,
      ),
      'debug',
      late === true ? { TAGSWITCH_DRACHTIO: await lateLine(t) } : {},
    );
    t.teardown(() => system.stop());
    const queue = [...ready];
    await Promise.all(
      Array.from({ length: WIDE }, async () => {
        for (let next = queue.shift(); next !== undefined; next = queue.shift())
          await run(t, system, next, proto, folder);
      }),
    );
  });
}
