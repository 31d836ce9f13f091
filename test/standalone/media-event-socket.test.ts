import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createConnection, type Socket } from 'node:net';
import t from 'tap';
import { Agent, until } from './media-agent.js';
import { confFolder, EventClient, secret, startServer, type Event } from './media-harness.js';

interface ModeslEvent {
  getHeader(name: string): string | undefined;
  getBody(): string;
}
interface ModeslConnection {
  socket: Socket;
  on(name: string, listener: (event: ModeslEvent) => void): void;
  events(format: string, names: string, done?: () => void): void;
  api(command: string, done: (event: ModeslEvent) => void): void;
  bgapi(command: string, done: (event: ModeslEvent) => void): void;
  disconnect(): void;
}
type Modesl = {
  Connection: new (host: string, port: number, password: string, ready: () => void) => ModeslConnection;
};

// The library that the application uses is the judge of what it gets; it has no types of its own.
const { Connection } = createRequire(import.meta.url)('modesl') as Modesl;

async function connected(address: string): Promise<ModeslConnection> {
  const [host = '', port = ''] = address.split(':');
  const connection: ModeslConnection = await new Promise((resolve, reject) => {
    const made: ModeslConnection = new Connection(host, Number(port), secret, () => resolve(made));
    made.on('error', () => reject(new Error('no connection')));
  });
  connection.socket.setNoDelay(true);
  return connection;
}

t.test('modesl: commands, events of a call, background jobs, a heartbeat', async (t) => {
  const running = await startServer({}, 150);
  const caller = await Agent.start();
  const modesl = await connected(running.server.eventSocketAddress);
  t.teardown(async () => {
    modesl.disconnect();
    await running.stop();
    await caller.close();
  });
  const seen: ModeslEvent[] = [];
  modesl.on('esl::event::**', (event) => seen.push(event));
  await new Promise<void>((resolve) =>
    modesl.events('json', 'CHANNEL_CREATE CHANNEL_ANSWER CHANNEL_HANGUP_COMPLETE HEARTBEAT', resolve),
  );
  const api = (command: string): Promise<string> =>
    new Promise((resolve) => modesl.api(command, (event) => resolve(event.getBody())));
  t.match(await api('status'), /^UP 0 years, 0 days,[\s\S]*is ready\n/);
  t.match(
    await api('sofia status'),
    new RegExp(`^\\s*test\\s.*sip:mod_sofia@(${running.server.sipAddress})`, 'm'),
    'as drachtio-fsmrf looks for it',
  );
  t.equal(await api('sofia status profile nobody'), 'Invalid Profile!\n');
  t.match(await api('sofia status profile test'), /^RTP-IP\s+\t127\.0\.0\.1$/m);
  t.equal(await api('show channels as json'), '{"row_count":0}');
  t.equal(await api('nonsense 1 2'), '-ERR nonsense Command not found!\n');
  t.equal(await api('global_getvar test_network'), '127.0.0.1/32');
  t.notMatch(await api('global_getvar'), secret, 'the password is in no listing');

  const call = await caller.call(running.server.sipAddress, 'hold', [['X-Case', 'Größe 100%']]);
  await until(() => call.statuses.includes(200), '200');
  const channels = JSON.parse(await api('show channels as json')) as { row_count: number; rows: Event[] };
  t.equal(channels.row_count, 1);
  const [row = {}] = channels.rows;
  t.match(row, {
    direction: 'inbound',
    dest: 'hold',
    cid_num: '+12025550123',
    callstate: 'ACTIVE',
    read_codec: 'PCMU',
    context: 'test',
    application: 'sleep',
  });
  t.match(JSON.parse(await api('show calls as json')), {
    row_count: 1,
    rows: [{ uuid: row['uuid'], b_uuid: '' }],
  });
  const uuid = row['uuid'] ?? '';
  t.equal(await api(`uuid_getvar ${uuid} sip_h_X-Case`), 'Größe 100%');
  t.equal(await api(`uuid_getvar ${uuid} nothing`), '_undef_');
  t.equal((JSON.parse(await api(`uuid_dump ${uuid} json`)) as Event)['Unique-ID'], uuid);
  t.match(await api(`uuid_dump ${uuid}`), /^variable_sip_h_X-Case: Gr%C3%B6%C3%9Fe%20100%25$/m);
  const job = await new Promise<ModeslEvent>((resolve) => modesl.bgapi(`uuid_exists ${uuid}`, resolve));
  t.equal(job.getBody(), 'true');
  t.equal(await api(`uuid_kill ${uuid} USER_BUSY`), '+OK\n');
  t.equal(await api('uuid_kill no-such'), '-ERR No such channel!\n');
  await until(() => call.bye !== undefined, 'BYE');
  t.match(call.bye?.get('Reason'), /cause=17/);
  const of = (name: string): ModeslEvent | undefined =>
    seen.find((event) => event.getHeader('Event-Name') === name);
  await until(
    () => of('CHANNEL_HANGUP_COMPLETE') !== undefined && of('HEARTBEAT') !== undefined,
    'the events',
  );
  t.equal(of('CHANNEL_HANGUP_COMPLETE')?.getHeader('Hangup-Cause'), 'USER_BUSY');
  t.equal(of('CHANNEL_HANGUP_COMPLETE')?.getHeader('variable_sip_h_X-Case'), 'Größe 100%');
  t.equal(of('CHANNEL_ANSWER')?.getHeader('Unique-ID'), uuid);
  t.equal(of('HEARTBEAT')?.getHeader('Max-Sessions'), '400');
  t.match(of('HEARTBEAT')?.getHeader('Idle-CPU'), /^[0-9.]+$/);
  t.equal(of('CHANNEL_BRIDGE'), undefined, 'only what was asked for');
  const again = await caller.call(running.server.sipAddress, 'hold');
  await until(() => again.statuses.includes(200), '200');
  t.equal(
    await api('hupall ORIGINATOR_CANCEL sip_h_X-Case other'),
    '+OK hangup all channels matching [sip_h_X-Case]=[other] with cause: ORIGINATOR_CANCEL\n',
  );
  t.match(JSON.parse(await api('show channels as json')), { row_count: 1 }, 'nobody else’s call');
  t.equal(await api('hupall'), '+OK hangup all channels with cause MANAGER_REQUEST\n');
  await until(() => again.bye !== undefined, 'BYE of hupall');
  t.equal(await api('reloadxml'), '+OK [Success]\n');
});

