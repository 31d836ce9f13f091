/** The program `tagswitch`. */
import { readFile, stat } from 'node:fs/promises';
import { callCommand } from './commands/call.js';
import { readArguments } from './commands/arguments.js';
import { directoryCommand } from './commands/directory.js';
import { explainCommand } from './commands/explain.js';
import { COMMANDS, helpLines, type CommandName } from './commands/help.js';
import type { Lines } from './commands/io.js';
import { nodeCommand } from './commands/node.js';
import { routeCommand } from './commands/route.js';
import { deriveSecrets, keptSecret, SecretFault } from './config/secrets.js';
import { readSettings, SettingsFault, type Settings } from './config/settings.js';
import { Exit } from './directory/commands.js';
import { createLogger } from './observe/logger.js';
import { suggest } from './suggest.js';

const lines: Lines = {
  out: (line) => {
    process.stdout.write(`${line}\n`);
  },
  err: (line) => {
    process.stderr.write(`${line}\n`);
  },
};

/** A command cannot be carried out, and one line says why. */
class CommandFault extends Error {}

async function run(argv: readonly string[]): Promise<number> {
  const [word = '', ...rest] = argv;
  if (word === '--version' || word === '-v') {
    lines.out(await version());
    return Exit.done;
  }
  if (word === '' || word === '--help' || word === '-h' || word === 'help' || rest.includes('--help')) {
    for (const line of helpLines()) (word === '' ? lines.err : lines.out)(line);
    return word === '' ? Exit.badInput : Exit.done;
  }
  if (!Object.hasOwn(COMMANDS, word)) {
    const near = suggest(word, Object.keys(COMMANDS));
    const hint = near === undefined ? '`tagswitch help` lists them' : `did you mean ${near}?`;
    lines.err(`tagswitch: there is no command ${JSON.stringify(word)}: ${hint}`);
    return Exit.badInput;
  }
  return command(word as Exclude<CommandName, 'help'>, rest, readSettings(process.env, process.cwd()));
}

async function command(
  name: Exclude<CommandName, 'help'>,
  argv: readonly string[],
  settings: Settings,
): Promise<number> {
  switch (name) {
    case 'start': {
      const read = readArguments(argv, { words: [], options: {} });
      if ('faults' in read) {
        for (const fault of read.faults) lines.err(`tagswitch start: ${fault}`);
        return Exit.badInput;
      }
      const { startCommand } = await import('./start/start-command.js');
      return startCommand(settings, { ...lines, log: createLogger(settings.log) });
    }
    case 'apply':
    case 'plan':
    case 'node': {
      const { ownRedisSocket } = await import('./start/own-redis.js');
      // Its lines about connections would stand between the command's own; what counts is said in one line.
      const log = createLogger('silent');
      const io = { ...lines, settings, ownRedis: ownRedisSocket(settings.data), log };
      return name === 'node' ? nodeCommand(argv, io) : directoryCommand(name, argv, io);
    }
    case 'call': {
      const { placeTestCall } = await import('./standalone/test-caller/test-caller.js');
      const leave = new AbortController();
      process.once('SIGINT', () => {
        leave.abort();
      });
      return callCommand(argv, {
        ...lines,
        ...settings,
        testKey: async () => (await secretsOf(settings)).testCall,
        place: placeTestCall,
        signal: leave.signal,
      });
    }
    case 'simulate': {
      const { simulateCommand } = await import('./commands/simulate.js');
      return simulateCommand(argv, lines);
    }
    case 'route':
      return routeCommand(argv, { ...lines, http: settings.http });
    case 'explain':
      return explainCommand(argv, { ...lines, http: settings.http });
  }
}

/** The secrets of the switch whose data folder this is. A folder that is not there has none, and is not made. */
async function secretsOf({ secret, data }: Settings) {
  if (secret !== undefined) return deriveSecrets(secret);
  const isFolder = await stat(data).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) {
    throw new CommandFault(`${data}: expected the data folder of a switch that was started (TAGSWITCH_DATA)`);
  }
  return deriveSecrets(await keptSecret(data));
}

async function version(): Promise<string> {
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

// A reader that is gone (`| head`) is no reason to fail.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  const faults =
    error instanceof SettingsFault
      ? error.faults
      : [error instanceof Error ? error.message : 'something broke, without a word'];
  for (const fault of faults) lines.err(`tagswitch: ${fault}`);
  const badInput = error instanceof SettingsFault || error instanceof SecretFault;
  process.exitCode = badInput ? Exit.badInput : Exit.refused;
}
