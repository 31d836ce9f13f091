import { setTimeout as wait } from 'node:timers/promises';

/** Resolves once `holds` does; rejects after `limitMs`. */
export async function until(holds: () => boolean | Promise<boolean>, limitMs = 10_000): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (!(await holds())) {
    if (Date.now() > deadline)
      throw new Error(`this did not come true within ${limitMs} ms: ${holds.toString()}`);
    await wait(10);
  }
}
