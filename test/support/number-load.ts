import { setTimeout as wait } from 'node:timers/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Pool, Site } from '../../src/directory/model.js';
import { mintId } from '../../src/ids.js';
import { Allocator } from '../../src/numbers/allocator.js';
import { parseHolderLog } from '../../src/numbers/holder-log.js';
import type { Holding } from '../../src/numbers/holder-log.js';
import { accountKeys } from '../../src/numbers/keys.js';
import { PoolStore } from '../../src/numbers/pool-store.js';
import { StoreUnavailable } from '../../src/numbers/ports.js';
import { Resolver } from '../../src/numbers/resolver.js';
import type { Allocation, Resolution } from '../../src/numbers/types.js';
import { CALL_DEADLINE_MS, RedisClients } from '../../src/redis/clients.js';
import { RedisScripts } from '../../src/redis/scripts.js';
import { makePool, makeSite, numbers } from '../numbers/fixture.js';
import { keepingLogger } from './logger.js';
import { until } from './until.js';

const HOLD_MS = 3_000;
const HEARTBEAT_MS = 700;

/** What a client asks with. */
interface Asker {
  readonly allocator: Allocator;
  readonly resolver: Resolver;
}

/** An account with one site and one pool. */
export interface LoadAccount {
  readonly id: string;
  readonly endpoint: string;
  readonly site: Site;
  readonly pool: Pool;
}

/** A page that was told a number, and until when. */
export interface Page {
  readonly account: LoadAccount;
  readonly session: string;
  readonly link: string;
  readonly number: string;
  /** By Redis's clock, ms. */
  until: number;
  /** Redis knows nothing of the link before its end: it lost what it had acknowledged. */
  lost: boolean;
  /** When its last heartbeat that was answered left. */
  heardAt: number;
}

/** One number shown to two pages at once. */
export interface Double {
  readonly first: Page;
  readonly second: Page;
  /** When the second page was told the number. */
  readonly at: number;
}

/** What an operation came to. `at`: when it was over, ms since the epoch. */
export interface Outcome {
  readonly account: string;
  readonly what: 'allocate' | 'renew' | 'resolve' | 'end';
  readonly startedAt: number;
  readonly at: number;
  /** StoreUnavailable's text; undefined for an answer. */
  readonly refused?: string;
}

/**
 * Pages that come, stay a little and go, and callers, on several clients of the call path at once, with a book of who
 * was told which number until when. The book is kept by what pages were told, never by what Redis holds.
 */
export class NumberLoad {
  readonly outcomes: Outcome[] = [];
  readonly pages: Page[] = [];
  readonly doubles: Double[] = [];
  /** Calls that were not given to the session whose page shows the number, though its link is known. */
  readonly wrong: { readonly page: Page; readonly session: string | undefined }[] = [];
  /** What is neither an answer nor StoreUnavailable. */
  readonly faults: unknown[] = [];
  readonly accounts: readonly LoadAccount[];
  readonly #clients: readonly RedisClients[];
  readonly #askers: readonly Asker[];
  readonly #shown = new Map<string, Page>();
  readonly #pages = new Set<Promise<void>>();
  readonly #delay = monitorEventLoopDelay({ resolution: 10 });
  #timer: NodeJS.Timeout | undefined;
  #count = 0;

