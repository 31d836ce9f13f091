import { once } from 'node:events';
import t from 'tap';
import type { Proto, Target } from '../../src/standalone/sip/flow.js';
import { Agent } from './support/agent.js';
import { connect, type ProxyResult, type Req, type Res } from './support/application.js';
import { secret, startServer } from './support/sip-server-process.js';
import { until } from '../support/until.js';

t.test('a server, an application, far ends', async (t) => {
  const server = await startServer();
  const app = await connect(server);
  const { srf } = app;
  const caller = await Agent.listen('udp');
  const callee = await Agent.listen('udp');
  const at: Target = { proto: 'udp', host: '127.0.0.1', port: server.sipPort };
  const number = `sip:+12025550100@127.0.0.1:${server.sipPort}`;
  t.teardown(async () => {
    app.close();
    await Promise.all([caller.close(), callee.close()]);
    await server.end('SIGTERM');
  });
  let onInvite: (req: Req, res: Res) => void = () => undefined;

  await t.test('says where it is; without an application for the verb it answers 503', async (t) => {
    t.equal(app.hostPorts, `tcp/127.0.0.1:${server.sipPort},udp/127.0.0.1:${server.sipPort}`);
    const placed = caller.place(at, number);
    t.equal((await placed.final).status, 503);
    t.same(
      placed.responses.map((r) => r.status),
      [100, 503],
    );
    t.equal((await caller.place(at, number, [], 'OPTIONS').final).status, 503);
    srf.invite((req, res) => onInvite(req, res));
    (srf as unknown as { options(h: (req: unknown, res: Res) => void): void }).options((_req, res) =>
      res.send(200, { headers: { 'X-Seen': 'yes' } }),
    );
    await app.settled();
  });

  await t.test('a wrong secret is refused', async (t) => {
    await t.rejects(connect(server, 'wrong'), /authenticate/);
  });

  await t.test('OPTIONS both ways', async (t) => {
    const answer = await caller.place(at, number, [], 'OPTIONS').final;
    t.equal(answer.status, 200);
    t.equal(answer.get('X-Seen'), 'yes');
    const req = await srf.request(callee.uri('probe'), {
      method: 'OPTIONS',
      headers: { 'X-Probe': '1' },
    });
    const [res] = (await once(req, 'response')) as [Res];
    t.equal(res.status, 200);
    const seen = callee.requests.at(-1);
    t.equal(seen?.method, 'OPTIONS');
    t.equal(seen?.get('X-Probe'), '1');
    t.equal(seen?.maxForwards, 70);
    await t.rejects(srf.request(number, { method: 'OPTIONS' }), /myself/);
    await t.rejects(srf.request('sips:x@127.0.0.1', { method: 'OPTIONS' }), /not available/);
    await t.rejects(srf.request(callee.uri('x'), { method: 'INVITE' }), /not supported/);
  });

  await t.test('the application refuses', async (t) => {
    onInvite = (req, res) => {
      t.equal(req.get('X-Odd'), '1');
      t.equal(req.receivedOn, `127.0.0.1:${server.sipPort}`);
      t.equal(req.source_address, '127.0.0.1');
      res.send(486, { headers: { 'X-Why': 'busy' } });
    };
    const refused = await caller.place(at, number, [['X-Odd', '1']]).final;
    t.equal(refused.status, 486);
    t.equal(refused.get('X-Why'), 'busy');
    t.ok(refused.toTag);
    let complaint = '';
    onInvite = (_req, res) =>
      res.send(200, { body: 'v=0\r\n' }, (error: unknown) => (complaint = String(error)));
    t.equal((await caller.place(at, number).final).status, 501, 'no dialogs of its own');
    await until(() => complaint !== '');
    t.match(complaint, /not supported/);
  });

  await t.test('a proxied call: headers, Record-Route, hang-up from either side, records', async (t) => {
    const cdrs: string[] = [];
    for (const kind of ['attempt', 'start', 'stop']) {
      srf.on(`cdr:${kind}`, (source: string, _time: string, ...more: unknown[]) =>
        cdrs.push([kind, source, typeof more[0] === 'string' ? more[0] : ''].join(' ').trim()),
      );
    }
    await app.settled();
    for (const hangsUp of ['caller', 'callee'] as const) {
      cdrs.length = 0;
      let result: ProxyResult | undefined;
      onInvite = (req) => {
        srf
          .proxyRequest(req, callee.uri('agent'), {
            recordRoute: true,
            headers: { 'X-Ours': 'a', 'X-Theirs': 'ours' },
          })
          .then(
            (r) => (result = r),
            (error: unknown) => t.fail(String(error)),
          );
      };
      const placed = caller.place(at, number, [
        ['X-Theirs', 'theirs'],
        ['Max-Forwards', '12'],
      ]);
      const answer = await placed.final;
      t.same(
        placed.responses.map((r) => r.status),
        [100, 180, 200],
      );
      await until(() => result !== undefined);
      t.equal(result?.connected, true);
      t.equal(result?.finalStatus, 200);
      const invite = callee.requests.at(-1);
      if (invite === undefined) throw new Error('no INVITE');
      t.equal(invite.uri, callee.uri('agent'));
      t.equal(invite.maxForwards, 11);
      t.equal(invite.get('X-Ours'), 'a');
      t.same(invite.getAll('X-Theirs'), ['theirs', 'ours'], 'added, not replaced');
      t.equal(invite.getAll('Via').length, 2);
      t.match(invite.getAll('Record-Route'), [`<sip:127.0.0.1:${server.sipPort};dlg=`]);
      t.match(invite.getAll('Record-Route')[0], /;lr>$/);
      t.equal(invite.getAll('Record-Route').length, 1);
      const mine = caller.callerDialog(answer);
      const theirs = callee.calleeDialog(invite, answer);
      const acksBefore = callee.acks.length;
      await caller.ack(mine);
      await until(() => callee.acks.length > acksBefore);
      t.equal(callee.acks.at(-1)?.has('Route'), false);
      t.equal((await callee.inDialog(theirs, 'INFO')).status, 200);
      const bye = hangsUp === 'caller' ? caller.inDialog(mine, 'BYE', 3) : callee.inDialog(theirs, 'BYE', 3);
      t.equal((await bye).status, 200);
      const other = hangsUp === 'caller' ? callee : caller;
      t.equal(other.requests.at(-1)?.method, 'BYE');
      await until(() => cdrs.length >= 6);
      t.same(cdrs, [
        'attempt network',
        'attempt application',
        'start network proxy-uac',
        'start application proxy-uas',
        'stop network normal-release',
        'stop application normal-release',
      ]);
    }
  });

  await t.test('a foreign Request-URI stays', async (t) => {
    onInvite = (req) => void app.srf.proxyRequest(req, callee.uri('agent'), { recordRoute: true });
    t.equal((await caller.place(at, 'sip:sales@voice.example.com').final).status, 200);
    t.equal(callee.requests.at(-1)?.uri, 'sip:sales@voice.example.com');
  });

  await t.test('moves on after a failure, and tells of each branch', async (t) => {
    const busy = await Agent.listen('udp');
    t.teardown(() => busy.close());
    busy.onInvite = (tx) => tx.reply(603);
    let result: ProxyResult | undefined;
    onInvite = (req) =>
      void app.srf.proxyRequest(req, [busy.uri('a'), callee.uri('b')], {}).then((r) => (result = r));
    t.equal((await caller.place(at, number).final).status, 200);
    await until(() => result !== undefined);
    t.same(
      result?.responses.flatMap((r) => r.msgs.map((m) => m.status)),
      [603, 200],
    );
    t.equal(callee.requests.at(-1)?.has('Record-Route'), false);
    const busyToo = await Agent.listen('udp');
    t.teardown(() => busyToo.close());
    busyToo.onInvite = (tx) => tx.reply(404);
    onInvite = (req) =>
      void app.srf.proxyRequest(req, [busyToo.uri('b'), busy.uri('a')], {}).then((r) => (result = r));
    t.equal((await caller.place(at, number).final).status, 603, 'the best of the failures');
    await until(() => result?.finalStatus === 603);
    t.equal(result?.connected, false);
  });

  await t.test('a silent target: 408 within the provisional timeout', async (t) => {
    const silent = await Agent.listen('udp');
    t.teardown(() => silent.close());
    const port = silent.endpoint.port;
    await silent.close(); // nobody there at all
    let result: ProxyResult | undefined;
    onInvite = (req) =>
      void srf
        .proxyRequest(req, `sip:x@127.0.0.1:${port}`, { provisionalTimeout: '300ms' })
        .then((r) => (result = r));
    const began = performance.now();
    t.equal((await caller.place(at, number).final).status, 408);
    const took = performance.now() - began;
    t.ok(took >= 295 && took < 1000, `${took} ms`);
    await until(() => result !== undefined);
    t.equal(result?.connected, false);
    t.equal(result?.finalStatus, undefined);
    onInvite = (req) =>
      void app.srf.proxyRequest(req, [`sip:x@127.0.0.1:${port}`, callee.uri('b')], {
        provisionalTimeout: '200ms',
      });
    t.equal((await caller.place(at, number).final).status, 200, 'the next one takes it');
    onInvite = (req) => void app.srf.proxyRequest(req, `sip:x@127.0.0.1:${port};transport=tcp`, {});
    t.equal((await caller.place(at, number).final).status, 408, 'a TCP connection that is refused');
  });

  await t.test('a target that rings is waited for, however slow', async (t) => {
    callee.onInvite = (tx) => {
      tx.reply(180);
      setTimeout(() => callee.answer(tx), 500);
    };
    onInvite = (req) => void app.srf.proxyRequest(req, callee.uri('slow'), { provisionalTimeout: '200ms' });
    t.equal((await caller.place(at, number).final).status, 200);
    t.equal(callee.cancels.length, 0);
  });

  await t.test('CANCEL: in the hands of the application, and ringing', async (t) => {
    let heard = false;
    onInvite = (req) => req.on('cancel', () => (heard = true));
    const early = caller.place(at, number);
    await until(() => early.responses.length > 0);
    early.cancel();
    t.equal((await early.final).status, 487);
    await until(() => heard);

    callee.onInvite = (tx) => tx.reply(183);
    let result: ProxyResult | undefined;
    onInvite = (req) =>
      void app.srf.proxyRequest(req, callee.uri('rings'), { recordRoute: true }).then((r) => (result = r));
    const ringing = caller.place(at, number);
    await until(() => ringing.responses.some((r) => r.status === 183));
    ringing.cancel();
    t.equal((await ringing.final).status, 487);
    await until(() => callee.cancels.length === 1);
    await until(() => result !== undefined);
    t.equal(result?.finalStatus, 487);
    callee.onInvite = (tx) => callee.answer(tx);
  });

  await t.test('too many hops, and orders that make no sense', async (t) => {
    let error: unknown;
    onInvite = (req) =>
      void app.srf.proxyRequest(req, callee.uri('x'), {}).catch((e: unknown) => (error = e));
    t.equal((await caller.place(at, number, [['Max-Forwards', '0']]).final).status, 483);
    await until(() => error !== undefined);
    t.match(error, /hops/);
    for (const [to, options, why] of [
      ['sip:x@127.0.0.1;transport=ws', {}, /not available/],
      [callee.uri('x'), { forking: 'simultaneous' }, /not supported/],
      [callee.uri('x'), { provisionalTimeout: 'soon' }, /timeout/],
    ] as const) {
      error = undefined;
      onInvite = (req, res) =>
        void app.srf.proxyRequest(req, to, options).catch((e: unknown) => {
          error = e;
          res.send(500);
        });
      t.equal((await caller.place(at, number).final).status, 500);
      t.match(error, why);
    }
  });

  await t.test('what is refused without asking', async (t) => {
    onInvite = () => t.fail('the application must not see it');
    const tag: [string, string] = ['To', `<${number}>;tag=unknown`];
    t.equal((await caller.place(at, number, [tag]).final).status, 481);
    t.equal((await caller.place(at, number, [tag], 'BYE').final).status, 481);
    t.equal((await caller.place(at, number, [tag], 'UPDATE').final).status, 481);
    t.equal((await caller.place(at, number, [], 'PRACK').final).status, 481);
    t.equal((await caller.place(at, number, [], 'REFER').final).status, 405);
    t.equal((await caller.place(at, number, [], 'FOO').final).status, 501);
    const strange = await caller.place(at, number, [['Proxy-Require', 'magic']]).final;
    t.equal(strange.status, 420);
    t.equal(strange.get('Unsupported'), 'magic');
    for (const route of [
      `<sip:127.0.0.1:${server.sipPort};lr>`,
      `<sip:127.0.0.1:${server.sipPort};dlg=000000000000000000000000;lr>`,
    ]) {
      for (const method of ['INVITE', 'BYE', 'INFO']) {
        const count = callee.requests.length;
        const placed = caller.place(at, callee.uri('x'), [tag, ['Route', route]], method);
        t.equal((await placed.final).status, 403, `${method} with a forged Route`);
        t.equal(callee.requests.length, count);
      }
    }
  });

  await t.test('ends cleanly, and had no trouble', async (t) => {
    t.equal(await server.end('SIGTERM'), 0);
    t.notMatch(server.log(), /trouble/);
  });
});

