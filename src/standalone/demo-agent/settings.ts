export interface Settings {
  readonly host: string;
  readonly port: number;
}

/** The setting that is wrong, and what was expected. */
export class SettingsError extends Error {}

/**
 * Where the agent is: `--sip host:port`, or `DEMO_AGENT_SIP`; port 0: any.
 * @throws SettingsError
 */
export function readSettings(
  environment: Readonly<Record<string, string | undefined>>,
  argv: readonly string[],
): Settings {
  const [option, value, ...more] = argv;
  if (option !== undefined && (option !== '--sip' || value === undefined || more.length > 0)) {
    throw new SettingsError('expected no arguments but --sip host:port');
  }
  const text = value ?? environment['DEMO_AGENT_SIP'] ?? '';
  const [, host, digits] = /^([A-Za-z0-9.-]+):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits ?? NaN);
  // It stands in Contact and in session descriptions, which here are IPv4's.
  if (host === undefined || host === '0.0.0.0' || !(port <= 65_535)) {
    throw new SettingsError(
      '--sip or DEMO_AGENT_SIP: expected host:port, one IPv4 address and not every interface',
    );
  }
  return { host, port };
}
