/**
 * The place of the quote that closes a string in quotes (RFC 3261, 25.1 `quoted-string`), which opens at `open`: a backslash
 * takes the character behind it along. -1 where none does. One look at each character: no text makes it slow.
 */
export function closingQuote(text: string, open: number): number {
  for (let at = open + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '"') return at;
  }
  return -1;
}

/** `text` with `become` in place of each string in quotes; a quote that nothing closes stands for itself, and so does the rest. */
export function replaceQuoted(text: string, become: (quoted: string) => string): string {
  let plain = '';
  let from = 0;
  for (;;) {
    const open = text.indexOf('"', from);
    const close = open < 0 ? -1 : closingQuote(text, open);
    if (close < 0) return plain + text.slice(from);
    plain += text.slice(from, open) + become(text.slice(open, close + 1));
    from = close + 1;
  }
}
