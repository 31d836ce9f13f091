import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Cluster, Command, type Redis, ReplyError } from 'ioredis';
import { StoreUnavailable } from '../numbers/ports.js';
import type { ScriptName, ScriptPort } from '../numbers/ports.js';
import type { RedisClient } from './clients.js';
import { Deadlines, type Awaited } from './deadlines.js';
import { loadScript } from './lua.js';

const NAMES = [
  'allocate',
  'renew',
  'end',
  'tap',
  'part',
  'resolve',
  'remember',
  'reserve',
  'withdraw',
  'hide',
  'retime',
  'move',
  'admit',
  'append',
  'keep',
] as const satisfies readonly ScriptName[];
const DIRECTORY = fileURLToPath(new URL('../numbers/scripts/', import.meta.url));

/** What Redis answers when it is there and still cannot serve: for us the same as silence. */
const CANNOT_SERVE = new Set([
  'LOADING',
  'BUSY',
  'MASTERDOWN',
  'READONLY',
  'CLUSTERDOWN',
  'TRYAGAIN',
  'NOREPLICAS',
  'MISCONF',
  'OOM',
]);

/** A script failed in Redis. `code` is the first word of what it said: `error_reply('CODE ...')`, `ERR` for a fault in it. */
export class ScriptFailed extends Error {
  readonly code: string;
  constructor(script: string, said: string) {
    super(`the script ${script} failed: ${said}`);
    this.code = /^[A-Z][A-Z0-9_]*(?= |$)/.exec(said)?.[0] ?? 'ERR';
  }
}

interface Script {
  readonly name: ScriptName;
  readonly lua: string;
  readonly sha: string;
}

/** One run of a script, from the asking to the answer. */
class Run implements Awaited {
  readonly script: Script;
  readonly keysAndArgs: readonly (string | number)[];
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly #ms: number | undefined;
  over = false;

  constructor(
    script: Script,
    keysAndArgs: readonly (string | number)[],
    settle: { resolve: (reply: unknown) => void; reject: (error: unknown) => void },
    ms: number | undefined,
  ) {
    this.script = script;
    this.keysAndArgs = keysAndArgs;
    this.resolve = settle.resolve;
    this.reject = settle.reject;
    this.#ms = ms;
  }

  late(): void {
    this.reject(new StoreUnavailable(`Redis did not answer within ${this.#ms ?? 0} ms`));
  }
}

/**
 * The number store's scripts on one client. Redis is sent a script's hash, and its text where it does not know the hash.
 *
 * All runs that one turn of the event loop brings leave in one write. ioredis's own auto-pipelining does the same, but holds
 * the next write back until the last answer to the former one, and makes three promises and two timers a run.
 */
export class RedisScripts implements ScriptPort {
  readonly #client: RedisClient;
  readonly #scripts: ReadonlyMap<ScriptName, Script>;
  readonly #deadlineMs: number | undefined;
  readonly #deadlines: Deadlines | undefined;
  #turn: Run[] = [];
  #leaving: NodeJS.Immediate | undefined;

  /**
   * `deadlineMs`: how long a run may take, from the caller's view, until it rejects with `StoreUnavailable`; ioredis's own
   * command timeout begins only when a command is sent. None for background work.
   * `directory` is for tests. Throws `BadScript`.
   */
  constructor(client: RedisClient, deadlineMs?: number, directory: string = DIRECTORY) {
    this.#client = client;
    this.#deadlineMs = deadlineMs;
    this.#deadlines = deadlineMs === undefined ? undefined : new Deadlines(deadlineMs);
    this.#scripts = new Map(
      NAMES.map((name) => {
        const lua = loadScript(directory, name);
        return [name, { name, lua, sha: createHash('sha1').update(lua).digest('hex') }];
      }),
    );
    if (client instanceof Cluster) return;
    client.on('ready', () => this.#introduce(client));
    if (client.status === 'ready') this.#introduce(client);
  }

  /** Lets a Redis that may just have started know the scripts, so that the first page and the first call are as quick as any. */
  #introduce(client: Redis): void {
    for (const { lua } of this.#scripts.values()) {
      client.script('LOAD', lua).catch(() => undefined); // what is not known is sent with its text when it runs
    }
  }

  run(script: ScriptName, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const loaded = this.#scripts.get(script);
      if (loaded === undefined) throw new TypeError(`there is no script ${script}`);
      const run = new Run(loaded, [keys.length, ...keys, ...args], { resolve, reject }, this.#deadlineMs);
      this.#deadlines?.add(run);
      this.#turn.push(run);
      this.#leaving ??= setImmediate(() => this.#send());
    });
  }

  #send(): void {
    this.#leaving = undefined;
    const runs = this.#turn;
    this.#turn = [];
    const client = this.#client;
    if (client instanceof Cluster) {
      for (const run of runs) this.#settle(run, client, byHash(run));
      return;
    }
    // As ioredis's Pipeline does: commands are queued and written within one turn, so that nobody's can come between.
    let text: string | undefined = '';
    const gathering = {
      isPipeline: true as const,
      destination: { redis: client },
      write: (data: string | Buffer) => {
        // What had to wait for a connection comes here later, by itself.
        if (text === undefined) client.stream.write(data);
        else text += data.toString();
      },
    };
    for (const run of runs) this.#settle(run, client, byHash(run), gathering);
    if (text !== '') client.stream.write(text);
    text = undefined;
  }

  #settle(
    run: Run,
    client: RedisClient,
    command: Command,
    stream?: Parameters<Redis['sendCommand']>[1],
  ): void {
    command.promise.then(
      (reply: unknown) => {
        run.over = true;
        run.resolve(reply);
      },
      (error: unknown) => {
        if (!run.over && command.name === 'evalsha' && isNoScript(error)) {
          this.#settle(run, client, withText(run));
          return;
        }
        run.over = true;
        run.reject(translated(error, run.script.name));
      },
    );
    client.sendCommand(command, stream);
  }
}

const UTF8 = { replyEncoding: 'utf8' } as const;

function byHash({ script, keysAndArgs }: Run): Command {
  return new Command('evalsha', [script.sha, ...keysAndArgs], UTF8);
}

function withText({ script, keysAndArgs }: Run): Command {
  return new Command('eval', [script.lua, ...keysAndArgs], UTF8);
}

function isNoScript(error: unknown): boolean {
  return error instanceof ReplyError && (error as Error).message.startsWith('NOSCRIPT');
}

/** ioredis's errors carry the command with its arguments, callers among them; ours carry the text alone. */
function translated(error: unknown, script: ScriptName): unknown {
  if (!(error instanceof Error) || error instanceof StoreUnavailable) return error;
  if (error instanceof TypeError || error instanceof RangeError) return error;
  if (!(error instanceof ReplyError)) return new StoreUnavailable(`Redis is not reached: ${error.message}`);
  const failed = new ScriptFailed(script, error.message);
  return CANNOT_SERVE.has(failed.code) ? new StoreUnavailable(`Redis cannot serve: ${failed.code}`) : failed;
}
