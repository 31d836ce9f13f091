import { connect } from 'node:net';
import { until } from './until.js';

/** Resolves once something takes TCP connections there; rejects after `limitMs`. */
export async function listening(host: string, port: number, limitMs = 30_000): Promise<void> {
  const taken = async (): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect(port, host, () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => {
        resolve(false);
      });
    });
  await until(taken, limitMs);
}
