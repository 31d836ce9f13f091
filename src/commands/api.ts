import { formatHostPort, isWildcard, type HostPort } from '../addresses.js';
import type { CallView } from '../http/call-view.js';
import type { RouteView } from '../http/route.js';

/** An event of a call as the HTTP interface shows it. */
export type EventView = Readonly<Record<string, unknown>>;

/** The switch's HTTP interface did not give what was asked for. One line, without the key. */
export class ApiFault extends Error {
  readonly code: 'away' | 'key' | 'notFound' | 'other';
  constructor(code: ApiFault['code'], text: string) {
    super(text);
    this.code = code;
  }
}

const PATIENCE_MS = 5000;

/** Asks a running switch. */
export class CallApi {
  readonly #base: string;
  readonly #key: string;

  /** `http` as the switch listens: every interface means this machine. */
  constructor(http: HostPort, key: string) {
    const host = isWildcard(http.host) ? (http.host.includes(':') ? '::1' : '127.0.0.1') : http.host;
    this.#base = `http://${formatHostPort({ host, port: http.port })}`;
    this.#key = key;
  }

  /** Calls to a number that came at or after `from` (ms since the epoch), newest first. @throws ApiFault */
  async calls(number: string, from: number): Promise<readonly CallView[]> {
    const query = new URLSearchParams({ number, from: new Date(from).toISOString(), limit: '50' });
    const page = (await this.#get(`/v1/calls?${query.toString()}`)) as { items: CallView[] };
    return page.items;
  }

  /** One call; undefined when the key's account has none of that id. @throws ApiFault */
  async call(id: string): Promise<{ record: CallView; events: readonly EventView[] } | undefined> {
    const path = `/v1/calls/${encodeURIComponent(id)}`;
    try {
      const record = (await this.#get(path)) as CallView;
      const { items } = (await this.#get(`${path}/events`)) as { items: EventView[] };
      return { record, events: items };
    } catch (error) {
      if (error instanceof ApiFault && error.code === 'notFound') return undefined;
      throw error;
    }
  }

  /** What would be done with a call; `query` as for `GET /v1/route`. @throws ApiFault */
  async route(query: Readonly<Record<string, string>>): Promise<RouteView> {
    return (await this.#get(`/v1/route?${new URLSearchParams(query).toString()}`)) as RouteView;
  }

  async #get(path: string): Promise<unknown> {
    let response: Response;
    let body: unknown;
    try {
      response = await fetch(`${this.#base}${path}`, {
        headers: { authorization: `Bearer ${this.#key}` },
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      body = await response.json();
    } catch (error) {
      if (error instanceof SyntaxError) {
        throw new ApiFault('other', `what answers at ${this.#base} is not tagswitch (TAGSWITCH_HTTP)`);
      }
      throw new ApiFault('away', `nothing answers at ${this.#base} (TAGSWITCH_HTTP): is tagswitch started?`);
    }
    if (response.ok) return body;
    const code = typeof body === 'object' && body !== null && 'code' in body ? String(body.code) : 'no code';
    if (response.status === 401) {
      throw new ApiFault('key', `the API key was not accepted (${code}): give one with --key`);
    }
    if (code === 'numberNotFound')
      throw new ApiFault('notFound', "the number is in none of this account's pools");
    if (code === 'callNotFound') throw new ApiFault('notFound', 'there is no such call');
    throw new ApiFault('other', `${this.#base} answered ${String(response.status)} (${code})`);
  }
}
