/**
 * A program of its own, for the media node's part: drachtio-srf with nothing around it. It proxies a caller's INVITE to the
 * media node and its leg to the callee, as the bridged path does, and neither decides nor records anything.
 *
 * usage: node bare-proxy.js HOST:PORT-OF-DRACHTIO HOST:PORT-OF-THE-NODE, with DRACHTIO_SECRET. Writes `ready` once it takes
 * calls.
 */
import Srf from 'drachtio-srf';

interface Request {
  readonly uri: string;
}
interface Bare {
  connect(options: { host: string; port: number; secret: string }): void;
  on(event: 'connect' | 'error', listener: (error: Error | null) => void): void;
  invite(handler: (request: Request) => void): void;
  proxyRequest(request: Request, to: string[], options: Record<string, unknown>): Promise<unknown>;
}

const [drachtio = '', node = ''] = process.argv.slice(2);
const [host = '', port = ''] = drachtio.split(':');
const srf = new Srf() as unknown as Bare;

const fail = (error: unknown): void => {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
};

srf.invite((request) => {
  const callee = /;at=(\d+)/.exec(request.uri)?.[1];
  const number = /^sip:([^@]+)@/.exec(request.uri)?.[1] ?? '';
  const to = callee === undefined ? `sip:${number}@${node}` : `sip:agent@127.0.0.1:${callee}`;
  srf
    .proxyRequest(request, [to], {
      recordRoute: true,
      followRedirects: false,
      provisionalTimeout: '500ms',
      headers: callee === undefined ? { 'X-Call': 'call_0123456789' } : {},
    })
    .catch(fail);
});
srf.on('error', fail);
srf.on('connect', (error) => {
  if (error) fail(error);
  else process.stdout.write('ready\n');
});
srf.connect({ host, port: Number(port), secret: process.env['DRACHTIO_SECRET'] ?? '' });
