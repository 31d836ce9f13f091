import { createHash } from 'node:crypto';
import { BlockList } from 'node:net';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { AddressSet, normalAddress, parseCidr } from '../../src/addresses.js';
import { DirectoryIndex } from '../../src/directory/directory-index.js';
import type { Account, NumberRange } from '../../src/directory/model.js';
import { EMPTY_DIRECTORY, resolve } from '../../src/directory/resolve.js';
import { candidatePools } from '../../src/numbers/candidates.js';
import { declaration } from './arbitraries.js';

const ADDRESSES = [
  '127.0.0.1',
  '192.0.2.7',
  '192.0.2.8',
  '198.51.100.3',
  '198.51.100.200',
  '203.0.113.9',
  '2001:db8::7',
  '2001:db9::1',
];
const ORIGINS = [
  'https://a.example.com',
  'https://b.example.com',
  'http://localhost:8080',
  'https://c.example.com',
];
const NAMES = ['a', 'b', 'c', 'd', 'Z', 'e-1', 'nobody'];

/** The naive reading of a CIDR list: one block list each time. */
function inside(blocks: readonly string[], address: string): boolean {
  const list = new BlockList();
  for (const block of blocks) {
    const [base = '', bits] = block.split('/');
    const family = base.includes(':') ? 'ipv6' : 'ipv4';
    list.addSubnet(base, Number(bits ?? (family === 'ipv4' ? 32 : 128)), family);
  }
  return list.check(address, address.includes(':') ? 'ipv6' : 'ipv4');
}

t.test('lookups find what a naive search finds', async (t) => {
  fc.assert(
    fc.property(declaration, (declared) => {
      const directory = resolve(declared, EMPTY_DIRECTORY);
      const index = new DirectoryIndex(directory);
      const { accounts } = directory;
      t.equal(index.version, directory.version);
      for (const account of accounts) {
        t.equal(index.accountById(account.id), account);
        compareAccount(t, index, account);
      }
      for (const address of ADDRESSES) {
        const naive = accounts.flatMap((account) =>
          account.trunks
            .filter(({ addresses }) => inside(addresses, address))
            .map((trunk) => ({ account, trunk })),
        );
        t.strictSame(index.trunksByAddress(address), naive);
        if (!address.includes(':'))
          t.strictSame(index.trunksByAddress(`::ffff:${address}`), naive, 'IPv4 in IPv6');
      }
      for (const origin of ORIGINS) {
        for (const name of [...NAMES, ...accounts.flatMap(({ sites }) => sites.map(({ id }) => id))]) {
          const found = accounts.flatMap((account) =>
            account.sites
              .filter((site) => (site.id === name || site.name === name) && site.origins.includes(origin))
              .map((site) => ({ account, site })),
          );
          t.strictSame(index.siteForOrigin(name, origin), found.length > 1 ? 'ambiguous' : found[0]);
        }
      }
      for (let i = 0; i < 500; i += 3) {
        const number = `+1${[202, 212, 303][i % 3] ?? 0}5550${String(i).padStart(3, '0')}`;
        const found = accounts.flatMap((account) =>
          account.pools.filter(({ numbers }) => holds(numbers, number)).map((pool) => ({ account, pool })),
        );
        const [owner] = found;
        const retired = holds(owner?.pool.retired, number);
        t.strictSame(index.numberOwner(number), retired ? undefined : owner);
        const paused = holds(owner?.pool.paused, number) ? 'paused' : 'active';
        t.equal(index.numberState(number, 0), retired ? 'retired' : owner && paused);
      }
    }),
    { numRuns: 100 },
  );
});

function holds(ranges: readonly NumberRange[] = [], number: string): boolean {
  return ranges.some(({ first, last }) => first <= number && number <= last);
}

function compareAccount(t: Test, index: DirectoryIndex, account: Account): void {
  for (const name of NAMES) {
    t.equal(
      index.site(account.id, name),
      account.sites.find((site) => site.name === name),
    );
    t.equal(
      index.endpoint(account.id, name),
      account.endpoints.find((endpoint) => endpoint.name === name),
    );
  }
  for (const site of account.sites) t.equal(index.site(account.id, site.id), site);
  for (const trunk of account.trunks) {
    t.strictSame(index.trunkBySerial(trunk.serial), { account, trunk });
    t.strictSame(index.trunkById(trunk.id), { account, trunk });
  }
  for (const endpoint of account.endpoints) {
    t.equal(index.endpoint(account.id, endpoint.id), endpoint);
    t.strictSame(index.endpointById(endpoint.id), { account, endpoint });
    for (const destination of endpoint.ring.flatMap(({ destinations }) => destinations)) {
      t.strictSame(index.destinationBySerial(destination.serial), { account, endpoint, destination });
      t.equal(index.trunkBySerial(destination.serial), undefined, 'serials are of one kind');
    }
    for (const site of [undefined, ...account.sites]) {
      const rank = (pool: Account['pools'][number]) =>
        (pool.reservedEndpoint === undefined ? 2 : 0) + (pool.site === undefined ? 1 : 0);
      const found = account.pools
        .filter((pool) => [undefined, site?.id].includes(pool.site))
        .filter((pool) => [undefined, endpoint.id].includes(pool.reservedEndpoint))
        .toSorted((a, b) => rank(a) - rank(b) || (a.rank ?? 0) - (b.rank ?? 0));
      t.strictSame(
        index.poolsFor(account.id, site?.id ?? 'site_x', endpoint.id),
        found,
        'most specific first',
      );
      t.strictSame(candidatePools(account.pools, site?.id ?? 'site_x', endpoint.id), found, 'by either way');
    }
    for (const site of account.sites) {
      t.equal(
        index.mayName(site, endpoint),
        site.endpoints.length === 0 || site.endpoints.includes(endpoint.id),
      );
    }
  }
}

