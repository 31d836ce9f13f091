import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

interface FarEnd {
  readonly host: string;
  readonly port: number;
}

/** A TCP connection's way through a place where it can be cut, also amid a message. */
export class CutLine {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  /** Bytes from the far end that still get through before the cut; undefined: no cut is due. */
  #left: number | undefined;
  #away = false;
  #cuts = 0;

  private constructor(to: FarEnd, laterMs: number) {
    this.#server = createServer((near) => {
      if (this.#away) return void near.destroy();
      const far = connect(to.port, to.host);
      const pair = [near, far] as const;
      this.#pairs.add(pair);
      const over = (): void => {
        this.#pairs.delete(pair);
        near.destroy();
        far.destroy();
      };
      for (const socket of pair) socket.setNoDelay(true).on('error', over).on('close', over);
      near.on('data', (data) => {
        if (laterMs === 0) far.write(data);
        else setTimeout(() => far.write(data), laterMs);
      });
      far.on('data', (data: Buffer) => {
        if (this.#left === undefined) return void near.write(data);
        const through = data.subarray(0, this.#left);
        this.#left -= through.length;
        if (through.length === data.length) return void near.write(data);
        // What was let through arrives, and then the end: half a message.
        near.end(through);
        this.#sever();
      });
    });
  }

  /** What goes to the far end goes `laterMs` later. */
  static async open(to: FarEnd, laterMs = 0): Promise<CutLine> {
    const line = new CutLine(to, laterMs);
    await new Promise<void>((resolve) => line.#server.listen(0, '127.0.0.1', resolve));
    return line;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** How often connections that were up were cut. */
  get cuts(): number {
    return this.#cuts;
  }

  /** Cuts what is up after `bytes` more from the far end, or after `awayMs` without them, and takes no connection for `awayMs`. */
  async cut(bytes: number, awayMs: number): Promise<void> {
    this.#left = bytes;
    const before = this.#cuts;
    const end = performance.now() + awayMs;
    while (this.#cuts === before && performance.now() < end) await wait(5);
    if (this.#cuts === before) this.#sever();
    await wait(awayMs);
    this.#away = false;
  }

  async close(): Promise<void> {
    this.#sever();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #sever(): void {
    this.#left = undefined;
    this.#away = true;
    if (this.#pairs.size > 0) this.#cuts += 1;
    for (const [near, far] of this.#pairs) {
      far.destroy();
      // It may still have to hand on what was let through.
      if (!near.writableEnded) near.destroy();
    }
    this.#pairs.clear();
  }
}
