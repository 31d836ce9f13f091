/** Parts of the switch die, hang, fill up and lose their sense of time while calls come, are up and end: sipp calls. With an argument: only the kinds in whose name it stands. */
import t from 'tap';
import { KINDS } from '../bench/faults/kinds.js';
import { runFault } from '../bench/faults/run.js';

const MEASURE = { perSecond: 10, established: 10, beforeMs: 2000, afterMs: 12_000 };

t.setTimeout(KINDS.length * 180_000);

for (const kind of KINDS.filter(({ name }) => name.includes(process.argv[2] ?? ''))) {
  t.test(kind.name, async (t) => {
    const { outcome, broken } = await runFault(kind, MEASURE);
    const { examples, ...counts } = outcome;
    t.comment(JSON.stringify(counts));
    if (broken.length > 0) for (const example of examples) t.comment(example);
    t.strictSame(broken, []);
    t.ok(outcome.againAfterMs < MEASURE.afterMs - 1000, 'and the calls at the end are served as before');
  });
}
