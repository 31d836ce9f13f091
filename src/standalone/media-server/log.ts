/** One JSON line a message on stderr. Never a caller's number, a header's value or a secret: ids and causes only. */
export type LogLevel = 'debug' | 'info' | 'warning' | 'error';
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Log {
  (level: LogLevel, message: string, fields?: LogFields): void;
}

const order: readonly LogLevel[] = ['debug', 'info', 'warning', 'error'];

/** A log that writes lines of `lowest` and above to `out`. */
export function createLog(lowest: LogLevel, out: { write(text: string): unknown }): Log {
  return (level, message, fields) => {
    if (order.indexOf(level) < order.indexOf(lowest)) return;
    out.write(
      `${JSON.stringify({ time: Date.now(), level, program: 'media-server', message, ...fields })}\n`,
    );
  };
}
