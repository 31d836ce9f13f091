import type { RedisClient } from './clients.js';

/** Members asked for at a time: a fraction of a millisecond of Redis's time. */
const COUNT = 1000;

/** A sorted set in parts. What is there from beginning to end comes at least once, and may come twice. */
export async function* scanSortedSet(
  client: RedisClient,
  key: string,
): AsyncGenerator<{ member: string; score: number }[]> {
  for await (const pairs of scan((cursor) => client.zscan(key, cursor, 'COUNT', COUNT))) {
    yield pairs.map(([member, score]) => ({ member, score: Number(score) }));
  }
}

/** A hash in parts, likewise. */
export async function* scanHash(
  client: RedisClient,
  key: string,
): AsyncGenerator<{ field: string; value: string }[]> {
  for await (const pairs of scan((cursor) => client.hscan(key, cursor, 'COUNT', COUNT))) {
    yield pairs.map(([field, value]) => ({ field, value }));
  }
}

async function* scan(
  read: (cursor: string) => Promise<[cursor: string, elements: string[]]>,
): AsyncGenerator<[string, string][]> {
  let cursor = '0';
  do {
    const [next, elements] = await read(cursor);
    const pairs: [string, string][] = [];
    for (let i = 1; i < elements.length; i += 2) pairs.push([elements[i - 1] ?? '', elements[i] ?? '']);
    yield pairs;
    cursor = next;
  } while (cursor !== '0');
}
