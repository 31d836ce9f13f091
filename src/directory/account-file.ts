import { createHash } from 'node:crypto';
import { isLoopback, parseCidr } from '../addresses.js';
import { given, named, readAll, type AccountNames } from './account-parts.js';
import {
  Defaults,
  Limits,
  type DeclaredAccount,
  type DeclaredApiKey,
  type DeclaredDestination,
  type DeclaredEndpoint,
  type DeclaredRingGroup,
  type DeclaredTrunk,
} from './declaration.js';
import { Names, type FileChecks } from './file-checks.js';
import { readPool } from './pool-file.js';
import { readProfile } from './reuse-file.js';
import { checkOverflow, readSite } from './site-file.js';
import * as values from './values.js';
import type { Field, Fields } from './yaml-source.js';

export function readAccount(field: Field, checks: FileChecks): DeclaredAccount | undefined {
  const fields = field.map([
    'name',
    'timeZone',
    'profile',
    'redialMs',
    'apiKeys',
    'sites',
    'endpoints',
    'pools',
    'trunks',
  ]);
  const name = named(fields, field, checks.accounts);
  const profile = fields.get('profile');
  const redialMs =
    fields.optional('redialMs', values.parseInteger(0, Limits.periodMs, 'milliseconds')) ?? Defaults.redialMs;
  const timeZone = fields.optional('timeZone', values.parseTimeZone) ?? Defaults.timeZone;
  const names: AccountNames = {
    trunks: new Names('trunk'),
    gateways: new Set(),
    endpoints: new Names('endpoint'),
    sites: new Names('site'),
  };
  const keyNames = new Names('API key');
  const poolNames = new Names('pool');
  const trunks = readAll(fields.list('trunks', 'trunks'), (one) => readTrunk(one, names, checks));
  const endpoints = readAll(fields.list('endpoints', 'endpoints'), (one) => readEndpoint(one, names, checks));
  const sites = readAll(fields.list('sites', 'sites'), (one) => readSite(one, names, checks));
  const pools = readAll(fields.list('pools', 'pools'), (one) =>
    readPool(one, name ?? '', names, poolNames, checks),
  );
  for (const { site, field: at } of sites) checkOverflow(site, pools, at);
  const apiKeys = readAll(fields.list('apiKeys', 'API keys'), (one) => readApiKey(one, keyNames, checks));
  if (name === undefined) return undefined;
  return given<DeclaredAccount>({
    name,
    timeZone,
    apiKeys,
    sites: sites.map(({ site }) => site),
    endpoints,
    pools,
    trunks,
    profile: profile === undefined ? undefined : readProfile(profile),
    redialMs,
  });
}

function readApiKey(field: Field, names: Names, checks: FileChecks): DeclaredApiKey | undefined {
  const fields = field.map(['name', 'key', 'hash', 'addresses']);
  const name = named(fields, field, names);
  const addresses = readAll(fields.list('addresses', 'addresses'), (one) => one.take(values.parseBlock));
  const key = fields.get('key');
  const text = key?.take(values.parseKeyText, { secret: true });
  const hash = fields.get('hash')?.take(values.parseKeyHash, { secret: true });
  if ((key === undefined) === (fields.get('hash') === undefined)) {
    field.fault('expected either "key" (the key itself) or "hash" (its SHA-256 in hex), and not both');
  }
  const local = addresses.length > 0 && addresses.every(isLoopbackBlock);
  if (text !== undefined && text.length < Limits.keyCharacters && !local) {
    key?.fault(
      `expected at least ${Limits.keyCharacters} characters: a shorter key is for loopback "addresses" only`,
    );
  }
  const stored = hash ?? (text === undefined ? undefined : createHash('sha256').update(text).digest('hex'));
  if (stored !== undefined) checks.key(stored, fields.get('hash') ?? key ?? field);
  return name === undefined || stored === undefined ? undefined : { name, hash: stored, addresses };
}

function isLoopbackBlock(text: string): boolean {
  const cidr = parseCidr(text);
  return cidr !== undefined && isLoopback(cidr.address) && cidr.prefix >= (cidr.family === 'ipv4' ? 8 : 128);
}

