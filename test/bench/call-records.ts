import type { Record_, System } from '../e2e/system.js';

/** What the call log says about calls that were made. */
export interface RecordCheck {
  readonly expected: number;
  readonly found: number;
  /** Calls without a record. */
  readonly missing: number;
  /** Records beyond the first of a call, and those of nobody's call. */
  readonly surplus: number;
  /** Records that have no end, or another than the call had. */
  readonly wrong: number;
}

/** Compares the call log with `results`: by caller (each called once), how the call ended. */
export async function checkRecords(
  system: System,
  results: ReadonlyMap<string, string>,
): Promise<RecordCheck> {
  const seen = new Set<string>();
  const ids = new Set<string>();
  let surplus = 0;
  let wrong = 0;
  for await (const { id, caller, endedAt, result } of allRecords(system)) {
    const expected = results.get(caller ?? '');
    if (expected === undefined || seen.has(caller ?? '') || ids.has(id)) surplus += 1;
    else if (endedAt === null || result !== expected) wrong += 1;
    seen.add(caller ?? '');
    ids.add(id);
  }
  const missing = [...results.keys()].filter((caller) => !seen.has(caller)).length;
  return { expected: results.size, found: ids.size, missing, surplus, wrong };
}

/** The whole call log, the newest first. */
export async function* allRecords(system: System): AsyncGenerator<Record_> {
  let cursor = '';
  do {
    const { status, body } = await system.api('GET', `/v1/calls?limit=500${cursor}`);
    if (status !== 200) throw new Error(`the call log cannot be read: ${status}`);
    const { items, next } = body as { items: Record_[]; next: string | null };
    yield* items;
    cursor = next === null ? '' : `&cursor=${encodeURIComponent(next)}`;
  } while (cursor !== '');
}