for (const proto of ['udp', 'tcp'] as const satisfies readonly Proto[]) {
  t.test(`server killed in an established call over ${proto}, and started again`, async (t) => {
    let server = await startServer();
    const { sipPort, controlPort } = server;
    const app = await connect(server);
    const caller = await Agent.listen(proto);
    const callee = await Agent.listen(proto);
    t.teardown(async () => {
      app.close();
      await Promise.all([caller.close(), callee.close()]);
      await server.end('SIGTERM');
    });
    app.srf.invite((req) => void app.srf.proxyRequest(req, callee.uri('agent'), { recordRoute: true }));
    await app.settled();
    const at: Target = { proto, host: '127.0.0.1', port: sipPort };
    const calls = [];
    for (let i = 0; i < 3; i++) {
      const answer = await caller.place(at, `${`sip:+12025550100@127.0.0.1:${sipPort}`}`).final;
      t.equal(answer.status, 200);
      const invite = callee.requests.at(-1);
      if (invite === undefined) throw new Error('no INVITE');
      calls.push({ mine: caller.callerDialog(answer), theirs: callee.calleeDialog(invite, answer) });
    }
    const [first, second, third] = calls;
    if (first === undefined || second === undefined || third === undefined) throw new Error('no calls');
    await caller.ack(first.mine);
    await caller.ack(second.mine);
    await until(() => callee.acks.length === 2);
    await server.end('SIGKILL');
    server = await startServer(sipPort, controlPort);
    await caller.ack(third.mine);
    await until(() => callee.acks.length === 3);
    t.equal((await caller.inDialog(first.mine, 'BYE')).status, 200);
    t.equal((await callee.inDialog(second.theirs, 'BYE')).status, 200);
    t.equal((await callee.inDialog(third.theirs, 'BYE')).status, 200);
    t.equal(callee.requests.at(-1)?.callId, first.mine.callId);
    t.same(
      caller.requests.map((r) => r.callId),
      [second.mine.callId, third.mine.callId],
    );
    const stolen = { ...first.mine, callId: 'another-call' };
    t.equal((await caller.inDialog(stolen, 'BYE', 9)).status, 403, 'a Route is good for its own call only');
  });
}

t.test('the program ends with its parent, and names bad settings', async (t) => {
  const server = await startServer();
  const ended = once(server.child, 'exit');
  server.child.stdin?.end();
  t.same(await ended, [0, null]);
  t.match(server.log(), /"by":"parent"/);
  t.notMatch(server.log(), new RegExp(secret));
});
