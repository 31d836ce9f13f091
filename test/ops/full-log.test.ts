/** Programs whose log cannot be written, as on a disk without room: they go on. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import t from 'tap';

const module = (path: string): string => JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href);

/** Runs a program with a standard error that never has room. */
async function run(program: string): Promise<{ code: number | null; out: string }> {
  const full = openSync('/dev/full', 'w');
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', full],
  });
  closeSync(full);
  let out = '';
  child.stdout?.on('data', (data: Buffer) => (out += data.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out };
}

t.test('the application', async (t) => {
  const program = `
    import { createLogger } from ${module('observe/logger.js')};
    const log = createLogger('info');
    for (let i = 0; i < 20000; i++) log.info({ i }, 'a line of about a hundred characters, so that more than is held is written');
    setTimeout(() => process.stdout.write('went on', () => process.exit(0)), 200);`;
  t.strictSame(await run(program), { code: 0, out: 'went on' });
});

t.test('the standalone servers', async (t) => {
  const program = `
    import { standardError, stderrLog } from ${module('standalone/log.js')};
    import { createLog } from ${module('standalone/media-server/log.js')};
    stderrLog('sip-server')('an event', { of: 1 });
    createLog('info', standardError)('info', 'a message');
    setTimeout(() => process.stdout.write('went on', () => process.exit(0)), 50);`;
  t.strictSame(await run(program), { code: 0, out: 'went on' });
});
