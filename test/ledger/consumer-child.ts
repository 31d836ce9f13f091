import { StreamConsumer } from '../../src/ledger/consumer.js';
import { SqliteCallLog } from '../../src/ledger/sqlite-call-log.js';
import { RedisClients } from '../../src/redis/clients.js';
import { RedisEventStreams } from '../../src/redis/event-stream.js';
import { ACCOUNT } from '../calls/samples.js';
import { keepingLogger } from '../support/logger.js';

// A ledger that is killed: before it can acknowledge what it committed, or with `reads`, before it can commit what it read.
const [path = '', url = '', reads] = process.argv.slice(2);
const clients = new RedisClients(url, keepingLogger());
const streams = new RedisEventStreams(clients.background);
streams.settle = () => {
  process.send?.('committed');
  return new Promise(() => undefined);
};
const callLog = await SqliteCallLog.open(path);
if (reads !== undefined) {
  callLog.append = () => {
    process.send?.('read');
    return new Promise(() => undefined);
  };
}
new StreamConsumer({
  streams,
  callLog,
  accounts: () => [ACCOUNT],
  logger: keepingLogger(),
});
