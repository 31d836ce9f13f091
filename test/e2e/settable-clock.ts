import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../support/until.js';
import type { System } from './system.js';

/** The clock of an application that is yet to start, to be set while it runs. */
export class SettableClock {
  readonly #folder = mkdtempSync(join(tmpdir(), 'tagswitch-clock-'));
  readonly #before = process.env['NODE_OPTIONS'];

  /** From here to `started` programs are started with what sets clocks: the launcher hands NODE_OPTIONS on. */
  constructor() {
    const preload = new URL('../support/set-clock.js', import.meta.url);
    preload.searchParams.set('offset', this.#file);
    process.env['NODE_OPTIONS'] = `${this.#before ?? ''} --import ${preload.href}`.trim();
  }

  get #file(): string {
    return join(this.#folder, 'offset');
  }

  started(): void {
    if (this.#before === undefined) delete process.env['NODE_OPTIONS'];
    else process.env['NODE_OPTIONS'] = this.#before;
  }

  /** Sets the application's clock to the machine's and `offsetMs`. */
  set(system: System, offsetMs: number): void {
    writeFileSync(this.#file, String(offsetMs));
    system.signal('application', 'SIGUSR2');
  }

  /** Resolves once the application has said that its clock was set, `times` times. Where nobody reads it meanwhile, two are one. */
  async told(system: System, times: number): Promise<void> {
    const lines = (): number => system.log().split("the machine's clock was set").length - 1;
    await until(() => lines() >= times);
  }

  close(): void {
    this.started();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
