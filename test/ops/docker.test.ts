import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { readSettings } from '../../src/config/settings.js';
import { root, run } from './tool.js';

/** Everything that `.env` has to give. */
const VALUES: Readonly<Record<string, string>> = {
  PUBLIC_ADDRESS: '192.0.2.1',
  DIRECTORY_FILE: '../examples/demo.yaml',
  SOUNDS: '../examples',
  TAGSWITCH_SECRET: '0123456789abcdef0123456789abcdef',
  TAGSWITCH_DRACHTIO_SECRET: 'forDrachtio',
  TAGSWITCH_FREESWITCH_SECRET: 'forFreeswitch',
  REDIS_PASSWORD: 'forRedis',
};

interface Service {
  readonly image: string;
  readonly network_mode?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly healthcheck?: unknown;
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const folder = await mkdtemp(join(tmpdir(), 'tagswitch-docker-'));
t.teardown(() => rm(folder, { recursive: true }));

/** What docker-compose makes of the file with these values. */
async function config(values: Readonly<Record<string, string>>) {
  const file = join(folder, 'values.env');
  const lines = Object.entries(values).map(([name, value]) => `${name}=${value}\n`);
  await writeFile(file, lines.join(''));
  return run('docker-compose', ['--env-file', file, '-f', 'docker/compose.yaml', 'config']);
}

t.test('every XML file is well formed', async (t) => {
  for (const top of ['freeswitch-conf', 'docker']) {
    const files = (await readdir(join(root, top), { recursive: true })).filter((name) =>
      name.endsWith('.xml'),
    );
    t.ok(files.length > 0, top);
    const { code, err } = await run('xmllint', ['--noout', ...files.map((name) => join(top, name))]);
    t.equal(code, 0, err);
  }
});

t.test('drachtio-server turns scanners away by their names, and by no name of a carrier', async (t) => {
  const text = await readFile(join(root, 'docker/drachtio.conf.xml'), 'utf8');
  const [, sip = ''] = /<sip>(.*)<\/sip>/s.exec(text) ?? [];
  const [, header, names = ''] =
    /<spammers action="discard" tcp-action="discard">\s*<header name="([^"]*)">(.*)<\/header>\s*<\/spammers>/s.exec(
      sip,
    ) ?? [];
  // It looks at User-Agent, and at the users of From and To, and at nothing else.
  t.equal(header, 'User-Agent');
  const values = [...names.matchAll(/<value>([^<]+)<\/value>/g)].map(([, value = '']) => value);
  const isTurnedAway = (agent: string) => values.some((value) => agent.includes(value));
  for (const agent of [
    'friendly-scanner',
    'sipvicious',
    'sipcli/v1.8',
    'sip-cli 2',
    'VaxSIPUserAgent/3.1',
    'sip-scan',
  ])
    t.ok(isTurnedAway(agent), agent);
  for (const agent of [
    'FreeSWITCH',
    'Asterisk PBX 20',
    'kamailio (5.7)',
    'OpenSIPS',
    'sipp',
    'Oracle SBC',
    'SIP Gateway',
  ])
    t.notOk(isTurnedAway(agent), agent);
});

t.test('the compose file passes with values, and names the one that is missing', async (t) => {
  const { code, out, err } = await config(VALUES);
  t.equal(code, 0, err);
  const compose = parse(out) as Compose;
  t.same(Object.keys(compose.services).sort(), ['drachtio', 'freeswitch', 'redis', 'tagswitch']);
  for (const [name, service] of Object.entries(compose.services)) {
    t.equal(
      service.network_mode,
      'host',
      `${name}: carriers are recognised by their addresses, RTP needs its ports`,
    );
    t.match(service.image, /^[\w./-]+:\d+(\.\d+)+[\w.-]*$/, `${name}: the image is pinned`);
  }
  for (const name of ['drachtio', 'freeswitch', 'redis']) t.ok(compose.services[name]?.healthcheck, name);

  for (const missing of Object.keys(VALUES)) {
    const rest = Object.fromEntries(Object.entries(VALUES).filter(([name]) => name !== missing));
    const refused = await config(rest);
    t.not(refused.code, 0, `without ${missing}`);
    t.match(refused.err, missing);
    for (const value of Object.values(VALUES).filter((one) => one.startsWith('for'))) {
      t.notMatch(refused.err, value, 'no secret in an error');
    }
  }

  const named = await readFile(join(root, 'docker/example.env'), 'utf8');
  t.same(
    [...named.matchAll(/^(\w+)=/gm)].map((match) => match[1]).sort(),
    Object.keys(VALUES).sort(),
    'example.env',
  );
});

