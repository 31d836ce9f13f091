/** Headers of an event, by their names. */
export type NodeEvent = Readonly<Record<string, string>>;

/**
 * Reads the headers `names` of an event as FreeSWITCH writes it in JSON (cJSON, without blanks between): undefined for what is
 * no such object. An event has three hundred headers and a dozen are looked at, so that no object is made of all of them:
 * with an event every few milliseconds, that took as long as all else that is done for a call. A quotation mark inside a
 * name or a value has a backslash before it there, so that `,"NAME":"` stands nowhere but before the value of that header.
 */
export function eventReader(names: readonly string[]): (json: string) => NodeEvent | undefined {
  const anyOf = names.map((name) => name.replace(/[^\w-]/g, '\\$&')).join('|');
  const header = new RegExp(`[{,]"(${anyOf})":"([^"\\\\]*(?:\\\\.[^"\\\\]*)*)"`, 'g');
  return (json) => {
    if (!json.startsWith('{') || !json.trimEnd().endsWith('}')) return undefined;
    const event: Record<string, string> = {};
    for (const [, name = '', value = ''] of json.matchAll(header)) event[name] = unescaped(value);
    return event;
  };
}

/** A value that does not read (half an escape) is kept as it came. */
function unescaped(value: string): string {
  if (!value.includes('\\')) return value;
  try {
    return JSON.parse(`"${value}"`) as string;
  } catch {
    return value;
  }
}
