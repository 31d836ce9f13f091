/** SIP over TLS between two ends of ours, as the far ends of the TLS suite speak it. */
import t, { type Test } from 'tap';
import { SipRequest } from '../../src/standalone/sip/message.js';
import { SipEndpoint } from '../../src/standalone/sip/endpoint.js';
import type { TlsIdentity } from '../../src/standalone/sip/flow.js';
import { targetOf } from '../../src/standalone/sip/target.js';
import { SipUri } from '../../src/standalone/sip/uri.js';
import { Signers } from '../support/signers.js';

const signers = new Signers();
const authority = signers.make('Tests', { ca: true });
const stranger = signers.make('Stranger', { ca: true });

function identity(issuer = authority, address = '127.0.0.1'): TlsIdentity {
  const { pem, keyPem } = signers.make('end', { issuer, more: [`subjectAltName=IP:${address}`] });
  return { cert: pem, key: keyPem, ca: authority.pem };
}

/** The status of OPTIONS from one end to the other, or why there was none. */
async function ask(t: Test, from: TlsIdentity, to: TlsIdentity): Promise<number | string> {
  const server = await SipEndpoint.listen(
    { host: '127.0.0.1', port: 0, tls: to },
    { onRequest: (transaction) => transaction.reply(200) },
  );
  const client = await SipEndpoint.listen(
    // Where the far end turns us away after its side of the handshake, no answer tells: 64 of these do.
    { host: '127.0.0.1', port: 0, tls: from, timers: { t1: 20 } },
    { onRequest: () => undefined },
  );
  t.teardown(async () => Promise.all([client.close(), server.close()]));
  const request = SipRequest.create('OPTIONS', `sip:127.0.0.1:${String(server.port)};transport=tls`, {
    headers: [
      ['From', '<sip:a@127.0.0.1>;tag=1'],
      ['To', '<sip:b@127.0.0.1>'],
      ['Call-ID', 'call-1'],
      ['CSeq', '1 OPTIONS'],
      ['Max-Forwards', '70'],
    ],
  });
  return new Promise((resolve) => {
    client.request(request, {
      onResponse: ({ status }) => resolve(status),
      onFailure: (cause) => resolve(cause),
    });
  });
}

t.test('both ends prove who they are', async (t) => {
  t.equal(await ask(t, identity(), identity()), 200);
  t.equal(await ask(t, identity(), identity(stranger)), 'transport', 'the server is a stranger');
  t.equal(
    await ask(t, identity(authority), identity(authority, '192.0.2.1')),
    'transport',
    'of another address',
  );
  t.not(await ask(t, identity(stranger), identity()), 200, 'the client is a stranger');
});

t.test('where an address of TLS leads to', async (t) => {
  const target = (uri: string, secure = true) => targetOf(SipUri.parse(uri), secure);
  for (const uri of ['sips:a@192.0.2.1', 'sip:a@192.0.2.1;transport=tls', 'sips:a@192.0.2.1;transport=tcp']) {
    t.strictSame(target(uri), { proto: 'tls', host: '192.0.2.1', port: 5061 }, uri);
    t.equal(target(uri, false), undefined, 'not for the servers');
  }
  t.equal(target('sips:a@192.0.2.1;transport=udp'), undefined);
});
