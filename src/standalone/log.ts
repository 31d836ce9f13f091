import { writeSync } from 'node:fs';

/**
 * Where standalone servers write their lines. A disk without room must not end a server with calls in it, and
 * `process.stderr` would: it throws. There is nowhere to say that a line could not be written, so that it is dropped.
 */
export const standardError = {
  write: (text: string): void => {
    try {
      writeSync(2, text);
    } catch (error) {
      if (typeof (error as NodeJS.ErrnoException).code !== 'string') throw error;
    }
  },
};

/** What happened, in one word, and the facts that go with it: never a caller's number, a body or a secret. */
export type Log = (event: string, facts?: Readonly<Record<string, string | number | boolean>>) => void;

/** One JSON line per event on stderr. */
export function stderrLog(program: string): Log {
  return (event, facts = {}) => {
    standardError.write(`${JSON.stringify({ time: new Date().toISOString(), program, event, ...facts })}\n`);
  };
}
