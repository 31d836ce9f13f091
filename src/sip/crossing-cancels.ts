/**
 * CANCELs that met drachtio-server before our order to hand the request on did. It answers the caller with 487 and tells us,
 * and then carries the order out all the same; drachtio-srf has forgotten the request by then and says nothing.
 */
export class CrossingCancels {
  readonly #listeners = new Map<string, () => void>();

  /** Calls `listener` when the request of this transaction was cancelled so. @returns ends it */
  watch(transaction: string, listener: () => void): () => void {
    this.#listeners.set(transaction, listener);
    return () => void this.#listeners.delete(transaction);
  }

  /** Looks at a frame `id|sip|network|bytes|proto|address|port|time|transaction|...` of drachtio-server. */
  see(frame: string): void {
    const end = frame.indexOf('\r\n');
    if (end < 0 || !frame.startsWith('CANCEL ', end + 2)) return;
    const [, kind, source, , , , , , transaction] = frame.slice(0, end).split('|');
    if (kind === 'sip' && source === 'network' && transaction !== undefined)
      this.#listeners.get(transaction)?.();
  }
}
