import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { MediaServer } from '../../src/standalone/media-server/server.js';
import { freePort } from '../../src/start/ports.js';
import { Agent, until, type AgentCall } from './media-agent.js';
import { EventClient, startServer } from './media-harness.js';

t.test('sipp at both ends: a hundred calls, none failed, none left', async (t) => {
  const running = await startServer();
  const folder = mkdtempSync(join(tmpdir(), 'sipp-'));
  const port = await freePort();
  const uas = spawn('sipp', ['-sn', 'uas', '-i', '127.0.0.1', '-p', String(port), '-m', '100', '-nostdin'], {
    cwd: folder,
    stdio: 'ignore',
  });
  let uasCode: number | null | undefined;
  uas.on('exit', (code) => (uasCode = code));
  t.teardown(async () => {
    uas.kill('SIGKILL');
    await running.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const calling = [
    '-sn',
    'uac',
    '-i',
    '127.0.0.1',
    '-p',
    String(await freePort()),
    '-s',
    `port-${port}`,
    running.server.sipAddress,
  ];
  const uac = await new Promise<{ code: number | string; text: string }>((resolve) => {
    execFile(
      'sipp',
      [...calling, '-m', '100', '-r', '25', '-d', '200', '-nostdin'],
      { cwd: folder, timeout: 60_000 },
      (error, text) => resolve({ code: error?.code ?? 0, text: String(text) }),
    );
  });
  t.equal(uac.code, 0, uac.text.slice(-600));
  await until(() => uasCode !== undefined, 'the other end');
  t.equal(uasCode, 0);
  await until(() => Object.values(running.server.held).every((count) => count === 0), 'nothing held');
  const rows = running.spool();
  t.equal(rows.length, 100);
  t.ok(rows.every((row) => row.includes('"NORMAL_CLEARING","16","recv_bye","SUCCESS"')));
});

t.test('the dialplan of freeswitch-conf carries a plan out', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'node-'));
  let behave: (call: AgentCall) => void = () => undefined;
  const callee = await Agent.start((call) => behave(call));
  const caller = await Agent.start();
  const first = 60_000 + (process.pid % 20) * 100;
  const server = await MediaServer.start({
    folder: join(import.meta.dirname, '../../../freeswitch-conf'),
    environment: { TAGSWITCH_FREESWITCH_SECRET: 'x' },
    overrides: new Map(
      Object.entries({
        tagswitch_sip_port: '0',
        tagswitch_event_port: '0',
        tagswitch_spool: folder,
        tagswitch_rtp_first_port: String(first),
        tagswitch_rtp_last_port: String(first + 99),
        tagswitch_switch_pattern: `127[.]0[.]0[.]1:${callee.sip.port}`,
      }),
    ),
    log: () => undefined,
  });
  const events = await EventClient.connect(server.eventSocketAddress, 'x');
  await events.command('event json ALL');
  t.teardown(async () => {
    events.close();
    await server.stop();
    await caller.close();
    await callee.close();
    rmSync(folder, { recursive: true });
  });
  const ids = 'call_0123456789abcdef.acc_0123456789abcdef';
  const leg = (letter: string, seconds = 20): string =>
    `[leg_timeout=${seconds}]sofia/tagswitch/sip:leg.${letter.repeat(32)}@127.0.0.1:${callee.sip.port}`;
  const place = (plan: Readonly<Record<string, string>>): Promise<AgentCall> =>
    caller.call(server.sipAddress, 'call', [
      ['X-Tagswitch-Call', ids],
      ...Object.entries(plan).map(([name, value]) => [`X-Tagswitch-${name}`, value] as const),
    ]);
  const ended = async (call: AgentCall): Promise<number> => {
    await until(() => (call.statuses.at(-1) ?? 0) >= 200, 'a final response', 8000);
    return call.last.status;
  };

  behave = (call) => {
    call.reply(183, '0');
    setTimeout(() => call.reply(200, '0'), 200);
  };
  const plain = await place({ Plan: leg('a'), Caller: '+12025550107', Whisper: 'tone' });
  t.equal(await ended(plain), 200);
  t.same(
    plain.statuses,
    [100, 180, 200],
    'media before the answer is not taken for one: the whisper is for a person',
  );
  const [rung] = callee.calls;
  t.match(rung?.invite.from.uri, /^sip:\+12025550107@/);
  t.same(
    rung?.invite.headers.map(({ name }) => name).filter((name) => /^X-/i.test(name)),
    [],
    'none of our headers goes on',
  );
  t.ok((rung?.media.received.length ?? 0) >= 29, 'the whisper was played to the callee');
  t.equal(plain.media.received.length, 0);
  t.match(
    JSON.parse(await events.api('show channels as json')),
    {
      rows: [{ direction: 'inbound', presence_data: ids }, { direction: 'outbound' }],
    },
    'the list that live calls are counted by',
  );
  await plain.send('BYE');
  const end = await events.wait('CHANNEL_HANGUP_COMPLETE', 'inbound');
  t.equal(end['variable_presence_data'], ids);
  await until(() => server.held.calls === 0, 'the end');
  const line = readFileSync(join(folder, 'cdr-csv', 'Master.csv'), 'utf8');
  t.ok(line.startsWith(`"${ids}","${end['Unique-ID'] ?? ''}","${end['variable_start_uepoch'] ?? ''}",`));
  t.match(line, /"NORMAL_CLEARING","16","recv_bye","200","SUCCESS",/);

  const table: readonly (readonly [number, number, string])[] = [
    [486, 486, 'USER_BUSY'],
    [603, 603, 'CALL_REJECTED'],
    [480, 480, 'NO_USER_RESPONSE'],
    [404, 480, 'UNALLOCATED_NUMBER'],
    [488, 488, 'INCOMPATIBLE_DESTINATION'],
    [503, 480, 'NORMAL_TEMPORARY_FAILURE'],
    [302, 480, 'REQUESTED_CHAN_UNAVAIL'],
  ];
  for (const [theirs, ours, cause] of table) {
    behave = (call) => call.reply(theirs);
    const call = await place({ Plan: leg('b') });
    t.equal(await ended(call), ours, `${theirs} of the callee`);
    t.match(call.last.get('Reason'), new RegExp(`text="${cause}"`));
  }
  behave = (call) =>
    call.reply(call.invite.uri.includes('cccc') ? 503 : call.invite.uri.includes('bbbb') ? 486 : 200, '0');
  const failover = await place({ Plan: leg('c'), 'Plan-2': leg('d') });
  t.equal(await ended(failover), 200, 'a trunk out of order: the next one');
  await failover.send('BYE');
  const before = callee.calls.length;
  const busy = await place({ Plan: leg('b'), 'Plan-2': leg('d') });
  t.equal(await ended(busy), 486, 'busy is the answer, not a reason to try the next trunk');
  t.equal(callee.calls.length, before + 1);
  behave = (call) => call.reply(180);
  t.equal(await ended(await place({ Plan: leg('e', 1) })), 480, 'nobody answers in his time');

  const refused: readonly Readonly<Record<string, string>>[] = [
    {},
    { Plan: 'loopback/x' },
    { Plan: `${leg('a')} ` + 'x' },
    { Plan: `{api_on_answer=x}${leg('a')}` },
    { Plan: leg('a').replace('127.0.0.1', '127.0.0.9') },
  ];
  for (const plan of refused) t.equal(await ended(await place(plan)), 403, JSON.stringify(plan));
});
