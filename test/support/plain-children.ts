import { isMainThread } from 'node:worker_threads';

/**
 * Loaded before every test by tap (.taprc). tap gives its own hooks to every program of node that a test starts, by
 * NODE_OPTIONS: they count coverage, which is not taken here, and make each start three times as long.
 */
const options = (process.env['NODE_OPTIONS'] ?? '').split(' ');
process.env['NODE_OPTIONS'] = options.filter((option) => !option.includes('@tapjs/processinfo')).join(' ');

// What ends a test's program before it has a result would be told on standard error, which tap's silent reporter drops.
// (What ends a thread of ours is for whoever started the thread.)
if (isMainThread)
  process.on('uncaughtExceptionMonitor', (error) => {
    const lines = (error.stack ?? String(error)).split('\n');
    process.stdout.write(lines.map((line) => `# uncaught: ${line}\n`).join(''));
  });
