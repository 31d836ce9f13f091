import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { SpoolSettings } from './configuration/load.js';
import type { Channel } from './channel/channel.js';
import { expand, FunctionRefused } from './dialplan/expand.js';
import type { Log } from './log.js';

/**
 * The spool of ended legs as mod_cdr_csv writes it: one line a leg in `Master.csv` (and in the account's own file),
 * made by a template, in one write. It is written in order with the events, hence synchronously: a line is small.
 */
export class Spool {
  readonly #settings: SpoolSettings;
  readonly #log: Log;

  constructor(settings: SpoolSettings, log: Log) {
    this.#settings = settings;
    this.#log = log;
  }

  /** Writes the end of a leg, when legs of its side are wanted. A full disk is logged, and the call goes on. */
  write(channel: Channel): void {
    const { folder, legs, templates, defaultTemplate, masterFileOnly } = this.#settings;
    const callee = channel.direction === 'outbound';
    if (callee ? !legs.b : !legs.a) return;
    const template = templates.get(defaultTemplate);
    if (template === undefined) return;
    const lookup = (name: string): string | undefined => channel.get(name);
    const account = lookup('accountcode');
    try {
      mkdirSync(folder, { recursive: true });
      if (account !== undefined && !masterFileOnly && /^[A-Za-z0-9_-]+$/.test(account)) {
        appendFileSync(join(folder, `${account}.csv`), expand(templates.get(account) ?? template, lookup));
      }
      appendFileSync(join(folder, 'Master.csv'), expand(template, lookup));
    } catch (error) {
      const reason =
        error instanceof FunctionRefused ? error.code : ((error as NodeJS.ErrnoException).code ?? 'error');
      this.#log('error', 'the end of a leg could not be spooled', { uuid: channel.uuid, reason });
    }
  }
}
