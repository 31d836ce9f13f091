import { join } from 'node:path';
import t from 'tap';
import { ownOrigins, readSettings, SettingsFault, type Settings } from '../../src/config/settings.js';

const CWD = '/srv/switch';

function faults(env: Record<string, string>): readonly string[] {
  try {
    readSettings(env, CWD);
  } catch (error) {
    if (error instanceof SettingsFault) return error.faults;
    throw error;
  }
  return [];
}

t.test('an empty environment gives the documented defaults, frozen', async (t) => {
  const settings = readSettings({ PATH: '/bin', TAGSWITCH_HTTP: '', TAGSWITCH_SECRET: '  ' }, CWD);
  const { config, ...rest } = settings;
  t.strictSame(rest, {
    http: { host: '127.0.0.1', port: 8080 },
    proxies: [],
    sip: { host: '127.0.0.1', port: 5060 },
    data: '/srv/switch/data',
    configGiven: false,
    callLog: '/srv/switch/data/calls.sqlite',
    log: 'info',
  });
  t.match(config, /\/examples\/demo\.yaml$/);
  t.throws(() => ((settings as { log: string }).log = 'debug'), TypeError);
  t.throws(() => ((settings.http as { port: number }).port = 1), TypeError, 'inner objects too');
});

t.test('every setting is read', async (t) => {
  const settings = readSettings(
    {
      TAGSWITCH_HTTP: '[::]:0',
      TAGSWITCH_PROXIES: '10.0.0.0/8, ::1',
      TAGSWITCH_SIP: '192.0.2.7:5080',
      TAGSWITCH_DATA: 'var',
      TAGSWITCH_CONFIG: 'my.yaml',
      REDIS_URL: 'redis-cluster://:pass@r1:6379,r2:6379',
      DATABASE_URL: 'sqlite:log/calls.db',
      TAGSWITCH_DRACHTIO: 'drachtio:9022',
      TAGSWITCH_DRACHTIO_SECRET: 'one',
      TAGSWITCH_FREESWITCH: 'fs1:8021, [2001:db8::7]:8022',
      TAGSWITCH_FREESWITCH_SECRET: 'two',
      TAGSWITCH_SPOOL: '/spool/1, spool/2',
      TAGSWITCH_SECRET: 'x'.repeat(32),
      TAGSWITCH_LOG: 'debug',
    },
    CWD,
  );
  const expected: Settings = {
    http: { host: '::', port: 0 },
    proxies: ['10.0.0.0/8', '::1'],
    sip: { host: '192.0.2.7', port: 5080 },
    data: join(CWD, 'var'),
    config: join(CWD, 'my.yaml'),
    configGiven: true,
    redisUrl: 'redis-cluster://:pass@r1:6379,r2:6379',
    callLog: join(CWD, 'log/calls.db'),
    drachtio: { host: 'drachtio', port: 9022, secret: 'one' },
    freeswitch: [
      { host: 'fs1', port: 8021, secret: 'two', spool: '/spool/1' },
      { host: '2001:db8::7', port: 8022, secret: 'two', spool: join(CWD, 'spool/2') },
    ],
    secret: 'x'.repeat(32),
    log: 'debug',
  };
  t.strictSame(settings, expected);
  t.equal(readSettings({ DATABASE_URL: 'sqlite:/var/calls.db' }, CWD).callLog, '/var/calls.db');
  t.equal(readSettings({ DATABASE_URL: 'sqlite:///var/calls.db' }, CWD).callLog, '/var/calls.db');
  for (const url of [
    'redis://h',
    'rediss://u:p@h:1/2',
    'redis+unix:///run/r.sock',
    'redis-sentinel://h:1,g:2/main',
  ]) {
    t.equal(readSettings({ REDIS_URL: url }, CWD).redisUrl, url);
  }
});

