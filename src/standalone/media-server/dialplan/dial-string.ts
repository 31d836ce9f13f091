/** One leg of a dial string: where to, and the variables in its own brackets. */
export interface DialLeg {
  readonly variables: ReadonlyMap<string, string>;
  /** `sofia/PROFILE/sip:...` cut at its slashes. */
  readonly profile: string;
  /** The URI with its scheme. */
  readonly uri: string;
}

/** A leg that cannot be dialled, in its place: it fails with the cause, the others are rung. */
export interface UndialableLeg {
  readonly cause: 'DESTINATION_OUT_OF_ORDER' | 'INVALID_PROFILE' | 'INVALID_URL' | 'CHAN_NOT_IMPLEMENTED';
  readonly what: string;
}

export interface DialPlan {
  /** Of the braces in front: for all legs. */
  readonly variables: ReadonlyMap<string, string>;
  /** Groups one after the other, each of legs that ring together. */
  readonly groups: readonly (readonly (DialLeg | UndialableLeg)[])[];
}

/**
 * A dial string: `{a=1,b=2}[c=3]sofia/PROFILE/sip:user@host:port;params,[d=4]...|...`. In braces and brackets a value
 * may be in single quotes, and `\,` is a comma; `^^:` at the start makes `:` the separator. Whatever is not of this
 * form becomes an undialable leg. Never throws.
 */
export function parseDialString(text: string): DialPlan {
  const variables = new Map<string, string>();
  let rest = text.trim();
  for (let bracket = bracketed(rest, '{', '}'); bracket; bracket = bracketed(rest, '{', '}')) {
    readVariables(bracket.inside, variables);
    rest = bracket.after.trimStart();
  }
  const groups = splitOutside(rest, '|').map((group) => splitOutside(group, ',').map(readLeg));
  return { variables, groups };
}

function readLeg(text: string): DialLeg | UndialableLeg {
  const variables = new Map<string, string>();
  let rest = text.trim();
  for (let bracket = bracketed(rest, '[', ']'); bracket; bracket = bracketed(rest, '[', ']')) {
    readVariables(bracket.inside, variables);
    rest = bracket.after.trimStart();
  }
  const [endpoint = '', profile = '', ...address] = rest.split('/');
  const target = address.join('/');
  if (endpoint !== 'sofia')
    return { cause: 'CHAN_NOT_IMPLEMENTED', what: `no endpoint module "${endpoint.slice(0, 20)}"` };
  if (profile === 'gateway') return { cause: 'CHAN_NOT_IMPLEMENTED', what: 'gateways are not supported' };
  if (target === '') return { cause: 'INVALID_URL', what: 'no address' };
  const uri = /^sips?:/i.test(target) ? target : `sip:${target}`;
  return { variables, profile, uri };
}

/** The text between an opening bracket at the start and its own closing one, and what follows. */
function bracketed(
  text: string,
  opening: string,
  closing: string,
): { inside: string; after: string } | undefined {
  if (!text.startsWith(opening)) return undefined;
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === opening) depth += 1;
    else if (text[at] === closing && --depth === 0)
      return { inside: text.slice(1, at), after: text.slice(at + 1) };
  }
  return undefined;
}

function readVariables(text: string, into: Map<string, string>): void {
  const other = /^\^\^(.)/s.exec(text);
  const separator = other?.[1] ?? ',';
  for (const pair of splitQuoted(other ? text.slice(3) : text, separator)) {
    const [name = '', value = ''] = pair.split(/=(.*)/s);
    if (name.trim() !== '') into.set(name.trim(), value.replace(/^'(.*)'$/s, '$1').replaceAll('\\,', ','));
  }
}

/** Cuts at `separator`, not in single quotes, not after a backslash. */
function splitQuoted(text: string, separator: string): string[] {
  const parts: string[] = [];
  let quoted = false;
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === "'") quoted = !quoted;
    else if (text[at] === separator && !quoted && text[at - 1] !== '\\') {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return [...parts, text.slice(start)];
}

/** Cuts at `separator`, not inside of brackets. */
function splitOutside(text: string, separator: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '[') depth += 1;
    else if (character === ']') depth -= 1;
    else if (character === separator && depth <= 0) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return [...parts, text.slice(start)];
}
