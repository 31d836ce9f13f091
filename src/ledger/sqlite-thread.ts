import { Worker } from 'node:worker_threads';
import type { CallLogRequest, WorkerReply, WorkerRequest, WorkerSettings } from './sqlite-requests.js';

/** The call log did not do what it was asked: its file is locked, full or broken, or it is closed. Worth a later try. */
export class CallLogUnavailable extends Error {
  readonly code = 'callLogUnavailable';
}

interface Pending {
  readonly resolve: (texts: readonly string[]) => void;
  readonly reject: (error: Error) => void;
}

/** One thread of the call log, seen from the main one. A thread that died is replaced when it is next needed. */
export class SqliteThread {
  readonly #settings: WorkerSettings;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | undefined;
  #lastId = 0;
  #closing: Promise<void> | undefined;

  constructor(settings: WorkerSettings) {
    this.#settings = settings;
  }

  /** Resolves with the texts that the request asks for. Rejects with `CallLogUnavailable`. */
  ask(request: CallLogRequest): Promise<readonly string[]> {
    if (this.#closing !== undefined) return Promise.reject(new CallLogUnavailable('the call log is closed'));
    const worker = (this.#worker ??= this.#start());
    const id = (this.#lastId += 1);
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      const message: WorkerRequest = { id, request };
      worker.postMessage(message);
    });
  }

  /** Lets what was asked be answered, then ends the thread. Further calls change nothing. */
  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) return;
    const gone = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    worker.postMessage('close');
    await gone;
  }

  #start(): Worker {
    const worker = new Worker(new URL('./sqlite-worker.js', import.meta.url), { workerData: this.#settings });
    let fault = 'its thread ended';
    worker.on('message', (reply: WorkerReply) => this.#settle(reply));
    worker.on('error', (error: Error) => (fault = error.message));
    worker.on('exit', () => {
      if (this.#worker === worker) this.#worker = undefined;
      const left = [...this.#pending.values()];
      this.#pending.clear();
      for (const { reject } of left) reject(new CallLogUnavailable(`the call log failed: ${fault}`));
    });
    return worker;
  }

  #settle(reply: WorkerReply): void {
    const pending = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if ('texts' in reply) pending?.resolve(reply.texts);
    else pending?.reject(new CallLogUnavailable(`the call log failed: ${reply.failure}`));
  }
}
