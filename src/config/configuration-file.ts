import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { apply } from '../directory/apply.js';
import { readDeclaration } from '../directory/file.js';
import type { Logger } from '../observe/logger.js';
import { readFileBeside } from './beside.js';
import { ownOrigins, SettingsFault, type Settings } from './settings.js';

type Ports = Parameters<typeof apply>[1];

/**
 * Applies the configuration file where it is new: a restart must not take back what `tagswitch apply` did since, nor fail
 * because live links or calls need what the file takes away. The demo is applied only where nothing else was declared.
 */
export async function declare(settings: Settings, ports: Ports, log: Logger): Promise<void> {
  const text = await configText(settings.config);
  const own = ownOrigins(settings.http);
  // A file of numbers that changes is news as the declaration is.
  const beside: string[] = [];
  const declaration = readDeclaration(text, {
    ownOrigins: own,
    realServers: settings.drachtio !== undefined,
    readBeside: (name) => {
      const found = readFileBeside(settings.config, name);
      beside.push(found);
      return found;
    },
  });
  const digest = digestOf([text, own, ...beside]);
  const { version, accounts } = await ports.store.read();
  if (version > 0 && !(await isNews(settings, digest))) {
    log.info({ version }, 'the configuration file was applied before: the directory in force stays');
    return;
  }
  if (!settings.configGiven) {
    const names = declaration.accounts.map(({ name }) => name);
    if (accounts.some(({ name }) => !names.includes(name))) {
      log.info({}, 'the directory holds more than the demo: the demo is not applied');
      return;
    }
  }
  const result = await apply(declaration, ports);
  if (result.outcome === 'refused') {
    for (const reason of result.reasons)
      log.error({ file: settings.config, reason }, 'the configuration file was not applied');
    if (version === 0) throw new DeclarationRefused(result.reasons);
    return;
  }
  await writeFile(join(settings.data, APPLIED), digest);
  log.info({ outcome: result.outcome }, 'the configuration file is in force');
}

/** What was last applied at a start: the file's digest, beside the secret in the data folder. */
const APPLIED = 'applied';

function digestOf(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

async function isNews(settings: Settings, digest: string): Promise<boolean> {
  try {
    return (await readFile(join(settings.data, APPLIED), 'utf8')) !== digest;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return true;
    throw error;
  }
}

async function configText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new SettingsFault([`TAGSWITCH_CONFIG: ${file} cannot be read (${code})`]);
  }
}

export class DeclarationRefused extends Error {
  readonly reasons: readonly string[];
  constructor(reasons: readonly string[]) {
    super('live links or calls need what the configuration file takes away');
    this.reasons = reasons;
  }
}
