import { given, named, readAll, type AccountNames } from './account-parts.js';
import type { DeclaredPool } from './declaration.js';
import type { FileChecks, Names } from './file-checks.js';
import type { NumberRange } from './model.js';
import { readNumbersCsv, type NumberLists } from './numbers-csv.js';
import { intersectRanges, mergeRanges, rangesText, subtractRanges } from './ranges.js';
import * as values from './values.js';
import type { Field, Fields } from './yaml-source.js';

const FIELDS = [
  'name',
  'site',
  'endpoint',
  'defaultEndpoint',
  'trunk',
  'numbers',
  'areas',
  'paused',
  'retired',
  'inQuarantine',
  'announcement',
];

export function readPool(
  field: Field,
  account: string,
  names: AccountNames,
  poolNames: Names,
  checks: FileChecks,
): DeclaredPool | undefined {
  const fields = field.map(FIELDS);
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
  const areas = readAll(fields.list('areas', 'areas, as "+1202"'), (one) => one.take(values.parsePrefix));
  const inQuarantine = fields.optional(
    'inQuarantine',
    values.parseOneOf(['lastHolder', 'default', 'announce', 'reject']),
  );
  const announcement = fields.optional('announcement', values.parseWhisper);
  const announces = inQuarantine === 'announce';
  if (announces !== (fields.get('announcement') !== undefined)) {
    (fields.get(announces ? 'inQuarantine' : 'announcement') ?? field).fault(
      'expected "inQuarantine: announce" and "announcement" (tone, or the name of a sound file) together',
    );
  }
  const lists = readNumbers(fields, `pool ${account}/${name ?? ''}`, checks);
  const paused = readSubset('paused', fields, lists.numbers);
  const retired = readSubset('retired', fields, lists.numbers);
  const allPaused = mergeRanges([...lists.paused, ...paused]);
  const allRetired = mergeRanges([...lists.retired, ...retired]);
  const both = intersectRanges(allPaused, allRetired);
  if (both.length > 0) {
    (fields.get('retired') ?? field).fault(
      `expected each number as "paused" or "retired", and not both: ${rangesText(both)}`,
    );
  }
  return name === undefined
    ? undefined
    : given<DeclaredPool>({
        name,
        site,
        reservedEndpoint,
        defaultEndpoint,
        trunk,
        numbers: lists.numbers,
        areas: areas.length === 0 ? undefined : [...new Set(areas)].sort(),
        paused: allPaused.length === 0 ? undefined : allPaused,
        retired: allRetired.length === 0 ? undefined : allRetired,
        inQuarantine: inQuarantine === 'lastHolder' ? undefined : inQuarantine,
        announcement,
      });
}

/** `numbers`: single ones, ranges, and CSV files beside the declaration. */
function readNumbers(fields: Fields, pool: string, checks: FileChecks): NumberLists {
  const numbers: NumberRange[] = [];
  const paused: NumberRange[] = [];
  const retired: NumberRange[] = [];
  for (const one of fields.list('numbers', 'numbers, ranges and {file: ...}', 1)) {
    if (one.isMap) {
      const lists = readFile(one, checks);
      for (const range of lists?.numbers ?? []) {
        checks.range(range, pool, one);
        numbers.push(range);
      }
      for (const range of lists?.paused ?? []) paused.push(range);
      for (const range of lists?.retired ?? []) retired.push(range);
      continue;
    }
    const range = one.take(values.parseNumberRange);
    if (range === undefined) continue;
    checks.range(range, pool, one);
    numbers.push(range);
  }
  return { numbers: mergeRanges(numbers), paused, retired };
}

function readFile(field: Field, checks: FileChecks): NumberLists | undefined {
  const fields = field.map(['file']);
  const name = fields.required('file', values.parseFileName);
  const place = fields.get('file') ?? field;
  if (name === undefined) return undefined;
  let text: string;
  try {
    text = checks.readBeside(name);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    place.fault(`"${name}": expected a file that can be read, beside this one (${code})`);
    return undefined;
  }
  const lists = readNumbersCsv(text, (line, message) => place.fault(`${name}:${line}: ${message}`));
  if (lists.numbers.length === 0) place.fault(`${name}: expected at least 1 number`);
  return lists;
}

/** `paused` or `retired`: some of the pool's numbers. */
function readSubset(key: string, fields: Fields, numbers: readonly NumberRange[]): NumberRange[] {
  return readAll(fields.list(key, 'numbers and ranges'), (one) => {
    const range = one.take(values.parseNumberRange);
    if (range === undefined) return undefined;
    const strangers = subtractRanges([range], numbers);
    if (strangers.length > 0)
      one.fault(`expected some of the pool's own "numbers"; not among them: ${rangesText(strangers)}`);
    return range;
  });
}