  private constructor(clients: readonly RedisClients[], accounts: readonly LoadAccount[]) {
    this.#clients = clients;
    this.accounts = accounts;
    this.#askers = clients.map((one) => {
      const scripts = new RedisScripts(one.call, CALL_DEADLINE_MS);
      return { allocator: new Allocator(scripts), resolver: new Resolver(scripts, () => true) };
    });
  }

  /** `url` of a running Redis; `accounts` are ids, each gets a pool of `poolSize` numbers. */
  static async open(url: string, accounts: readonly string[], poolSize: number): Promise<NumberLoad> {
    const clients = Array.from({ length: 3 }, () => new RedisClients(url, keepingLogger()));
    await Promise.all(clients.map((one) => one.ready(10_000)));
    const made = accounts.map((id): LoadAccount => ({
      id,
      endpoint: mintId('end'),
      site: makeSite({ holdMs: HOLD_MS, heartbeatMs: HEARTBEAT_MS }),
      pool: makePool(),
    }));
    const load = new NumberLoad(clients, made);
    await load.fill(poolSize);
    return load;
  }

  /** Puts the numbers into the pools; those that are there stay as they are. */
  async fill(poolSize: number): Promise<void> {
    const [first] = this.#clients;
    if (first === undefined) throw new Error('there are clients');
    const store = new PoolStore(new RedisScripts(first.background));
    for (const { id, pool } of this.accounts) await store.reserve(id, pool.id, numbers(poolSize));
  }

  /** Whether all clients are connected. */
  get up(): boolean {
    return this.#clients.every((one) => one.up);
  }

  /** New pages a second, over all accounts; each makes about four requests. */
  start(pagesPerSecond: number): void {
    this.#delay.enable();
    this.#timer = setInterval(() => {
      const page = this.#visit(this.#count++).catch((error: unknown) => void this.faults.push(error));
      this.#pages.add(page);
      void page.finally(() => this.#pages.delete(page));
    }, 1000 / pagesPerSecond);
  }

  /** Resolves when `count` more operations are over. */
  async heard(count: number): Promise<void> {
    const before = this.outcomes.length;
    await until(() => this.outcomes.length >= before + count, 30_000);
  }

  /** No new pages; resolves when those that are there have gone. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#pages);
    this.#delay.disable();
  }

  async close(): Promise<void> {
    await this.stop();
    await Promise.all(this.#clients.map((one) => one.close('the load is over')));
  }

  /** Longest time that this process itself was busy since `start`, ms: no answer could be seen earlier. */
  get ownDelayMs(): number {
    return this.#delay.max / 1e6;
  }

  /** The slowest operation, ms. */
  get slowestMs(): number {
    return this.outcomes.reduce((most, { startedAt, at }) => Math.max(most, at - startedAt), 0);
  }

  async allocate(account: LoadAccount, session: string, by = 0): Promise<Page | undefined> {
    const got = await this.#measured(
      'allocate',
      account,
      ({ allocator }) =>
        allocator.allocate(
          { account: account.id, site: account.site.id, endpoint: account.endpoint, session },
          { pools: [account.pool], site: account.site },
        ),
      by,
    );
    return got === undefined ? undefined : this.#told(account, session, got);
  }

  /** A heartbeat, with what the page was told; whether it was answered. */
  async heartbeat(page: Page, by = 0): Promise<boolean> {
    const { account, link, session, number, until: told } = page;
    const asked = Date.now();
    const got = await this.#measured(
      'renew',
      account,
      ({ allocator }) =>
        allocator.renew(account.id, link, [account.site.id], { session, number, until: told }),
      by,
    );
    if (got === undefined) return false;
    page.heardAt = asked;
    if (got.state === 'renewed') {
      if (got.number !== number) this.faults.push(new Error('a link changed its number'));
      page.until = Math.max(told, got.until);
    } else if (told > Date.now()) {
      page.lost = true;
    }
    return true;
  }

  /** A call to the number that a page shows; undefined without an answer of Redis. */
  call(page: Page, by = 0): Promise<Resolution | undefined> {
    const request = {
      account: page.account.id,
      pool: page.account.pool.id,
      number: page.number,
      call: mintId('call'),
      at: Date.now(),
      trunk: 'trk_0000000000000000',
      test: false,
    } as const;
    return this.#measured('resolve', page.account, ({ resolver }) => resolver.resolve(request), by);
  }

  /** What Redis remembers of a number, newest first. */
  async logOf(account: LoadAccount, number: string): Promise<readonly Holding[]> {
    const log = await this.#clients[0]?.background.hget(accountKeys(account.id).numbers, number);
    return log ? parseHolderLog(log) : [];
  }

  /** How many entries of all holder logs are marked as doubly held. */
  async marked(): Promise<number> {
    let count = 0;
    for (const { id } of this.accounts) {
      const logs = (await this.#clients[0]?.background.hvals(accountKeys(id).numbers)) ?? [];
      count += logs.flatMap(parseHolderLog).filter(({ ambiguous }) => ambiguous === true).length;
    }
    return count;
  }

  /** The doubles that the first page's heartbeats could have shown, and that are not marked all the same. */
  async undetected(): Promise<readonly Double[]> {
    const found: Double[] = [];
    for (const double of this.doubles) {
      const { first, second, at } = double;
      if (first.heardAt <= at) continue;
      const log = await this.logOf(second.account, second.number);
      if (log.find(({ link }) => link === second.link)?.ambiguous !== true) found.push(double);
    }
    return found;
  }

  async #visit(index: number): Promise<void> {
    const account = this.accounts[index % this.accounts.length];
    if (account === undefined) throw new Error('there are accounts');
    const by = Math.floor(index / this.accounts.length) % this.#askers.length;
    const page = await this.allocate(account, `s${String(index)}`, by);
    if (page === undefined) return;
    // Each kind of visit in turn: leaves at once, stays for one heartbeat, two, three; every other one calls.
    for (let beat = 0; beat < index % 4; beat++) {
      await wait(HEARTBEAT_MS);
      const other = (by + beat) % this.#askers.length;
      await this.heartbeat(page, other);
      if (beat === 0 && index % 8 >= 4) await this.#callFrom(page, other);
    }
    if (index % 3 === 0) return; // its tab is closed and says nothing
    const told = page.until;
    page.until = Math.min(told, Date.now());
    const site = [account.site.id];
    const ended = await this.#measured(
      'end',
      account,
      ({ allocator }) => allocator.end(account.id, page.link, site),
      by,
    );
    if ((ended === 'unknown' || ended === 'ended') && told > Date.now()) page.lost = true;
  }

  /** A visitor dials what his page shows: the call is his, or nobody's, or Redis has lost his link. */
  async #callFrom(page: Page, by: number): Promise<void> {
    if (page.lost) return;
    const got = await this.call(page, by);
    if (got === undefined || page.until <= Date.now() || got.session === page.session) return;
    const nobodys =
      got.session === undefined &&
      this.doubles.some(({ first, second }) => page === first || page === second);
    if (nobodys) return;
    while (!(await this.heartbeat(page, by))) await wait(HEARTBEAT_MS);
    if (!page.lost) this.wrong.push({ page, session: got.session });
  }

  #told(account: LoadAccount, session: string, got: Allocation): Page | undefined {
    if (got.link === null || got.until === null) return undefined;
    const page: Page = {
      account,
      session,
      link: got.link,
      number: got.number,
      until: got.until,
      lost: false,
      heardAt: 0,
    };
    const key = `${account.id} ${got.number}`;
    const before = this.#shown.get(key);
    // By Redis's clock the new link began at its end less the hold.
    if (
      before !== undefined &&
      before.session !== session &&
      before.until > got.until - account.site.holdMs
    ) {
      this.doubles.push({ first: before, second: page, at: Date.now() });
    }
    this.#shown.set(key, page);
    this.pages.push(page);
    return page;
  }

  async #measured<T>(
    what: Outcome['what'],
    account: LoadAccount,
    run: (asker: Asker) => Promise<T>,
    by: number,
  ): Promise<T | undefined> {
    const asker = this.#askers[by];
    if (asker === undefined) throw new Error('there is such a client');
    const startedAt = Date.now();
    const base = { what, account: account.id, startedAt };
    try {
      const answer = await run(asker);
      this.outcomes.push({ ...base, at: Date.now() });
      return answer;
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      this.outcomes.push({ ...base, at: Date.now(), refused: error.message });
      return undefined;
    }
  }
}
