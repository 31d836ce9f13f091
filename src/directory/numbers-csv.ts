import { Limits } from './declaration.js';
import { quoted } from './faults.js';
import type { NumberRange } from './model.js';
import { numberValue, rangesOfValues } from './ranges.js';

/** Numbers of a pool by what is declared of them; `paused` and `retired` are among `numbers`. */
export interface NumberLists {
  readonly numbers: readonly NumberRange[];
  readonly paused: readonly NumberRange[];
  readonly retired: readonly NumberRange[];
}

const E164 = /^\+[1-9]\d{6,14}$/;

/**
 * Reads numbers from CSV (RFC 4180, as far as numbers need it): a header `number` or `number,state`, then a number in
 * E.164 a line, with `active` (also where it is left empty), `paused` or `retired`. Fields may stand in double quotes,
 * lines may end with CR LF, blank lines are left out.
 *
 * `fault` hears of every line that is not so, with its number, counted from 1.
 */
export function readNumbersCsv(text: string, fault: (line: number, message: string) => void): NumberLists {
  const nothing: NumberLists = { numbers: [], paused: [], retired: [] };
  if (text.length > Limits.csvBytes) {
    fault(1, `expected at most ${Limits.csvBytes} bytes`);
    return nothing;
  }
  const lines = text.replace(/^\uFEFF/, '').split('\n');
  const header = fieldsOf(lines[0] ?? '').join(',');
  if (header !== 'number' && header !== 'number,state') {
    fault(1, `${quoted(header)}: expected the header "number" or "number,state"`);
    return nothing;
  }
  const columns = header === 'number' ? 1 : 2;
  const seen = new Map<number, number>();
  const found = { active: [] as number[], paused: [] as number[], retired: [] as number[] };
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i] ?? '';
    if (line === '' || line.trim() === '') continue;
    const parsed = parseRow(line, columns);
    if ('expected' in parsed) {
      fault(i + 1, parsed.expected);
      continue;
    }
    const { number, state } = parsed;
    const value = numberValue(number);
    const before = seen.get(value);
    if (before !== undefined) {
      fault(i + 1, `expected each number once: ${number} stands at line ${before} too`);
      continue;
    }
    seen.set(value, i + 1);
    found[state].push(value);
  }
  const { active, paused, retired } = found;
  return {
    numbers: rangesOfValues(active.concat(paused, retired)),
    paused: rangesOfValues(paused),
    retired: rangesOfValues(retired),
  };
}

type Row = { readonly number: string; readonly state: 'active' | 'paused' | 'retired' };

function parseRow(line: string, columns: number): Row | { readonly expected: string } {
  const fields = fieldsOf(line);
  if (fields.length > columns) {
    return {
      expected: `expected ${columns === 1 ? 'a number alone' : 'a number and a state'}, found ${fields.length} fields`,
    };
  }
  const [number = '', state = ''] = fields;
  if (!E164.test(number)) {
    return {
      expected: `${quoted(number)}: expected a number in E.164: "+", country code and number, 7 to 15 digits, no blanks`,
    };
  }
  if (state === '' || state === 'active') return { number, state: 'active' };
  if (state === 'paused' || state === 'retired') return { number, state };
  return { expected: `${quoted(state)}: expected the state "active", "paused" or "retired"` };
}

/** None of our fields holds a comma or a quote, so that a comma always parts two of them. */
function fieldsOf(line: string): string[] {
  return line.split(',').map((field) => {
    const text = field.trim();
    return text.length >= 2 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
  });
}
