/** The one adapter of modesl, against an event socket of the test's own that misbehaves as a real one may. */
import { createServer, type Server, type Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { writeCallIds } from '../../src/calls/call-ids.js';
import type { EventFields } from '../../src/standalone/media-server/channel/event.js';
import { eventMessage } from '../../src/standalone/media-server/event-socket/framing.js';
import { eventReader, type NodeEvent } from '../../src/media/event-reader.js';
import { EventSocket } from '../../src/media/event-socket.js';
import { headerText } from '../../src/media/event-header.js';
import { MediaNodes } from '../../src/media/nodes.js';
import { keepingLogger } from '../support/logger.js';
import { until } from '../support/until.js';

const SECRET = 'not to be told';

class Node {
  readonly sockets: Socket[] = [];
  readonly commands: string[] = [];
  /** What an `api` command is answered; undefined: nothing. */
  api: (command: string) => string | undefined = (command) => `answer to ${command}`;
  readonly #server: Server;

  constructor() {
    this.#server = createServer((socket) => {
      this.sockets.push(socket);
      socket.on('error', () => socket.destroy());
      socket.write('Content-Type: auth/request\n\n');
      let held = '';
      socket.on('data', (data) => {
        held += data.toString();
        for (let end = held.indexOf('\n\n'); end >= 0; end = held.indexOf('\n\n')) {
          const command = held.slice(0, end);
          held = held.slice(end + 2);
          this.commands.push(command);
          this.#answer(socket, command);
        }
      });
    });
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  event(headers: EventFields): void {
    this.sockets.at(-1)?.write(eventMessage('plain', headers));
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(socket: Socket, command: string): void {
    if (command.startsWith('api ')) {
      const body = this.api(command.slice(4));
      if (body !== undefined)
        socket.write(
          `Content-Type: api/response\nContent-Length: ${String(Buffer.byteLength(body))}\n\n${body}`,
        );
      return;
    }
    const ok = !command.startsWith('auth ') || command === `auth ${SECRET}`;
    socket.write(`Content-Type: command/reply\nReply-Text: ${ok ? '+OK accepted' : '-ERR invalid'}\n\n`);
  }
}

async function connected(t: Test) {
  const node = new Node();
  const port = await node.listen();
  const log = keepingLogger();
  const events: NodeEvent[] = [];
  let ups = 0;
  let downs = 0;
  const socket = new EventSocket(
    { host: '127.0.0.1', port, secret: SECRET },
    {
      up: () => (ups += 1),
      down: () => (downs += 1),
      headers: ['Event-Name', 'note'],
      event: (event) => void events.push(event),
    },
    log,
  );
  t.teardown(async () => {
    socket.close();
    await node.close();
  });
  socket.start();
  await until(() => socket.up);
  return { node, port, socket, events, log, ups: () => ups, downs: () => downs };
}

t.test('a header that does not decode costs nothing', async (t) => {
  const { node, socket, events } = await connected(t);
  node.sockets.at(-1)?.write('Content-Type: command/reply\nReply-Text: 100%\nEvent-Name: %E9\n\n');
  node.event({ 'Event-Name': 'HEARTBEAT', note: '100 %' });
  await until(() => events.length === 1);
  t.equal(events[0]?.['note'], '100 %');
  t.equal(await socket.api('status'), 'answer to status', 'and replies are not shifted by it');
  t.same(headerText('A: 100%\nB: %20x\nContent-Length: 12\nC'), {
    A: '100%',
    B: ' x',
    'Content-Length': 12,
    C: '',
  });
});

t.test('of an event those headers are read that are wanted', async (t) => {
  const wanted = ['Event-Name', 'variable_sip_h_X-Tagswitch-Call', 'a.b*'];
  const read = eventReader(wanted);
  const nasty = fc.string({
    unit: fc.constantFrom(
      '%',
      '%41',
      ':',
      ' ',
      ': ',
      '_',
      'n',
      'Event-Name: ',
      '\n',
      'é',
      '\u2028',
      '\u{1f600}',
    ),
  });
  // A name is that of a SIP header, a parameter or a variable: it has no line end and no colon.
  const name = nasty.filter((text) => !/[\n:]/.test(text));
  const key = fc.oneof(fc.constantFrom(...wanted, 'a-b-', 'xEvent-Name', '__proto__'), name);
  const body = fc.option(nasty, { nil: undefined });
  fc.assert(
    fc.property(fc.dictionary(key, nasty), body, (headers, _body) => {
      const kept = Object.entries(headers).filter(([name]) => wanted.includes(name));
      const message = eventMessage('plain', {
        'Core-UUID': 'x',
        ...headers,
        ...(_body !== undefined && { _body }),
      });
      t.strictSame(read(message.slice(message.indexOf('\n\n') + 2)), Object.fromEntries(kept));
    }),
    { numRuns: 2000, verbose: 1 },
  );
  t.equal(read('Event-Name: cut o'), undefined);
  t.strictSame(read('Event-Name: _undef_\na.b*: 100%\n\n'), { 'Event-Name': '', 'a.b*': '100%' });
  t.strictSame(read('x: 1\n\nEvent-Name: in the body\n\n'), {});
});

t.test('what is kept of an event does not keep the event', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const read = eventReader(['variable_presence_data']);
  const kept: unknown[] = [];
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < 2_000; i += 1) {
    const ids = `call_${String(i).padStart(16, '0')}.acc_0123456789abcdef`;
    const text = Buffer.alloc(12_000, `variable_x${String(i)}: something\n`).toString();
    kept.push(read(`${text}\nvariable_presence_data: ${ids}\n\n`)?.['variable_presence_data']);
  }
  collect();
  const bytes = (process.memoryUsage().heapUsed - before) / kept.length;
  t.ok(bytes < 1_000, `${bytes.toFixed(0)} bytes each`);
  t.match(kept.at(-1), /^call_0*1999\./);
});

