import t from 'tap';
import { SipEndpoint } from '../../src/standalone/sip/endpoint.js';
import { newCallId, newTag } from '../../src/standalone/sip/ids.js';
import { SipRequest, SipResponse } from '../../src/standalone/sip/message.js';
import type { Proto } from '../../src/standalone/sip/flow.js';

const invite = (to: SipEndpoint, proto: Proto, from: SipEndpoint): SipRequest =>
  SipRequest.create('INVITE', to.uri(proto, 'agent'), {
    headers: [
      ['From', `<${from.uri(proto)}>;tag=${newTag()}`],
      ['To', `<${to.uri(proto, 'agent')}>`],
      ['Call-ID', newCallId()],
      ['CSeq', '1 INVITE'],
      ['Contact', `<${from.uri(proto)}>`],
      ['Max-Forwards', '70'],
    ],
    body: 'v=0\r\n',
    contentType: 'application/sdp',
  });

for (const [proto, host] of [
  ['udp', '127.0.0.1'],
  ['tcp', '127.0.0.1'],
  ['udp', '::1'],
  ['tcp', '::1'],
] as const) {
  t.test(`two endpoints over ${proto} on ${host}: answer, ACK, failure, CANCEL`, async (t) => {
    const acks: SipRequest[] = [];
    let acked = (): void => undefined;
    const callee = await SipEndpoint.listen(
      { host, port: 0 },
      {
        onRequest: (tx) => {
          tx.handlers = { onCancel: () => tx.reply(487) };
          tx.reply(180);
          const wish = tx.request.get('X-Wish');
          if (wish === 'answer') {
            tx.reply(200, {
              headers: [['Contact', `<${callee.uri(proto)}>`]],
              body: 'v=0\r\n',
              contentType: 'application/sdp',
            });
          } else if (wish === 'busy') tx.reply(486);
        },
        onAck: (ack) => {
          acks.push(ack);
          acked();
        },
        onTrouble: (what, error) => t.fail(`${what}: ${error.message}`),
      },
    );
    const caller = await SipEndpoint.listen(
      { host, port: 0 },
      { onRequest: () => t.fail('no request is due') },
    );
    t.teardown(async () => {
      await caller.close();
      await callee.close();
    });

    const call = (wish: string, cancel = false): Promise<{ seen: number[]; last: SipResponse }> =>
      new Promise((done, fail) => {
        const seen: number[] = [];
        const tx = caller.request(invite(callee, proto, caller).withAdded('X-Wish', wish), {
          onResponse: (response) => {
            seen.push(response.status);
            if (response.status >= 200) done({ seen, last: response });
            else if (cancel) tx.cancel();
          },
          onFailure: (cause) => fail(new Error(cause)),
        });
      });

    const answered = await call('answer');
    t.same(answered.seen, [100, 180, 200]);
    t.equal(answered.last.body.toString(), 'v=0\r\n');
    const wait = new Promise<void>((done) => (acked = done));
    const ack = SipRequest.create('ACK', answered.last.contactUri ?? '', {
      headers: [
        ['From', answered.last.get('From') ?? ''],
        ['To', answered.last.get('To') ?? ''],
        ['Call-ID', answered.last.callId],
        ['CSeq', '1 ACK'],
      ],
    });
    await caller.sendRequest(ack);
    await wait;
    t.equal(acks[0]?.callId, answered.last.callId);
    t.equal((await call('busy')).last.status, 486);
    t.equal(acks.length, 1, 'the ACK to a failure stays in the transaction');
    t.same((await call('nothing', true)).seen, [100, 180, 487]);
    t.equal(caller.transport.connections, proto === 'tcp' ? 1 : 0, 'one connection for all of it');
  });
}
