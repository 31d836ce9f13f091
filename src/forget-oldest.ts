/** Bounds what is remembered: beyond `most`, what was put in first goes. Maps and sets keep the order in which things came. */
export function forgetOldest<K>(kept: Map<K, unknown> | Set<K>, most: number): void {
  if (kept.size <= most) return;
  for (const oldest of kept.keys()) {
    kept.delete(oldest);
    return;
  }
}
