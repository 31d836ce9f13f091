import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { OwnNode } from '../../e2e/own-node.js';
import { onRealServers } from '../../e2e/system.js';
import { TestRedis } from '../../support/redis.js';
import { KEPT, type Stage } from './kinds.js';
import { SmallDisk } from './small-disk.js';

const FULL_MS = 8000;
const DATA_FULL_MS = 6000;
/** Redis comes back this long before the disk has room again, or after it. */
const REDIS_EARLIER_MS = 2000;

/** The call log has a disk of its own. */
export async function callLogDiskFull(): Promise<Stage> {
  const disk = await SmallDisk.open();
  return {
    environment: { DATABASE_URL: `sqlite:${join(disk.folder, 'calls.sqlite')}` },
    strike: () => disk.full(FULL_MS),
    close: () => disk.close(),
  };
}

/** The data folder's disk: call log, spool, logs and Redis's own file. The media node has its own disk, as in production. */
export async function dataDiskFull(): Promise<Stage> {
  const disk = await SmallDisk.open();
  const node = await nodeElsewhere();
  return {
    environment: { TAGSWITCH_DATA: join(disk.folder, 'data'), ...node.environment },
    strike: () => disk.full(DATA_FULL_MS),
    close: async () => {
      await node.close();
      await disk.close();
    },
  };
}

/** Neither Redis nor the disk takes anything; then one of them does, and later the other one. */
export async function dataDiskFullWithoutRedis(first: 'Redis' | 'disk'): Promise<Stage> {
  const stage = await dataDiskFull();
  const redis = await TestRedis.start(KEPT);
  return {
    environment: { ...stage.environment, REDIS_URL: redis.url },
    strike: async (system) => {
      const full = stage.strike(system);
      await redis.crash();
      await wait(DATA_FULL_MS + (first === 'Redis' ? -REDIS_EARLIER_MS : REDIS_EARLIER_MS));
      await redis.start();
      await full;
    },
    close: async () => {
      await redis.stop();
      await stage.close?.();
    },
  };
}

/** A machine with everything on one disk, as `npm start` has it. */
export async function onlyDiskFull(): Promise<Stage> {
  const disk = await SmallDisk.open();
  let mediaServer = 0;
  return {
    environment: { TAGSWITCH_DATA: join(disk.folder, 'data') },
    started: (system) => {
      if (!onRealServers) mediaServer = system.pid('media-server');
      return Promise.resolve();
    },
    strike: () => disk.full(DATA_FULL_MS),
    checked: (system) =>
      Promise.resolve(
        onRealServers || system.pid('media-server') === mediaServer ? [] : ['the media server died'],
      ),
    close: () => disk.close(),
  };
}

async function nodeElsewhere(): Promise<{
  readonly environment: Readonly<Record<string, string>>;
  close(): Promise<void>;
}> {
  if (onRealServers) return { environment: {}, close: () => Promise.resolve() };
  const folder = mkdtempSync(join(tmpdir(), 'tagswitch-node-'));
  const node = await OwnNode.start(folder);
  return {
    environment: node.environment(),
    close: async () => {
      await node.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
