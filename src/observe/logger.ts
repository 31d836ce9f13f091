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

/** `log` with `fields` in each of its lines, as a child of it; but a child is put together, and of most calls nothing is written. */
export function withFields(log: Logger, fields: object): Logger {
  return {
    debug: (more, text) => {
      log.debug({ ...fields, ...more }, text);
    },
    info: (more, text) => {
      log.info({ ...fields, ...more }, text);
    },
    warn: (more, text) => {
      log.warn({ ...fields, ...more }, text);
    },
    error: (more, text) => {
      log.error({ ...fields, ...more }, text);
    },
    child: (more) => withFields(log, { ...fields, ...more }),
  };
}

/** Of lines that cannot be written now. */
const HELD_CHARACTERS = 1_000_000;

/**
 * The program's logger: JSON lines on standard error, so that standard output stays for results.
 * Secrets and callers' numbers are cut out by name wherever they stand; text never holds them.
 */
export function createLogger(level: string): Logger {
  const destination = pino.destination({ dest: 2, maxLength: HELD_CHARACTERS });
  let failing = false;
  let dropped = 0;
  // A disk without room must not end the process: the lines wait, and go out with the next one that can be written.
  destination.on('error', () => (failing = true));
  destination.on('drop', () => (dropped += 1));
  destination.on('write', () => {
    failing = false;
    if (dropped === 0) return;
    const lines = dropped;
    dropped = 0;
    setImmediate(() => {
      logger.warn({ lines }, 'lines of this log are lost: they could not be written');
    });
  });
  // At the process's end sonic-boom writes what waits, and tries again for ever where that fails.
  const flush = destination.flushSync.bind(destination);
  destination.flushSync = () => {
    if (!failing) flush();
  };
  const logger = pino(
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
    destination,
  );
  return logger;
}
