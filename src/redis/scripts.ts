import { fileURLToPath } from 'node:url';
import { ReplyError } from 'ioredis';
import { StoreUnavailable } from '../numbers/ports.js';
import type { ScriptName, ScriptPort } from '../numbers/ports.js';
import type { RedisClient } from './clients.js';
import { within } from './deadline.js';
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

type Command = (keyCount: number, ...keysAndArgs: readonly (string | number)[]) => Promise<unknown>;

/** The number store's scripts on one client. Redis is sent a script's text once a connection, then its hash. */
export class RedisScripts implements ScriptPort {
  readonly #client: RedisClient;
  readonly #commands: ReadonlyMap<ScriptName, Command>;
  readonly #deadlineMs: number | undefined;

  /**
   * `deadlineMs`: how long a run may take, from the caller's view, until it rejects with `StoreUnavailable`; ioredis's own
   * command timeout begins only when a pipeline is sent, which waits for the one before. None for background work.
   * `directory` is for tests. Throws `BadScript`.
   */
  constructor(client: RedisClient, deadlineMs?: number, directory: string = DIRECTORY) {
    this.#client = client;
    this.#deadlineMs = deadlineMs;
    this.#commands = new Map(
      NAMES.map((name) => [name, defineScript(client, `tagswitch_${name}`, loadScript(directory, name))]),
    );
  }

  async run(
    script: ScriptName,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown> {
    const command = this.#commands.get(script);
    if (command === undefined) throw new TypeError(`there is no script ${script}`);
    try {
      const reply = command.call(this.#client, keys.length, ...keys, ...args);
      const ms = this.#deadlineMs;
      if (ms === undefined) return await reply;
      return await within(reply, ms, () => new StoreUnavailable(`Redis did not answer within ${ms} ms`));
    } catch (error) {
      throw translated(error, script);
    }
  }
}

/** Makes a script a method of the client, as ioredis does it: EVALSHA, and EVAL where Redis does not know the hash. */
function defineScript(client: RedisClient, method: string, lua: string): Command {
  client.defineCommand(method, { lua });
  const command: unknown = Reflect.get(client, method);
  if (typeof command !== 'function') throw new TypeError(`ioredis did not define ${method}`);
  return command as Command;
}

/** ioredis's errors carry the command with its arguments, callers among them; ours carry the text alone. */
function translated(error: unknown, script: ScriptName): unknown {
  if (!(error instanceof Error) || error instanceof StoreUnavailable) return error;
  if (error instanceof TypeError || error instanceof RangeError) return error;
  if (!(error instanceof ReplyError)) return new StoreUnavailable(`Redis is not reached: ${error.message}`);
  const failed = new ScriptFailed(script, error.message);
  return CANNOT_SERVE.has(failed.code) ? new StoreUnavailable(`Redis cannot serve: ${failed.code}`) : failed;
}
