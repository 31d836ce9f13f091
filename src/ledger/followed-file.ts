import { open, rename } from 'node:fs/promises';

/** How far a file was read. `head` is how it begins: a number of a file that was given anew begins otherwise. */
export interface Mark {
  readonly offset: number;
  readonly head: string;
}

export interface Piece {
  readonly lines: readonly string[];
  readonly mark: Mark;
  /** More may stand behind. */
  readonly full: boolean;
}

const PIECE = 256 * 1024;
const HEAD = 120;

/**
 * The whole lines of a growing file behind `mark`, at most 256 KB of them. A file that became shorter, or that begins
 * otherwise, is read anew. A line longer than that is given in pieces, which no reader will take for a line of his.
 */
export async function readPiece(path: string, mark: Mark | undefined): Promise<Piece> {
  const file = await open(path, 'r');
  try {
    const head = (await bytesAt(file, 0, HEAD)).toString('latin1');
    const { size } = await file.stat();
    const same = mark !== undefined && mark.offset <= size && head.startsWith(mark.head);
    const offset = same ? mark.offset : 0;
    const bytes = await bytesAt(file, offset, PIECE);
    const full = bytes.length === PIECE;
    const end = bytes.lastIndexOf(10) + 1 || (full ? PIECE : 0);
    const lines = bytes
      .subarray(0, end)
      .toString('utf8')
      .split('\n')
      .filter((line) => line !== '');
    return { lines, mark: { offset: offset + end, head: head.slice(0, Math.min(HEAD, offset + end)) }, full };
  } finally {
    await file.close();
  }
}

async function bytesAt(
  file: Awaited<ReturnType<typeof open>>,
  offset: number,
  length: number,
): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, offset);
  return buffer.subarray(0, bytesRead);
}

/** Puts `text` in place of the file at once and whole: after a crash there is the old text or the new one. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const next = `${path}.${process.pid}.new`;
  const file = await open(next, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(next, path);
}
