import type { SiteOwner } from '../directory/directory-index.js';
import type { Site } from '../directory/model.js';
import { StoreUnavailable } from '../numbers/ports.js';
import type { Allocation, AllocationRequest } from '../numbers/types.js';
import type { AllocationOutcome } from '../observe/metrics.js';
import { siteOfAsker, type Asker } from './access.js';
import { canonicalParameters, type AllocationBody, type AllocationReply } from './allocation-body.js';
import { isKnownBot } from './bots.js';
import type { Known, KnownVisitors } from './known-visitors.js';
import { NewLinks, type Leave } from './new-links.js';
import { PageIndex, type Place } from './page-index.js';
import type { HttpParts } from './ports.js';
import { badValue, Problem } from './problems.js';
import { renewLink } from './renewing.js';
import type { StoreWatch } from './store-watch.js';
import { tagIsOurs } from './tag-signature.js';
import { canonicalTouch } from './touch.js';

/** 201 for a new link. */
export interface Allocated {
  readonly status: 200 | 201;
  readonly reply: AllocationReply;
}

/** How long a page is to be looked at before its first heartbeat, where that makes a difference. */
const LOOK_MS = 2_000;

/** What a site gives whom it gives no number of his own. */
const shared = new WeakMap<Site, Site>();

/** Answers one question for a number, whoever asks and however. */
export class Allocating {
  readonly #parts: HttpParts;
  readonly #store: StoreWatch;
  readonly #visitors: KnownVisitors;
  readonly #newLinks: NewLinks;

  constructor(parts: HttpParts, store: StoreWatch, visitors: KnownVisitors) {
    this.#parts = parts;
    this.#store = store;
    this.#visitors = visitors;
    this.#newLinks = new NewLinks(parts.newLinks);
  }

  /**
   * A number for `body`, or what is shown in its place, whatever the reason: the page must never break.
   * @param userAgent of a page
   * @param leastHoldMs how long the link lives at least, where nothing will be heard of the page
   * @throws Problem for what the asker has to correct
   */
  async answer(
    asker: Asker,
    userAgent: string | undefined,
    body: AllocationBody,
    leastHoldMs = 0,
  ): Promise<Allocated> {
    const parts = this.#parts;
    const { where, endpoint, pools } = placeOf(parts, asker, body);
    const { site } = where;
    // A server that holds a key asks for all its visitors from one address, and answers for them.
    const fromPage = asker.origin !== undefined;
    if (fromPage && isKnownBot(userAgent)) return this.#printed(where, 'bot');
    const kept = body.link === undefined ? undefined : await this.#kept(where, endpoint, body, body.link);
    if (kept !== undefined) return kept;
    const known = this.#visitors.of(site, body, fromPage);

    let leave: Leave | undefined;
    let asked = leastHoldMs === 0 ? site : unheard(site, leastHoldMs);
    let busy: AllocationOutcome | undefined;
    if (fromPage) {
      const answer = this.#newLinks.take(asker.address, site, known.known, parts.now());
      if (answer === 'busyAddress') return this.#printed(where, answer);
      if (typeof answer === 'object') leave = answer;
      else {
        // Whoever has a number keeps it; nobody gets a new one of his own.
        busy = answer;
        asked = withoutOwnNumbers(asked);
      }
    }

    const started = performance.now();
    let allocation: Allocation;
    try {
      allocation = await parts.links.allocate(requestOf(where, endpoint, body, known), {
        pools,
        site: asked,
      });
      this.#store.answered();
    } catch (error) {
      leave?.giveBack();
      if (!(error instanceof StoreUnavailable)) throw error;
      this.#store.failed();
      return this.#printed(where, 'storeDown');
    } finally {
      parts.metrics.allocationSeconds.observe((performance.now() - started) / 1000);
    }
    const { link, number, level, until, holdMs, heartbeatMs, confirmMs = 0, fresh } = allocation;
    const spent = link !== null && fresh;
    if (!spent) leave?.giveBack();
    parts.metrics.allocations.count(outcomeOf(allocation, busy));
    return {
      status: spent ? 201 : 200,
      reply: {
        link,
        number,
        display: parts.displayForm(number),
        level,
        until: until === null ? null : new Date(until).toISOString(),
        holdMs,
        // Who has looked at a page for a moment is worth a number for longer.
        heartbeatMs: confirmMs > 0 ? Math.min(LOOK_MS, confirmMs / 2, heartbeatMs) : heartbeatMs,
        ...(confirmMs > 0 && { confirmMs }),
      },
    };
  }

