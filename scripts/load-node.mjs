// Loads one media node with calls, more and more of them a second, and prints where it bends: the knee is the last rate at
// which no call failed and at most one message in a hundred calls had to be sent again. sipp is both the switch and the
// callee, so that nothing else is measured.
//
//   node scripts/load-node.mjs --node HOST:PORT --switch HOST:PORT [--pid PID] [--first 10] [--step 10] [--most 200] [--seconds 10]
//     [--patience 40]
//
// To be run where drachtio-server runs, while that is stopped: the node takes calls from its address alone (`--switch`, what
// TAGSWITCH_NODE_SWITCH_PATTERN says). `--pid`: FreeSWITCH's process, where it is on this machine, for its CPU time a call. `--patience`: seconds to wait for calls that do not end.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const scenarios = fileURLToPath(new URL('./load-node/', import.meta.url));
/** What proc(5) counts CPU time in. */
const TICK_MS = 10;

const { values, faults } = read();
if (faults.length > 0) {
  for (const fault of faults) process.stderr.write(`load-node: ${fault}\n`);
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), 'load-node-'));
try {
  let knee = 0;
  process.stdout.write('calls/s  failed  sent again  INVITE to 180, mean  FreeSWITCH CPU a call\n');
  for (let rate = values.first; rate <= values.most; rate += values.step) {
    const step = await run(rate);
    const cells = [
      String(rate).padStart(7),
      String(step.failed).padStart(6),
      String(step.again).padStart(10),
      `${step.ringing} ms`.padStart(19),
      (step.cpuMs === undefined ? '-' : `${step.cpuMs.toFixed(1)} ms`).padStart(22),
    ];
    process.stdout.write(`${cells.join('  ')}\n`);
    if (step.failed > 0 || step.again > step.calls / 100) break;
    knee = rate;
  }
  process.stdout.write(knee === 0 ? 'no knee: the first rate was too much\n' : `knee: ${knee} calls/s\n`);
  process.exitCode = knee === 0 ? 1 : 0;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** One rate for `--seconds`; calls talk for a second. */
async function run(rate) {
  const calls = rate * values.seconds;
  writeFileSync(join(folder, 'calls.csv'), `SEQUENTIAL\n${lines(calls)}`);
  const [host, port] = split(values.switch);
  const callee = sipp('callee', ['-i', host, '-p', port], calls);
  await wait(500);
  const before = cpuMs();
  const caller = sipp(
    'caller',
    [values.node, '-i', host, '-inf', join(folder, 'calls.csv'), '-r', String(rate)],
    calls,
  );
  const counts = await caller;
  const after = cpuMs();
  await callee;
  return {
    calls,
    failed: calls - counts.SuccessfulCall,
    again: counts.Retransmissions,
    ringing: counts.ResponseTime1,
    cpuMs: after === undefined ? undefined : (after - before) / calls,
  };
}

/** An id and a plan of one leg for each call, in the forms that the dialplan takes. */
function lines(calls) {
  const start = Date.now();
  return Array.from({ length: calls }, (_, i) => {
    const id = `call_${(start + i).toString(8).padStart(16, '0')}`;
    const leg = `[leg_timeout=20]sofia/tagswitch/sip:leg.${'A'.repeat(32)}@${values.switch}`;
    return `${id};${leg}\n`;
  }).join('');
}

async function sipp(scenario, more, calls) {
  const statistics = join(folder, `${scenario}.csv`);
  const seconds = values.seconds + values.patience;
  const args = ['-sf', join(scenarios, `${scenario}.xml`), '-t', 'u1', '-m', String(calls), '-nostdin'];
  const limits = ['-timeout', String(seconds), '-recv_timeout', '20000'];
  const child = spawn('sipp', [...more, ...args, ...limits, '-trace_stat', '-fd', '1', '-stf', statistics], {
    stdio: 'ignore',
    cwd: folder,
  });
  process.once('exit', () => child.kill('SIGKILL'));
  await once(child, 'exit');
  const [names, ...rows] = readFileSync(statistics, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(';'));
  const last = rows.at(-1) ?? [];
  const value = (name) => Number(last[names.indexOf(`${name}(C)`)] ?? Number.NaN);
  // `00:00:00:012345`: hours, minutes, seconds, microseconds.
  const time = (last[names.indexOf('ResponseTime1(C)')] ?? '').split(':').map(Number);
  const ringing = time.length === 4 ? Math.round((time[2] * 1e6 + time[3]) / 100) / 10 : Number.NaN;
  rmSync(statistics);
  return {
    SuccessfulCall: value('SuccessfulCall'),
    Retransmissions: value('Retransmissions'),
    ResponseTime1: ringing,
  };
}

/** CPU time of FreeSWITCH so far, all its threads; undefined where no process is named. */
function cpuMs() {
  if (values.pid === undefined) return undefined;
  const stat = readFileSync(`/proc/${values.pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

function split(address) {
  const at = address.lastIndexOf(':');
  return [address.slice(0, at), address.slice(at + 1)];
}

function read() {
  const found = [];
  const text = { type: 'string' };
  let options = {};
  try {
    const names = {
      node: text,
      switch: text,
      pid: text,
      patience: text,
      first: text,
      step: text,
      most: text,
      seconds: text,
    };
    options = parseArgs({ options: names }).values;
  } catch (error) {
    found.push(error.message);
  }
  for (const name of ['node', 'switch'])
    if (!/^[0-9.]+:[0-9]{1,5}$/.test(options[name] ?? ''))
      found.push(`--${name}: expected HOST:PORT, an IPv4 address`);
  const number = (name, otherwise, most) => {
    const value = Number(options[name] ?? otherwise);
    if (!Number.isInteger(value) || value < 1 || value > most)
      found.push(`--${name}: expected a whole number from 1 to ${most}`);
    return value;
  };
  if (options.pid !== undefined) number('pid', 1, 2 ** 22);
  const numbers = {
    first: number('first', 10, 1000),
    step: number('step', 10, 1000),
    most: number('most', 200, 1000),
    seconds: number('seconds', 10, 600),
    patience: number('patience', 40, 600),
  };
  return { values: { ...options, ...numbers }, faults: found };
}
