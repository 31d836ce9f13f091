import type { Address } from './sip-server.js';

export interface Settings {
  readonly sip: Address;
  readonly control: Address;
  readonly secret: string;
  readonly key: Buffer;
}

/** Every fault of the settings, named. */
export class SettingsError extends Error {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join('; '));
    this.faults = faults;
  }
}

/**
 * Reads the program's settings.
 *
 * | environment | argument | meaning |
 * |---|---|---|
 * | SIP_SERVER_SIP | --sip | `host:port` for SIP, UDP and TCP; port 0: any |
 * | SIP_SERVER_CONTROL | --control | `host:port` of the control port; port 0: any |
 * | SIP_SERVER_SECRET | - | what applications must say there |
 * | SIP_SERVER_KEY | - | hex, 16 bytes or more: signs Record-Routes; the same one after a restart |
 *
 * @throws SettingsError naming every fault; no value of a secret is in it
 */
export function readSettings(environment: NodeJS.ProcessEnv, argv: readonly string[]): Settings {
  const faults: string[] = [];
  const argument = (name: string): string | undefined => {
    const at = argv.indexOf(name);
    return at < 0 ? undefined : argv[at + 1];
  };
  const address = (argumentName: string, variable: string): Address => {
    const text = argument(argumentName) ?? environment[variable] ?? '';
    const found = /^(\[[0-9A-Fa-f:.]+\]|[^:\s]+):(\d{1,5})$/.exec(text);
    const port = Number(found?.[2] ?? NaN);
    if (found?.[1] === undefined || port > 65_535) {
      faults.push(`${argumentName} or ${variable} must be host:port`);
      return { host: '', port: 0 };
    }
    return { host: found[1].replace(/^\[|\]$/g, ''), port };
  };
  const sip = address('--sip', 'SIP_SERVER_SIP');
  // Via, Contact and Record-Route must name an address that others can reach.
  if (['0.0.0.0', '::'].includes(sip.host))
    faults.push('--sip or SIP_SERVER_SIP must be one address of this host');
  const control = address('--control', 'SIP_SERVER_CONTROL');
  const secret = environment['SIP_SERVER_SECRET'] ?? '';
  if (secret === '') faults.push('SIP_SERVER_SECRET must be set');
  if (/[|\r\n]/.test(secret)) faults.push('SIP_SERVER_SECRET must not have | or a line end in it');
  const key = environment['SIP_SERVER_KEY'] ?? '';
  if (!/^([0-9a-f]{2}){16,}$/i.test(key)) faults.push('SIP_SERVER_KEY must be 16 or more bytes in hex');
  if (faults.length > 0) throw new SettingsError(faults);
  return { sip, control, secret, key: Buffer.from(key, 'hex') };
}
