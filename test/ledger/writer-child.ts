import { SqliteCallLog } from '../../src/ledger/sqlite-call-log.js';
import { callId, received, ended } from '../calls/samples.js';

// A process that writes calls until it is killed, and tells each one once it is safe.
const [path = '', from = '0'] = process.argv.slice(2);
const log = await SqliteCallLog.open(path);
for (let n = Number(from); ; n += 3) {
  const batch = [n, n + 1, n + 2].map(callId);
  await log.append(batch.map((call) => received(call)));
  await log.append(batch.map((call) => ended(call)));
  process.stdout.write(`${n + 2}\n`);
}
