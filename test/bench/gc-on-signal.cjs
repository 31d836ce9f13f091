// Preloaded into the programs of a bench run (NODE_OPTIONS=--require): on SIGUSR2 a program collects its garbage and
// writes what memory it still needs to a file of the system's temporary folder, by which the bench knows that it is done.
'use strict';
const { isMainThread } = require('node:worker_threads');
if (isMainThread) {
  const { renameSync, writeFileSync } = require('node:fs');
  const { tmpdir } = require('node:os');
  const { join } = require('node:path');
  require('node:v8').setFlagsFromString('--expose-gc');
  const collect = require('node:vm').runInNewContext('gc');
  process.on('SIGUSR2', () => {
    // Twice: what finalizers of the first round let go of.
    collect();
    setImmediate(() => {
      collect();
      const file = join(tmpdir(), `tagswitch-bench-memory-${process.pid}.json`);
      writeFileSync(`${file}.part`, JSON.stringify(process.memoryUsage()));
      renameSync(`${file}.part`, file);
    });
  });
}
