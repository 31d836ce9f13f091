/** Media nodes that come, go, rest and are lost while calls are made. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { EventSocket } from '../../src/media/event-socket.js';
import { Agent, type AgentCall } from '../standalone/media-agent.js';
import { keepingLogger } from '../support/logger.js';
import { until } from '../support/until.js';
import { declarationOf, numbersOf } from './declaration.js';
import { finalOf } from './ends.js';
import { OwnNode } from './own-node.js';
import { System } from './system.js';

t.setTimeout(240_000);

let system: System;
let caller: Agent;
let callee: Agent;
let first: string;
let second: OwnNode;
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
  second = await OwnNode.start(join(system.settings.data, 'spool-2'), {
    sip: system.sip,
    secret: value('TAGSWITCH_FREESWITCH_SECRET'),
  });
});

t.teardown(async () => {
  await second.kill();
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
      { up: () => resolve(socket), down: () => undefined, headers: [], event: () => undefined },
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
  await second.kill();
  const gone = Date.now();
  const lost = await place();
  t.equal(lost.call.statuses.at(-1), 200);
  t.equal(await nodeOf(lost), first);
  t.ok(Date.now() - gone < 1000, `served after ${String(Date.now() - gone)} ms`);
  t.same(await nodesOfCalls(3), new Set([first]));
  await second.again();
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

t.test('what died with a node that was removed is closed in the records', async (t) => {
  t.equal((await system.command('node', 'add', second.name)).code, 0);
  await seen(new RegExp(`${second.name}  up`));
  const calls = [await place(), await place()];
  await second.kill();
  t.equal((await system.command('node', 'remove', second.name, '--force')).code, 0);
  let lost = 0;
  for (const { call, number } of calls) {
    let through: string | null | undefined;
    await until(async () => {
      through = (await system.records(number))[0]?.mediaNode;
      return through !== undefined && through !== null;
    }, 20_000);
    if (through === second.name) lost += 1;
    else await call.send('BYE');
    const record = await system.record(number, 120_000);
    t.match(
      record,
      through === second.name
        ? { result: 'failed', fault: 'ours', reason: { text: 'lost with the media node' } }
        : { result: 'answered' },
    );
  }
  t.equal(lost, 1, 'they had gone to both');
});
