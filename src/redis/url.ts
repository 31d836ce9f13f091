import type { ClusterNode, RedisOptions } from 'ioredis';

/** Options of a connection; replies keep ioredis's ordinary shapes. */
export type ConnectionOptions = Omit<RedisOptions, 'replyMapping'>;

/** A `REDIS_URL` that cannot be read. The text names the fault, never the address, which may hold a password. */
export class BadRedisUrl extends Error {
  readonly code = 'badRedisUrl';
}

/** Where Redis is: one server or a group watched by Sentinel (options of `Redis`), or the first nodes of a cluster. */
export type RedisTarget =
  | { readonly kind: 'single'; readonly options: ConnectionOptions }
  | { readonly kind: 'cluster'; readonly nodes: ClusterNode[]; readonly options: ConnectionOptions };

/**
 * Reads one of the five forms:
 * `redis://[user:password@]host[:port][/db]`, the same with `rediss://` for TLS,
 * `redis+unix:///path[?db=n]` or the plain path of a socket,
 * `redis-sentinel://[user:password@]host[:port],.../MASTER[?db=n]`, `redis-cluster://[user:password@]host[:port],...`.
 * Throws `BadRedisUrl`.
 */
export function parseRedisUrl(text: string): RedisTarget {
  if (text.startsWith('/')) return { kind: 'single', options: { path: text } };
  const parts = /^([a-z+-]+):\/\/(?:([^@/]*)@)?([^/?]*)(\/[^?]*)?(?:\?db=(\d+))?$/.exec(text);
  if (parts === null)
    throw new BadRedisUrl(
      'a Redis address is redis://, rediss://, redis+unix://, redis-sentinel:// or redis-cluster://, or the path of a socket',
    );
  const [, scheme, login = '', hosts = '', path = '', query] = parts;
  const options: ConnectionOptions = {
    ...readLogin(login),
    ...(query !== undefined && { db: Number(query) }),
  };
  switch (scheme) {
    case 'redis':
    case 'rediss': {
      const [address, ...others] = readHosts(hosts, 6379);
      if (address === undefined || others.length > 0) throw new BadRedisUrl(`${scheme}:// names one host`);
      if (path.length > 1) {
        if (!/^\/\d+$/.test(path))
          throw new BadRedisUrl(`the path of ${scheme}:// is the number of a database`);
        options.db = Number(path.slice(1));
      }
      return {
        kind: 'single',
        options: {
          ...options,
          ...address,
          ...(scheme === 'rediss' && { tls: { servername: address.host } }),
        },
      };
    }
    case 'redis+unix':
      if (hosts !== '' || path.length < 2)
        throw new BadRedisUrl('redis+unix:// has three slashes and the path of a socket');
      return { kind: 'single', options: { ...options, path: decode(path) } };
    case 'redis-sentinel': {
      const name = decode(path.slice(1));
      if (name === '') throw new BadRedisUrl('redis-sentinel:// ends in /MASTER, the name of the group');
      return { kind: 'single', options: { ...options, sentinels: readHosts(hosts, 26379), name } };
    }
    case 'redis-cluster':
      if (path.length > 1 || query !== undefined) throw new BadRedisUrl('a cluster has one database');
      return { kind: 'cluster', nodes: readHosts(hosts, 6379), options };
    default:
      throw new BadRedisUrl(`${scheme}:// is no way to Redis that we know`);
  }
}

function readLogin(login: string): ConnectionOptions {
  if (login === '') return {};
  const colon = login.indexOf(':');
  if (colon < 0) throw new BadRedisUrl('before the @ stands user:password, or :password');
  const username = decode(login.slice(0, colon));
  return { password: decode(login.slice(colon + 1)), ...(username !== '' && { username }) };
}

function readHosts(list: string, port: number): { host: string; port: number }[] {
  return list.split(',').map((item) => {
    const parts = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?$/.exec(item);
    const host = parts?.[1] ?? parts?.[2];
    const given = parts?.[3] === undefined ? port : Number(parts[3]);
    if (host === undefined || given < 1 || given > 65_535)
      throw new BadRedisUrl('a host stands as host, host:port or [IPv6]:port');
    return { host, port: given };
  });
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new BadRedisUrl('a percent sign is followed by two hexadecimal digits');
  }
}
