/** The value of a channel variable, a field of the caller or a global; undefined when there is none. */
export type Lookup = (name: string) => string | undefined;

/** `${function(...)}` stood in a text: FreeSWITCH would run it, this server does not. */
export class FunctionRefused extends Error {
  readonly code = 'functionRefused';
  constructor() {
    super('functions in ${} are refused');
  }
}

const deepest = 20;

/**
 * `${name}`, `${name:offset}` and `${name:offset:length}` replaced by values, which are expanded in their turn, as
 * FreeSWITCH does; a negative offset counts from the end. `\$` stands for a dollar sign, `\'` for nothing.
 * Throws `FunctionRefused` for `${name(...)}` and `${name value}`.
 */
export function expand(text: string, lookup: Lookup, depth = 0): string {
  if (!text.includes('$') || depth > deepest) return text;
  let result = '';
  const ends = closings(text);
  for (let at = 0; at < text.length;) {
    if (text[at] === '\\' && text[at + 1] === '$') {
      result += '$';
      at += 2;
      continue;
    }
    const opened = text.startsWith('$${', at) ? 3 : text.startsWith('${', at) ? 2 : 0;
    const end = opened === 0 ? -1 : (ends.get(at + opened - 1) ?? -1);
    if (end < 0) {
      result += text[at] ?? '';
      at += 1;
      continue;
    }
    result += valueOf(text.slice(at + opened, end), lookup, depth);
    at = end + 1;
  }
  return result;
}

/** Where each opening brace is closed; found for all of them at once, so that no row of open ones makes it slow. */
function closings(text: string): ReadonlyMap<number, number> {
  const ends = new Map<number, number>();
  const open: number[] = [];
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '{') open.push(at);
    else if (text[at] === '}') {
      const opened = open.pop();
      if (opened !== undefined) ends.set(opened, at);
    }
  }
  return ends;
}

function valueOf(body: string, lookup: Lookup, depth: number): string {
  const name = expand(body, lookup, depth + 1);
  if (/[ (]/.test(name)) throw new FunctionRefused();
  const [key = '', offsetText, lengthText] = name.split(':');
  const value = expand(lookup(key) ?? '', lookup, depth + 1);
  const offset = Number.parseInt(offsetText ?? '0', 10) || 0;
  const length = Number.parseInt(lengthText ?? '0', 10) || 0;
  const from = offset >= 0 ? value.slice(offset) : -offset <= value.length ? value.slice(offset) : value;
  return length > 0 ? from.slice(0, length) : from;
}
