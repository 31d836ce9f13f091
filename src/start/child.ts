import { spawn, type ChildProcess } from 'node:child_process';
import type { Logger } from '../observe/logger.js';

export interface ChildSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** In place of ours but for PATH, HOME and what names the locale. */
  readonly env: Readonly<Record<string, string>>;
  /**
   * Resolves once the program can be used. A program of ours says so itself (a JSON line with `ready` on standard output,
   * or an IPC message); another one is asked, until it answers or is gone.
   */
  readonly ready: 'line' | 'message' | ((gone: AbortSignal) => Promise<void>);
  /** Where its standard error goes. */
  readonly stderr: number;
}

/** The program ended before it was ready: there is no point in starting it again. */
export class ChildFailed extends Error {
  readonly exitCode: number | null;
  /** What the program itself said was wrong, one line each; empty where it said nothing. */
  readonly faults: readonly string[];
  constructor(name: string, exitCode: number | null, faults: readonly string[] = []) {
    const said = faults.length === 0 ? '' : `: ${faults.join('; ')}`;
    super(`${name} ended before it was ready (exit code ${String(exitCode)})${said}`);
    this.exitCode = exitCode;
    this.faults = faults;
  }
}

type State = 'idle' | 'starting' | 'up' | 'waiting' | 'stopping' | 'stopped';
const NEXT: Record<State, readonly State[]> = {
  idle: ['starting', 'stopped'],
  starting: ['up', 'waiting', 'stopping', 'stopped'],
  up: ['waiting', 'stopping', 'stopped'],
  waiting: ['starting', 'stopped'],
  stopping: ['stopped'],
  stopped: [],
};

const READY_MS = 20_000;
/** A program that was up is started again at once, and later and later while it does not stay. */
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 2000;
const STAYED_MS = 10_000;
/** After SIGTERM, before SIGKILL. */
const STOP_MS = 8000;
const INHERITED = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS'];

/** A program that we run: started, watched, started again when it dies, and stopped. */
export class Child {
  readonly #spec: ChildSpec;
  readonly #log: Logger;
  #state: State = 'idle';
  #process: ChildProcess | undefined;
  #waitMs = FIRST_WAIT_MS;
  #upAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopping: Promise<void> | undefined;
  /** What it said when it became ready. */
  #said: Readonly<Record<string, unknown>> = {};

  constructor(spec: ChildSpec, log: Logger) {
    this.#spec = spec;
    this.#log = log;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  get said(): Readonly<Record<string, unknown>> {
    return this.#said;
  }

  /** Resolves once it is ready. Rejects with ChildFailed when the first start does not get there. */
  async start(): Promise<void> {
    await this.#run();
  }

  /** SIGTERM, and SIGKILL when that is not enough. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #run(): Promise<void> {
    this.#enter('starting');
    const { name, command, args, env, ready, stderr } = this.#spec;
    const inherited = Object.fromEntries(
      INHERITED.flatMap((key) => (process.env[key] === undefined ? [] : [[key, process.env[key]]])),
    );
    const child = spawn(command, args, {
      env: { ...inherited, ...env },
      // A pipe as standard input tells a program of ours when we are gone. Its own group: Ctrl-C is ours to handle.
      stdio: ready === 'message' ? ['pipe', 'pipe', stderr, 'ipc'] : ['pipe', 'pipe', stderr],
      detached: true,
    });
    this.#process = child;
    child.stdin?.on('error', () => undefined);
    const gone = new AbortController();
    let faults: readonly string[] = [];
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        child.kill('SIGKILL');
      }, READY_MS);
      const isReady = (said: Readonly<Record<string, unknown>>): void => {
        if (this.#process !== child || this.#state !== 'starting') return;
        clearTimeout(timer);
        this.#said = said;
        this.#upAt = Date.now();
        this.#enter('up');
        resolve();
      };
      const ended = (code: number | null): void => {
        clearTimeout(timer);
        gone.abort();
        this.#gone(child, code);
        reject(new ChildFailed(name, code, faults));
      };
      child.on('error', () => {
        ended(null);
      });
      child.on('exit', ended);
      if (ready === 'line') onLine(child, isReady);
      else {
        child.stdout?.resume();
        if (ready === 'message') {
          child.on('message', (message: unknown) => {
            const told = faultsIn(message);
            if (told === undefined) isReady({});
            else faults = told;
          });
        } else {
          ready(gone.signal).then(
            () => {
              isReady({});
            },
            () => {
              child.kill('SIGKILL');
            },
          );
        }
      }
    });
  }

  #gone(child: ChildProcess, code: number | null): void {
    if (this.#process !== child) return;
    const { name } = this.#spec;
    this.#process = undefined;
    if (this.#state === 'stopping') {
      this.#enter('stopped');
      return;
    }
    if (this.#state !== 'up') {
      // Never ready: whoever starts it decides. On a restart the clock below does.
      if (this.#state === 'starting') this.#enter('waiting');
      if (this.#upAt === 0) return;
    } else {
      this.#enter('waiting');
      if (Date.now() - this.#upAt > STAYED_MS) this.#waitMs = FIRST_WAIT_MS;
    }
    this.#log.warn(
      { program: name, exitCode: code, againInMs: this.#waitMs },
      'a program ended and is started again',
    );
    this.#timer = setTimeout(() => {
      this.#run().catch((error: unknown) => {
        this.#log.error(
          { program: name, reason: error instanceof Error ? error.message : 'unknown' },
          'a program did not start',
        );
      });
    }, this.#waitMs);
    this.#waitMs = Math.min(this.#waitMs * 2, LONGEST_WAIT_MS);
  }

  async #stop(): Promise<void> {
    clearTimeout(this.#timer);
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) {
      if (this.#state !== 'stopped') this.#enter('stopped');
      return;
    }
    this.#enter('stopping');
    const ended = new Promise<void>((resolve) =>
      child.once('exit', () => {
        resolve();
      }),
    );
    child.kill('SIGTERM');
    const timer = setTimeout(() => {
      this.#log.warn({ program: this.#spec.name }, 'a program did not stop and is killed');
      child.kill('SIGKILL');
    }, STOP_MS);
    await ended;
    clearTimeout(timer);
  }

  #enter(next: State): void {
    if (!NEXT[this.#state].includes(next)) throw new Error(`${this.#spec.name}: ${this.#state} to ${next}`);
    this.#state = next;
  }
}

/** The lines of `{faults: [...]}`, with which a program says why it does not start; undefined for another message. */
function faultsIn(message: unknown): readonly string[] | undefined {
  if (typeof message !== 'object' || message === null || !('faults' in message)) return undefined;
  const { faults } = message;
  return Array.isArray(faults) ? faults.filter((fault) => typeof fault === 'string') : [];
}

/** Calls `said` with the first line that is a JSON object with `ready`. Later output is read and dropped. */
function onLine(child: ChildProcess, said: (object: Readonly<Record<string, unknown>>) => void): void {
  let text = '';
  let done = false;
  child.stdout?.setEncoding('utf8');
  child.stdout?.on('data', (chunk: string) => {
    if (done) return;
    text += chunk;
    const end = text.indexOf('\n');
    if (end < 0) return;
    done = true;
    try {
      const object: unknown = JSON.parse(text.slice(0, end));
      if (typeof object === 'object' && object !== null && 'ready' in object) said({ ...object });
    } catch {
      child.kill('SIGKILL');
    }
  });
}