const bad: readonly (readonly [title: string, env: Record<string, string>, faults: readonly RegExp[]])[] = [
  [
    'a port out of range',
    { TAGSWITCH_HTTP: '127.0.0.1:70000' },
    [/^TAGSWITCH_HTTP: expected a port from 0 to 65535$/],
  ],
  ['no port', { TAGSWITCH_HTTP: '127.0.0.1' }, [/^TAGSWITCH_HTTP: expected host:port/]],
  ['a host that is none', { TAGSWITCH_HTTP: '127.0.0.300:80' }, [/^TAGSWITCH_HTTP: expected host:port/]],
  ['IPv6 without brackets', { TAGSWITCH_HTTP: '::1:80' }, [/^TAGSWITCH_HTTP: expected host:port/]],
  [
    'SIP on a free port',
    { TAGSWITCH_SIP: '127.0.0.1:0' },
    [/^TAGSWITCH_SIP: expected a port from 1 to 65535$/],
  ],
  [
    'SIP on every interface',
    { TAGSWITCH_SIP: '0.0.0.0:5060' },
    [/^TAGSWITCH_SIP: expected one address .*Record-Route$/],
  ],
  ['the same in IPv6', { TAGSWITCH_SIP: '[::]:5060' }, [/^TAGSWITCH_SIP: expected one address/]],
  ['the same in long', { TAGSWITCH_SIP: '[0:0:0:0:0:0:0:0]:5060' }, [/^TAGSWITCH_SIP: expected one address/]],
  [
    'drachtio without its secret',
    { TAGSWITCH_DRACHTIO: 'd:9022' },
    [/^TAGSWITCH_DRACHTIO_SECRET: expected the secret/],
  ],
  [
    'a secret without drachtio',
    { TAGSWITCH_DRACHTIO_SECRET: 'hush' },
    [/^TAGSWITCH_DRACHTIO: expected an address, because/],
  ],
  ['FreeSWITCH without its secret', { TAGSWITCH_FREESWITCH: 'f:8021' }, [/^TAGSWITCH_FREESWITCH_SECRET: /]],
  ['a secret without FreeSWITCH', { TAGSWITCH_FREESWITCH_SECRET: 'hush' }, [/^TAGSWITCH_FREESWITCH: /]],
  [
    'entries of the list',
    { TAGSWITCH_FREESWITCH: 'f:8021,g,f:8021', TAGSWITCH_FREESWITCH_SECRET: 's', TAGSWITCH_SPOOL: '/a' },
    [
      /^TAGSWITCH_SPOOL: expected one folder for each .*\(3\), found 1$/,
      /FREESWITCH: entry 2: expected host:port/,
      /entry 3: f:8021 is there twice/,
    ],
  ],
  ['spools of nobody', { TAGSWITCH_SPOOL: '/a' }, [/^TAGSWITCH_SPOOL: expected one folder for each/]],
  [
    'a secret that would break a line',
    { TAGSWITCH_DRACHTIO: 'd:1', TAGSWITCH_DRACHTIO_SECRET: 'hu\r\nsh' },
    [/^TAGSWITCH_DRACHTIO_SECRET: expected printable ASCII/],
  ],
  [
    'a short secret',
    { TAGSWITCH_SECRET: 'hush-hush' },
    [/^TAGSWITCH_SECRET: expected at least 32 characters$/],
  ],
  [
    'a proxy',
    { TAGSWITCH_PROXIES: '10.0.0.0/8,proxy' },
    [/^TAGSWITCH_PROXIES: entry 2: expected an address/],
  ],
  ['a data folder', { TAGSWITCH_DATA: 'one,two' }, [/^TAGSWITCH_DATA: expected a path without a comma/]],
  ['anchors alone', { TAGSWITCH_STIR_ANCHORS: 'a.pem' }, [/^TAGSWITCH_STIR_HOSTS: expected both/]],
  [
    'a URL for a host',
    { TAGSWITCH_STIR_ANCHORS: 'a.pem', TAGSWITCH_STIR_HOSTS: 'https://x/', TAGSWITCH_STIR_WAIT_MS: '1s' },
    [/^TAGSWITCH_STIR_HOSTS: entry 1: expected a host/, /^TAGSWITCH_STIR_WAIT_MS: expected milliseconds/],
  ],
  ['a level', { TAGSWITCH_LOG: 'loud' }, [/^TAGSWITCH_LOG: expected one of trace, debug, info/]],
  [
    'PostgreSQL',
    { DATABASE_URL: 'postgres://u:hush@h/db' },
    [/^DATABASE_URL: PostgreSQL comes in a later release/],
  ],
  ['another database', { DATABASE_URL: 'mysql://u:hush@h/db' }, [/^DATABASE_URL: expected sqlite:PATH/]],
  ['no Redis', { REDIS_URL: 'http://u:hush@h' }, [/^REDIS_URL: /]],
  [
    'a typo',
    { TAGSWITCH_HTPP: 'x' },
    [/^TAGSWITCH_HTPP: there is no such setting, did you mean TAGSWITCH_HTTP\?$/],
  ],
  ['a stranger', { TAGSWITCH_COFFEE_MACHINE: 'x' }, [/^TAGSWITCH_COFFEE_MACHINE: there is no such setting$/]],
];

t.test('faults are named, and secrets are not', async (t) => {
  for (const [title, env, expected] of bad) {
    const found = faults(env);
    t.equal(found.length, expected.length, `${title}: ${found.join(' | ')}`);
    expected.forEach((pattern, i) => t.match(found[i], pattern, title));
    t.notMatch(found.join(), /hush/, `${title}: no secret`);
  }
  const all = Object.assign({}, ...bad.map(([, env]) => env)) as Record<string, string>;
  const names = new Set(faults(all).map((line) => line.split(':', 1)[0]));
  t.ok(names.size >= 10, `all at once: ${[...names].join()}`);
});

t.test('the origins of our own pages', async (t) => {
  t.strictSame(ownOrigins({ host: '127.0.0.1', port: 8080 }), [
    'http://127.0.0.1:8080',
    'http://localhost:8080',
  ]);
  t.strictSame(ownOrigins({ host: '0.0.0.0', port: 80 }), ['http://127.0.0.1', 'http://localhost']);
  t.strictSame(ownOrigins({ host: '::', port: 81 }), [
    'http://127.0.0.1:81',
    'http://localhost:81',
    'http://[::1]:81',
  ]);
  t.strictSame(ownOrigins({ host: 'calls.example.com', port: 8080 }), ['http://calls.example.com:8080']);
});
