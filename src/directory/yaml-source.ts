import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
  type Document,
  type Node,
} from 'yaml';
import { Limits } from './declaration.js';
import { DeclarationFault, quoted, type Fault, type Place } from './faults.js';
import { parseName, type Parsed } from './values.js';
import { suggest } from '../suggest.js';

/** More faults than a person reads are counted, not listed. */
const FAULTS_SHOWN = 200;

/**
 * The YAML file under reading: the one place that knows the parser. Every scalar is text as it stands in the file
 * (so that `+12025550100` keeps its plus), every value knows its line.
 */
export class YamlSource {
  readonly root: Field;
  readonly #document: Document;
  readonly #lines = new LineCounter();
  readonly #faults: Fault[] = [];
  #hidden = 0;
  #values = 0;

  /** @throws DeclarationFault for text that is too large or is not YAML. */
  constructor(text: string) {
    if (Buffer.byteLength(text) > Limits.fileBytes) {
      throw new DeclarationFault([
        { path: '', line: 1, column: 1, message: `expected at most ${Limits.fileBytes} bytes` },
      ]);
    }
    this.#document = parseDocument(text, {
      schema: 'failsafe',
      lineCounter: this.#lines,
      prettyErrors: false,
    });
    for (const { pos, message } of [...this.#document.errors, ...this.#document.warnings]) {
      // The parser quotes what it stumbled over, and that may be a key.
      this.fault({ path: '', ...this.#at(pos[0]) }, `expected YAML: ${message.split(': "', 1)[0]}`);
    }
    let aliases = 0;
    visit(this.#document, { Alias: () => void aliases++ });
    if (aliases > Limits.aliases) {
      this.fault(
        { path: '', line: 1, column: 1 },
        `expected at most ${Limits.aliases} aliases, found ${aliases}`,
      );
    }
    this.finish();
    this.root = new Field(this, this.#document.contents, '', 0);
  }

  /** @throws DeclarationFault when anything was wrong. */
  finish(): void {
    if (this.#faults.length === 0) return;
    const faults = this.#faults.toSorted((a, b) => a.line - b.line || a.column - b.column);
    if (this.#hidden > 0) {
      faults.push({ path: '', line: 1, column: 1, message: `and ${this.#hidden} more faults` });
    }
    throw new DeclarationFault(faults);
  }

  get clean(): boolean {
    return this.#faults.length === 0;
  }

  fault(place: Place, message: string): void {
    if (this.#faults.length < FAULTS_SHOWN) this.#faults.push({ ...place, message });
    else this.#hidden++;
  }

  place(path: string, offset: number): Place {
    return { path, ...this.#at(offset) };
  }

  /** Follows an alias, and counts: a small file may mean a very large one. */
  follow(node: Node | null, field: Field): Node | null {
    if (++this.#values > Limits.values) {
      this.fault(field.place, `expected at most ${Limits.values} values in the file, aliases followed`);
      this.finish();
    }
    if (!isAlias(node)) return node;
    const target = node.resolve(this.#document);
    if (target === undefined)
      this.fault(field.place, `expected an anchor "&${node.source}" further up in the file`);
    return target ?? null;
  }

  #at(offset: number): { line: number; column: number } {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }
}

/** A value of the file and where it stands. Its methods report what is wrong and return undefined (or nothing) then. */
export class Field {
  readonly #source: YamlSource;
  readonly #node: Node | null;
  readonly #path: string;
  readonly #offset: number;

  constructor(source: YamlSource, node: Node | null, path: string, offset: number) {
    this.#source = source;
    this.#path = path;
    this.#offset = node?.range?.[0] ?? offset;
    this.#node = source.follow(node, this);
  }

  /** Worked out when asked for: a file of a million numbers needs it for few of them. */
  get place(): Place {
    return this.#source.place(this.#path, this.#offset);
  }

  isBefore(other: Field): boolean {
    return this.#offset < other.#offset;
  }

  fault(message: string): void {
    this.#source.fault(this.place, message);
  }

  /** The fields of a mapping by name. Names that are not in `known` are faults. */
  map(known: readonly string[]): Fields {
    const fields = new Map<string, Field>();
    if (isMap(this.#node)) {
      for (const { key, value } of this.#node.items) {
        const at = (key as Node).range?.[0] ?? this.#offset;
        const name = isScalar(key) ? String(key.value) : '';
        const path = this.#path === '' ? name : `${this.#path}.${name}`;
        if (known.includes(name)) {
          fields.set(name, new Field(this.#source, value as Node | null, path, at));
          continue;
        }
        const near = suggest(name, known);
        const expected =
          near === undefined ? `expected one of ${known.join(', ')}` : `did you mean "${near}"?`;
        this.#source.fault(
          this.#source.place(this.#path, at),
          `${quoted(name)} is not known here: ${expected}`,
        );
      }
    } else {
      this.fault(`expected a mapping with ${known.join(', ')}`);
    }
    // Where there is no mapping, nothing is missing from it.
    return new Fields(isMap(this.#node) ? this : undefined, fields);
  }

  /** The fields of a mapping whose names are the operator's own: up to 64 letters, digits, `.`, `_`, `-`. */
  entries(of: string): [name: string, field: Field][] {
    if (!isMap(this.#node)) {
      this.fault(`expected a mapping of ${of}`);
      return [];
    }
    return this.#node.items.flatMap(({ key, value }): [string, Field][] => {
      const at = (key as Node).range?.[0] ?? this.#offset;
      const name = isScalar(key) ? String(key.value) : '';
      const parsed = parseName(name);
      if ('value' in parsed)
        return [[name, new Field(this.#source, value as Node | null, `${this.#path}.${name}`, at)]];
      this.#source.fault(this.#source.place(this.#path, at), `${quoted(name)}: expected ${parsed.expected}`);
      return [];
    });
  }

  list(of: string, least = 0): Field[] {
    if (!isSeq(this.#node)) {
      this.fault(`expected a list of ${of}`);
      return [];
    }
    if (this.#node.items.length < least) this.fault(`expected a list of at least ${least} ${of}`);
    return this.#node.items.map(
      (item, i) => new Field(this.#source, item as Node | null, `${this.#path}[${i}]`, this.#offset),
    );
  }

  get isMap(): boolean {
    return isMap(this.#node);
  }

  /** The value that `parse` makes of the text. With `secret` the text is not part of the message. */
  take<T>(parse: (text: string) => Parsed<T>, { secret = false } = {}): T | undefined {
    if (!isScalar(this.#node)) {
      const parsed = parse('');
      this.fault(`expected ${'expected' in parsed ? parsed.expected : 'a single value'}`);
      return undefined;
    }
    const text = String(this.#node.value);
    const parsed = parse(text);
    if ('value' in parsed) return parsed.value;
    this.fault(secret ? `expected ${parsed.expected}` : `${quoted(text)}: expected ${parsed.expected}`);
    return undefined;
  }
}

/** The fields of one mapping. */
export class Fields {
  readonly #owner: Field | undefined;
  readonly #fields: ReadonlyMap<string, Field>;

  constructor(owner: Field | undefined, fields: ReadonlyMap<string, Field>) {
    this.#owner = owner;
    this.#fields = fields;
  }

  get(name: string): Field | undefined {
    return this.#fields.get(name);
  }

  optional<T>(name: string, parse: (text: string) => Parsed<T>): T | undefined {
    return this.#fields.get(name)?.take(parse);
  }

  required<T>(name: string, parse: (text: string) => Parsed<T>): T | undefined {
    const field = this.#fields.get(name);
    if (field === undefined) {
      const parsed = parse('');
      this.#owner?.fault(
        `"${name}" is missing: expected ${'expected' in parsed ? parsed.expected : 'a value'}`,
      );
    }
    return field?.take(parse);
  }

  /** The items of a list; none where it is absent, which is a fault when `least` is above 0. */
  list(name: string, of: string, least = 0): Field[] {
    const field = this.#fields.get(name);
    if (field === undefined) {
      if (least > 0) this.#owner?.fault(`"${name}" is missing: expected a list of at least ${least} ${of}`);
      return [];
    }
    return field.list(of, least);
  }
}
