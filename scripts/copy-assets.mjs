// What tsc does not carry over: Lua scripts, SQL and pages go beside the compiled code that reads them.
import { cpSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const kinds = /\.(lua|sql|html|css|svg|wav)$/;
for (const top of ['src']) {
  for (const name of readdirSync(top, { recursive: true })) {
    const from = join(top, String(name));
    if (kinds.test(from) && statSync(from).isFile()) cpSync(from, join('dist', from));
  }
}
