import Srf from 'drachtio-srf';
import { once, type EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { secret, type ServerProcess } from './sip-server-process.js';

export interface ProxyResult {
  readonly connected: boolean;
  readonly finalStatus?: number;
  readonly responses: readonly { readonly msgs: readonly { readonly status: number }[] }[];
}

/** drachtio-srf as it is; its own types are wrong in places, so here is what the tests use of it. */
export interface RealSrf {
  connect(options: { host: string; port: number; secret: string }): void;
  /** Internal: its own disconnect throws when the server is away, and goes on reconnecting. */
  readonly _app: {
    readonly client: {
      readonly wp: { closing: boolean; readonly socket?: Socket };
      readonly mapServer: ReadonlyMap<Socket, unknown>;
    };
  };
  on(event: string, listener: (...a: never[]) => void): void;
  invite(handler: (req: Req, res: Res) => void): void;
  options(handler: (req: Req, res: Res) => void): void;
  request(uri: string, options: { method: string; headers?: Record<string, string> }): Promise<EventEmitter>;
  proxyRequest(req: Req, to: string | string[], options: Record<string, unknown>): Promise<ProxyResult>;
}
export interface Req extends EventEmitter {
  get(name: string): string;
  readonly source_address: string;
  readonly receivedOn: string;
}
export interface Res {
  readonly status: number;
  send(status: number, options?: Record<string, unknown>, callback?: (error: unknown) => void): void;
}

export interface Application {
  readonly srf: RealSrf;
  readonly hostPorts: string;
  /** Resolves when the server has read all that was written so far: frames are answered in order. */
  settled(): Promise<void>;
  close(): void;
}

/** An application that is connected and has its route for INVITE. */
export interface RunningApplication extends Application {
  /** What it does with an INVITE. */
  onInvite: (req: Req, res: Res) => void;
}

export async function startApplication(server: ServerProcess): Promise<RunningApplication> {
  const app: RunningApplication = { ...(await connect(server)), onInvite: () => undefined };
  app.srf.invite((req, res) => app.onInvite(req, res));
  await app.settled();
  return app;
}

export async function connect(server: ServerProcess, said = secret): Promise<Application> {
  const srf = new Srf() as unknown as RealSrf;
  srf.on('error', () => undefined); // drachtio-srf reconnects by itself; the server is killed on purpose below
  const outcome = once(srf as unknown as EventEmitter, 'connect') as Promise<[Error | null, string]>;
  srf.connect({ host: '127.0.0.1', port: server.controlPort, secret: said });
  const [error, hostPorts] = await outcome;
  if (error) {
    quit(srf);
    throw error;
  }
  return {
    srf,
    hostPorts,
    settled: () =>
      srf.request(`sip:127.0.0.1:${server.sipPort}`, { method: 'OPTIONS' }).then(
        () => undefined,
        () => undefined,
      ),
    close: () => quit(srf),
  };
}

function quit(srf: RealSrf): void {
  srf._app.client.wp.closing = true;
  for (const socket of srf._app.client.mapServer.keys()) socket.destroy();
  srf._app.client.wp.socket?.destroy();
}
