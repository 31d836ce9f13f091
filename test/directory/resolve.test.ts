import fc from 'fast-check';
import t from 'tap';
import { changeLine, diff } from '../../src/directory/diff.js';
import { readDeclaration } from '../../src/directory/file.js';
import type { Directory, NumberRange } from '../../src/directory/model.js';
import { allOffers, numberMoves } from '../../src/directory/number-moves.js';
import { chunks, mergeRanges, rangesSize, subtractRanges } from '../../src/directory/ranges.js';
import { EMPTY_DIRECTORY, resolve } from '../../src/directory/resolve.js';
import { declaration, shuffled } from './arbitraries.js';

/** Every id and serial by what it stands for: account, kind and name, or the place of a destination. */
function identities({ accounts }: Directory): Map<string, string | number> {
  const all = new Map<string, string | number>();
  for (const account of accounts) {
    all.set(account.name, account.id);
    for (const kind of ['apiKeys', 'sites', 'endpoints', 'pools', 'trunks'] as const) {
      for (const { id, name } of account[kind]) all.set(`${account.name} ${kind} ${name}`, id);
    }
    for (const { name, serial } of account.trunks) all.set(`${account.name} trunk serial ${name}`, serial);
    for (const { name, ring } of account.endpoints) {
      const seen = new Map<string, number>();
      for (const { to, serial } of ring.flatMap((group) => group.destinations)) {
        const nth = (seen.get(to) ?? 0) + 1;
        seen.set(to, nth);
        all.set(`${account.name} ${name} rings ${to} #${nth}`, serial);
      }
    }
  }
  return all;
}

t.test('what keeps its name keeps its id, whatever else changes; a serial is never used twice', async (t) => {
  fc.assert(
    fc.property(fc.array(declaration, { minLength: 1, maxLength: 4 }), fc.nat(), (steps, seed) => {
      let current: Directory = EMPTY_DIRECTORY;
      const serials = new Map<number, string>();
      for (const step of steps) {
        const next = resolve(step, current);
        const [before, after] = [identities(current), identities(next)];
        for (const [thing, id] of after) {
          if (before.has(thing)) t.equal(id, before.get(thing), `${thing} is who it was`);
        }
        t.equal(new Set(after.values()).size, after.size, 'no id or serial stands for two things');
        for (const [thing, id] of after) {
          if (typeof id !== 'number') continue;
          if (!before.has(thing)) t.notOk(serials.has(id), `${id} is new`);
          serials.set(id, thing);
          t.ok(id < next.nextSerial);
        }
        t.equal(next === current, diff(current, next).length === 0, 'a change is seen, and nothing else is');
        t.equal(next.version, next === current ? current.version : current.version + 1);
        t.equal(resolve(step, next), next, 'once more changes nothing');
        t.equal(resolve(shuffled(step, seed), next), next, 'nor does another order');
        const stored = JSON.parse(JSON.stringify(next)) as Directory;
        t.equal(resolve(step, stored), stored, 'nor the way through the store');
        current = next;
      }
    }),
    { numRuns: 150 },
  );
});

t.test('what becomes of numbers makes one set of pools of the other', async (t) => {
  const list = (offers: readonly { pool: string; numbers: readonly NumberRange[] }[]) =>
    offers.flatMap(({ pool, numbers }) => [...chunks(numbers, 7)].flat().map((one) => `${pool} ${one}`));
  fc.assert(
    fc.property(declaration, declaration, (first, second) => {
      const current = resolve(first, EMPTY_DIRECTORY);
      const next = resolve(second, current);
      const { leaving, hidden, moving, coming, retimed } = numberMoves(current, next, 0);
      const pools = new Set(list(allOffers(current, 0)));
      for (const one of list(leaving)) pools.delete(one); // a paused one was not there
      for (const one of list(hidden)) t.ok(pools.delete(one), 'what is hidden was on offer');
      for (const { to, numbers, pool } of moving) {
        t.not(pool, to);
        for (const one of [...chunks(numbers, 7)].flat()) {
          if (pools.delete(`${pool} ${one}`)) pools.add(`${to} ${one}`);
        }
      }
      for (const one of list(coming)) {
        t.notOk(
          [...pools].some((had) => had.endsWith(one.slice(-13))),
          'what comes was in no pool',
        );
        pools.add(one);
      }
      t.strictSame(retimed, [], 'there is no quarantine');
      t.strictSame([...pools].sort(), list(allOffers(next, 0)).sort());
    }),
    { numRuns: 150 },
  );
});

