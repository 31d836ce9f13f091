/** A SIP message that drachtio-srf cannot read, though drachtio-server could. */
export interface Unreadable {
  /** The transaction of a request that waits for an answer; undefined where nobody does (a response, an ACK). */
  readonly transaction: string | undefined;
}

const REQUEST_LINE = /^([\w\-.!%*_+`'~]+)\s([^\s]+)\sSIP\s*\/\s*\d+\.\d+/;
const STATUS_LINE = /^SIP\/\d+\.\d+\s+\d+\s*/;

/**
 * What is to be done about a frame `id|sip|source|bytes|proto|address|port|time|transaction|dialog|...` whose message the
 * library would give up on: it prints such a message, callers' numbers and all, and leaves its sender without an answer.
 * undefined for a frame of another kind, and for one that it reads.
 */
export function unreadable(frame: string): Unreadable | undefined {
  const end = frame.indexOf('\r\n');
  const tokens = (end < 0 ? frame : frame.slice(0, end)).split('|');
  if (tokens[1] !== 'sip' || end < 0) return undefined;
  const stop = frame.indexOf('\r\n\r\n', end);
  const [start = '', ...lines] = frame
    .slice(end + 2, stop < 0 ? undefined : stop)
    .split(/\r\n(?![ \t])/)
    // A message without a body may end with the break of its last line alone.
    .filter((line, at, all) => !(line === '' && at > 0 && at === all.length - 1));
  const isRequest = REQUEST_LINE.test(start) && !start.startsWith('SIP/');
  const reads =
    (isRequest || STATUS_LINE.test(start)) &&
    lines.length > 0 &&
    lines.every((line) => /^\S*?\s*:/.test(line)) &&
    tokens.length > 9;
  if (reads) return undefined;
  const waits = !/^(?:ACK\s|SIP\/)/.test(start) && tokens[2] === 'network' && tokens[8] !== '';
  return { transaction: waits ? tokens[8] : undefined };
}