t.test('an event in lines says what it says as JSON', async (t) => {
  const running = await startServer();
  const caller = await Agent.start();
  const address = running.server.eventSocketAddress;
  const [lines, json] = [await EventClient.connect(address), await EventClient.listen(address)];
  t.teardown(async () => {
    lines.close();
    json.close();
    await running.stop();
    await caller.close();
  });
  t.equal(await lines.command('event plain ALL'), '+OK event listener enabled plain');
  const call = await caller.call(running.server.sipAddress, 'hold', [['X-Case', 'Größe 100%']]);
  await until(() => call.statuses.includes(200), '200');
  await call.send('BYE');
  const [one, other] = [
    await lines.wait('CHANNEL_HANGUP_COMPLETE', 'inbound'),
    await json.wait('CHANNEL_HANGUP_COMPLETE', 'inbound'),
  ];
  const filled = Object.entries(other).map(([name, value]) => [name, value === '' ? '_undef_' : value]);
  t.strictSame(one, Object.fromEntries(filled));
  t.equal(one['variable_sip_h_X-Case'], 'Größe 100%');
});

t.test('the protocol, byte by byte', async (t) => {
  const running = await startServer();
  const address = running.server.eventSocketAddress;
  t.teardown(() => running.stop());
  const wrong = await EventClient.connect(address, 'wrong');
  t.equal(wrong.replies[0], '-ERR invalid');
  await until(() => wrong.closed, 'and the door is shut');
  const early = await EventClient.connect(address, '');
  t.equal(await early.command('api status'), '-ERR command not found', 'nothing before the password');
  early.close();

  const slow = await EventClient.connect(address, '');
  for (const byte of `auth ${secret}\n\napi fsctl pause_check inbound\n\nevent json CHANNEL_CREATE\n\n`) {
    slow.write(byte);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await until(() => slow.replies.length === 2 && slow.bodies.length === 1, 'three answers');
  t.same([slow.replies, slow.bodies], [['+OK accepted', '+OK event listener enabled json'], ['false']]);
  const table: readonly (readonly [string, string])[] = [
    ['event xml ALL', '-ERR only events as json and plain are given'],
    ['event json', '-ERR no keywords supplied'],
    ['filter Unique-ID x', '+OK filter added. [Unique-ID]=[x]'],
    ['filter delete Unique-ID x', '+OK filter deleted. [Unique-ID][x]'],
    ['filter', '-ERR invalid syntax'],
    ['nixevent CHANNEL_CREATE', '+OK events nixed'],
    ['noevents', '-ERR not listening for events'],
    ['sendmsg', '-ERR command not found'],
    ['log 7', '-ERR command not found'],
  ];
  for (const [command, reply] of table) t.equal(await slow.command(command), reply, command);
  t.equal(await slow.command('exit'), '+OK bye');
  await until(() => slow.closed && slow.notices.includes('text/disconnect-notice'), 'goodbye');
  const endless = await EventClient.connect(address);
  endless.write('x'.repeat(70_000));
  await until(() => endless.closed, 'a command without an end');
});

t.test('who does not read is cut off, and the others go on', async (t) => {
  const running = await startServer();
  const caller = await Agent.start();
  const address = running.server.eventSocketAddress;
  const [host = '', port = ''] = address.split(':');
  const deaf = createConnection(Number(port), host);
  t.teardown(async () => {
    deaf.destroy();
    await running.stop();
    await caller.close();
  });
  let closed = false;
  deaf.on('close', () => (closed = true));
  deaf.on('error', () => undefined);
  deaf.write(`auth ${secret}\n\nevent json ALL\n\n`);
  deaf.pause();
  const good = await EventClient.listen(address);
  const big = 'x'.repeat(28_000);
  for (let n = 0; n < 300 && !running.lines.some((line) => /too slowly/.test(line.message)); n += 1) {
    const call = await caller.call(
      running.server.sipAddress,
      'respond-486',
      [['X-Big', big]],
      undefined,
      'tcp',
    );
    await until(() => call.statuses.includes(486), '486');
  }
  t.ok(running.lines.some((line) => /too slowly/.test(line.message)));
  deaf.resume();
  await until(() => closed, 'the deaf one is cut off');
  t.equal(await good.api('show channels count'), '\n0 total.\n');
  good.close();
});

t.test('the program: ready line, faults, and the end of its parent', async (t) => {
  const main = join(import.meta.dirname, '../../src/standalone/media-server/main.js');
  const start = (...args: string[]) => {
    const child = spawn(process.execPath, [main, ...args], {
      env: { ...process.env, MEDIA_TEST_SECRET: secret },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const said = { out: '', err: '', code: undefined as number | null | undefined };
    child.stdout.on('data', (text: Buffer) => (said.out += text.toString()));
    child.stderr.on('data', (text: Buffer) => (said.err += text.toString()));
    child.on('exit', (code) => (said.code = code));
    t.teardown(() => child.kill('SIGKILL'));
    return { child, said };
  };
  const up = start('--conf', confFolder, '--set', 'test_legs=ab');
  await until(() => up.said.out.includes('\n'), 'the ready line');
  const ready = JSON.parse(up.said.out) as { ready: boolean; sip: string; eventSocket: string };
  t.match(ready, { ready: true, sip: /^127\.0\.0\.1:[0-9]+$/, eventSocket: /^127\.0\.0\.1:[0-9]+$/ });
  const client = await EventClient.connect(ready.eventSocket);
  t.equal(client.replies[0], '+OK accepted', "the password is the environment's");
  up.child.stdin.end();
  await until(() => up.said.code !== undefined, 'the end with its parent');
  t.equal(up.said.code, 0);
  client.close();
  const term = start('--conf', confFolder);
  await until(() => term.said.out.includes('\n'), 'ready');
  term.child.kill('SIGTERM');
  await until(() => term.said.code !== undefined, 'the end by SIGTERM');
  t.equal(term.said.code, 0);
  const faults: readonly (readonly [string[], RegExp])[] = [
    [['--conf', join(confFolder, 'dialplan')], /freeswitch\.xml:1: cannot be read/],
    [[], /--conf is missing/],
    [['--conf', confFolder, '--set', 'test_secret=x'], /by the environment/],
    [['--conf', confFolder, '--set', 'test_network=x'], /freeswitch\.xml:[0-9]+: \\"x\\" is no network/],
  ];
  for (const [args, message] of faults) {
    const bad = start(...args);
    await until(() => bad.said.code !== undefined, 'the end');
    t.equal(bad.said.code, 2, args.join(' '));
    t.match(bad.said.err, message);
  }
});
