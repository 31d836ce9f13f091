/**
 * Runs in a network and mount namespace of its own, as its root: builds two hosts with a cable between them, tries every
 * port from every address, once without and once with the rules, and prints what passed as JSON. All of it goes away with
 * the process.
 *
 *     firewall-net.js switch RULES_FILE    this host is the switch; starts the other role
 *     firewall-net.js probe                reads attempts as JSON lines, answers each with a line
 */
import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface Attempt {
  readonly from: string;
  readonly protocol: 'udp' | 'tcp';
  readonly port: number;
}
export interface Report {
  readonly before: Readonly<Record<string, boolean>>;
  readonly after: Readonly<Record<string, boolean>>;
  /** From the switch to itself, over its outer address. */
  readonly own: Readonly<Record<string, boolean>>;
}

export const SWITCH = '192.0.2.1';
export const HOSTS = {
  trunk: '192.0.2.130',
  stranger: '192.0.2.66',
  mediaNode: '192.0.2.30',
  drachtio: '192.0.2.40',
  application: '192.0.2.20',
} as const;
export const PORTS = {
  sipUdp: ['udp', 5060],
  sipTcp: ['tcp', 5060],
  nodeSipUdp: ['udp', 5180],
  nodeSipTcp: ['tcp', 5180],
  events: ['tcp', 8021],
  control: ['tcp', 9022],
  redis: ['tcp', 6379],
  rtp: ['udp', 20_000],
  elsewhere: ['tcp', 2222],
} as const satisfies Record<string, readonly ['udp' | 'tcp', number]>;

/** A packet to the own machine is answered in less than a millisecond. */
const PATIENCE_MS = 700;

function command(...words: readonly string[]): void {
  const [program = '', ...args] = words;
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${words.join(' ')}: ${error?.message ?? stderr}`);
}

async function attempt({ from, protocol, port }: Attempt): Promise<boolean> {
  if (protocol === 'tcp') {
    const socket = connect({ host: SWITCH, port, localAddress: from });
    try {
      await once(socket, 'connect', { signal: AbortSignal.timeout(PATIENCE_MS) });
      return true;
    } catch {
      return false; // that nothing comes back is the answer
    } finally {
      socket.destroy();
    }
  }
  const socket = createSocket('udp4');
  try {
    socket.bind(0, from);
    await once(socket, 'listening');
    const answer = once(socket, 'message', { signal: AbortSignal.timeout(PATIENCE_MS) });
    socket.send('?', port, SWITCH);
    await answer;
    return true;
  } catch {
    return false;
  } finally {
    socket.close();
  }
}

async function listen(): Promise<void> {
  for (const [protocol, port] of Object.values(PORTS)) {
    if (protocol === 'tcp') {
      const server = createServer((socket) => socket.on('error', () => socket.destroy()).resume());
      await once(server.listen(port, '0.0.0.0'), 'listening');
    } else {
      const socket = createSocket('udp4');
      socket.on('message', (message, from) => {
        socket.send(message, from.port, from.address);
      });
      socket.bind(port, '0.0.0.0');
      await once(socket, 'listening');
    }
  }
}

async function asSwitch(rules: string): Promise<void> {
  // Names of network namespaces are files: here they are in memory, and nobody else sees them.
  command('mount', '-t', 'tmpfs', 'tmpfs', '/run');
  command('ip', 'netns', 'add', 'world');
  command('ip', 'link', 'add', 'inside', 'type', 'veth', 'peer', 'name', 'outside', 'netns', 'world');
  command('ip', 'link', 'set', 'lo', 'up');
  command('ip', 'address', 'add', `${SWITCH}/24`, 'dev', 'inside');
  command('ip', 'link', 'set', 'inside', 'up');
  for (const address of Object.values(HOSTS)) {
    command('ip', '-n', 'world', 'address', 'add', `${address}/24`, 'dev', 'outside');
  }
  command('ip', '-n', 'world', 'link', 'set', 'outside', 'up');
  await listen();

  const me = fileURLToPath(import.meta.url);
  const prober = spawn('ip', ['netns', 'exec', 'world', process.execPath, me, 'probe'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const answers = createInterface({ input: prober.stdout })[Symbol.asyncIterator]();
  const tryAll = async (): Promise<Record<string, boolean>> => {
    const cases = Object.entries(HOSTS).flatMap(([host, from]) =>
      Object.entries(PORTS).map(([name, [protocol, port]]) => ({
        label: `${host} ${name}`,
        from,
        protocol,
        port,
      })),
    );
    prober.stdin.write(
      `${JSON.stringify(cases.map(({ from, protocol, port }) => ({ from, protocol, port })))}\n`,
    );
    const line = await answers.next();
    if (line.done === true) throw new Error('the probe ended');
    const passed = JSON.parse(line.value) as boolean[];
    return Object.fromEntries(cases.map(({ label }, i) => [label, passed[i] ?? false]));
  };

  const before = await tryAll();
  command('nft', '-f', rules);
  // Twice: an operator loads it again after every change.
  command('nft', '-f', rules);
  const fill = (set: string, element: string) =>
    command('nft', 'add', 'element', 'inet', 'tagswitch', set, `{ ${element} }`);
  fill('sip_peers', '192.0.2.128/28');
  fill('media_nodes', HOSTS.mediaNode);
  fill('switches', HOSTS.drachtio);
  fill('applications', HOSTS.application);
  const after = await tryAll();
  const own: Record<string, boolean> = {};
  for (const [name, [protocol, port]] of Object.entries(PORTS)) {
    own[name] = await attempt({ from: SWITCH, protocol, port });
  }
  prober.stdin.end();
  await once(prober, 'exit');
  process.stdout.write(JSON.stringify({ before, after, own } satisfies Report), () => process.exit(0));
}

async function asProbe(): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const passed = await Promise.all((JSON.parse(line) as Attempt[]).map(attempt));
    process.stdout.write(`${JSON.stringify(passed)}\n`);
  }
}

if (process.argv[2] === 'switch') await asSwitch(process.argv[3] ?? '');
if (process.argv[2] === 'probe') await asProbe();
