/** Ports of the directory whose every call is a step: to be counted, to fail at, to let something else happen between. */
import type { ApplyPorts } from '../../src/directory/apply.js';
import type { Account, Directory } from '../../src/directory/model.js';

/** What a port rejects with once its process is dead. */
export class Crash extends Error {}

export type Step = (name: string, number: number) => Promise<void>;

export const nothing: Step = () => Promise.resolve();

/** Ports that run `before` and `after` each of their calls, numbered from 1. Applies see one stream of steps. */
export function stepped({ store, pools, liveUse }: ApplyPorts, before: Step, after: Step): ApplyPorts {
  let count = 0;
  const around = <A extends unknown[], R>(name: string, run: (...args: A) => Promise<R>) => {
    return async (...args: A): Promise<R> => {
      const number = ++count;
      await before(name, number);
      const result = await run(...args);
      await after(name, number);
      return result;
    };
  };
  return {
    store: {
      read: around('read', () => store.read()),
      publish: around('publish', (next: Directory) => store.publish(next)),
      watch: (changed) => store.watch(changed),
    },
    pools: {
      reserve: around('reserve', (a: string, p: string, n: readonly string[], at: number) =>
        pools.reserve(a, p, n, at),
      ),
      retime: around('retime', (a: string, p: string, n: readonly string[], at: number) =>
        pools.retime(a, p, n, at),
      ),
      hide: around('hide', (a: string, p: string, n: readonly string[]) => pools.hide(a, p, n)),
      move: around('move', (a: string, p: string, to: string, n: readonly string[]) =>
        pools.move(a, p, to, n),
      ),
      withdraw: around('withdraw', (a: string, p: string, n: readonly string[], f: boolean) =>
        pools.withdraw(a, p, n, f),
      ),
      members: around('members', (a: string, p: string) => pools.members(a, p)),
    },
    liveUse: { of: around('of', (one: Account) => liveUse.of(one)) },
  };
}

/** The steps of `run`, by name. */
export async function stepsOf(
  ports: ApplyPorts,
  run: (ports: ApplyPorts) => Promise<unknown>,
): Promise<string[]> {
  const names: string[] = [];
  await run(stepped(ports, (name) => Promise.resolve(void names.push(name)), nothing));
  return names;
}

/**
 * Ports of a process that dies before, or after, step `at`. A crash is for good: what comes later, the putting back too,
 * does not happen.
 */
export function dying(ports: ApplyPorts, when: 'before' | 'after', at: number): ApplyPorts {
  const dead = (since: number): Step => {
    return (_name, number) => (number >= since ? Promise.reject(new Crash()) : Promise.resolve());
  };
  return when === 'before' ? stepped(ports, dead(at), nothing) : stepped(ports, dead(at + 1), dead(at));
}
