/** Headers of an event, by their names. */
export type NodeEvent = Readonly<Record<string, string>>;

/** What FreeSWITCH writes for a value that is empty. */
const EMPTY = '_undef_';

/**
 * Reads the headers `names` of an event as FreeSWITCH writes it in lines (`event plain`): undefined for what has no end. An
 * event has three hundred headers and a dozen are looked at, so that no object is made of all of them. Names are anchored
 * at the beginning of a line, and a value is URL-encoded, so that it cannot begin one. What stands behind the blank line is
 * the event's body and is not read.
 */
export function eventReader(names: readonly string[]): (text: string) => NodeEvent | undefined {
  const anyOf = names.map((name) => name.replace(/[^\w-]/g, '\\$&')).join('|');
  const header = new RegExp(`(?:^|\n)(${anyOf}): ([^\n]*)`, 'g');
  return (text) => {
    const end = text.indexOf('\n\n');
    if (end < 0) return undefined;
    const event: Record<string, string> = {};
    for (const [, name = '', value = ''] of text.slice(0, end).matchAll(header))
      event[name] = value === EMPTY ? '' : decoded(copied(value));
    return event;
  };
}

/** A piece of a text keeps all of it in memory: whoever remembers a call's id would remember its whole event, ten kilobytes. */
function copied(value: string): string {
  return Buffer.from(value).toString();
}

/** A value of the event socket, URL-encoded; one that does not decode (a bare `%`, half a character) is kept as it came. */
export function decoded(value: string): string {
  if (!value.includes('%')) return value;
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
