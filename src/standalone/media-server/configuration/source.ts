/** A line of configuration, with the place that it came from: includes make one text of many files. */
export interface SourceLine {
  readonly text: string;
  readonly file: string;
  readonly line: number;
}

/** A fault in the configuration, named by file and line. */
export class ConfigurationError extends Error {
  readonly code = 'configuration';
  readonly file: string;
  readonly line: number;
  constructor(file: string, line: number, what: string) {
    super(`${file}:${line}: ${what}`);
    this.file = file;
    this.line = line;
  }
}
