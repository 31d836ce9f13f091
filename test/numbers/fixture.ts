import type { Pool, Site } from '../../src/directory/model.js';
import { mintId } from '../../src/ids.js';
import { Allocator } from '../../src/numbers/allocator.js';
import { EventStream } from '../../src/numbers/event-stream.js';
import { accountKeys } from '../../src/numbers/keys.js';
import { PoolStore } from '../../src/numbers/pool-store.js';
import { Resolver } from '../../src/numbers/resolver.js';
import type { AllocationRequest, ResolutionRequest } from '../../src/numbers/types.js';
import type { RedisClient } from '../../src/redis/clients.js';
import { CALL_DEADLINE_MS, RedisClients } from '../../src/redis/clients.js';
import { RedisScripts } from '../../src/redis/scripts.js';
import { keepingLogger } from '../support/logger.js';

/** 2026-01-01; the tests' clock stands unless a test moves it. */
export const T0 = Date.UTC(2026, 0, 1);

export function makeSite(over: Partial<Site> = {}): Site {
  return {
    id: mintId('site'),
    name: 'demo',
    origins: [],
    printedNumber: '+12025550199',
    endpoints: [],
    holdMs: 60_000,
    heartbeatMs: 20_000,
    ...over,
  };
}

export function makePool(over: Partial<Pool> = {}): Pool {
  return { id: mintId('pool'), name: 'demo', numbers: [], ...over };
}

/** `count` fictional numbers: +1 202 555 0100 onwards. */
export function numbers(count: number, first = 12025550100): string[] {
  return Array.from({ length: count }, (_, i) => `+${first + i}`);
}

/** An account of its own on a running Redis, with a clock that stands. */
export class World {
  readonly account = mintId('acc');
  readonly endpoint = mintId('end');
  readonly site: Site;
  readonly pool: Pool;
  readonly clients: RedisClients;
  readonly allocator: Allocator;
  readonly resolver: Resolver;
  readonly pools: PoolStore;
  readonly stream: EventStream;
  readonly goneEndpoints = new Set<string>();
  now = T0;

  private constructor(url: string, site: Site, pool: Pool, realTime: boolean) {
    this.clients = new RedisClients(url, keepingLogger());
    this.site = site;
    this.pool = pool;
    const clock = realTime ? undefined : () => this.now;
    const patient = new RedisScripts(this.clients.background);
    const quick = new RedisScripts(this.clients.call, CALL_DEADLINE_MS);
    this.allocator = new Allocator(quick, clock);
    this.resolver = new Resolver(quick, (_account, endpoint) => !this.goneEndpoints.has(endpoint), clock);
    this.pools = new PoolStore(patient, clock);
    this.stream = new EventStream(patient, clock);
  }

  static async open(
    url: string,
    given: { site?: Partial<Site>; pool?: Partial<Pool>; realTime?: boolean } = {},
  ): Promise<World> {
    const world = new World(url, makeSite(given.site), makePool(given.pool), given.realTime ?? false);
    await world.clients.ready(5_000);
    return world;
  }

  get redis(): RedisClient {
    return this.clients.background;
  }

  get keys() {
    return accountKeys(this.account);
  }

  request(session: string, over: Partial<AllocationRequest> = {}): AllocationRequest {
    return { account: this.account, site: this.site.id, endpoint: this.endpoint, session, ...over };
  }

  allocate(session: string, over: Partial<AllocationRequest> = {}, pools: readonly Pool[] = [this.pool]) {
    return this.allocator.allocate(this.request(session, over), { pools, site: this.site });
  }

  call(number: string, over: Partial<ResolutionRequest> = {}): ResolutionRequest {
    return {
      account: this.account,
      pool: this.pool.id,
      number,
      call: mintId('call'),
      at: this.now,
      trunk: 'trk_0000000000000000',
      test: false,
      ...over,
    };
  }

  /** The events in the account's stream, oldest first. */
  async events(): Promise<Record<string, unknown>[]> {
    const entries = await this.redis.xrange(this.keys.events, '-', '+');
    return entries.map(([, fields]) => JSON.parse(fields[1] ?? '') as Record<string, unknown>);
  }

  close(): Promise<void> {
    return this.clients.close('the test is over');
  }
}
