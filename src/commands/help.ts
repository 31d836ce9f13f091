/** The commands of the program, and what stands after their names. */
export const COMMANDS = {
  start: ['', 'starts everything and runs until Ctrl-C'],
  plan: ['FILE', 'shows what applying a file would change'],
  apply: ['FILE [--force]', 'makes true what a file declares'],
  call: ['NUMBER [--from NUMBER] [--talk SECONDS] [--key KEY]', 'places a test call and shows its record'],
  explain: ['CALL [--key KEY]', 'says why a call went where it went, and whose visit it was'],
  route: [
    'NUMBER [--caller NUMBER] [--at TIME] [--attestation A|B|C|failed|none] [--json] [--key KEY]',
    'shows who would be rung by a call, and why, without one',
  ],
  node: [
    'list | drain NODE | undrain NODE | add NODE [--spool FOLDER] | remove NODE [--force]',
    'shows and changes the media nodes of all processes while they run; NODE is host:port of an event socket',
  ],
  simulate: [
    '[--numbers COUNT] [--visits-per-hour COUNT] [--hours COUNT] [--seed NUMBER] [--json]',
    'shows what so many numbers do for so many visitors: blocked, wrong, how sure',
  ],
  help: ['', 'shows this'],
} as const satisfies Readonly<Record<string, readonly [string, string]>>;

export type CommandName = keyof typeof COMMANDS;

/** What `tagswitch help` prints. */
export function helpLines(): string[] {
  const usages = Object.entries(COMMANDS).map(
    ([name, [rest, what]]) => [`${name} ${rest}`.trimEnd(), what] as const,
  );
  return [
    'tagswitch, a call-tracking softswitch',
    '',
    'Usage: tagswitch COMMAND',
    '',
    ...usages.flatMap(([usage, what]) => [`  ${usage}`, `      ${what}`]),
    '',
    '  --version',
    '      shows the version',
    '',
    'Settings come from the environment: TAGSWITCH_HTTP, TAGSWITCH_SIP, TAGSWITCH_DATA, TAGSWITCH_CONFIG, REDIS_URL,',
    'DATABASE_URL, TAGSWITCH_DRACHTIO, TAGSWITCH_FREESWITCH and their secrets.',
    'Exit codes: 0 done, 1 could not be done, 2 bad arguments, settings or file.',
  ];
}
