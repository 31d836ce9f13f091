import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../src/start/ports.js';
import { TestRedis } from '../support/redis.js';
import { until } from '../support/until.js';
import { ControlPort } from './control-port.js';
import { rounded } from './latencies.js';
import { fictionalNumbers } from './numbers.js';
import type { Part, Progress } from './part.js';
import { cpuMs } from './processes.js';

const program = (name: string): string => fileURLToPath(new URL(`../../src/${name}`, import.meta.url));
const configuration = fileURLToPath(new URL('../../../freeswitch-conf', import.meta.url));
const SECRET = 'a-secret-of-the-bench-0123456789';
const RATES = [100, 300, 600] as const;
const BATCH_MS = 10;

/**
 * How many INVITEs one application process decides on: resolved in Redis, planned, proxied, with the events of the record
 * written and the ledger behind it. No SIP: the bench is the control port. Each rate is offered evenly, in batches of 10 ms.
 */
export async function decisionsPart(quick: boolean, progress: Progress): Promise<Part> {
  const folder = mkdtempSync(join(tmpdir(), 'tagswitch-bench-decisions-'));
  const redis = await TestRedis.start();
  const control = await ControlPort.listen();
  const children: ChildProcess[] = [];
  try {
    const [node, http] = [await startNode(folder, children), await freePort()];
    mkdirSync(join(folder, 'data'));
    writeFileSync(join(folder, 'config.yaml'), DECLARATION);
    const application = spawn(process.execPath, [program('main.js')], {
      env: {
        PATH: process.env['PATH'],
        TAGSWITCH_HTTP: `127.0.0.1:${String(http)}`,
        TAGSWITCH_DATA: join(folder, 'data'),
        TAGSWITCH_CONFIG: join(folder, 'config.yaml'),
        TAGSWITCH_SECRET: SECRET,
        TAGSWITCH_LOG: 'info',
        TAGSWITCH_DRACHTIO: `127.0.0.1:${String(control.port)}`,
        TAGSWITCH_DRACHTIO_SECRET: SECRET,
        TAGSWITCH_FREESWITCH: node,
        TAGSWITCH_FREESWITCH_SECRET: SECRET,
        REDIS_URL: redis.url,
      },
      stdio: 'ignore',
    });
    children.push(application);
    await until(async () => {
      if (application.exitCode !== null) throw new Error('the application did not start');
      return control.taken && (await isReady(http));
    }, 20_000);
    const rates: Record<string, unknown> = {};
    const faults: string[] = [];
    for (const perSecond of [50, ...RATES]) {
      // The first one warms the process up and is not told.
      const seconds = quick ? 2 : 10;
      progress(`decisions: ${String(perSecond)}/s`);
      const before = { cpu: cpuMs(application.pid ?? 0), refused: control.refused, at: performance.now() };
      const count = await offer(control, perSecond, seconds);
      const took = (performance.now() - before.at) / 1000;
      const cpu = cpuMs(application.pid ?? 0) - before.cpu;
      const refused = control.refused - before.refused;
      const figures = {
        decided: count - refused,
        perSecond: rounded((count - refused) / took),
        refused,
        p50: rounded(control.latencies.quantile(0.5)),
        p99: rounded(control.latencies.quantile(0.99)),
        cpuMs: rounded(cpu / count),
        eventLoopDelayP99: await loopDelay(http),
      };
      control.latencies.clear();
      if (perSecond === 50) continue;
      rates[`at${String(perSecond)}`] = figures;
      if (perSecond <= 300 && refused > 0)
        faults.push(`decisions: ${String(refused)} INVITEs refused at ${String(perSecond)}/s`);
    }
    return { figures: rates, faults };
  } finally {
    for (const child of children.reverse()) {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    }
    await control.close();
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

const DECLARATION = `apiVersion: tagswitch/v1
accounts:
  - name: bench
    trunks: [{name: carrier, addresses: [192.0.2.1]}]
    endpoints: [{name: desk, destinations: ['sip:agent@192.0.2.20', 'sip:agent@192.0.2.21']}]
    pools: [{name: main, numbers: ['+12025550100-+12025550199'], trunk: carrier, defaultEndpoint: desk}]
`;

/** All INVITEs of a rate; resolves with how many, once each is decided. */
async function offer(control: ControlPort, perSecond: number, seconds: number): Promise<number> {
  const callers = fictionalNumbers(perSecond * seconds);
  const start = performance.now();
  for (let sent = 0; sent < callers.length;) {
    const due = Math.min(callers.length, Math.ceil(((performance.now() - start) * perSecond) / 1000));
    for (; sent < due; sent += 1)
      control.invite(`+${String(12_025_550_100 + (sent % 100))}`, callers[sent] ?? '');
    await wait(BATCH_MS);
  }
  await until(() => control.under === 0, 30_000);
  return callers.length;
}

async function startNode(folder: string, children: ChildProcess[]): Promise<string> {
  const [sip, events] = [await freePort(), await freePort()].map(String);
  const node = spawn(
    process.execPath,
    [program('standalone/media-server/main.js'), '--conf', configuration],
    {
      env: {
        PATH: process.env['PATH'],
        TAGSWITCH_NODE_SIP_PORT: sip,
        TAGSWITCH_NODE_EVENT_PORT: events,
        TAGSWITCH_NODE_SPOOL: join(folder, 'spool'),
        TAGSWITCH_FREESWITCH_SECRET: SECRET,
      },
      stdio: ['pipe', 'pipe', 'ignore'],
    },
  );
  children.push(node);
  await once(node.stdout, 'data');
  return `127.0.0.1:${String(events)}`;
}

async function isReady(http: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${String(http)}/readyz`)).ok;
  } catch {
    return false;
  }
}

/** ms, since it was asked last. */
async function loopDelay(http: number): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${String(http)}/metrics`)).text();
  return rounded(
    1000 * Number(/^tagswitch_event_loop_delay_seconds\{quantile="0.99"\} (\S+)/m.exec(text)?.[1]),
  );
}
