/**
 * Loaded before the application (`--import FILE?offset=PATH`): on SIGUSR2 its clock is set to the machine's plus the ms that
 * stand in the file PATH, as when somebody sets the machine's clock. What counts from the process's start goes on as it was. It leaves
 * the standalone servers alone: FreeSWITCH does not follow the machine's clock either.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';

const application = fileURLToPath(new URL('../../src/main.js', import.meta.url));
const file = new URL(import.meta.url).searchParams.get('offset') ?? '';

if (isMainThread && process.argv[1] === application) {
  let offset = 0;
  const RightDate = Date;
  const rightNow = Date.now.bind(Date);
  Date.now = () => rightNow() + offset;
  globalThis.Date = new Proxy(RightDate, {
    construct: (target, args: unknown[], made) =>
      Reflect.construct(target, args.length === 0 ? [rightNow() + offset] : args, made) as Date,
  });
  process.on('SIGUSR2', () => {
    offset = Number(readFileSync(file, 'utf8'));
  });
}
