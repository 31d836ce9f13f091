/** The headers of a message as they came: folded lines joined, names in lower case (RFC 3261, 7.3.1). The body is left out. */
export function headerLines(raw: string): readonly (readonly [name: string, value: string])[] {
  const end = /\r?\n\r?\n/.exec(raw)?.index ?? raw.length;
  const lines = raw
    .slice(0, end)
    .replace(/\r?\n[ \t]+/g, ' ')
    .split(/\r?\n/)
    .slice(1);
  return lines.flatMap((line): [string, string][] => {
    const colon = line.indexOf(':');
    return colon < 1 ? [] : [[line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()]];
  });
}

/** Every value of the header `name`, given in lower case; `compact` is its short form (`y` of Identity). */
export function headerValues(raw: string, name: string, compact?: string): readonly string[] {
  return headerLines(raw).flatMap(([its, value]) => (its === name || its === compact ? [value] : []));
}
