import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { readDeclaration } from '../../src/directory/file.js';
import { transportOf } from '../../src/directory/transport.js';
import { CONTEXT, faults, file, read } from './file-fixture.js';

t.test('the demo says what it is meant to say', async (t) => {
  const text = await readFile(join(import.meta.dirname, '../../../examples/demo.yaml'), 'utf8');
  t.strictSame(read(text), {
    accounts: [
      {
        name: 'demo',
        timeZone: 'Europe/London',
        apiKeys: [
          {
            name: 'demo-key',
            hash: createHash('sha256').update('demo-key').digest('hex'),
            addresses: ['127.0.0.0/8', '::1'],
          },
        ],
        sites: [
          {
            name: 'demo',
            origins: CONTEXT.ownOrigins,
            printedNumber: '+12125550150',
            endpoints: [],
            holdMs: 300_000,
            heartbeatMs: 60_000,
          },
        ],
        endpoints: [
          {
            name: 'demo-sales',
            ring: [{ ringMs: 30_000, destinations: [{ to: 'sip:agent@127.0.0.1:5070', trunks: [] }] }],
          },
        ],
        pools: [
          {
            name: 'demo',
            defaultEndpoint: 'demo-sales',
            trunk: 'loopback',
            numbers: [{ first: '+12025550100', last: '+12025550199' }],
          },
        ],
        trunks: [{ name: 'loopback', addresses: ['127.0.0.0/8'], transport: 'udp' }],
        redialMs: 604_800_000,
      },
    ],
  });
});

t.test('every form that a file may use', async (t) => {
  const hash = 'ab'.repeat(32);
  const { accounts } = read(`
apiVersion: tagswitch/v1
accounts:
  - name: acme
    apiKeys: [{name: k, hash: ${hash}, addresses: [2001:DB8::/32]}]
    trunks:
      - {name: in, addresses: &office [192.0.2.7, 2001:db8::1/128], transport: tcp, callsPerSecond: 50}
      - {name: out, gateway: "[2001:db8::5]", transport: tcp, addresses: *office}
    endpoints:
      - name: hunt
        whisper: sales-hello
        ring:
          - {ringMs: 20000, destinations: ["sip:a@H.example.com;transport=TCP", {to: "sip:b@[2001:db8::9]:5062;transport=tcp"}]}
          - destinations:
              - {to: +442079460123, trunks: [out]}
              - {to: "sip:a@h.example.com;transport=tcp"}
    sites:
      - {name: s, origins: [self, HTTPS://Shop.Example.com:443, "http://[2001:db8::2]:81"], printedNumber: +12125550150, heartbeatMs: 200000, endpoints: [hunt]}
    pools:
      - {name: p, site: s, endpoint: hunt, numbers: ["+12025550102", +12025550100 - +12025550101, +12025550109]}
  - {name: empty}
`);
  t.strictSame(accounts[0], {
    name: 'acme',
    timeZone: 'UTC',
    apiKeys: [{ name: 'k', hash, addresses: ['2001:db8::/32'] }],
    sites: [
      {
        name: 's',
        origins: [...CONTEXT.ownOrigins, 'https://shop.example.com', 'http://[2001:db8::2]:81'],
        printedNumber: '+12125550150',
        endpoints: ['hunt'],
        holdMs: 400_000,
        heartbeatMs: 200_000,
      },
    ],
    endpoints: [
      {
        name: 'hunt',
        ring: [
          {
            ringMs: 20_000,
            destinations: [
              { to: 'sip:a@h.example.com:5060;transport=tcp', trunks: [] },
              { to: 'sip:b@[2001:db8::9]:5062;transport=tcp', trunks: [] },
            ],
          },
          {
            ringMs: 30_000,
            destinations: [
              { to: '+442079460123', trunks: ['out'] },
              { to: 'sip:a@h.example.com:5060;transport=tcp', trunks: [] },
            ],
          },
        ],
        whisper: 'sales-hello',
      },
    ],
    pools: [
      {
        name: 'p',
        site: 's',
        reservedEndpoint: 'hunt',
        defaultEndpoint: 'hunt',
        numbers: [
          { first: '+12025550100', last: '+12025550102' },
          { first: '+12025550109', last: '+12025550109' },
        ],
      },
    ],
    trunks: [
      { name: 'in', addresses: ['192.0.2.7', '2001:db8::1/128'], transport: 'tcp', callsPerSecond: 50 },
      {
        name: 'out',
        addresses: ['192.0.2.7', '2001:db8::1/128'],
        gateway: '[2001:db8::5]:5060',
        transport: 'tcp',
      },
    ],
    redialMs: 604_800_000,
  });
  t.strictSame(accounts[1], {
    name: 'empty',
    timeZone: 'UTC',
    apiKeys: [],
    sites: [],
    endpoints: [],
    pools: [],
    trunks: [],
    redialMs: 604_800_000,
  });
  t.strictSame(read('apiVersion: tagswitch/v1\naccounts: []'), { accounts: [] });
});