t.test('replies go to whom they belong, also over a lost connection', async (t) => {
  const { node, socket, downs } = await connected(t);
  node.api = (command) => (command === 'first' ? undefined : `answer to ${command}`);
  const first = socket.api('first');
  await until(() => node.commands.includes('api first'));
  node.sockets.at(-1)?.destroy();
  await t.rejects(first, { code: 'notConnected' }, 'it is settled when the connection goes');
  await until(() => socket.up && downs() === 1);
  t.equal(await socket.api('second'), 'answer to second');
});

t.test('a command that is not answered ends the connection rather than shift the others', async (t) => {
  const { node, socket, ups } = await connected(t);
  node.api = (command) => (command === 'silent' ? undefined : `answer to ${command}`);
  await t.rejects(socket.api('silent'), { code: 'deadline' });
  await until(() => ups() === 2 && socket.up);
  t.equal(await socket.api('next'), 'answer to next');
});

t.test('a line break is no second command', async (t) => {
  const { node, socket } = await connected(t);
  for (const bad of ['status\n\napi system id', 'a\rb', 'a\0b'])
    await t.rejects(socket.api(bad), { code: 'unsafe' });
  t.notOk(node.commands.some((command) => command.includes('system')));
});

t.test('commands do not wait for each other’s acknowledgement', async (t) => {
  const { socket } = await connected(t);
  const begun = Date.now();
  for (let n = 0; n < 60; n += 1) await socket.api('status');
  // Two small writes a command, Nagle and a delayed acknowledgement make 44 ms each: 2.6 s.
  t.ok(Date.now() - begun < 1500, `60 commands in ${String(Date.now() - begun)} ms`);
});

t.test('it subscribes to what it was told, and to nothing of its own', async (t) => {
  const { node, socket } = await connected(t);
  await socket.subscribe(['HEARTBEAT', 'CHANNEL_ANSWER'], [['Event-Name', 'HEARTBEAT']]);
  t.ok(node.commands.includes('filter Event-Name HEARTBEAT'));
  t.ok(node.commands.some((command) => /^event plain HEARTBEAT CHANNEL_ANSWER$/.test(command)));
  t.notOk(
    node.commands.some((command) => command.includes('CHANNEL_EXECUTE')),
    'not to each executed application',
  );
});

