import type { LogLevel } from './log.js';

export interface Settings {
  readonly folder: string;
  readonly overrides: ReadonlyMap<string, string>;
  readonly heartbeatMs?: number;
  readonly logLevel: LogLevel;
}

export class SettingsError extends Error {
  readonly code = 'settings';
}

const usage =
  'main.js --conf FOLDER [--set NAME=VALUE]... [--heartbeat-ms N] [--log debug|info|warning|error]';
const levels: readonly string[] = ['debug', 'info', 'warning', 'error'];

/**
 * The command line, and `MEDIA_SERVER_CONF` for the folder. Addresses, ports, spool and sounds are variables of the
 * configuration itself (vars.xml): they come from the environment that it names, or from `--set`. The event socket's
 * password comes from the environment alone, so that no list of processes shows it. Throws `SettingsError`.
 */
export function readSettings(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Settings {
  const overrides = new Map<string, string>();
  let folder = environment['MEDIA_SERVER_CONF'];
  let heartbeatMs: number | undefined;
  let logLevel: LogLevel = 'info';
  for (let at = 0; at < argv.length; at += 2) {
    const option = argv[at];
    const value = argv[at + 1];
    if (value === undefined) throw new SettingsError(`${option ?? ''} needs a value. Usage: ${usage}`);
    if (option === '--conf') folder = value;
    else if (option === '--set') {
      const [name = '', text] = value.split(/=(.*)/s);
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || text === undefined)
        throw new SettingsError('--set needs NAME=VALUE');
      if (/secret|password/i.test(name))
        throw new SettingsError(`${name} is given by the environment, not on the command line`);
      overrides.set(name, text);
    } else if (option === '--heartbeat-ms') {
      heartbeatMs = Number(value);
      if (!Number.isInteger(heartbeatMs) || heartbeatMs < 100)
        throw new SettingsError('--heartbeat-ms needs a number from 100');
    } else if (option === '--log') {
      if (!levels.includes(value)) throw new SettingsError(`--log needs one of ${levels.join(', ')}`);
      logLevel = value as LogLevel;
    } else throw new SettingsError(`${option ?? ''} is unknown. Usage: ${usage}`);
  }
  if (folder === undefined) throw new SettingsError(`--conf is missing. Usage: ${usage}`);
  return { folder, overrides, logLevel, ...(heartbeatMs === undefined ? {} : { heartbeatMs }) };
}
