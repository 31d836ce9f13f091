import { median, rounded } from './latencies.js';
import { failures, LoadEnds, type LoadSeen } from './load-ends.js';
import type { Part, Progress } from './part.js';
import { freeSwitchCommand, PlainNode, type Change } from './plain-node.js';
import { cpuMs } from './processes.js';
import type { Audio } from './sipp.js';

const PER_SECOND = 20;
const MODULES = 'autoload_configs/modules.conf.xml';
const SWITCH = 'autoload_configs/switch.conf.xml';
const LOGFILE = 'autoload_configs/logfile.conf.xml';
const PROFILE = 'sip_profiles/tagswitch.xml';

/** What is otherwise than in the plain node, which has none of it. */
interface Setting {
  readonly name: string;
  readonly changes?: readonly Change[];
  /** Events that somebody listens to, and of whose legs. */
  readonly events?: readonly string[];
  readonly only?: readonly (readonly [string, string])[];
  readonly audio?: Audio;
}

const SETTINGS: readonly Setting[] = [
  { name: 'nothing' },
  {
    name: 'the spool of ended calls',
    changes: [
      {
        file: MODULES,
        from: '<load module="mod_hiredis"/>',
        to: '<load module="mod_hiredis"/><load module="mod_cdr_csv"/>',
      },
    ],
  },
  {
    name: "the application's events",
    events: ['HEARTBEAT', 'CHANNEL_HANGUP_COMPLETE'],
    only: [
      ['Event-Name', 'HEARTBEAT'],
      ['Call-Direction', 'inbound'],
    ],
  },
  { name: 'every event', events: ['ALL'] },
  {
    name: 'debug lines in the log file',
    changes: [
      { file: SWITCH, from: '"loglevel" value="warning"', to: '"loglevel" value="debug"' },
      { file: LOGFILE, from: 'warning,err,crit,alert', to: 'all' },
    ],
  },
  {
    name: 'sip-trace',
    changes: [{ file: PROFILE, from: '"sip-trace" value="no"', to: '"sip-trace" value="yes"' }],
  },
  {
    name: 'the core database on a disk',
    changes: [{ file: SWITCH, from: '/dev/shm/', to: '/var/tmp/' }],
  },
  {
    name: 'no reliable provisionals',
    changes: [{ file: PROFILE, from: '"enable-100rel" value="true"', to: '"enable-100rel" value="false"' }],
  },
  { name: 'audio that is relayed', audio: 'PCMU' },
  {
    name: 'audio that is transcoded',
    audio: 'PCMA',
    // Without it a callee is offered what the caller has, and nothing else.
    changes: [
      {
        file: 'dialplan/tagswitch.xml',
        from: '<action application="ring_ready"/>',
        to: '<action application="export" data="nolocal:media_mix_inbound_outbound_codecs=true"/><action application="ring_ready"/>',
      },
    ],
  },
];

/** What settings of FreeSWITCH cost, each against a node that has none of them, in turn. */
export async function nodeSettingsPart(quick: boolean, progress: Progress): Promise<Part> {
  const command = freeSwitchCommand();
  if (command === undefined) return { figures: { notTaken: 'there is no FreeSWITCH to start' }, faults: [] };
  const [rounds, count] = quick ? [1, 60] : [2, 300];
  const ends = await LoadEnds.open();
  const loads: LoadSeen[] = [];
  const cpu = new Map(SETTINGS.map(({ name }) => [name, [] as number[]]));
  try {
    for (let round = 0; round < rounds; round++) {
      for (const setting of round % 2 === 0 ? SETTINGS : [...SETTINGS].reverse()) {
        progress(`nodeSettings: round ${String(round + 1)} of ${String(rounds)}: ${setting.name}`);
        const { load, ms } = await measured(command, setting, ends, count);
        loads.push(load);
        cpu.get(setting.name)?.push(ms);
      }
    }
  } finally {
    await ends.close();
  }
  const base = cpu.get('nothing') ?? [];
  return {
    figures: {
      calls: { rounds, each: count, perSecond: PER_SECOND },
      cpuMsPerCall: Object.fromEntries(cpu),
      toNothing: Object.fromEntries(
        [...cpu].map(([name, all]) => [
          name,
          rounded(median(all.map((ms, i) => ms / (base[i] ?? Number.NaN)))),
        ]),
      ),
    },
    faults: failures(loads).map((fault) => `nodeSettings: ${fault}`),
  };
}

async function measured(
  command: string,
  { changes, events, only = [], audio }: Setting,
  ends: LoadEnds,
  count: number,
): Promise<{ load: LoadSeen; ms: number }> {
  const node = await PlainNode.start(command, ends.ways(), changes);
  const listener = events === undefined ? undefined : await node.events();
  try {
    await listener?.subscribe(events ?? [], only);
    await ends.load(node.sip, 60, PER_SECOND);
    const before = cpuMs(node.pid);
    const load = await ends.load(node.sip, count, PER_SECOND, audio);
    return { load, ms: rounded((cpuMs(node.pid) - before) / load.results.size) };
  } finally {
    listener?.close();
    await node.stop();
  }
}