t.test('API keys open their account, from their addresses', async (t) => {
  const key = (name: string, text: string, addresses: string[]) => ({
    name,
    hash: createHash('sha256').update(text).digest('hex'),
    addresses,
  });
  const none = { timeZone: 'UTC', sites: [], endpoints: [], pools: [], trunks: [] };
  const directory = resolve(
    {
      accounts: [
        { ...none, name: 'demo', apiKeys: [key('demo-key', 'demo-key', ['127.0.0.0/8', '::1'])] },
        { ...none, name: 'acme', apiKeys: [key('any', 'a-key-that-nobody-will-guess', [])] },
      ],
    },
    EMPTY_DIRECTORY,
  );
  const index = new DirectoryIndex(directory);
  const owner = (text: string, address: string) => {
    const found = index.apiKey(text, address);
    return found && `${found.account.name}/${found.key.name}`;
  };
  for (const address of [
    '127.0.0.1',
    '127.9.9.9',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '0:0:0:0:0:ffff:7f00:0001',
  ]) {
    t.equal(owner('demo-key', address), 'demo/demo-key', address);
  }
  for (const address of ['192.0.2.1', '::2', '::ffff:192.0.2.1', '', 'nonsense', '::127.0.0.1']) {
    t.equal(owner('demo-key', address), undefined, address);
  }
  t.equal(owner('a-key-that-nobody-will-guess', '203.0.113.1'), 'acme/any');
  t.equal(owner('a-key-that-nobody-will-guess', 'unix'), 'acme/any', 'any address is any address');
  for (const text of ['', 'demo-keY', 'demo-key ', directory.accounts[0]?.apiKeys[0]?.hash ?? '']) {
    t.equal(owner(text, '127.0.0.1'), undefined, 'the hash is no key');
  }
});

t.test('addresses', async (t) => {
  t.strictSame(normalAddress('fe80::1%eth0'), { address: 'fe80::1', family: 'ipv6' });
  t.strictSame(normalAddress('::FFFF:192.0.2.1'), { address: '192.0.2.1', family: 'ipv4' });
  t.strictSame(normalAddress('::ffff:c000:0201'), { address: '192.0.2.1', family: 'ipv4' });
  t.strictSame(normalAddress('0:0:0:0:0:ffff:192.0.2.1'), { address: '192.0.2.1', family: 'ipv4' });
  t.strictSame(normalAddress('::1:ffff:192.0.2.1'), { address: '::1:ffff:192.0.2.1', family: 'ipv6' });
  t.equal(normalAddress('192.0.2.1:5060'), undefined);
  t.equal(parseCidr('192.0.2.1/'), undefined);
  t.equal(parseCidr('192.0.2.1/33'), undefined);
  t.equal(parseCidr('2001:db8::/129'), undefined);
  t.throws(() => new AddressSet(['x']), TypeError);
  const among = (cidrs: string[], address: string) =>
    new AddressSet(cidrs).has(normalAddress(address) ?? { address: '', family: 'ipv4' });
  const mixed = ['192.0.2.1', '198.51.100.0/24', '2001:db8::1', '203.0.113.7/32'];
  for (const address of ['192.0.2.1', '::ffff:192.0.2.1', '198.51.100.9', '2001:DB8:0::1', '203.0.113.7'])
    t.equal(among(mixed, address), true, address);
  for (const address of ['192.0.2.2', '198.51.101.9', '2001:db8::2']) t.equal(among(mixed, address), false);
  t.equal(among(['192.0.2.1'], '192.0.2.2'), false, 'one address and no block');
  t.equal(among(['192.0.2.0/31'], '192.0.2.1'), true, 'a block and no single address');
});

t.test('the one transport', async (t) => {
  const account = { timeZone: 'UTC', name: 'a', apiKeys: [], sites: [], endpoints: [], pools: [] };
  const trunk = { name: 't', addresses: ['192.0.2.1'], transport: 'tcp' as const };
  const endpoint = {
    name: 'e',
    ring: [{ ringMs: 1000, destinations: [{ to: 'sip:a@192.0.2.1:5060;transport=tcp', trunks: [] }] }],
  };
  const transport = (accounts: Parameters<typeof resolve>[0]['accounts']) =>
    new DirectoryIndex(resolve({ accounts }, EMPTY_DIRECTORY)).transport;
  t.equal(transport([]), 'udp');
  t.equal(
    transport([
      { ...account, trunks: [] },
      { ...account, name: 'b', trunks: [trunk] },
    ]),
    'tcp',
  );
  t.equal(transport([{ ...account, trunks: [], endpoints: [endpoint] }]), 'tcp');
});
