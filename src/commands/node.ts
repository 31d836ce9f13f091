import { parseHostPort } from '../addresses.js';
import type { Settings } from '../config/settings.js';
import { Exit } from '../directory/commands.js';
import { nameOf, wantedNodes } from '../media/node-keeper.js';
import type { NodeSight, RosterEntry } from '../media/node-roster.js';
import type { Logger } from '../observe/logger.js';
import { RedisClients, RedisNotUsable } from '../redis/clients.js';
import { RedisNodeRoster } from '../redis/node-roster.js';
import { readArguments } from './arguments.js';
import type { Lines } from './io.js';
import { redisNotUsable } from './redis-not-usable.js';

export interface NodeIo extends Lines {
  readonly settings: Settings;
  /** The socket of the redis-server that `tagswitch start` runs when REDIS_URL is not set. */
  readonly ownRedis: string;
  readonly log: Logger;
  /** How long Redis may take to answer. */
  readonly readyMs?: number;
}

const ACTIONS = {
  list: { words: [], options: {} },
  drain: { words: ['NODE'], options: {} },
  undrain: { words: ['NODE'], options: {} },
  add: { words: ['NODE'], options: { spool: 'a folder' } },
  remove: { words: ['NODE'], options: { force: null } },
} as const;
type Action = keyof typeof ACTIONS;

/** A sight that is older says nothing: processes tell theirs every 5 s. */
const FRESH_MS = 15_000;

/**
 * `tagswitch node list|drain|undrain|add|remove`: the media nodes of all processes, on the Redis of the settings.
 * @returns the exit code
 */
export async function nodeCommand(argv: readonly string[], io: NodeIo): Promise<number> {
  const [word = '', ...rest] = argv;
  if (!isAction(word)) {
    io.err(`tagswitch node: expected one of ${Object.keys(ACTIONS).join(', ')}`);
    return Exit.badInput;
  }
  const read = readArguments(rest, ACTIONS[word]);
  const faults = 'faults' in read ? [...read.faults] : [];
  const address = 'faults' in read || word === 'list' ? undefined : parseHostPort(read.words[0] ?? '', {});
  if (faults.length === 0 && word !== 'list' && address === undefined)
    faults.push('NODE: expected host:port of an event socket, as 192.0.2.7:8021');
  if (faults.length > 0 || 'faults' in read) {
    for (const fault of faults) io.err(`tagswitch node ${word}: ${fault}`);
    return Exit.badInput;
  }
  const redis = new RedisClients(io.settings.redisUrl ?? io.ownRedis, io.log);
  try {
    await redis.ready(io.readyMs ?? 3000);
    const roster = new RedisNodeRoster(redis.background);
    const name = address === undefined ? '' : nameOf(address);
    return await act(word, name, read.options, { io, roster });
  } catch (error) {
    if (!(error instanceof RedisNotUsable)) throw error;
    io.err(`tagswitch node ${word}: ${redisNotUsable(error, io.settings, io.ownRedis)}`);
    return Exit.refused;
  } finally {
    await redis.close('done');
  }
}

interface At {
  readonly io: NodeIo;
  readonly roster: RedisNodeRoster;
}

async function act(
  action: Action,
  name: string,
  options: ReadonlyMap<string, string>,
  { io, roster }: At,
): Promise<number> {
  const entries = await roster.entries();
  const now = Date.now();
  const sights = new Map(
    (await roster.sights()).flatMap((sight) => (now - sight.at < FRESH_MS ? [[sight.name, sight]] : [])),
  );
  // The processes may have been started with other settings than this command: what they see counts as well.
  const named = new Set([...wantedNodes(io.settings.freeswitch ?? [], entries, '').keys(), ...sights.keys()]);
  for (const { name: gone, removed } of entries) if (removed === true) named.delete(gone);
  if (action === 'list') {
    for (const line of listLines([...named], entries, sights)) io.out(line);
    return Exit.done;
  }
  const refuse = (why: string): number => {
    io.err(`tagswitch node ${action}: ${name} ${why}`);
    return Exit.refused;
  };
  const before = entries.find((entry) => entry.name === name) ?? { name };
  const known = named.has(name);
  if (action === 'add') {
    if (known) return refuse('is used already');
    const spool = options.get('spool');
    const isSet = (io.settings.freeswitch ?? []).some((node) => nameOf(node) === name);
    await roster.put({ name, ...(isSet ? {} : { added: true }), ...(spool === undefined ? {} : { spool }) });
    io.out(`${name} is added: every process uses it within a second or two`);
    return Exit.done;
  }
  if (!known) return refuse('is none of the media nodes; `tagswitch node list` shows them');
  if (action === 'remove') {
    const sight = sights.get(name);
    const idle = sight === undefined || sight.state === 'away' || sight.sessions === 0;
    if (!options.has('force') && (before.drained !== true || !idle))
      return refuse(
        before.drained === true
          ? `has ${String(sight?.sessions)} sessions: wait until it has none, or --force`
          : 'gets calls: drain it first, or --force',
      );
    await roster.put({ name, removed: true });
    io.out(`${name} is removed; its open calls are closed in the records 64 s after their last step`);
    return Exit.done;
  }
  await roster.put({ ...before, drained: action === 'drain' });
  io.out(
    action === 'drain'
      ? `${name} gets no new calls from a second or two on; its calls go on`
      : `${name} gets calls again`,
  );
  return Exit.done;
}

const WORDS: Readonly<Record<NodeSight['state'], string>> = {
  up: 'up',
  out: 'does not answer SIP, or has not proved itself again',
  away: 'its event socket is away',
  paused: 'paused: it refuses new calls itself',
  drained: 'drained',
  full: 'full',
};

function listLines(
  names: readonly string[],
  entries: readonly RosterEntry[],
  sights: ReadonlyMap<string, NodeSight>,
): string[] {
  if (names.length === 0) return ['no media node: calls go straight to their destinations'];
  return [...names].sort().map((name) => {
    const sight = sights.get(name);
    const drained = entries.some((entry) => entry.name === name && entry.drained === true);
    const state = sight === undefined ? 'no process tells of it' : WORDS[sight.state];
    const sessions = sight === undefined ? '' : `, ${String(sight.sessions)} sessions`;
    return `${name}  ${state}${sessions}${drained && sight?.state !== 'drained' ? ', to be drained' : ''}`;
  });
}

function isAction(word: string): word is Action {
  return Object.hasOwn(ACTIONS, word);
}
