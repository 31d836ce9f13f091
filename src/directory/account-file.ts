import { createHash } from 'node:crypto';
import { isLoopback, parseCidr } from '../addresses.js';
import { given, named, readAll, readCaps, type AccountNames } from './account-parts.js';
import {
  Defaults,
  Limits,
  type DeclaredAccount,
  type DeclaredApiKey,
  type DeclaredTrunk,
  type DeclaredTrunkGroup,
} from './declaration.js';
import { Names, type FileChecks } from './file-checks.js';
import { checkReferences, readEndpoint } from './endpoint-file.js';
import { readPool } from './pool-file.js';
import { rangeOf } from './ranges.js';
import { readProfile } from './reuse-file.js';
import { DIGEST_FIELDS, readNumberFormats, refuseDigest } from './trunk-file.js';
import { checkOverflow, readSite } from './site-file.js';
import * as values from './values.js';
import type { Field } from './yaml-source.js';

export function readAccount(field: Field, checks: FileChecks): DeclaredAccount | undefined {
  const fields = field.map([
    'name',
    'timeZone',
    'profile',
    'redialMs',
    'concurrentCalls',
    'callsPerSecond',
    'apiKeys',
    'sites',
    'endpoints',
    'pools',
    'trunks',
    'trunkGroups',
    'destinationPrefixes',
    'costlyDestinations',
  ]);
  const name = named(fields, field, checks.accounts);
  const profile = fields.get('profile');
  const redialMs =
    fields.optional('redialMs', values.parseInteger(0, Limits.periodMs, 'milliseconds')) ?? Defaults.redialMs;
  const timeZone = fields.optional('timeZone', values.parseTimeZone) ?? Defaults.timeZone;
  const caps = readCaps(fields);
  const prefixes = fields.get('destinationPrefixes');
  const names: AccountNames = {
    trunks: new Names('trunk'),
    gateways: new Set(),
    groups: new Map(),
    prefixes: prefixes && readAll(prefixes.list('prefixes', 1), (one) => one.take(values.parsePrefix)),
    costly: fields.optional('costlyDestinations', values.parseBoolean) === true,
    endpoints: new Names('endpoint'),
    legs: new Map(),
    references: [],
    shown: [],
    sites: new Names('site'),
  };
  const keyNames = new Names('API key');
  const poolNames = new Names('pool');
  const trunks = readAll(fields.list('trunks', 'trunks'), (one) => readTrunk(one, names, checks));
  const groupNames = new Names('trunk group');
  const trunkGroups =
    fields.get('trunkGroups') &&
    readAll(fields.list('trunkGroups', 'trunk groups'), (one) => readTrunkGroup(one, names, groupNames));
  const endpoints = readAll(fields.list('endpoints', 'endpoints'), (one) => readEndpoint(one, names, checks));
  checkReferences(names);
  const sites = readAll(fields.list('sites', 'sites'), (one) => readSite(one, names, checks));
  const pools = readAll(fields.list('pools', 'pools'), (one) =>
    readPool(one, name ?? '', names, poolNames, checks),
  );
  for (const { site, field: at } of sites) checkOverflow(site, pools, at);
  for (const { number, field: at } of names.shown) {
    if (!pools.some(({ numbers }) => rangeOf(numbers, number) !== undefined))
      at.fault('expected a number of one of the account\'s pools, "dialled", "anonymous" or "caller"');
  }
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
    trunkGroups,
    destinationPrefixes: names.prefixes,
    profile: profile === undefined ? undefined : readProfile(profile),
    redialMs,
    ...caps,
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
    'concurrentCalls',
    'probe',
    'followRedirects',
    'assertedIdentity',
    'incoming',
    'outgoing',
    'techPrefix',
    'attestation',
    ...DIGEST_FIELDS,
  ]);
  refuseDigest(fields);
  const name = named(fields, field, names.trunks);
  const addresses = readAll(fields.list('addresses', 'addresses'), (one) => {
    const block = one.take(values.parseBlock);
    if (block !== undefined && parseCidr(block)?.prefix === 0) {
      one.fault('expected the addresses of one carrier: this block lets everybody place calls');
    }
    return block;
  });
  if (fields.get('addresses') === undefined && fields.get('gateway') === undefined) {
    field.fault('expected "addresses" (who may send calls), "gateway" (where calls leave), or both');
  }
  const transport = fields.optional('transport', values.parseTransport) ?? 'udp';
  const gateway = fields.optional('gateway', values.parseGateway(transport));
  checks.transport(transport, fields.get('transport') ?? field);
  const caps = readCaps(fields);
  const probes = fields.optional('probe', values.parseBoolean) === true;
  if (probes && gateway === undefined)
    fields.get('probe')?.fault('expected a "gateway" beside it: that is what is asked');
  const probe = probes ? true : undefined;
  const follows = fields.optional('followRedirects', values.parseBoolean) === true;
  if (follows && gateway === undefined)
    fields.get('followRedirects')?.fault('expected a "gateway" beside it: that is what may redirect');
  const followRedirects = follows ? true : undefined;
  const asserted = fields.optional('assertedIdentity', values.parseBoolean) === true;
  const assertedIdentity = asserted ? true : undefined;
  const formats = readNumberFormats(fields);
  const attestation = fields.optional('attestation', values.parseOneOf(['verify', 'verstat']));
  if (name === undefined) return undefined;
  if (gateway !== undefined) names.gateways.add(name);
  return given<DeclaredTrunk>({
    name,
    addresses,
    gateway,
    transport,
    ...caps,
    probe,
    followRedirects,
    assertedIdentity,
    ...formats,
    attestation,
  });
}

function readTrunkGroup(field: Field, names: AccountNames, own: Names): DeclaredTrunkGroup | undefined {
  const fields = field.map(['name', 'trunks']);
  const name = named(fields, field, own);
  const seen = new Set<string>();
  const trunks = readAll(fields.list('trunks', 'trunks', 1), (one) => {
    const parts = one.isMap ? one.map(['trunk', 'priority', 'weight']) : undefined;
    const place = parts?.get('trunk') ?? one;
    const trunk =
      parts === undefined ? one.take(values.parseName) : parts.required('trunk', values.parseName);
    names.trunks.refer(trunk, place);
    if (trunk === undefined) return undefined;
    if (!names.gateways.has(trunk))
      place.fault(`expected a trunk with a "gateway": no call can leave by "${trunk}"`);
    if (seen.has(trunk)) place.fault(`expected each trunk of a group once, "${trunk}" is there twice`);
    seen.add(trunk);
    const priority = parts?.optional('priority', values.parseInteger(0, Limits.weight, 'priority')) ?? 0;
    const weight = parts?.optional('weight', values.parseInteger(1, Limits.weight, 'weight')) ?? 1;
    return { trunk, priority, weight };
  });
  if (name === undefined) return undefined;
  names.groups.set(name, trunks.length);
  return { name, trunks };
}