const A = 'accounts[0]';
/** What stands in the file, and the faults it gives: path, line, and part of the text. */
const bad: readonly (readonly [
  parts: Record<string, string>,
  ...faults: [path: string, line: number, text: string][],
])[] = [
  [{ name: 'end_x' }, [`${A}.name`, 3, 'does not begin like an id']],
  [{ name: '"a b"' }, [`${A}.name`, 3, '"a b": expected a name']],
  [{ name: '"a\\nb"' }, [`${A}.name`, 3, '"a\\nb": expected a name']],
  [{ name: '[a]' }, [`${A}.name`, 3, 'expected a name']],
  [{ timeZone: 'Mars/Base' }, [`${A}.timeZone`, 4, '"Mars/Base": expected an IANA time zone']],
  [{ timeZone: '"+01:00"' }, [`${A}.timeZone`, 4, 'expected an IANA time zone']],
  [{ pool: '[]' }, [A, 10, '"pool" is not known here: did you mean "pools"?']],
  [{ colour: 'red' }, [A, 10, '"colour" is not known here: expected one of name, timeZone']],
  [{ sites: '{}' }, [`${A}.sites`, 8, 'expected a list of sites']],
  // API keys
  [{ apiKeys: '[{name: k}]' }, [`${A}.apiKeys[0]`, 5, 'expected either "key"']],
  [
    { apiKeys: `[{name: k, key: hush-hush-hush-hush-hush, hash: ${'0'.repeat(64)}}]` },
    [`${A}.apiKeys[0]`, 5, 'and not both'],
  ],
  [
    { apiKeys: '[{name: k, key: hush-short}]' },
    [`${A}.apiKeys[0].key`, 5, 'expected at least 20 characters: a shorter key is for loopback'],
  ],
  [
    { apiKeys: '[{name: k, key: hush-short, addresses: [127.0.0.1, 192.0.2.1]}]' },
    [`${A}.apiKeys[0].key`, 5, 'for loopback'],
  ],
  [
    { apiKeys: '[{name: k, key: hush-short, addresses: [127.0.0.0/7]}]' },
    [`${A}.apiKeys[0].key`, 5, 'for loopback'],
  ],
  [
    { apiKeys: '[{name: k, key: "hush hush hush hush hush"}]' },
    [`${A}.apiKeys[0].key`, 5, 'printable ASCII'],
  ],
  [{ apiKeys: '[{name: k, hash: hush}]' }, [`${A}.apiKeys[0].hash`, 5, 'expected SHA-256']],
  [
    { apiKeys: '[{name: k, key: hush-hush-hush-hush-hush}, {name: l, key: hush-hush-hush-hush-hush}]' },
    [`${A}.apiKeys[1].key`, 5, 'a key of its own'],
  ],
  [
    { apiKeys: '[{name: k, key: hush-hush-hush-hush-hush, addresses: [10.0.0.0/33]}]' },
    [`${A}.apiKeys[0].addresses[0]`, 5, '"10.0.0.0/33": expected an address or CIDR block'],
  ],
  [
    { apiKeys: '[{name: k, key: hush-hush-hush-hush-hush, addresses: ["::ffff:10.0.0.0/104"]}]' },
    [`${A}.apiKeys[0].addresses[0]`, 5, 'IPv4 is written as IPv4'],
  ],
  // trunks
  [{ trunks: '[{name: t}]' }, [`${A}.trunks[0]`, 6, 'expected "addresses"']],
  [
    { trunks: '[{name: t, addresses: [0.0.0.0/0]}]' },
    [`${A}.trunks[0].addresses[0]`, 6, 'lets everybody place calls'],
  ],
  [{ trunks: '[{name: t, addresses: [example.com]}]' }, [`${A}.trunks[0].addresses[0]`, 6, 'CIDR block']],
  [
    { trunks: '[{name: t, gateway: "a b:5060"}]' },
    [`${A}.trunks[0].gateway`, 6, 'expected "host:port" of the carrier'],
  ],
  [{ trunks: '[{name: t, gateway: "a:0"}]' }, [`${A}.trunks[0].gateway`, 6, 'host:port']],
  [
    { trunks: '[{name: t, gateway: a, transport: ws}]' },
    [`${A}.trunks[0].transport`, 6, '"udp", "tcp" or "tls"'],
  ],
  [
    {
      trunks: '[{name: t, gateway: a, transport: tls}]',
      endpoints: '[{name: sales, destinations: ["sip:a@h;transport=tls"]}]',
    },
    [`${A}.trunks[0].transport`, 6, 'TLS needs drachtio-server and FreeSWITCH: set TAGSWITCH_DRACHTIO'],
    [`${A}.endpoints[0].destinations[0]`, 7, 'TLS needs drachtio-server and FreeSWITCH'],
  ],
  [
    { trunks: '[{name: t, gateway: a, username: u, password: p}]' },
    [`${A}.trunks[0].username`, 6, 'the carrier has to know this switch by its address'],
    [`${A}.trunks[0].password`, 6, 'the carrier has to know this switch by its address'],
  ],
  [
    { trunks: '[{name: t, gateway: a, digest: {username: u}}]' },
    [`${A}.trunks[0].digest`, 6, 'digest authentication is not supported'],
  ],
  [
    { trunks: '[{name: t, gateway: a, callsPerSecond: 0}]' },
    [`${A}.trunks[0].callsPerSecond`, 6, 'a whole number from 1 to 100000'],
  ],
  [
    { trunks: '[{name: t, gateway: a}, {name: t, gateway: b}]' },
    [`${A}.trunks[1].name`, 6, 'the trunk at line 6 is "t" too'],
  ],
  [
    { trunks: '[{name: t, gateway: a, transport: tcp}]' },
    [
      `${A}.endpoints[0].destinations[0]`,
      7,
      'expected one transport for all trunks and SIP destinations: this is udp, line 6 is tcp',
    ],
  ],
  [
    { trunks: '[{name: t, gateway: a}, {name: u, gateway: b, transport: tcp}]' },
    [`${A}.trunks[1].transport`, 6, 'this is tcp, line 6 is udp'],
  ],
  // endpoints
  [
    { endpoints: '[{name: e}]' },
    [`${A}.endpoints[0]`, 7, 'either "destinations"'],
    [`${A}.endpoints[0]`, 7, '"destinations" is missing: expected a list of at least 1 destinations'],
  ],
  [{ endpoints: '[{name: e, destinations: []}]' }, [`${A}.endpoints[0].destinations`, 7, 'at least 1']],
  [
    { endpoints: '[{name: e, ring: [], ringMs: 1000}]' },
    [`${A}.endpoints[0].ringMs`, 7, 'in each group'],
    [`${A}.endpoints[0].ring`, 7, 'at least 1'],
  ],
  [
    { endpoints: '[{name: e, destinations: ["sip:a@h"], ringMs: 171000}]' },
    [`${A}.endpoints[0].ringMs`, 7, 'from 1000 to 170000'],
  ],
  [
    {
      endpoints:
        '[{name: e, ring: [{ringMs: 100000, destinations: ["sip:a@h"]}, {ringMs: 70001, destinations: ["sip:a@h"]}]}]',
    },
    [`${A}.endpoints[0].ring`, 7, 'at most 170000 ms in all groups together, found 170001'],
  ],
  [
    { endpoints: '[{name: e, destinations: ["sip:a@h", "sip:a@h:5060"]}]' },
    [`${A}.endpoints[0].destinations[1]`, 7, 'once'],
  ],
  [
    {
      endpoints: `[{name: e, destinations: [${Array.from({ length: 11 }, (_, i) => `"sip:a${i}@h"`).join()}]}]`,
    },
    [`${A}.endpoints[0]`, 7, 'at most 10 legs'],
  ],
  [
    { endpoints: '[{name: e, destinations: [{to: +442079460123}]}]' },
    [`${A}.endpoints[0].destinations[0].to`, 7, 'leaves over trunks'],
  ],
  [
    { endpoints: '[{name: e, destinations: [{to: +442079460123, trunks: [nobody]}]}]' },
    [
      `${A}.endpoints[0].destinations[0].trunks[0]`,
      7,
      'one of the account\'s trunks (carrier), not "nobody"',
    ],
    [`${A}.endpoints[0].destinations[0].trunks[0]`, 7, 'with a "gateway"'],
  ],
  [
    { endpoints: '[{name: e, destinations: [{to: "sip:a@h", trunks: [carrier]}]}]' },
    [`${A}.endpoints[0].destinations[0].trunks`, 7, 'expected no trunks'],
  ],
  [
    { endpoints: '[{name: e, destinations: [{to: +12025550107, trunks: [carrier]}]}]' },
    [`${A}.endpoints[0].destinations[0].to`, 7, 'it is in pool acme/main): the call would come back to us'],
  ],
  [
    { endpoints: '[{name: e, destinations: ["sip:a@h"], whisper: ../../etc/passwd}]' },
    [`${A}.endpoints[0].whisper`, 7, 'sound file'],
  ],
  [
    { endpoints: '[{name: e, destinations: ["sip:a@h"], whisper: "a,b"}]' },
    [`${A}.endpoints[0].whisper`, 7, 'sound file'],
  ],
  ...[
    'sips:a@h',
    'sip:h',
    'sip:a@h:0',
    'sip:a@h:99999',
    'sip:a b@h',
    'sip:a@h;lr',
    'sip:a@h;transport=ws',
    'sip:a,b@h',
    'sip:${x}@h',
    'sip:a|b@h',
    'sip:[x=1]a@h',
    'sip:a@h\\r\\nX-Y: z',
    'sip:a@h\\0',
    'sip:a@h?X-Y=z',
    'tel:+12125550150',
    '2125550150',
    '+2125550150x',
    'agent@h',
    'sip:a@1.2.3',
    '',
  ].map((to): readonly [Record<string, string>, [string, number, string]] => [
    { endpoints: `[{name: e, destinations: ["${to}"]}]` },
    [`${A}.endpoints[0].destinations[0]`, 7, 'expected a'],
  ]),
  // sites
  ...[
    'www.example.com',
    'https://www.example.com/',
    'https://www.example.com/shop',
    'https://*.example.com',
    'https://u@example.com',
    'ftp://example.com',
    'https://',
    'null',
    'https://a:0',
    'https://a:99999',
    'https://a\\nb',
  ].map((origin): readonly [Record<string, string>, [string, number, string]] => [
    { sites: `[{name: s, origins: ["${origin}"], printedNumber: "+12125550150"}]` },
    [`${A}.sites[0].origins[0]`, 8, 'expected an origin'],
  ]),
  [
    { sites: '[{name: s, origins: [], printedNumber: "+12125550150"}]' },
    [`${A}.sites[0].origins`, 8, 'at least 1'],
  ],
  [{ sites: '[{name: s, printedNumber: "+12125550150"}]' }, [`${A}.sites[0]`, 8, '"origins" is missing']],
  [
    { sites: '[{name: s, origins: [self]}]' },
    [`${A}.sites[0]`, 8, '"printedNumber" is missing: expected a number in E.164'],
  ],
  [
    { sites: '[{name: s, origins: [self], printedNumber: +12025550100}]' },
    [`${A}.sites[0].printedNumber`, 8, 'expected a number of no pool (it is in pool acme/main)'],
  ],
  [
    { sites: '[{name: s, origins: [self], printedNumber: +12125550150, endpoints: [sale]}]' },
    [`${A}.sites[0].endpoints[0]`, 8, 'one of the account\'s endpoints (sales), not "sale"'],
  ],
  [
    { sites: '[{name: s, origins: [self], printedNumber: +12125550150, holdMs: 100000}]' },
    [`${A}.sites[0].holdMs`, 8, 'at least 2 heartbeats of 60000 ms'],
  ],
  [
    { sites: '[{name: s, origins: [self], printedNumber: +12125550150, heartbeatMs: 1e3}]' },
    [`${A}.sites[0].heartbeatMs`, 8, 'a whole number'],
  ],
  // pools
  ...[
    '+1202555010x',
    '12025550100',
    '+0202555010',
    '+120255501001234567',
    '+12025550100-',
    '+12025550100-12025550101',
    '+12025550100-+12025550101-+12025550102',
    '+12025550101-+12025550100',
    '+12025550100-+120255501000',
    '+12025550100-+12027550100',
    '~',
  ].map((number): readonly [Record<string, string>, [string, number, string]] => [
    { pools: `[{name: p, numbers: [${number}]}]` },
    [`${A}.pools[0].numbers[0]`, 9, 'expected a '],
  ]),
  [
    { pools: '[{name: p, numbers: [+12025550100-+12027550100]}]' },
    [`${A}.pools[0].numbers[0]`, 9, 'at most 1000000 numbers, this one has 2000001'],
  ],
  [{ pools: '[{name: p}]' }, [`${A}.pools[0]`, 9, '"numbers" is missing']],
  [
    { pools: '[{name: p, numbers: [+12025550100, +12025550100]}]' },
    [`${A}.pools[0].numbers[1]`, 9, '+12025550100 stands at line 9 too (pool acme/p)'],
  ],
  [
    {
      pools:
        '[{name: p, numbers: [+12025550100-+12025550150]}, {name: q, numbers: [+12025550150-+12025550160]}]',
    },
    [`${A}.pools[1].numbers[0]`, 9, '+12025550150 stands at line 9 too (pool acme/p)'],
  ],
  [
    { pools: '[{name: p, numbers: [+12025550120]}, {name: q, numbers: [+12025550100-+12025550160]}]' },
    [`${A}.pools[1].numbers[0]`, 9, 'stands at line 9 too (pool acme/p)'],
  ],
  [
    { pools: '[{name: p, site: a, endpoint: b, defaultEndpoint: c, trunk: d, numbers: [+12025550100]}]' },
    [`${A}.pools[0].site`, 9, "account's sites (shop)"],
    [`${A}.pools[0].endpoint`, 9, 'endpoints (sales)'],
    [`${A}.pools[0].defaultEndpoint`, 9, 'endpoints (sales)'],
    [`${A}.pools[0].trunk`, 9, 'trunks (carrier)'],
  ],
];

