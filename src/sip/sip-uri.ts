/** The parts of a SIP URI that decisions are made on (RFC 3261, 19.1). */
export interface SipUri {
  readonly user: string;
  readonly host: string;
  readonly port: number | undefined;
  readonly parameters: ReadonlyMap<string, string>;
}

const FORM =
  /^sips?:(?:([^@;?\s]+)(?:;[^@\s]*)?@)?(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::([0-9]{1,5}))?((?:;[^;?\s]*)*)(?:\?\S*)?$/i;
const LONGEST = 512;

/** `text` as a SIP URI, with the user part unescaped; undefined for anything that is none. */
export function parseSipUri(text: string): SipUri | undefined {
  if (text.length > LONGEST) return undefined;
  const match = FORM.exec(text);
  if (match === null) return undefined;
  const user = unescapeUser(match[1] ?? '');
  if (user === undefined) return undefined;
  const parameters = new Map<string, string>();
  for (const part of (match[4] ?? '').split(';')) {
    if (part === '') continue;
    const cut = part.indexOf('=');
    const name = (cut < 0 ? part : part.slice(0, cut)).trim().toLowerCase();
    parameters.set(name, cut < 0 ? '' : part.slice(cut + 1).trim());
  }
  const port = match[3] === undefined ? undefined : Number(match[3]);
  return { user, host: (match[2] ?? '').toLowerCase(), port, parameters };
}

/** Host and port for a comparison: the port that is not written is 5060. */
export function hostPort(uri: SipUri): string {
  return `${uri.host}:${String(uri.port ?? 5060)}`;
}

function unescapeUser(user: string): string | undefined {
  try {
    return decodeURIComponent(user);
  } catch {
    // A stray percent sign: RFC 3261, 19.1.2 has no such user part.
    return undefined;
  }
}

/** The number in a request URI's user part as E.164; undefined where it is none. A missing `+` is put back. */
export function dialledNumber(user: string): string | undefined {
  const digits = /^\+?([1-9][0-9]{6,14})$/.exec(user)?.[1];
  return digits === undefined ? undefined : `+${digits}`;
}