t.test('ranges are sets of numbers', async (t) => {
  const range = fc
    .tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 12 }))
    .map(([from, size]) => ({ first: `+${12025550100 + from}`, last: `+${12025550100 + from + size}` }));
  const all = (ranges: readonly { first: string; last: string }[]) => new Set([...chunks(ranges, 5)].flat());
  fc.assert(
    fc.property(fc.array(range, { maxLength: 8 }), fc.array(range, { maxLength: 8 }), (a, b) => {
      const merged = mergeRanges(a);
      t.strictSame([...all(merged)], [...all(a)].sort());
      t.equal(rangesSize(merged), all(a).size, 'none twice');
      const left = subtractRanges(a, b);
      t.strictSame([...all(left)], [...all(a)].filter((number) => !all(b).has(number)).sort());
      t.strictSame(left, mergeRanges(left));
    }),
    { numRuns: 300 },
  );
  t.strictSame(
    mergeRanges([
      { first: '+9999999', last: '+9999999' },
      { first: '+10000000', last: '+10000000' },
    ]).length,
    2,
    'neighbours of different length stay apart',
  );
});

t.test('a plan in words', async (t) => {
  const file = (text: string) =>
    readDeclaration(`apiVersion: tagswitch/v1\naccounts:\n${text}`, {
      ownOrigins: [],
      readBeside: () => '',
    });
  const first = resolve(
    file(`
  - name: demo
    apiKeys: [{name: k, key: hush-hush-hush-hush-hush}]
    trunks: [{name: in, addresses: [192.0.2.1]}, {name: out, gateway: sip.example.com}]
    endpoints: [{name: sales, destinations: ["sip:a@192.0.2.9"]}, {name: old, destinations: ["sip:b@192.0.2.9"]}]
    sites: [{name: shop, origins: ["https://a.example.com"], printedNumber: +12125550150, endpoints: [sales]}]
    pools: [{name: p, site: shop, trunk: in, numbers: [+12025550100-+12025550109]}]`),
    EMPTY_DIRECTORY,
  );
  t.strictSame(diff(EMPTY_DIRECTORY, first).map(changeLine), [
    '+ account demo: time zone UTC; redial 604800000 ms',
    '+ API key demo/k: from anywhere',
    '+ trunk demo/in: addresses 192.0.2.1; transport udp',
    '+ trunk demo/out: gateway sip.example.com:5060; transport udp',
    '+ endpoint demo/old: destinations sip:b@192.0.2.9:5060 for 30000 ms',
    '+ endpoint demo/sales: destinations sip:a@192.0.2.9:5060 for 30000 ms',
    '+ site demo/shop: origins https://a.example.com; printed number +12125550150; endpoints sales; hold 300000 ms; heartbeat 60000 ms',
    '+ pool demo/p: site shop; trunk in',
    '+ 10 numbers of pool demo/p: +12025550100-+12025550109',
  ]);
  const second = resolve(
    file(`
  - name: demo
    timeZone: Europe/Paris
    apiKeys: [{name: k, key: hush-hush-hush-hush-anew, addresses: [192.0.2.0/24]}]
    trunks: [{name: in, addresses: [192.0.2.1], callsPerSecond: 9}, {name: out, gateway: sip.example.com}]
    endpoints: [{name: sales, whisper: tone, ring: [{ringMs: 9000, destinations: ["sip:a@192.0.2.9", {to: +442079460123, trunks: [out]}]}, {destinations: ["sip:c@192.0.2.9"]}]}]
    sites: [{name: shop, origins: ["https://a.example.com"], printedNumber: +12125550150}]
    pools: [{name: p, endpoint: sales, trunk: in, numbers: [+12025550101-+12025550104, +12025550106-+12025550110]}]
  - name: new`),
    first,
  );
  const lines = diff(first, second).map(changeLine);
  t.strictSame(lines, [
    '~ account demo: time zone UTC -> Europe/Paris',
    '~ API key demo/k: from anywhere -> 192.0.2.0/24',
    '~ API key demo/k: the key itself',
    '~ trunk demo/in: calls a second none -> 9',
    '- endpoint demo/old',
    '~ endpoint demo/sales: destinations sip:a@192.0.2.9:5060 for 30000 ms -> sip:a@192.0.2.9:5060 + +442079460123 over out for 9000 ms, then sip:c@192.0.2.9:5060 for 30000 ms',
    '~ endpoint demo/sales: whisper none -> tone',
    '~ site demo/shop: endpoints sales -> all',
    '~ pool demo/p: site shop -> none',
    '~ pool demo/p: endpoint none -> sales',
    '~ pool demo/p: default endpoint none -> sales',
    '- 2 numbers of pool demo/p: +12025550100, +12025550105',
    '+ number of pool demo/p: +12025550110',
    '+ account new: time zone UTC; redial 604800000 ms',
  ]);
  t.notMatch(
    [...lines, ...diff(EMPTY_DIRECTORY, second).map(changeLine)].join(),
    /hush|[0-9a-f]{40}/,
    'no key, no hash',
  );
  t.strictSame(diff(second, EMPTY_DIRECTORY).at(-1), { sign: '-', thing: 'account new' });
});