  /** The page shows a number already, and says that it is still there; undefined when its link is over. */
  async #kept(
    { account, site }: SiteOwner,
    endpoint: string,
    body: AllocationBody,
    link: string,
  ): Promise<Allocated | undefined> {
    const parts = this.#parts;
    // Where the store does not answer the link is not known to be over: the page keeps its number until the end it was told.
    const renewed = await this.#store.ask(renewLink(parts, account.id, link, [site], body), () => {
      parts.metrics.links.count('storeDown');
    });
    if (renewed?.endpoint !== endpoint) return undefined;
    const { number: shown, level, until: end, holdMs, heartbeatMs, pass } = renewed;
    const display = parts.displayForm(shown);
    const reply = { link, number: shown, display, level, until: end, holdMs, heartbeatMs };
    return { status: 200, reply: { ...reply, ...(pass !== undefined && { pass }) } };
  }

  #printed({ site }: SiteOwner, outcome: AllocationOutcome): Allocated {
    const { printedNumber, holdMs, heartbeatMs } = site;
    this.#parts.metrics.allocations.count(outcome);
    const display = this.#parts.displayForm(printedNumber);
    return {
      status: 200,
      reply: { link: null, number: printedNumber, display, level: 'none', until: null, holdMs, heartbeatMs },
    };
  }
}

function outcomeOf(
  { link, level, fresh }: Allocation,
  busy: AllocationOutcome | undefined,
): AllocationOutcome {
  if (level === 'bucket' || level === 'overflow') return level;
  if (link === null) return busy ?? 'none';
  return fresh ? 'new' : 'kept';
}

function withoutOwnNumbers(site: Site): Site {
  let other = shared.get(site);
  if (other === undefined) {
    other = { ...site, degrade: (site.degrade ?? []).filter((step) => step !== 'session') };
    shared.set(site, other);
  }
  return other;
}

/** A site whose pages say nothing after they have asked. */
function unheard(site: Site, holdMs: number): Site {
  return { ...site, holdMs: Math.max(site.holdMs, holdMs), provisionalMs: 0 };
}

function requestOf(
  { account, site }: SiteOwner,
  endpoint: string,
  body: AllocationBody,
  { known, person }: Known,
): AllocationRequest {
  const { session = '', visitor, bucket, parameters, area, consent } = body;
  const anonymous = consent === 'denied' && parameters === undefined;
  const touch = canonicalTouch(anonymous ? withoutClicks(body.touch) : body.touch, site.origins);
  return {
    account: account.id,
    site: site.id,
    endpoint,
    session: anonymous ? '' : session,
    ...(anonymous && { anonymous }),
    ...(visitor !== undefined && !anonymous && { visitor }),
    ...(touch !== undefined && { touch }),
    ...(bucket !== undefined && { bucket }),
    ...(parameters !== undefined && { parameters: canonicalParameters(parameters) }),
    ...(area !== undefined && { area }),
    ...(person !== undefined && !anonymous && { person }),
    ...(known && { known }),
  };
}

/** A click id is a person's: nothing of a visitor who may not be recognised is kept, whatever the page says. */
function withoutClicks(touch: AllocationBody['touch']): AllocationBody['touch'] {
  if (touch === undefined) return undefined;
  const campaign = Object.entries(touch.query ?? {}).filter(([name]) => name.startsWith('utm_'));
  return { ...touch, clickIds: {}, query: Object.fromEntries(campaign) };
}

/**
 * The site and endpoint that the body names, and the pools that may serve them.
 * @throws Problem badValue, tagAltered, and those of `siteOfAsker`
 */
function placeOf(parts: HttpParts, asker: Asker, body: AllocationBody): Place {
  const directory = parts.directory();
  const { owner, byTag } = siteOfAsker(directory, asker, body.site);
  const place = PageIndex.of(directory).place(owner, body.endpoint);
  if (place === undefined) {
    throw badValue([
      { field: 'endpoint', expected: 'the id or name of an endpoint that this site may name' },
    ]);
  }
  if (body.tag === undefined) {
    // What stands in for the origin on pages of others.
    if (byTag) throw new Problem('originNotListed');
    return place;
  }
  const ids = { account: owner.account.id, site: owner.site.id, endpoint: place.endpoint };
  if (!tagIsOurs(parts.tagKey, ids, body.tag)) throw new Problem('tagAltered');
  return place;
}
