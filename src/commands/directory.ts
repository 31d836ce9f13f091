import { readFile } from 'node:fs/promises';
import { readFileBeside } from '../config/beside.js';
import { ownOrigins, type Settings } from '../config/settings.js';
import { applyCommand, Exit, planCommand, type CommandIo } from '../directory/commands.js';
import type { Logger } from '../observe/logger.js';
import { RedisClients, RedisNotUsable } from '../redis/clients.js';
import { RedisDirectoryStore } from '../redis/directory-store.js';
import { RedisLiveUse } from '../redis/live-use.js';
import { RedisPoolWriter } from '../redis/pool-writer.js';
import { readArguments } from './arguments.js';
import type { Lines } from './io.js';
import { redisNotUsable } from './redis-not-usable.js';

export interface DirectoryIo extends Lines {
  readonly settings: Settings;
  /** The socket of the redis-server that `tagswitch start` runs when REDIS_URL is not set. */
  readonly ownRedis: string;
  readonly log: Logger;
  /** How long Redis may take to answer. */
  readonly readyMs?: number;
}

/** `tagswitch apply FILE [--force]` and `tagswitch plan FILE`, on the Redis of the settings. @returns the exit code */
export async function directoryCommand(
  command: 'apply' | 'plan',
  argv: readonly string[],
  io: DirectoryIo,
): Promise<number> {
  const read = readArguments(argv, { words: ['FILE'], options: command === 'apply' ? { force: null } : {} });
  if ('faults' in read) {
    for (const fault of read.faults) io.err(`tagswitch ${command}: ${fault}`);
    return Exit.badInput;
  }
  const { settings, readyMs = 3000 } = io;
  const redis = new RedisClients(settings.redisUrl ?? io.ownRedis, io.log);
  try {
    await redis.ready(readyMs);
    const commandIo: CommandIo = {
      ownOrigins: ownOrigins(settings.http),
      realServers: settings.drachtio !== undefined,
      readText: (path) => readFile(path, 'utf8'),
      readBeside: readFileBeside,
      out: io.out,
      err: io.err,
      ports: {
        store: new RedisDirectoryStore(redis.background),
        pools: new RedisPoolWriter(redis.background),
        liveUse: new RedisLiveUse(redis.background),
      },
    };
    const file = read.words[0] ?? '';
    if (command === 'plan') return await planCommand(file, commandIo);
    return await applyCommand(file, { force: read.options.has('force') }, commandIo);
  } catch (error) {
    if (!(error instanceof RedisNotUsable)) throw error;
    io.err(`tagswitch ${command}: ${redisNotUsable(error, settings, io.ownRedis)}`);
    return Exit.refused;
  } finally {
    await redis.close('done');
  }
}
