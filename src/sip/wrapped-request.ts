import type { Logger } from '../observe/logger.js';
import type { CrossingCancels } from './crossing-cancels.js';
import type { SrfRequest, SrfResponse } from './drachtio-types.js';
import type { Names } from './names.js';
import type { PendingProxies } from './pending-proxies.js';
import { ProxyLost, type IncomingRequest, type ProxyOptions, type ProxyResult } from './requests.js';
import { safeHeaders, safeValue } from './safe.js';
import { shortResponse } from './sip-frame.js';

/** What the connection lends to its requests. */
export interface RequestGround {
  readonly pending: PendingProxies;
  readonly crossing: CrossingCancels;
  readonly names: Pick<Names, 'lead'>;
  readonly log: Logger;
}

/** drachtio-srf's request behind our interface. The listener for CANCEL is attached before anything can be awaited. */
export class WrappedRequest implements IncomingRequest {
  readonly #request: SrfRequest;
  readonly #response: SrfResponse;
  readonly #ground: RequestGround;
  readonly #cancelListeners: (() => void)[] = [];
  #settledListener: (() => void) | undefined;
  #cancelled = false;
  #answered = false;

  constructor(request: SrfRequest, response: SrfResponse, ground: RequestGround) {
    this.#request = request;
    this.#response = response;
    this.#ground = ground;
    request.on('cancel', () => {
      this.#cancel();
    });
  }

  get method(): string {
    return this.#request.method;
  }
  get uri(): string {
    return this.#request.uri;
  }
  get raw(): string {
    return this.#request.raw ?? '';
  }
  get callId(): string {
    return this.header('Call-ID') ?? '';
  }
  get sourceAddress(): string {
    return this.#request.source_address;
  }
  get sourcePort(): number {
    return this.#request.source_port;
  }
  get transport(): string {
    return this.#request.protocol;
  }
  get cancelled(): boolean {
    return this.#cancelled;
  }

  header(name: string): string | undefined {
    return this.#request.get(name);
  }

  onCancel(listener: () => void): void {
    if (this.#cancelled) listener();
    else this.#cancelListeners.push(listener);
  }

  onSettled(listener: () => void): void {
    this.#settledListener = listener;
    if (this.#answered || this.#cancelled) listener();
  }

  respond(status: number, headers: Readonly<Record<string, string>> = {}): void {
    if (this.#answered || this.#cancelled) return;
    this.#answered = true;
    this.#response.send(status, { headers: safeHeaders(headers) }, (error) => {
      // The caller went, or drachtio-server forgot him: there is nobody left to tell.
      if (error) this.#ground.log.debug({ status }, 'a response was not sent');
    });
    this.#settledListener?.();
  }

  async proxy(target: string, options: ProxyOptions): Promise<ProxyResult> {
    const { names, log, pending, crossing } = this.#ground;
    const destination = safeValue('target', target);
    const headers = safeHeaders(options.headers ?? {});
    if (!(await names.lead(destination))) {
      log.warn({}, 'a target has a name that DNS does not know');
      throw new ProxyLost('refused');
    }
    // drachtio-server would carry the order out though the caller has his 487.
    if (this.#cancelled) throw new ProxyLost('gone');
    const unwatch = crossing.watch(this.#request.stackTxnId, () => {
      this.#cancel();
    });
    const work = this.#order(destination, headers, options);
    this.#answered = true;
    this.#settledListener?.();
    try {
      return await pending.race(work, options.deadlineMs);
    } catch (error) {
      // drachtio-srf has told us of no CANCEL since we handed the request on.
      if (error instanceof ProxyLost && error.code === 'gone') this.#cancelled = true;
      // It never left: the caller is still ours to answer.
      if (error instanceof ProxyLost && error.code === 'refused') this.#answered = false;
      throw error;
    } finally {
      unwatch();
    }
  }

  /** Resolves with the last final response, status 0 where there was none; rejects with drachtio-server's own words. */
  async #order(
    destination: string,
    headers: Record<string, string>,
    options: ProxyOptions,
  ): Promise<ProxyResult> {
    const request = this.#request;
    return new Promise((resolve, reject) => {
      let result: ProxyResult = { status: 0, reason: undefined };
      const order = {
        stackTxnId: request.stackTxnId,
        destination: [destination],
        remainInDialog: true,
        fullResponse: true,
        followRedirects: options.followRedirects === true,
        provisionalTimeout: `${String(options.silenceMs)}ms`,
        finalTimeout: '',
        headers,
      };
      request.agent.proxy(request, order, ([verdict, word], response) => {
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- as the library's own promise does
        if (verdict === 'NOK') reject(word);
        else if (word === 'done') resolve(result);
        else if (response !== undefined) result = shortResponse(response);
      });
    });
  }

  #cancel(): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    if (!this.#answered) this.#settledListener?.();
    for (const listener of this.#cancelListeners.splice(0)) listener();
  }
}