t.test('each fault is named with its path and its line', async (t) => {
  t.strictSame(faults(file()), [], 'the file without a fault has none');
  for (const [parts, ...expected] of bad) {
    const title = JSON.stringify(parts);
    const found = faults(file(parts));
    t.equal(found.length, expected.length, `${title}: ${found.join(' | ')}`);
    for (const [path, line, text] of expected) {
      const named = found.some(
        (fault) => fault.startsWith(`${path} (line ${line}, column `) && fault.includes(text),
      );
      t.ok(named, `${title}: ${path} line ${line} "${text}" in ${found.join(' | ')}`);
    }
    t.notMatch(found.join(), /hush/, 'no key in a message');
  }
});

t.test('all faults of a file at once, in the order of its lines', async (t) => {
  const found = faults(
    file({
      timeZone: 'x',
      apiKeys: '[{name: k, key: short}]',
      endpoints:
        '\n      - name: sales\n        destinations:\n          - sip:a b@h\n          - sip:ok@h\n        ringMs: 5',
      pools: '\n      - name: main\n        numbers:\n          - +12025550100\n          - +1202',
    }) + '  - name: acme\n',
  );
  t.match(found, [
    /^accounts\[0\]\.timeZone \(line 4, column 15\)/,
    /^accounts\[0\]\.apiKeys\[0\]\.key \(line 5/,
    /^accounts\[0\]\.endpoints\[0\]\.destinations\[0\] \(line 10, column 13\)/,
    /^accounts\[0\]\.endpoints\[0\]\.ringMs \(line 12/,
    /^accounts\[0\]\.pools\[0\]\.numbers\[1\] \(line 18, column 13\): "\+1202": expected a number in E\.164/,
    /^accounts\[1\]\.name \(line 19.*the account at line 3 is "acme" too/,
  ]);
  t.equal(found.length, 6);
});

t.test('what is no declaration at all', async (t) => {
  const head = 'apiVersion: tagswitch/v1\n';
  t.match(faults(''), [
    /^the file \(line 1, column 1\): expected a mapping with apiVersion, reuse, accounts/,
  ]);
  t.match(faults('accounts: []'), [/"apiVersion" is missing: expected "tagswitch\/v1"/]);
  t.match(faults('apiVersion: tagswitch/v2\naccounts: []'), [
    /^apiVersion \(line 1.*expected "tagswitch\/v1"/,
  ]);
  t.match(faults(head), [/"accounts" is missing/], 'an empty file takes nothing away by accident');
  t.match(faults(`${head}accounts:\n`), [/^accounts \(line 2.*expected a list of accounts/]);
  t.match(faults(`${head}accounts: [1, [], {}]`), [
    /accounts\[0\] .*a mapping with/,
    /accounts\[1\].*a mapping/,
    /accounts\[2\].*"name" is missing/,
  ]);
  t.match(faults(`${head}accounts: [`), [/^the file \(line 2, column \d+\): expected YAML: /]);
  t.match(faults(`${head}accounts: []\n---\na: 1`), [/expected YAML: .*multiple documents/]);
  t.match(faults(`${head}accounts: []\naccounts: []`), [/line 3.*expected YAML: Map keys must be unique/]);
  t.match(faults(`${head}accounts: !!js/function []`), [/expected YAML: Unresolved tag/]);
  t.notMatch(
    faults(`${head}accounts: [{apiKeys: [{key: "a" hush}]}]`).join(),
    /hush/,
    'nor what it stumbled over',
  );
  t.match(faults(`${head}accounts: []\n${'#'.repeat(11 << 20)}`), [/expected at most 10485760 bytes/]);
  t.match(faults(`${head}accounts: *nobody`), [/expected an anchor "&nobody"/, /expected a list/]);
  t.match(faults(`${head}accounts: &a [*a]`), [/accounts\[0\]/], 'a circle is not followed');
  t.match(
    faults(`${head}accounts: [${Array.from({ length: 300 }, () => '1').join()}]`).at(-1),
    /and 100 more faults/,
  );
});

t.test('hours, routes, overflow and caps of endpoints', async (t) => {
  const { accounts } = read(
    file({
      concurrentCalls: '40',
      callsPerSecond: '5',
      trunks: '[{name: carrier, addresses: [192.0.2.0/24], gateway: sip.example.com, concurrentCalls: 30}]',
      endpoints: `
      - name: sales
        hours:
          timeZone: America/New_York
          open: ['mon-fri 09:00-17:30', 'sat,sun 10:00-14:00', 'fri-mon 22:00-02:00']
          holidays: ['12-25', '2026-12-24 09:00-12:00']
        routes:
          - {areas: [+1214, +1469], endpoint: texas}
          - {attestations: [C, failed], endpoint: desk}
        overflow: desk
        concurrentCalls: 3
        maxCallMs: 3600000
        ring:
          - {rings: one, destinations: [{to: 'sip:a@192.0.2.9', weight: 3}, 'sip:b@192.0.2.9']}
          - {rings: together, destinations: ['sip:c@192.0.2.9']}
      - {name: texas, destinations: ['sip:t@192.0.2.9'], rings: one}
      - {name: desk, destinations: ['sip:d@192.0.2.9'], callsPerSecond: 2}`,
    }),
  );
  const [sales, texas, desk] = accounts[0]?.endpoints ?? [];
  t.match(accounts[0], { concurrentCalls: 40, callsPerSecond: 5, trunks: [{ concurrentCalls: 30 }] });
  t.strictSame(sales, {
    name: 'sales',
    ring: [
      {
        ringMs: 30_000,
        destinations: [
          { to: 'sip:a@192.0.2.9:5060', trunks: [], weight: 3 },
          { to: 'sip:b@192.0.2.9:5060', trunks: [] },
        ],
        rings: 'one',
      },
      { ringMs: 30_000, destinations: [{ to: 'sip:c@192.0.2.9:5060', trunks: [] }] },
    ],
    hours: {
      timeZone: 'America/New_York',
      open: [
        { days: [1, 2, 3, 4, 5], from: 540, to: 1050 },
        { days: [0, 6], from: 600, to: 840 },
        { days: [0, 1, 5, 6], from: 1320, to: 120 },
      ],
      holidays: [{ day: '12-25' }, { day: '2026-12-24', from: 540, to: 720 }],
    },
    routes: [
      { areas: ['+1214', '+1469'], endpoint: 'texas' },
      { attestations: ['C', 'failed'], endpoint: 'desk' },
    ],
    overflow: 'desk',
    concurrentCalls: 3,
    maxCallMs: 3_600_000,
  });
  t.equal(texas?.ring[0]?.rings, 'one');
  t.equal(desk?.callsPerSecond, 2);

  const one = (more: string): string =>
    file({ endpoints: `[{name: sales, destinations: ['sip:a@192.0.2.9'], ${more}}]` });
  for (const [more, expected] of [
    [
      'overflow: nobody',
      /overflow: expected the name of one of the account's endpoints \(sales\), not "nobody"/,
    ],
    ['overflow: sales', /overflow: expected another endpoint than this one/],
    ['routes: [{areas: [+1], endpoint: sales}]', /endpoint: expected another endpoint/],
    ['routes: [{endpoint: sales}]', /expected "areas" \(prefixes of callers\), "attestations", or both/],
    ['routes: [{areas: [1], endpoint: sales}]', /areas\[0\]: "1": expected what numbers in E.164 begin with/],
    ['hours: {}', /hours: expected "open"/],
    ["hours: {open: ['mo-fr 9-17']}", /open\[0\]: "mo-fr 9-17": expected days and hours/],
    ["hours: {open: ['mon 09:00-09:00']}", /expected days and hours/],
    ["hours: {open: ['mon 09:00-24:01']}", /expected days and hours/],
    ["hours: {open: [], holidays: ['2026-02-30']}", /holidays\[0\]: "2026-02-30": expected a day/],
    ['hours: {open: [], timeZone: Mars}', /hours\.timeZone: "Mars": expected an IANA time zone/],
    ['concurrentCalls: 0', /concurrentCalls: "0": expected calls at once: a whole number from 1/],
    ['maxCallMs: 10', /maxCallMs: "10": expected milliseconds: a whole number from 1000/],
    ['callerShown: me', /callerShown: "me": expected "caller", "dialled", "anonymous", or a number/],
    ["callerShown: '+14155550199'", /callerShown: expected a number of one of the account's pools/],
    ['rings: some', /rings: "some": expected one of "together", "one"/],
  ] as const) {
    const found = faults(one(more));
    t.match(found.join('\n').replace(/ \(line \d+, column \d+\)/g, ''), expected, more);
  }
  t.match(
    faults(file({ endpoints: "[{name: s, destinations: [{to: 'sip:a@192.0.2.9', weight: 2}]}]" })).join('\n'),
    /expected "rings: one" where destinations have a "weight"/,
  );
  t.same(faults(one("hours: {open: [], holidays: ['02-29']}")), [], 'a day of leap years');

  const ringing = (legs: number, overflowLegs: number, as: string): string => {
    const destinations = (name: string, count: number): string =>
      Array.from({ length: count }, (_, at) => `'sip:${name}${at}@192.0.2.9'`).join(', ');
    return file({
      endpoints: `[{name: sales, destinations: [${destinations('s', legs)}], ${as}}, {name: desk, destinations: [${destinations('d', overflowLegs)}]}]`,
    });
  };
  t.same(faults(ringing(6, 4, 'overflow: desk')), []);
  t.same(faults(ringing(6, 5, "routes: [{areas: ['+1'], endpoint: desk}]")), [], 'a rule rings one of them');
  t.match(
    faults(ringing(6, 5, 'overflow: desk')).join(),
    /overflow \(.*: expected at most 10 legs here and there together.*found 11/,
  );
});

t.test('trunk groups, and what numbers may be called', async (t) => {
  const trunks =
    '[{name: a, gateway: a.example.com, probe: true}, {name: b, gateway: b.example.com}, {name: in, addresses: [192.0.2.1]}]';
  const group = '[{name: out, trunks: [{trunk: a, priority: 1, weight: 3}, b]}]';
  const endpoints = (to: string, more = 'group: out'): string =>
    `[{name: s, destinations: [{to: ${to}, ${more}}]}]`;
  const { accounts } = read(
    file({ trunks, trunkGroups: group, destinationPrefixes: '[+44]', endpoints: endpoints('+442079460123') }),
  );
  t.match(accounts[0], {
    trunkGroups: [
      {
        name: 'out',
        trunks: [
          { trunk: 'a', priority: 1, weight: 3 },
          { trunk: 'b', priority: 0, weight: 1 },
        ],
      },
    ],
    destinationPrefixes: ['+44'],
    trunks: [{ name: 'a', probe: true }, { name: 'b' }, { name: 'in' }],
    endpoints: [{ ring: [{ destinations: [{ to: '+442079460123', trunks: [], group: 'out' }] }] }],
  });
  const said = (parts: Record<string, string>): string =>
    faults(file({ trunks, trunkGroups: group, endpoints: endpoints('+442079460123'), ...parts })).join('\n');
  for (const [parts, expected] of [
    [
      { endpoints: endpoints('+442079460123', 'group: none') },
      /name of one of the account's trunk groups \(out\), not "none"/,
    ],
    [
      { endpoints: endpoints('+442079460123', 'trunks: [a], group: out') },
      /expected \{to, trunks\} or \{to, group\}/,
    ],
    [{ endpoints: endpoints("'sip:x@192.0.2.9'") }, /expected no trunks for a SIP address/],
    [{ trunkGroups: '[{name: out, trunks: [in]}]' }, /expected a trunk with a "gateway"/],
    [{ trunkGroups: '[{name: out, trunks: [a, a]}]' }, /each trunk of a group once/],
    [
      { trunkGroups: '[{name: out, trunks: [{trunk: a, weight: 0}]}]' },
      /"0": expected weight: a whole number from 1/,
    ],
    [
      { trunkGroups: '[{name: out, trunks: [nobody]}]' },
      /one of the account's trunks \(a, b, in\), not "nobody"/,
    ],
    [
      {
        trunks:
          '[{name: a, gateway: a.example.com}, {name: b, gateway: b.example.com}, {name: in, addresses: [192.0.2.1], probe: true}]',
      },
      /expected a "gateway" beside it/,
    ],
    [
      { destinationPrefixes: '[+1]' },
      /"\+442079460123": expected a number of the account's "destinationPrefixes" \(\+1\)/,
    ],
    [
      { endpoints: endpoints('+19005550100') },
      /"\+19005550100": expected a number that costs what a call costs: numbers of \+1900/,
    ],
  ] as const)
    t.match(said(parts), expected);
  t.equal(said({ endpoints: endpoints('+19005550100'), costlyDestinations: 'true' }), '');
});

t.test('how trunks write numbers, and what is believed of them', async (t) => {
  const trunk = (more: string): string =>
    file({ trunks: `[{name: carrier, addresses: [192.0.2.0/24], ${more}}]` });
  const { accounts } = read(
    trunk(
      "incoming: [{prefix: '00', becomes: '+'}, {prefix: '', becomes: '+44'}], outgoing: [{prefix: '+', becomes: ''}], techPrefix: '77#', attestation: verstat",
    ),
  );
  t.match(accounts[0]?.trunks[0], {
    incoming: [
      { prefix: '00', becomes: '+' },
      { prefix: '', becomes: '+44' },
    ],
    outgoing: [{ prefix: '+', becomes: '' }],
    techPrefix: '77#',
    attestation: 'verstat',
  });
  for (const [more, expected] of [
    ['incoming: []', /incoming: expected/],
    ['incoming: [{prefix: a, becomes: b}]', /prefix: "a": expected what a number begins with/],
    ['outgoing: [{prefix: 0}]', /"becomes" is missing/],
    ["outgoing: [{prefix: '+', becomes: '0;x'}]", /becomes: "0;x": expected what stands in its place/],
    ["techPrefix: '7,7'", /techPrefix: "7,7": expected up to 15 digits/],
    ['attestation: maybe', /attestation: "maybe": expected one of "verify", "verstat"/],
  ] as const)
    t.match(
      faults(trunk(more))
        .join('\n')
        .replace(/ \(line \d+, column \d+\)/g, ''),
      expected,
      more,
    );
});

t.test('TLS, where drachtio-server speaks it', async (t) => {
  const text = file({
    trunks: '[{name: carrier, addresses: [192.0.2.0/24], gateway: sip.example.com, transport: tls}]',
    endpoints: '[{name: sales, destinations: ["sip:a@H.example.com;transport=TLS"]}]',
  });
  const [account] = readDeclaration(text, { ...CONTEXT, realServers: true }).accounts;
  t.match(account?.trunks[0], { gateway: 'sip.example.com:5061', transport: 'tls' }, 'its own port');
  t.match(account?.endpoints[0]?.ring[0]?.destinations[0], { to: 'sip:a@h.example.com:5061;transport=tls' });
  t.equal(transportOf('sip:a@h.example.com:5061;transport=tls'), 'tls');
});

t.test('no value of a password that is declared in vain is told', async (t) => {
  const found = faults(file({ trunks: '[{name: t, gateway: a, password: "hunter2-hunter2"}]' }));
  t.equal(found.length, 1);
  t.notMatch(found.join(), /hunter2/);
});
