import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Debian's libfaketime, by the names that dpkg gives machines. */
const MACHINES: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' };
const LIBRARY = `/usr/lib/${MACHINES[process.arch] ?? process.arch}-linux-gnu/faketime/libfaketimeMT.so.1`;

/**
 * A clock for programs that are started while it is there: of the real one until it is stepped, for all of them at once.
 * Node programs that this process starts by `process.execPath` read it; others are started by `within`.
 */
export class SteppedClock {
  readonly #folder: string;
  readonly #node = process.execPath;
  readonly #environment: Readonly<Record<string, string>>;

  private constructor(folder: string) {
    this.#folder = folder;
    this.#environment = {
      LD_PRELOAD: LIBRARY,
      FAKETIME_TIMESTAMP_FILE: join(folder, 'offset'),
      // It is looked at anew each second. Timers and durations go on as on a machine whose clock is set.
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    };
  }

  static open(): SteppedClock {
    if (!existsSync(LIBRARY)) throw new Error(`${LIBRARY} is missing: apt-get install libfaketime`);
    const clock = new SteppedClock(mkdtempSync(join(tmpdir(), 'tagswitch-clock-')));
    clock.step(0);
    const program = join(clock.#folder, 'node');
    const settings = Object.entries(clock.#environment).map(([name, value]) => `${name}='${value}'`);
    writeFileSync(program, `#!/bin/sh\nexec env ${settings.join(' ')} '${clock.#node}' "$@"\n`);
    chmodSync(program, 0o755);
    process.execPath = program;
    return clock;
  }

  /** The clock is `seconds` from the real one from now on. */
  step(seconds: number): void {
    writeFileSync(join(this.#folder, 'offset'), `${seconds < 0 ? '-' : '+'}${String(Math.abs(seconds))}s\n`);
  }

  /** Programs that `work` starts read this clock. */
  async within<T>(work: () => Promise<T>): Promise<T> {
    const before = { ...process.env };
    Object.assign(process.env, this.#environment);
    try {
      return await work();
    } finally {
      for (const name of Object.keys(this.#environment)) {
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
      }
    }
  }

  close(): void {
    process.execPath = this.#node;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
