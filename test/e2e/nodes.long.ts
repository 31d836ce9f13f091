/** Media nodes that come, go, rest and are lost while calls are made. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { EventSocket } from '../../src/media/event-socket.js';
import { Agent, type AgentCall } from '../standalone/media-agent.js';
import { keepingLogger } from '../support/logger.js';
import { freePort } from '../support/redis.js';
import { until } from '../support/until.js';
import { declarationOf, numbersOf } from './declaration.js';
import { finalOf } from './ends.js';
import { System } from './system.js';

t.setTimeout(120_000);

const serverProgram = fileURLToPath(new URL('../../src/standalone/media-server/main.js', import.meta.url));
const configuration = fileURLToPath(new URL('../../../freeswitch-conf', import.meta.url));

let system: System;
let caller: Agent;
let callee: Agent;
let first: string;
let second: { readonly name: string; child: ChildProcess; readonly start: () => Promise<void> };
let calls = 0;

t.before(async () => {
  callee = await Agent.start((call) => {
    call.reply(180);
    call.reply(200, '0 101');
  });
  caller = await Agent.start();
  system = await System.start(
    declarationOf([{ name: 'answers', ring: [[`sip:agent@127.0.0.1:${String(callee.sip.port)}`]] }]),
  );
  const environment = readFileSync(`/proc/${String(system.pid('application'))}/environ`, 'utf8');
  const value = (name: string): string => new RegExp(`(?:^|\0)${name}=([^\0]*)`).exec(environment)?.[1] ?? '';
  first = value('TAGSWITCH_FREESWITCH');
  const ports = [await freePort(), await freePort()].map(String);
  const [sip = '', events = ''] = ports;
  const env = {
    PATH: process.env['PATH'],
    TAGSWITCH_NODE_SIP_PORT: sip,
    TAGSWITCH_NODE_SWITCH_PATTERN: system.sip.replace(/\./g, '[.]'),
    TAGSWITCH_NODE_EVENT_PORT: events,
    TAGSWITCH_NODE_RTP_FIRST_PORT: '26000',
    TAGSWITCH_NODE_RTP_LAST_PORT: '26200',
    TAGSWITCH_NODE_SPOOL: join(system.settings.data, 'spool-2'),
    TAGSWITCH_FREESWITCH_SECRET: value('TAGSWITCH_FREESWITCH_SECRET'),
  };
  const start = async (): Promise<void> => {
    second.child = spawn(process.execPath, [serverProgram, '--conf', configuration], {
      env,
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    if (second.child.stdout !== null) await once(second.child.stdout, 'data');
  };
  second = { name: `127.0.0.1:${events}`, child: undefined as unknown as ChildProcess, start };
  await second.start();
});

t.teardown(async () => {
  second.child.kill('SIGKILL');
  await system.stop();
  await Promise.all([caller.close(), callee.close()]);
});

/** A call to a number of its own: answered, and through which node. */
async function place(): Promise<{ call: AgentCall; number: string }> {
  const number = String(Number(numbersOf(0).first) + calls++);
  const call = await caller.call(system.sip, `+${number}`);
  await finalOf(call);
  return { call, number: `+${number}` };
}

async function nodeOf({ call, number }: { call: AgentCall; number: string }): Promise<string | null> {
  await call.send('BYE');
  return (await system.record(number)).mediaNode;
}

/** The nodes that so many calls went through, one after the other. */
async function nodesOfCalls(count: number): Promise<Set<string | null>> {
  const nodes = new Set<string | null>();
  for (let i = 0; i < count; i += 1) nodes.add(await nodeOf(await place()));
  return nodes;
}

const list = async (): Promise<string> => (await system.command('node', 'list')).out;
const seen = (pattern: RegExp): Promise<void> => until(async () => pattern.test(await list()), 20_000);

