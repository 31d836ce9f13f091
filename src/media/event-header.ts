import { decoded } from './event-reader.js';

/**
 * The headers of one event socket message: `Name: value` lines, values URL-encoded. A value that does not decode (a bare
 * `%`, half a character) is kept as it came; modesl's own decoder throws there, out of the socket's data handler.
 */
export function headerText(text: string): Record<string, string | number> {
  const headers: Record<string, string | number> = {};
  for (const line of text.split('\n')) {
    const cut = line.indexOf(': ');
    const name = cut < 0 ? line : line.slice(0, cut);
    const value = decoded(cut < 0 ? '' : line.slice(cut + 2));
    headers[name] = name === 'Content-Length' ? Number.parseInt(value, 10) : value;
  }
  return headers;
}
