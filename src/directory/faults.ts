/** Where something stands in the file. Lines and columns count from 1. */
export interface Place {
  /** As `accounts[0].pools[1].numbers[3]`. */
  readonly path: string;
  readonly line: number;
  readonly column: number;
}

/** Something in the file that is not as it must be, and what was expected. */
export interface Fault extends Place {
  readonly message: string;
}

/** As `accounts[0].pools[1].numbers[3] (line 41, column 11): "+1202" expected a number in E.164 ...`. */
export function faultLine({ path, line, column, message }: Fault): string {
  return `${path === '' ? 'the file' : path} (line ${line}, column ${column}): ${message}`;
}

/** The file was refused: every fault is named. */
export class DeclarationFault extends Error {
  readonly code = 'badDeclaration';
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[]) {
    super(faults.map(faultLine).join('\n'));
    this.name = 'DeclarationFault';
    this.faults = faults;
  }
}

/** Text of the file as a message may show it: quoted, without control characters, short. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text);
}
