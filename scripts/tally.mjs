// Reads a TAP file and prints how many assertions passed and failed, one line, for whoever reads only that.
import { readFileSync } from 'node:fs';

let passed = 0;
let failed = 0;
const lines = readFileSync(process.argv[2] ?? '', 'utf8').split('\n');
lines.forEach((line, at) => {
  const found = /^(\s*)(not )?ok \d+/.exec(line);
  if (found === null) return;
  // The line that closes a subtest repeats what is inside it: it stands one level out, after the plan.
  const inside = lines[at - 1] ?? '';
  const closes = /^\s+(1\.\.\d+|# \{)/.test(inside) || /# time=/.test(line) || line.trimEnd().endsWith('{');
  if (closes) return;
  if (found[2] === undefined) passed += 1;
  else failed += 1;
});
console.log(`${passed} passed, ${failed} failed`);
process.exit(passed === 0 || failed > 0 ? 1 : 0);
