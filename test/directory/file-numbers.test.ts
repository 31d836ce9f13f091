import { generateKeyPairSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { readFileBeside } from '../../src/config/beside.js';
import type { DeclaredPool, DeclaredSite } from '../../src/directory/declaration.js';
import { readDeclaration } from '../../src/directory/file.js';
import { beside, faults, file, read } from './file-fixture.js';

const SITE = 'origins: [https://www.example.com], printedNumber: "+12125550150"';

function site(more: string): DeclaredSite | undefined {
  return read(file({ sites: `[{name: shop, ${SITE}, ${more}}]` })).accounts[0]?.sites[0];
}

function pool(text: string): DeclaredPool | undefined {
  return read(file({ pools: `[{name: main, ${text}}]` })).accounts[0]?.pools[0];
}

function pem(type: 'ed25519' | 'P-256' | 'P-384' | 'rsa', part: 'publicKey' | 'privateKey' = 'publicKey') {
  const pair =
    type === 'ed25519'
      ? generateKeyPairSync('ed25519')
      : type === 'rsa'
        ? generateKeyPairSync('rsa', { modulusLength: 2048 })
        : generateKeyPairSync('ec', { namedCurve: type });
  return part === 'publicKey'
    ? pair.publicKey.export({ type: 'spki', format: 'pem' }).toString()
    : pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** As a scalar of a YAML file in one line. */
const quoted = (text: string): string => JSON.stringify(text);

t.test('what a site may be declared with', async (t) => {
  t.equal(site('holdMs: 300000')?.degrade, undefined, 'session alone is what is meant where nothing is said');
  t.match(site('bucket: {criteria: [campaign, source], threshold: 25}'), {
    degrade: ['session', 'bucket'],
    bucket: { criteria: ['source', 'campaign'], threshold: 25, switchAt: 'above', backAt: 22 },
  });
  t.match(site('bucket: {criteria: [location], threshold: 0, switchAt: atLeast, backAt: 0}')?.bucket, {
    threshold: 0,
    switchAt: 'atLeast',
    backAt: 0,
  });
  t.match(
    site(
      'bucket: {criteria: [keyword, medium], threshold: 9}, degrade: [bucket, session], provisionalMs: 9000',
    ),
    { degrade: ['bucket', 'session'], bucket: { criteria: ['medium', 'keyword'] }, provisionalMs: 9000 },
  );
  t.match(site('reservedShare: 0.25, newLinksPerSecond: 40'), { reservedShare: 0.25, newLinksPerSecond: 40 });
  const off = site('reservedShare: 0, provisionalMs: 0, embedded: false, degrade: [session]');
  t.strictSame(off, site('holdMs: 300000'), 'what is as if it were not there is not kept');

  for (const type of ['ed25519', 'P-256'] as const) {
    const key = pem(type);
    t.equal(site(`visitorKey: ${quoted(key)}`)?.visitorKey, key.trim(), type);
    const crlf = `\n${key.replaceAll('\n', '\r\n')}\n`;
    t.equal(site(`visitorKey: ${quoted(crlf)}`)?.visitorKey, key.trim(), 'one form for one key');
  }
  const embedded = file({ sites: '[{name: shop, printedNumber: "+12125550150", embedded: true}]' });
  t.match(read(embedded).accounts[0]?.sites, [{ embedded: true, origins: [] }]);

  const shared = read(
    file({
      sites: `[{name: shop, ${SITE}, overflowNumber: +12025550109}]`,
      pools: '[{name: main, site: shop, numbers: [+12025550100-+12025550109], paused: [+12025550109]}]',
    }),
  );
  t.match(shared.accounts[0]?.sites, [{ overflowNumber: '+12025550109', degrade: ['session', 'overflow'] }]);
});

t.test('what a pool, an account and the whole may be declared with', async (t) => {
  t.match(
    pool(
      'numbers: [+12025550100-+12025550109], areas: [+1202, +1, +1202], paused: [+12025550105, +12025550101-+12025550104], retired: [+12025550109], inQuarantine: reject',
    ),
    {
      areas: ['+1', '+1202'],
      paused: [{ first: '+12025550101', last: '+12025550105' }],
      retired: [{ first: '+12025550109', last: '+12025550109' }],
      inQuarantine: 'reject',
    },
  );
  t.match(pool('numbers: [+12025550100], inQuarantine: announce, announcement: moved-away'), {
    inQuarantine: 'announce',
    announcement: 'moved-away',
  });
  t.equal(pool('numbers: [+12025550100], inQuarantine: lastHolder')?.inQuarantine, undefined);
  const account = read(
    file({ profile: '{trade: [Dentist, hygienist, dentist], region: [Kent]}', redialMs: '0' }),
  ).accounts[0];
  t.strictSame(account?.profile, { region: ['kent'], trade: ['dentist', 'hygienist'] });
  t.strictSame(Object.keys(account?.profile ?? {}), ['region', 'trade'], 'in one order');
  t.equal(account?.redialMs, 0);
  const whole = (reuse: string) => read(`${file()}reuse: ${reuse}\n`).reuse;
  t.strictSame(whole('{}'), {
    quarantineMs: 0,
    likeness: 0.5,
    halfLifeMs: 2_592_000_000,
    weights: {},
  });
  t.strictSame(
    whole('{quarantineMs: 86400000, likeness: 0.25, halfLifeMs: 1000, weights: {trade: 3, region: 0.5}}'),
    { quarantineMs: 86_400_000, likeness: 0.25, halfLifeMs: 1000, weights: { region: 0.5, trade: 3 } },
  );
});

const A = 'accounts[0]';
const badSites: readonly (readonly [more: string, path: string, text: string])[] = [
  ['degrade: []', 'degrade', 'at least 1 steps'],
  ['degrade: [printed]', 'degrade[0]', '"printed": expected one of "session", "bucket", "overflow"'],
  ['degrade: [session, session]', 'degrade[1]', 'expected each step once'],
  ['degrade: [session, bucket]', 'degrade[1]', 'expected "bucket" beside the step "bucket"'],
  ['degrade: [overflow]', 'degrade[0]', 'expected "overflowNumber" beside'],
  ['bucket: {threshold: 3}', 'bucket', '"criteria" is missing'],
  ['bucket: {criteria: [], threshold: 3}', 'bucket.criteria', 'at least 1 criteria (source, medium'],
  ['bucket: {criteria: [colour], threshold: 3}', 'bucket.criteria[0]', '"colour": expected one of "source"'],
  ['bucket: {criteria: [source, source], threshold: 3}', 'bucket.criteria[1]', 'once'],
  ['bucket: {criteria: [source]}', 'bucket', '"threshold" is missing'],
  ['bucket: {criteria: [source], threshold: -1}', 'bucket.threshold', 'a whole number from 0'],
  ['bucket: {criteria: [source], threshold: 3, backAt: 4}', 'bucket.backAt', 'from 0 to 3'],
  ['bucket: {criteria: [source], threshold: 3, switchAt: below}', 'bucket.switchAt', '"above", "atLeast"'],
  ['bucket: 7', 'bucket', 'a mapping with criteria'],
  ['provisionalMs: 300001', 'provisionalMs', 'not above "holdMs": a whole number from 0 to 300000'],
  ['reservedShare: 0.91', 'reservedShare', 'a number from 0 to 0.9'],
  ['reservedShare: .5', 'reservedShare', 'a number from 0 to 0.9'],
  ['reservedShare: 1e-1', 'reservedShare', 'a number from 0 to 0.9'],
  ['newLinksPerSecond: 0', 'newLinksPerSecond', 'from 1 to 100000'],
  ['embedded: yes', 'embedded', '"true" or "false"'],
  ['visitorKey: hush', 'visitorKey', 'a public key in PEM'],
  [`visitorKey: ${quoted(pem('P-384'))}`, 'visitorKey', 'Ed25519 or P-256'],
  [`visitorKey: ${quoted(pem('rsa'))}`, 'visitorKey', 'Ed25519 or P-256'],
  [`visitorKey: ${quoted(pem('ed25519', 'privateKey'))}`, 'visitorKey', 'a public key in PEM'],
  [
    `visitorKey: ${quoted('-----BEGIN PUBLIC KEY-----\nhush\n-----END PUBLIC KEY-----')}`,
    'visitorKey',
    'a public key in PEM',
  ],
  ['overflowNumber: 1202', 'overflowNumber', 'a number in E.164'],
  ['overflowNumber: +12025550250', 'overflowNumber', "one of the account's pools"],
  ['overflowNumber: +12025550107', 'overflowNumber', 'a number that "main" lists as "paused"'],
];

t.test('what a site may not be declared with', async (t) => {
  for (const [more, path, text] of badSites) {
    const found = faults(file({ sites: `[{name: shop, ${SITE}, ${more}}]` }));
    const at = `${A}.sites[0].${path} (line 8, column `;
    t.ok(
      found.length === 1 && found[0]?.startsWith(at) && found[0].includes(text),
      `${more}: ${found.join(' | ')}`,
    );
    t.notMatch(found.join(), /hush|BEGIN (PRIVATE|PUBLIC) KEY-----.n[A-Z]/, 'no key in a message');
  }
  const of = (reservation: string, more = '') =>
    faults(
      file({
        endpoints:
          '[{name: sales, destinations: ["sip:a@192.0.2.9"]}, {name: help, destinations: ["sip:b@192.0.2.9"]}]',
        sites: `[{name: shop, ${SITE}, overflowNumber: +12025550109${more}}, {name: blog, ${SITE}}]`,
        pools: `[{name: main, ${reservation}, numbers: [+12025550109], paused: [+12025550109]}]`,
      }),
    );
  t.match(of('site: blog'), [/sites\[0\]\.overflowNumber .*this site may use \("main" is reserved\)/]);
  t.match(of('endpoint: help', ', endpoints: [sales]'), [/this site may use/]);
  t.strictSame(of('endpoint: help'), [], 'a site without a list may name every endpoint');
});

t.test('what pools, accounts and the whole may not be declared with', async (t) => {
  const cases: readonly (readonly [Record<string, string>, string, string])[] = [
    [{ pools: '[{name: p, numbers: [+12025550100], areas: [1202]}]' }, 'pools[0].areas[0]', 'begin with'],
    [
      { pools: '[{name: p, numbers: [+12025550100], paused: [+12025550100-+12025550101]}]' },
      'pools[0].paused[0]',
      'not among them: +12025550101',
    ],
    [
      { pools: '[{name: p, numbers: [+12025550100], retired: [+12025550109]}]' },
      'pools[0].retired[0]',
      'not among them: +12025550109',
    ],
    [
      { pools: '[{name: p, numbers: [+12025550100], paused: [+12025550100], retired: [+12025550100]}]' },
      'pools[0].retired',
      'and not both: +12025550100',
    ],
    [
      { pools: '[{name: p, numbers: [+12025550100], inQuarantine: perhaps}]' },
      'pools[0].inQuarantine',
      '"lastHolder", "default", "announce", "reject"',
    ],
    [
      { pools: '[{name: p, numbers: [+12025550100], inQuarantine: announce}]' },
      'pools[0].inQuarantine',
      '"announcement" (tone, or the name of a sound file) together',
    ],
    [
      { pools: '[{name: p, numbers: [+12025550100], announcement: tone}]' },
      'pools[0].announcement',
      '"inQuarantine: announce"',
    ],
    [{ profile: '[dentist]' }, 'profile', 'a mapping of words by dimension'],
    [{ profile: '{trade: dentist}' }, 'profile.trade', 'a list of words'],
    [{ profile: '{trade: []}' }, 'profile.trade', 'at least 1 words'],
    [{ profile: '{"a b": [x]}' }, 'profile', '"a b": expected a name'],
    [{ profile: '{__proto__: [x]}' }, 'profile', 'expected a name'],
    [{ profile: '{trade: [""]}' }, 'profile.trade[0]', 'a word'],
    [{ redialMs: '-1' }, 'redialMs', 'milliseconds: a whole number'],
  ];
  for (const [parts, path, text] of cases) {
    const found = faults(file(parts));
    t.ok(
      found.length === 1 && found[0]?.startsWith(`${A}.${path} (line `) && found[0].includes(text),
      `${JSON.stringify(parts)}: ${found.join(' | ')}`,
    );
  }
  const reuse: readonly (readonly [string, RegExp])[] = [
    ['{likeness: 1.1}', /^reuse\.likeness \(line 10, .*a number from 0 to 1/],
    ['{quarantineMs: soon}', /^reuse\.quarantineMs \(line 10, .*a whole number/],
    ['{halfLifeMs: 0}', /^reuse\.halfLifeMs .*from 1000/],
    ['{weights: {trade: -1}}', /^reuse\.weights\.trade .*a weight: a number from 0/],
    ['{weights: 3}', /^reuse\.weights .*a mapping of weights/],
    ['{halflifeMs: 1000}', /^reuse .*did you mean "halfLifeMs"/],
  ];
  for (const [text, message] of reuse) t.match(faults(`${file()}reuse: ${text}\n`), [message], text);
});

t.test('the example of numbers is what its comments say', async (t) => {
  const path = join(import.meta.dirname, '../../../examples/numbers.yaml');
  const { accounts, reuse } = readDeclaration(await readFile(path, 'utf8'), {
    ownOrigins: [],
    readBeside: (name) => readFileBeside(path, name),
  });
  t.equal(reuse?.quarantineMs, 60 * 86_400_000);
  t.match(accounts[0]?.sites[0], { degrade: ['session', 'bucket', 'overflow'], bucket: { backAt: 36 } });
  t.match(accounts[0]?.pools[0], {
    numbers: [{ first: '+12025550100', last: '+12025550104' }],
    paused: [{ first: '+12025550103', last: '+12025550103' }],
    retired: [{ first: '+12025550104', last: '+12025550104' }],
  });
  t.throws(() => readFileBeside(path, 'none.csv'), { code: 'ENOENT' });
});

t.test('numbers from CSV', async (t) => {
  const from = (text: string) => {
    beside.set('numbers.csv', text);
    return 'numbers: [{file: numbers.csv}]';
  };
  t.match(
    pool(
      from(
        'number,state\n+12025550101,active\n+12025550100,\r\n"+12025550102","paused"\n\n+12025550103, retired\n',
      ),
    ),
    {
      numbers: [{ first: '+12025550100', last: '+12025550103' }],
      paused: [{ first: '+12025550102', last: '+12025550102' }],
      retired: [{ first: '+12025550103', last: '+12025550103' }],
    },
  );
  t.match(pool(from('\uFEFFnumber\r\n+12025550109\r\n+12025550107')), {
    numbers: [
      { first: '+12025550107', last: '+12025550107' },
      { first: '+12025550109', last: '+12025550109' },
    ],
    paused: undefined,
  });
  beside.set('more.csv', 'number,state\n+12025550120,paused\n');
  t.match(
    pool(`numbers: [+12025550110, {file: numbers.csv}, {file: more.csv}], paused: [+12025550110]`),
    {
      numbers: [{ first: '+12025550107' }, { last: '+12025550110' }, { first: '+12025550120' }],
      paused: [
        { first: '+12025550110', last: '+12025550110' },
        { first: '+12025550120', last: '+12025550120' },
      ],
    },
    'beside numbers of the file itself, and of another',
  );

  const bad = (text: string, more = '') => {
    from(text);
    return faults(file({ pools: `[{name: p, numbers: [{file: numbers.csv}${more}]}]` }));
  };
  const at = String.raw`^accounts\[0\]\.pools\[0\]\.numbers\[0\]\.file \(line 9, column \d+\): numbers\.csv`;
  t.match(
    bad(
      'number,state\n12025550100,active\n+12025550101,asleep\n+12025550102,active,now\n1.2E+10,\n+12025550103,\n+12025550103,paused\n',
    ),
    [
      new RegExp(`${at}:2: "12025550100": expected a number in E\\.164`),
      new RegExp(`${at}:3: "asleep": expected the state "active", "paused" or "retired"`),
      new RegExp(`${at}:4: expected a number and a state, found 3 fields`),
      new RegExp(`${at}:5: "1\\.2E\\+10": expected a number`),
      new RegExp(`${at}:7: expected each number once: \\+12025550103 stands at line 6 too`),
    ],
    'every bad row, with its line',
  );
  t.match(bad('number\n+12025550100,active'), [new RegExp(`${at}:2: expected a number alone, found 2`)]);
  t.match(bad('phone\n+12025550100'), [new RegExp(`${at}:1: "phone": expected the header`), /at least 1/]);
  t.match(bad(''), [new RegExp(`${at}:1: "": expected the header`), /at least 1 number/]);
  t.match(bad('number\n'), [new RegExp(`${at}: expected at least 1 number`)]);
  t.match(
    bad('number\n+12025550100\n+12025550101\n', ', +12025550101'),
    [/numbers\[1\] .*\+12025550101 stands at line 9 too \(pool acme\/p\)/],
    'also in a range or another file',
  );
  t.match(faults(file({ pools: '[{name: p, numbers: [{file: none.csv}]}]' })), [
    /"none\.csv": expected a file that can be read, beside this one \(ENOENT\)/,
  ]);
  t.match(faults(file({ pools: '[{name: p, numbers: [{}]}]' })), [/numbers\[0\] .*"file" is missing/]);
  t.match(faults(file({ pools: '[{name: p, numbers: [{fiel: x}]}]' })), [/missing/, /"fiel" is not known/]);
  t.match(
    bad(`number\n${Array.from({ length: 1000 }, () => 'x').join('\n')}`).at(-1),
    /and 801 more faults/,
    'as many as a person reads',
  );
});