t.test('a wrong password, a refused address and a closed one: it goes on trying, quietly', async (t) => {
  const node = new Node();
  const port = await node.listen();
  const log = keepingLogger();
  const socket = new EventSocket(
    { host: '127.0.0.1', port, secret: 'wrong' },
    { up: () => t.fail('up'), down: () => undefined, headers: [], event: () => undefined },
    log,
  );
  socket.start();
  await until(() => node.commands.length >= 3);
  t.equal(log.lines.filter(({ level }) => level === 'warn').length, 1, 'one line, not one a try');
  t.notMatch(JSON.stringify(log.lines), /wrong/);
  socket.close();
  socket.close();
  await node.close();
});

t.test('the choice of a node, its health and its calls', async (t) => {
  const [one, two] = [new Node(), new Node()];
  const answers = (sip: string) => (command: string) => {
    if (command === 'global_getvar tagswitch_sip_ip') return '127.0.0.1';
    if (command === 'global_getvar tagswitch_sip_port') return sip;
    return JSON.stringify({
      row_count: 3,
      rows: [
        { direction: 'inbound', presence_data: 'call_0000000000000001.acc_0000000000000000' },
        { direction: 'outbound', presence_data: '' },
        { direction: 'inbound', presence_data: 'somebody' },
      ],
    });
  };
  one.api = answers('5181');
  two.api = answers('5182');
  const ports = [await one.listen(), await two.listen()];
  let now = 1_000_000;
  const alive = new Set(['sip:127.0.0.1:5181', 'sip:127.0.0.1:5182']);
  const nodes = new MediaNodes(
    async (uri) => alive.has(uri),
    () => now,
    keepingLogger(),
    { elapsed: () => now },
  );
  for (const port of ports) nodes.add({ host: '127.0.0.1', port, secret: SECRET });
  t.teardown(async () => {
    nodes.close();
    await one.close();
    await two.close();
  });
  t.equal(nodes.choose(), undefined, 'none is known yet');
  await until(() => nodes.healthy === 2);
  t.ok(nodes.isNode('127.0.0.1'));
  t.notOk(nodes.isNode('127.0.0.2'));
  one.event({ 'Event-Name': 'HEARTBEAT', 'Session-Count': '40' });
  two.event({ 'Event-Name': 'HEARTBEAT', 'Session-Count': '2' });
  await until(() => nodes.choose()?.sip === '127.0.0.1:5182' && nodes.choose()?.sip === '127.0.0.1:5182');
  t.same(await nodes.channels(nodes.nodes()[0] ?? ''), [
    { call: 'call_0000000000000001', account: 'acc_0000000000000000' },
  ]);
  await t.rejects(nodes.channels('other:1'));
  const ids = { call: 'call_0000000000000001', account: 'acc_0000000000000000' };
  nodes.callBack(nodes.nodes()[1] ?? '', ids);
  await until(() => two.commands.some((command) => command.startsWith('api hupall')));
  const hupall = `api hupall ORIGINATOR_CANCEL presence_data ${writeCallIds(ids)}`;
  t.ok(two.commands.includes(hupall));
  t.notOk(one.commands.some((command) => command.startsWith('api hupall')));
  two.sockets.at(-1)?.destroy();
  await until(() => nodes.choose()?.sip === '127.0.0.1:5181');
  t.equal(nodes.state(nodes.nodes()[1] ?? '')?.up, false);
  one.sockets.at(-1)?.destroy();
  await until(() => nodes.healthy === 0);
  t.ok(nodes.isNode('127.0.0.1'), 'its calls ring on while only its event socket is away');
  await until(() => nodes.healthy === 2);
  now += 60_000;
  t.equal(nodes.healthy, 0, 'no heartbeat for a minute');
});

t.test('a node that speaks TLS is reached at its TLS port', async (t) => {
  const node = new Node();
  const variables: Readonly<Record<string, string>> = {
    tagswitch_sip_ip: '127.0.0.1',
    tagswitch_sip_port: '5180',
    tagswitch_tls: 'true',
    tagswitch_tls_port: '5181',
  };
  node.api = (command) => variables[command.replace('global_getvar ', '')] ?? '{}';
  const nodes = new MediaNodes(
    async () => true,
    () => 0,
    keepingLogger(),
  );
  nodes.add({ host: '127.0.0.1', port: await node.listen(), secret: SECRET });
  t.teardown(async () => {
    nodes.close();
    await node.close();
  });
  await until(() => nodes.healthy === 1);
  t.equal(nodes.choose()?.sip, '127.0.0.1:5181');
});
