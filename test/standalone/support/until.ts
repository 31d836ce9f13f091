/** Waits until something is so, looking every few milliseconds; fails by name after five seconds. */
export async function until(what: string, isSo: () => boolean, patienceMs = 5000): Promise<void> {
  const end = performance.now() + patienceMs;
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`never came: ${what}`);
    await new Promise((done) => setTimeout(done, 5));
  }
}
