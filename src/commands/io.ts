/** Where a command writes. */
export interface Lines {
  /** A line for standard output. */
  readonly out: (line: string) => void;
  /** A line for standard error. */
  readonly err: (line: string) => void;
}

/** What an API key may look like (the server's own rule). */
export function isKey(text: string): boolean {
  return /^[\x21-\x7e]{1,256}$/.test(text);
}

/** The key of the demo's account, good from this machine only. */
export const DEMO_KEY = 'demo-key';

/** What a page or a far end wrote, so that it cannot move the cursor of a terminal. */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '?');
}

/** A share, 0 to 1, as people write it: `12.5 %`. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
