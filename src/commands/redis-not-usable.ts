import type { Settings } from '../config/settings.js';
import type { RedisNotUsable } from '../redis/clients.js';

/** Why a command that needs the switch's Redis cannot go on, in one line. */
export function redisNotUsable(error: RedisNotUsable, { redisUrl }: Settings, ownRedis: string): string {
  if (error.code === 'redisTooOld') return error.message;
  return redisUrl === undefined
    ? `nothing listens at ${ownRedis}: start tagswitch first, or set REDIS_URL`
    : 'the Redis that REDIS_URL names does not answer';
}
