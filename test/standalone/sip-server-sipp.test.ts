/**
 * The server between two real sipp ends, with the real drachtio-srf as the application.
 *
 *   sipp caller        sip-server         sipp callee
 *      | INVITE ----------> | (srf: proxy) --> |
 *      | <------- 180, 200  | <--------------- |
 *      | ACK, BYE along the Record-Route ----> |
 */
import t from 'tap';
import { startApplication } from './support/application.js';
import { sipp } from './support/sipp.js';
import { startServer } from './support/sip-server-process.js';

for (const proto of ['udp', 'tcp'] as const) {
  t.test(`sipp at both ends over ${proto}`, async (t) => {
    const server = await startServer();
    const app = await startApplication(server);
    let callee = '';
    app.onInvite = (req) =>
      void app.srf.proxyRequest(req, callee, {
        recordRoute: true,
        provisionalTimeout: '2s',
        headers: { 'X-Plan': 'p' },
      });
    t.teardown(async () => {
      app.close();
      await server.end('SIGTERM');
    });
    for (const [caller, called, calls] of [
      ['caller-hangs-up', 'callee-answers', 20],
      ['caller-is-hung-up-on', 'callee-hangs-up', 5],
      ['caller-cancels', 'callee-is-cancelled', 5],
    ] as const) {
      const theirs = await sipp(called, proto, { calls });
      callee = `sip:agent@127.0.0.1:${theirs.port}${proto === 'tcp' ? ';transport=tcp' : ''}`;
      const mine = await sipp(caller, proto, { to: server.sipPort, calls, rate: 20 });
      t.teardown(() => {
        mine.stop();
        theirs.stop();
      });
      t.same(await mine.ended, { code: 0, errors: '' }, caller);
      t.same(await theirs.ended, { code: 0, errors: '' }, called);
    }
    t.notMatch(server.log(), /trouble/);
  });
}
