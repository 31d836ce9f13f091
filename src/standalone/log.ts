/** What happened, in one word, and the facts that go with it: never a caller's number, a body or a secret. */
export type Log = (event: string, facts?: Readonly<Record<string, string | number | boolean>>) => void;

/** One JSON line per event on stderr. */
export function stderrLog(program: string): Log {
  return (event, facts = {}) => {
    process.stderr.write(`${JSON.stringify({ time: new Date().toISOString(), program, event, ...facts })}\n`);
  };
}