t.test('a node is added while all runs, and gets calls', async (t) => {
  await seen(new RegExp(`^${first}  up, 0 sessions\n$`));
  const { code, out } = await system.command('node', 'add', second.name);
  t.equal(code, 0);
  t.match(out, /is added/);
  await seen(new RegExp(`${second.name}  up`));
  t.same(await nodesOfCalls(4), new Set([first, second.name]));
  t.equal((await system.command('node', 'add', second.name)).code, 1, 'once');
});

t.test('a drained node gets no new calls, and those it has go on', async (t) => {
  const held = [await place(), await place()];
  t.equal((await system.command('node', 'drain', first)).code, 0);
  await seen(new RegExp(`${first}  drained, 2 sessions`));
  t.same(await nodesOfCalls(3), new Set([second.name]));
  t.match((await system.command('node', 'remove', first)).err, /has 2 sessions: wait/);
  t.same(new Set(await Promise.all(held.map(nodeOf))), new Set([first, second.name]));
  t.equal((await system.command('node', 'undrain', first)).code, 0);
  await seen(new RegExp(`${first}  up`));
  t.same(await nodesOfCalls(4), new Set([first, second.name]));
});

t.test('drained stays drained over a restart of the application', async (t) => {
  await system.command('node', 'drain', second.name);
  await seen(new RegExp(`${second.name}  drained`));
  await system.restart('application');
  t.same(await nodesOfCalls(3), new Set([first]));
  await system.command('node', 'undrain', second.name);
  await seen(new RegExp(`${second.name}  up`));
});

t.test('a paused node gets no calls, though it answers OPTIONS', async (t) => {
  const [host = '', port = ''] = second.name.split(':');
  const environment = readFileSync(`/proc/${String(system.pid('application'))}/environ`, 'utf8');
  const secret = /(?:^|\0)TAGSWITCH_FREESWITCH_SECRET=([^\0]*)/.exec(environment)?.[1] ?? '';
  const up = new Promise<EventSocket>((resolve) => {
    const socket: EventSocket = new EventSocket(
      { host, port: Number(port), secret },
      { up: () => resolve(socket), down: () => undefined, event: () => undefined },
      keepingLogger(),
    );
    socket.start();
  });
  const socket = await up;
  t.teardown(() => {
    socket.close();
  });
  await socket.api('fsctl pause inbound');
  await seen(new RegExp(`${second.name}  paused`));
  t.same(await nodesOfCalls(3), new Set([first]));
  await socket.api('fsctl resume inbound');
  await seen(new RegExp(`${second.name}  up`));
});

t.test('a lost node is left out at once, and comes back after two good answers', async (t) => {
  second.child.kill('SIGKILL');
  await once(second.child, 'exit');
  const gone = Date.now();
  const lost = await place();
  t.equal(lost.call.statuses.at(-1), 200);
  t.equal(await nodeOf(lost), first);
  t.ok(Date.now() - gone < 1000, `served after ${String(Date.now() - gone)} ms`);
  t.same(await nodesOfCalls(3), new Set([first]));
  await second.start();
  await seen(new RegExp(`${second.name}  up`));
  t.same(await nodesOfCalls(4), new Set([first, second.name]));
});

t.test('a node is removed: refused while it gets calls, and its own are not touched', async (t) => {
  t.match((await system.command('node', 'remove', second.name)).err, /drain it first/);
  await system.command('node', 'drain', second.name);
  await seen(new RegExp(`${second.name}  drained, 0 sessions`));
  t.equal((await system.command('node', 'remove', second.name)).code, 0);
  await until(async () => !(await list()).includes(second.name));
  t.same(await nodesOfCalls(2), new Set([first]));
  t.equal((await system.command('node', 'drain', second.name)).code, 1, 'it is none of ours');
  for (const bad of [[], ['rest'], ['drain'], ['drain', 'x'], ['list', 'more']])
    t.equal((await system.command('node', ...bad)).code, 2, bad.join(' '));
});
