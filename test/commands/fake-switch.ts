import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CallView } from '../../src/http/call-view.js';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** The HTTP interface of a switch, as far as the commands ask it: answers as it is told, keeps what it was asked. */
export class FakeSwitch {
  readonly asked: { readonly path: string; readonly authorization: string | undefined }[] = [];
  answer: (path: string) => Answer = () => ({ status: 200, body: { items: [], next: null } });
  readonly #server = createServer((request: IncomingMessage, response) => {
    this.asked.push({ path: request.url ?? '', authorization: request.headers.authorization });
    const { status, body } = this.answer(request.url ?? '');
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });

  static async start(): Promise<FakeSwitch> {
    const made = new FakeSwitch();
    made.#server.listen(0, '127.0.0.1');
    await once(made.#server, 'listening');
    return made;
  }

  get http(): { host: string; port: number } {
    return { host: '127.0.0.1', port: (this.#server.address() as AddressInfo).port };
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** The record of an answered test call that began at `startedAt` (ms since the epoch). */
export function view(startedAt: number, more: Partial<CallView> = {}): CallView {
  const at = (ms: number): string => new Date(startedAt + ms).toISOString();
  return {
    id: 'call_0000000000000001',
    number: '+12025550100',
    caller: '+12025550190',
    diverting: null,
    attestation: 'none',
    attestationWhy: null,
    trunk: 'trk_1',
    account: 'acc_1',
    endpoint: 'end_1',
    site: 'site_1',
    session: 's-1',
    visitor: 'v-1',
    link: 'lnk_1',
    level: 'session',
    startedAt: at(0),
    ringingAt: at(20),
    answeredAt: at(720),
    endedAt: at(3720),
    ringMs: 720,
    talkMs: 3000,
    result: 'answered',
    reason: { status: 200, q850: 16, text: 'NORMAL_CLEARING' },
    fault: 'caller',
    destination: 'sip:agent@127.0.0.1:5070',
    route: null,
    mediaNode: 'node-1',
    media: 'bridged',
    late: false,
    why: 'linked',
    touch: null,
    bucket: null,
    parameters: null,
    person: null,
    probability: null,
    ambiguous: false,
    redial: false,
    candidates: [],
    test: true,
    ...more,
  };
}

/** Lines that a command wrote. */
export function keepLines() {
  const out: string[] = [];
  const err: string[] = [];
  return {
    out: (line: string) => void out.push(line),
    err: (line: string) => void err.push(line),
    lines: { out, err },
  };
}
