// Reads a TAP file: prints what failed, by file and test, with what is known of it, and on the last line how many assertions
// passed and failed.
import { readFileSync } from 'node:fs';

/** Lines of one failure that are printed: enough for a difference, or for the end of a program's log. */
const MOST = 60;

const lines = readFileSync(process.argv[2] ?? '', 'utf8').split('\n');
const names = [];
for (const [at, line] of lines.entries()) {
  const subtest = /^(\s*)# Subtest: (.*)$/.exec(line);
  if (subtest) names.splice((subtest[1] ?? '').length / 4, Infinity, subtest[2]);
  const failed = /^(\s*)not ok \d+ - (.*?)(?: # .*)?$/.exec(line);
  if (failed) {
    console.log(`not ok: ${[...names.slice(0, (failed[1] ?? '').length / 4), failed[2]].join(' > ')}`);
    // What is known of it, where anything is, stands between these two lines.
    const known =
      lines[at + 1] === `${failed[1]}  ---`
        ? lines.slice(at + 2, lines.indexOf(`${failed[1]}  ...`, at))
        : [];
    for (const told of known.slice(0, MOST)) console.log(told);
  }
  if (/^\s*# uncaught: /.test(line)) console.log(line);
}
const total = lines.findLast((line) => /^# \{ total: \d+/.test(line)) ?? '';
const passed = Number(/pass: (\d+)/.exec(total)?.[1] ?? 0);
const failed = Number(/fail: (\d+)/.exec(total)?.[1] ?? 0);
console.log(`${passed} passed, ${failed} failed`);
process.exit(passed === 0 || failed > 0 ? 1 : 0);
