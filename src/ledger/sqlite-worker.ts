import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { inTransaction, openFile } from './sqlite-file.js';
import type { WorkerReply, WorkerRequest, WorkerSettings } from './sqlite-requests.js';
import { answer, CallWriter } from './sqlite-statements.js';

/** A thread of the call log: SQLite blocks the thread that it runs in, so it never runs in the main one. */
function main(port: NonNullable<typeof parentPort>): void {
  const { path, role } = workerData as WorkerSettings;
  const db = openFile(path);
  const writer = role === 'writer' ? new CallWriter(db) : undefined;
  port.on('message', (first: WorkerRequest | 'close') => {
    const waiting = [first, ...drained(port)];
    const requests = waiting.filter((message) => message !== 'close');
    const replies =
      writer === undefined ? requests.map((one) => settled(one, () => read(one))) : write(writer, requests);
    for (const reply of replies) port.postMessage(reply);
    if (waiting.includes('close')) {
      db.close();
      port.close();
    }
  });

  /** All that waits goes into one transaction: one commit to the disk serves them all. */
  function write(to: CallWriter, requests: readonly WorkerRequest[]): WorkerReply[] {
    try {
      inTransaction(db, () => requests.forEach((one) => append(to, one)));
      return requests.map(({ id }) => ({ id, texts: [] }));
    } catch {
      // One of them failed and took the others along: each for itself.
      return requests.map((one) => settled(one, () => (inTransaction(db, () => append(to, one)), [])));
    }
  }

  function append(to: CallWriter, { request }: WorkerRequest): void {
    if (request.op !== 'append') throw new TypeError(`the writer was asked for ${request.op}`);
    to.append(request.events);
  }

  function read({ request }: WorkerRequest): string[] {
    if (request.op === 'append') throw new TypeError('the reader was asked to append');
    return answer(db, request);
  }
}

function settled({ id }: WorkerRequest, work: () => string[]): WorkerReply {
  try {
    return { id, texts: work() };
  } catch (error) {
    return { id, failure: error instanceof Error ? error.message : 'unknown' };
  }
}

function drained(port: NonNullable<typeof parentPort>): (WorkerRequest | 'close')[] {
  const messages: (WorkerRequest | 'close')[] = [];
  for (;;) {
    const next: { readonly message: unknown } | undefined = receiveMessageOnPort(port);
    if (next === undefined) return messages;
    messages.push(next.message as WorkerRequest | 'close'); // the one sender is `SqliteThread`
  }
}

if (parentPort !== null) main(parentPort);
