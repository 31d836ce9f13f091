import { EventSpool } from '../../src/ledger/event-spool.js';
import { EventStream } from '../../src/numbers/event-stream.js';
import { CALL_DEADLINE_MS, RedisClients } from '../../src/redis/clients.js';
import { RedisScripts } from '../../src/redis/scripts.js';
import { callId, ringing, T0 } from '../calls/samples.js';
import { keepingLogger } from '../support/logger.js';

// A process that appends events until it is killed, and tells each one once it is safe.
const [folder = '', url = '', from = '0'] = process.argv.slice(2);
const clients = new RedisClients(url, keepingLogger());
const spool = new EventSpool(
  new EventStream(new RedisScripts(clients.call, CALL_DEADLINE_MS)),
  folder,
  keepingLogger(),
);
for (let n = Number(from); ; n += 1) {
  await spool.append(ringing(callId(n), { at: T0 + n }));
  process.stdout.write(`${n}\n`);
}
