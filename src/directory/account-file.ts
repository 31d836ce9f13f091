import { createHash } from 'node:crypto';
import { isLoopback, parseCidr } from '../addresses.js';
import {
  Defaults,
  Limits,
  OWN_ORIGIN,
  type DeclaredAccount,
  type DeclaredApiKey,
  type DeclaredDestination,
  type DeclaredEndpoint,
  type DeclaredPool,
  type DeclaredRingGroup,
  type DeclaredSite,
  type DeclaredTrunk,
} from './declaration.js';
import { Names, type FileChecks } from './file-checks.js';
import type { NumberRange } from './model.js';
import { mergeRanges } from './ranges.js';
import * as values from './values.js';
import type { Field, Fields } from './yaml-source.js';

/** What the parts of one account refer to. Faults are reported where they stand; undefined follows one of them. */
interface AccountNames {
  readonly trunks: Names;
  /** Trunks by which calls leave. */
  readonly gateways: Set<string>;
  readonly endpoints: Names;
  readonly sites: Names;
}

type Optional<T> = { [K in keyof T]?: T[K] | undefined };

/** `part` without the fields that are undefined: `exactOptionalPropertyTypes` tells absent from undefined. */
function given<T extends object>(part: Optional<T>): T {
  return Object.fromEntries(Object.entries(part).filter(([, value]) => value !== undefined)) as T;
}

function readAll<T>(fields: readonly Field[], read: (field: Field) => T | undefined): T[] {
  return fields.map(read).filter((item) => item !== undefined);
}

export function readAccount(field: Field, checks: FileChecks): DeclaredAccount | undefined {
  const fields = field.map(['name', 'timeZone', 'apiKeys', 'sites', 'endpoints', 'pools', 'trunks']);
  const name = named(fields, field, checks.accounts);
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
  const apiKeys = readAll(fields.list('apiKeys', 'API keys'), (one) => readApiKey(one, keyNames, checks));
  return name === undefined ? undefined : { name, timeZone, apiKeys, sites, endpoints, pools, trunks };
}

function named(fields: Fields, owner: Field, names: Names): string | undefined {
  const name = fields.required('name', values.parseName);
  names.add(name, fields.get('name') ?? owner);
  return name;
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
  const fields = field.map(['name', 'addresses', 'gateway', 'transport', 'callsPerSecond']);
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
  if (name === undefined) return undefined;
  if (gateway !== undefined) names.gateways.add(name);
  return given<DeclaredTrunk>({ name, addresses, gateway, transport, callsPerSecond });
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

function readSite(field: Field, names: AccountNames, checks: FileChecks): DeclaredSite | undefined {
  const fields = field.map(['name', 'origins', 'printedNumber', 'endpoints', 'holdMs', 'heartbeatMs']);
  const name = named(fields, field, names.sites);
  const origins = readAll(fields.list('origins', `origins, or "${OWN_ORIGIN}"`, 1), (one) =>
    one.take<readonly string[]>((text) => {
      if (text === OWN_ORIGIN) return { value: checks.ownOrigins };
      const origin = values.parseOrigin(text);
      return 'value' in origin ? { value: [origin.value] } : origin;
    }),
  ).flat();
  const printedNumber = fields.required('printedNumber', values.parseNumber);
  if (printedNumber !== undefined) {
    const place = fields.get('printedNumber') ?? field;
    checks.untracked(printedNumber, place, 'visitors without a number of their own see it');
  }
  const endpoints = readAll(fields.list('endpoints', 'endpoint names'), (one) => {
    const endpoint = one.take(values.parseName);
    names.endpoints.refer(endpoint, one);
    return endpoint;
  });
  const heartbeatMs =
    fields.optional('heartbeatMs', values.parseInteger(500, 3_600_000, 'milliseconds')) ??
    Defaults.heartbeatMs;
  // A site that beats slowly holds longer without saying so.
  const holdDefault = Math.max(Defaults.holdMs, heartbeatMs * Limits.heartbeatsInHold);
  const holdMs =
    fields.optional('holdMs', values.parseInteger(1000, 86_400_000, 'milliseconds')) ?? holdDefault;
  if (holdMs < heartbeatMs * Limits.heartbeatsInHold) {
    (fields.get('holdMs') ?? field).fault(
      `expected "holdMs" of at least ${Limits.heartbeatsInHold} heartbeats of ${heartbeatMs} ms, found ${holdMs}`,
    );
  }
  if (name === undefined || printedNumber === undefined) return undefined;
  return {
    name,
    origins: [...new Set(origins)],
    printedNumber,
    endpoints: [...new Set(endpoints)],
    holdMs,
    heartbeatMs,
  };
}

function readPool(
  field: Field,
  account: string,
  names: AccountNames,
  poolNames: Names,
  checks: FileChecks,
): DeclaredPool | undefined {
  const fields = field.map(['name', 'site', 'endpoint', 'defaultEndpoint', 'trunk', 'numbers']);
  const name = named(fields, field, poolNames);
  const refer = (key: string, known: Names): string | undefined => {
    const value = fields.optional(key, values.parseName);
    known.refer(value, fields.get(key));
    return value;
  };
  const site = refer('site', names.sites);
  const reservedEndpoint = refer('endpoint', names.endpoints);
  // A number that only one endpoint's pages show is answered by that endpoint.
  const defaultEndpoint = refer('defaultEndpoint', names.endpoints) ?? reservedEndpoint;
  const trunk = refer('trunk', names.trunks);
  const numbers: NumberRange[] = readAll(fields.list('numbers', 'numbers and ranges', 1), (one) => {
    const range = one.take(values.parseNumberRange);
    if (range !== undefined) checks.range(range, `pool ${account}/${name ?? ''}`, one);
    return range;
  });
  return name === undefined
    ? undefined
    : given<DeclaredPool>({
        name,
        site,
        reservedEndpoint,
        defaultEndpoint,
        trunk,
        numbers: mergeRanges(numbers),
      });
}
