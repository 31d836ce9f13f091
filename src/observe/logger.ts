import { pino } from 'pino';

/** What rooms write their log lines to: an object of fields first, then a fixed sentence. */
export interface Logger {
  debug(fields: object, text: string): void;
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
  /** A logger that adds `fields` (call, leg, account, ...) to every line. */
  child(fields: object): Logger;
}

/**
 * The program's logger: JSON lines on standard error, so that standard output stays for results.
 * Secrets and callers' numbers are cut out by name wherever they stand; text never holds them.
 */
export function createLogger(level: string): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: {
        paths: [
          'secret',
          '*.secret',
          'key',
          '*.key',
          'caller',
          '*.caller',
          'token',
          '*.token',
          'authorization',
          '*.authorization',
        ],
        censor: '[cut]',
      },
    },
    standardError(),
  );
}

/** A full disk, or a reader that went, costs lines of the log and nothing else; of those that wait, a megabyte at most. */
function standardError(): pino.DestinationStream {
  const stream = pino.destination({ fd: 2, sync: true, maxLength: 1 << 20 });
  stream.on('error', () => undefined);
  return stream;
}