function readTrunk(field: Field, names: AccountNames, checks: FileChecks): DeclaredTrunk | undefined {
  const fields = field.map([
    'name',
    'addresses',
    'gateway',
    'transport',
    'callsPerSecond',
    'assertedIdentity',
  ]);
  const name = named(fields, field, names.trunks);
  const addresses = readAll(fields.list('addresses', 'addresses'), (one) => {
    const block = one.take(values.parseBlock);
    if (block !== undefined && parseCidr(block)?.prefix === 0) {
      one.fault('expected the addresses of one carrier: this block lets everybody place calls');
    }
    return block;
  });
  const gateway = fields.optional('gateway', values.parseGateway);
  if (fields.get('addresses') === undefined && fields.get('gateway') === undefined) {
    field.fault('expected "addresses" (who may send calls), "gateway" (where calls leave), or both');
  }
  const transport = fields.optional('transport', values.parseTransport) ?? 'udp';
  checks.transport(transport, fields.get('transport') ?? field);
  const callsPerSecond = fields.optional('callsPerSecond', values.parseInteger(1, 100_000, 'calls a second'));
  const asserted = fields.optional('assertedIdentity', values.parseBoolean) === true;
  const assertedIdentity = asserted ? true : undefined;
  if (name === undefined) return undefined;
  if (gateway !== undefined) names.gateways.add(name);
  return given<DeclaredTrunk>({ name, addresses, gateway, transport, callsPerSecond, assertedIdentity });
}

function readEndpoint(field: Field, names: AccountNames, checks: FileChecks): DeclaredEndpoint | undefined {
  const fields = field.map(['name', 'destinations', 'ring', 'ringMs', 'whisper']);
  const name = named(fields, field, names.endpoints);
  const groups = fields.get('ring');
  if ((fields.get('destinations') === undefined) === (groups === undefined)) {
    field.fault('expected either "destinations" (all ring together) or "ring" (groups, one after the other)');
  }
  if (groups !== undefined)
    fields.get('ringMs')?.fault('expected "ringMs" in each group of "ring", not beside it');
  const ring =
    groups === undefined
      ? [readGroup(fields, names, checks)]
      : readAll(fields.list('ring', 'ring groups', 1), (one) =>
          readGroup(one.map(['ringMs', 'destinations']), names, checks),
        );
  const whole = ring.reduce((sum, { ringMs }) => sum + ringMs, 0);
  if (whole > Limits.ringMsInAll) {
    (fields.get('ringMs') ?? groups ?? field).fault(
      `expected ringing of at most ${Limits.ringMsInAll} ms in all groups together, found ${whole}`,
    );
  }
  const legs = ring.flatMap(({ destinations }) =>
    destinations.map(({ trunks }) => Math.max(1, trunks.length)),
  );
  const legCount = legs.reduce((sum, count) => sum + count, 0);
  if (legCount > Limits.legs) {
    field.fault(`expected at most ${Limits.legs} legs (destinations, times their trunks), found ${legCount}`);
  }
  const whisper = fields.optional('whisper', values.parseWhisper);
  return name === undefined ? undefined : given<DeclaredEndpoint>({ name, ring, whisper });
}

function readGroup(fields: Fields, names: AccountNames, checks: FileChecks): DeclaredRingGroup {
  const parseRing = values.parseInteger(1000, Limits.ringMsInAll, 'milliseconds');
  const seen = new Set<string>();
  const destinations = readAll(fields.list('destinations', 'destinations', 1), (one) => {
    const destination = readDestination(one, names, checks);
    if (destination === undefined) return undefined;
    if (seen.has(destination.to))
      one.fault(`expected each destination of a group once, "${destination.to}" is there twice`);
    seen.add(destination.to);
    return destination;
  });
  return { ringMs: fields.optional('ringMs', parseRing) ?? Defaults.ringMs, destinations };
}

function readDestination(
  field: Field,
  names: AccountNames,
  checks: FileChecks,
): DeclaredDestination | undefined {
  const fields = field.isMap ? field.map(['to', 'trunks']) : undefined;
  const to =
    fields === undefined
      ? field.take(values.parseDestination)
      : fields.required('to', values.parseDestination);
  const place = fields?.get('to') ?? field;
  const trunks = readAll(fields?.list('trunks', 'trunk names') ?? [], (one) => {
    const trunk = one.take(values.parseName);
    names.trunks.refer(trunk, one);
    return trunk === undefined ? undefined : { trunk, one };
  });
  if (to === undefined) return undefined;
  if (to.kind === 'sip') {
    if (trunks.length > 0)
      fields?.get('trunks')?.fault('expected no trunks for a SIP address: it is called directly');
    checks.transport(to.transport, place);
    return { to: to.to, trunks: [] };
  }
  if (trunks.length === 0)
    place.fault(`"${to.to}": expected {to, trunks}: a number leaves over trunks, in their order`);
  for (const { trunk, one } of trunks) {
    if (!names.gateways.has(trunk))
      one.fault(`expected a trunk with a "gateway": no call can leave by "${trunk}"`);
  }
  checks.untracked(to.to, place, 'the call would come back to us');
  return { to: to.to, trunks: [...new Set(trunks.map(({ trunk }) => trunk))] };
}
