import { ParseError } from './parse-error.js';

/** One `;name=value` or `;name` parameter. Names compare without case; values keep their spelling. */
export interface Param {
  readonly name: string;
  readonly value: string | undefined;
}

/** Characters of an RFC 3261 token (section 25.1). */
export const tokenPattern = /^[A-Za-z0-9\-.!%*_+`'~]+$/;

/**
 * Cuts a text at a separator, but not inside quotes or angle brackets.
 * @throws ParseError 400 when a quote or a bracket stays open.
 */
export function splitOutside(text: string, separator: ',' | ';'): string[] {
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  let bracket = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quoted) {
      if (c === '\\') i++;
      else if (c === '"') quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === '<') bracket = true;
    else if (c === '>') bracket = false;
    else if (c === separator && !bracket) {
      parts.push(text.slice(start, i).trim());
      start = i + 1;
    }
  }
  if (quoted || bracket) throw new ParseError(400, 'Unbalanced quote or bracket');
  parts.push(text.slice(start).trim());
  return parts;
}

/** Reads `a=1;b` (without the leading semicolon). Empty pieces are skipped. */
export function parseParams(text: string): Param[] {
  const params: Param[] = [];
  for (const piece of splitOutside(text, ';')) {
    if (piece === '') continue;
    const equals = piece.indexOf('=');
    if (equals < 0) params.push({ name: piece, value: undefined });
    else params.push({ name: piece.slice(0, equals).trim(), value: piece.slice(equals + 1).trim() });
  }
  return params;
}

/** Writes parameters, each with its leading semicolon. */
export function formatParams(params: readonly Param[]): string {
  return params.map((p) => (p.value === undefined ? `;${p.name}` : `;${p.name}=${p.value}`)).join('');
}

/** The value of a parameter: undefined when absent, '' when present without a value. */
export function findParam(params: readonly Param[], name: string): string | undefined {
  const wanted = name.toLowerCase();
  const found = params.find((p) => p.name.toLowerCase() === wanted);
  return found === undefined ? undefined : (found.value ?? '');
}

/** The list with one parameter set (in its place, or last) or, with `null`, taken out. */
export function changeParam(params: readonly Param[], name: string, value: string | null): Param[] {
  const wanted = name.toLowerCase();
  if (value === null) return params.filter((p) => p.name.toLowerCase() !== wanted);
  const changed = { name, value };
  return params.some((p) => p.name.toLowerCase() === wanted)
    ? params.map((p) => (p.name.toLowerCase() === wanted ? changed : p))
    : [...params, changed];
}

/** A port as digits, 1 to 65535. @throws ParseError 400 */
export function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65535) throw new ParseError(400, 'Bad port');
  return port;
}

/**
 * Reads `host`, `host:port` or `[v6]:port`. IPv6 keeps its brackets.
 * @throws ParseError 400
 */
export function parseHostPort(text: string): { host: string; port: number | undefined } {
  const found = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._]+)\s*(?::\s*(\d+))?$/.exec(text);
  if (found?.[1] === undefined) throw new ParseError(400, 'Bad host');
  return { host: found[1], port: found[2] === undefined ? undefined : parsePort(found[2]) };
}
