/** What is to be done about a frame whose message drachtio-srf cannot read, or not in bounded time, or need not read. */
export type OddFrame =
  /** Kept from the library. `transaction` is that of a request that waits for an answer; undefined where nobody does. */
  | { readonly kind: 'kept'; readonly transaction: string | undefined }
  /** An answer that somebody waits for: the same frame, of the message no more than is used, its status and its reasons. */
  | { readonly kind: 'shortened'; readonly frame: string };

const REQUEST_LINE = /^([\w\-.!%*_+`'~]+)\s([^\s]+)\sSIP\s*\/\s*\d+\.\d+/;
const STATUS_LINE = /^SIP\/\d+\.\d+\s+\d+[^\r\n\u2028\u2029]*$/;
/** The library's own pattern for a status line takes the square of its length. */
const LONGEST_STATUS_LINE = 512;
/** So does the one that it looks for a boundary with. A boundary has 70 characters at most (RFC 2046, 5.1.1). */
const LONGEST_CONTENT_TYPE = 512;
const REASON = /\r\nReason[ \t]*:([^\r\n]{0,512}(?:\r\n[ \t][^\r\n]{0,512}){0,3})/gi;

/**
 * Looks at a frame `id|sip|source|bytes|proto|address|port|time|transaction|dialog|...` or `id|response|...` before the
 * library does. A request that it cannot read it prints, callers' numbers and all, and leaves its sender without an answer;
 * a response of that kind it throws out of the socket's data handler, which costs the connection; of one that it can read
 * it makes an object of every header, two a call. undefined for a frame of another kind, and for one that it is to read.
 */
export function oddFrame(frame: string): OddFrame | undefined {
  const end = frame.indexOf('\r\n');
  if (end < 0) return undefined;
  const leader = frame.slice(0, end);
  const tokens = leader.split('|');
  const [, kind] = tokens;
  if (kind !== 'sip' && (kind !== 'response' || end + 2 === frame.length)) return undefined;
  const stop = frame.indexOf('\r\n\r\n', end);
  const head = frame.slice(end + 2, stop < 0 ? undefined : stop);
  if (kind === 'response' && head.startsWith('SIP/')) return shortened(leader, head);
  const lines = head.split(/\r\n(?![ \t])/);
  const [start = ''] = lines;
  if (kind === 'response') return isReadable(lines) ? undefined : shortened(leader, head);
  if (isReadable(lines) && tokens.length > 9) return undefined;
  const waits = !/^(?:ACK\s|SIP\/)/.test(start) && tokens[2] === 'network' && tokens[8] !== '';
  return { kind: 'kept', transaction: waits ? tokens[8] : undefined };
}

/** The status and the reasons (RFC 3326) of a response as `shortened` left it. */
export function shortResponse(text: string): {
  readonly status: number;
  readonly reason: string | undefined;
} {
  const [, status, reason] = /^SIP\/2\.0 (\d{3})[^\r\n]*(?:\r\nReason: ([^\r\n]*))?/.exec(text) ?? [];
  return { status: Number(status ?? 0), reason };
}

function shortened(leader: string, head: string): OddFrame {
  const status = /^SIP\/2\.0 +([1-6]\d\d)(?!\d)/i.exec(head)?.[1] ?? '500';
  // A folded line is one (RFC 3261, 7.3.1).
  const reasons = [...head.matchAll(REASON)].map(([, value = '']) =>
    value.replace(/\r\n[ \t]+/g, ' ').trim(),
  );
  const reason = reasons.length === 0 ? '' : `\r\nReason: ${reasons.join(',')}`;
  return {
    kind: 'shortened',
    frame: `${leader}\r\nSIP/2.0 ${status} Shortened${reason}\r\nContent-Length: 0\r\n\r\n`,
  };
}

/**
 * The library undoes escapes in names, so that `%46rom` is From to us and to nobody before us: a carrier that takes away what
 * its customers may not assert would let it pass.
 */
const NAME = /^([^\s:%]*)\s*:/;
const CONTENT_TYPE = /^c(?:ontent-type)?$/i;

/** Whether the library reads it, reads it in bounded time, and gives each header its own name. */
function isReadable([start = '', ...lines]: readonly string[]): boolean {
  const isResponse = start.startsWith('SIP/');
  if (isResponse ? !STATUS_LINE.test(start) || start.length > LONGEST_STATUS_LINE : !REQUEST_LINE.test(start))
    return false;
  let typeLength = 0;
  for (const line of lines) {
    const name = NAME.exec(line)?.[1];
    if (name === undefined) return false;
    if (CONTENT_TYPE.test(name)) typeLength += line.length;
  }
  return (isResponse || lines.length > 0) && typeLength <= LONGEST_CONTENT_TYPE;
}