t.test('what is mounted is there, and is what the programs read', async (t) => {
  const compose = parse((await config(VALUES)).out) as Compose;
  for (const [name, service] of Object.entries(compose.services)) {
    for (const volume of service.volumes ?? []) {
      const [source = '', , mode] = volume.split(':');
      if (!source.startsWith('/')) {
        t.ok(source in compose.volumes, `${name}: ${source} is a volume`);
      } else {
        await t.resolves(stat(source), `${name}: ${source}`);
        t.equal(mode, 'ro', `${name}: ${source} is read only`);
      }
    }
  }

  // The application reads the settings that it is given, and takes them.
  const { environment = {} } = compose.services['tagswitch'] ?? {};
  const settings = readSettings(environment, '/app');
  t.equal(settings.sip.host, '192.0.2.1');
  t.match(settings.drachtio, { port: 9022, secret: 'forDrachtio' });
  t.match(settings.freeswitch, [{ port: 8021, secret: 'forFreeswitch', spool: '/var/spool/tagswitch' }]);
  t.match(settings.redisUrl, 'forRedis');
  t.equal(compose.services['drachtio']?.environment?.['DRACHTIO_SECRET'], settings.drachtio?.secret);

  // FreeSWITCH is given names that its configuration knows, and the same secret and spool.
  const node = compose.services['freeswitch']?.environment ?? {};
  const vars = await readFile(join(root, 'freeswitch-conf/vars.xml'), 'utf8');
  const known = new Set([...vars.matchAll(/cmd="env-set" data="\w+=\$(\w+)"/g)].map((match) => match[1]));
  t.ok(known.size > 10, 'names in vars.xml');
  for (const name of Object.keys(node).filter((one) => one.startsWith('TAGSWITCH_'))) {
    t.ok(known.has(name), `${name} is in vars.xml`);
  }
  t.equal(node['TAGSWITCH_FREESWITCH_SECRET'], settings.freeswitch?.[0]?.secret);
  t.equal(node['TAGSWITCH_NODE_SPOOL'], settings.freeswitch?.[0]?.spool);
  t.equal(node['TAGSWITCH_NODE_EVENT_PORT'], String(settings.freeswitch?.[0]?.port));
  // The pattern is made in the container; without it no plan would pass the dialplan.
  const text = await readFile(join(root, 'docker/compose.yaml'), 'utf8');
  t.match(text, /export TAGSWITCH_NODE_SWITCH_PATTERN="\$\$\{SWITCH_ADDRESS\/\/\.\/\[\.\]\}:5060"/);
  t.ok(known.has('TAGSWITCH_NODE_SWITCH_PATTERN'));
  const pattern = await run('bash', ['-c', 'echo "${SWITCH_ADDRESS//./[.]}:5060"'], {
    SWITCH_ADDRESS: '192.0.2.1',
  });
  t.equal(pattern.out, '192[.]0[.]2[.]1:5060\n');
});

t.test(
  "drachtio-server's configuration closes direct calls, and the ports are those of the firewall",
  async (t) => {
    const xml = await readFile(join(root, 'docker/drachtio.conf.xml'), 'utf8');
    t.match(xml, '<cdrs>true</cdrs>');
    t.match(xml, /<admin port="9022" secret="[^"]+">127\.0\.0\.1<\/admin>/);
    t.notMatch(xml, '<contact>', 'the one contact is on the command line');
    const rules = await readFile(join(root, 'docker/nftables.conf'), 'utf8');
    const compose = parse((await config(VALUES)).out) as Compose;
    const node = compose.services['freeswitch']?.environment ?? {};
    const port = (name: string) => new RegExp(`^define ${name} = ([0-9-]+)`, 'm').exec(rules)?.[1];
    t.equal(port('sip_port'), '5060');
    t.equal(port('node_sip_port'), node['TAGSWITCH_NODE_SIP_PORT']);
    // The last port of a leg's RTP has its RTCP behind it.
    const lastRtcp = Number(node['TAGSWITCH_NODE_RTP_LAST_PORT']) + 1;
    t.equal(port('rtp_ports'), `${node['TAGSWITCH_NODE_RTP_FIRST_PORT']}-${lastRtcp}`);
    t.equal(port('control_port'), '9022');
    t.equal(port('event_port'), node['TAGSWITCH_NODE_EVENT_PORT']);
  },
);
