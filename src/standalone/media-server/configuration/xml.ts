import { ConfigurationError, type SourceLine } from './source.js';

/** An element, with where it starts. `text` is the character data of the element itself, entities decoded. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  readonly text: string;
  readonly file: string;
  readonly line: number;
}

interface OpenElement {
  name: string;
  attributes: Map<string, string>;
  children: XmlElement[];
  text: string;
  file: string;
  line: number;
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
const namePattern = /[A-Za-z_:][\w:.-]*/y;

/**
 * The elements of a text made of `lines` (XML 1.0 without a document type: elements, attributes, comments, CDATA,
 * processing instructions, the five entities and character references). `<include>` is transparent, as in FreeSWITCH:
 * its children stand where it stands. Returns the one root; throws `ConfigurationError` with file and line.
 */
export function parseXml(lines: readonly SourceLine[]): XmlElement {
  return new Reader(lines).read();
}

class Reader {
  private readonly text: string;
  private readonly starts: number[] = [];
  private readonly lines: readonly SourceLine[];
  private at = 0;

  constructor(lines: readonly SourceLine[]) {
    this.lines = lines;
    let offset = 0;
    for (const line of lines) {
      this.starts.push(offset);
      offset += line.text.length + 1;
    }
    this.text = lines.map((line) => line.text).join('\n');
  }

  read(): XmlElement {
    const roots: XmlElement[] = [];
    const open: OpenElement[] = [];
    const place = (element: XmlElement): void => {
      const into = open.at(-1)?.children ?? roots;
      if (element.name === 'include') into.push(...element.children);
      else into.push(element);
    };
    while (this.at < this.text.length) {
      const next = this.text.indexOf('<', this.at);
      const data = this.text.slice(this.at, next < 0 ? this.text.length : next);
      const inside = open.at(-1);
      if (inside) inside.text += this.decode(data, this.at);
      else if (data.trim() !== '') this.fail(this.at + data.search(/\S/), 'text outside of the root element');
      if (next < 0) break;
      this.at = next;
      if (this.skip('<!--', '-->', 'comment') || this.skip('<?', '?>', 'processing instruction')) continue;
      if (this.text.startsWith('<![CDATA[', this.at)) this.characterData(inside);
      else if (this.text.startsWith('<!', this.at)) this.fail(this.at, 'a document type is not accepted');
      else if (this.text.startsWith('</', this.at)) place(this.close(open));
      else {
        const { element, empty } = this.open();
        if (empty) place(element);
        else open.push(element);
      }
    }
    const left = open.at(-1);
    if (left) throw new ConfigurationError(left.file, left.line, `<${left.name}> is never closed`);
    const root = roots[0];
    if (!root) this.fail(0, 'there is no element');
    if (roots.length > 1)
      throw new ConfigurationError(roots[1]?.file ?? '', roots[1]?.line ?? 0, 'a second root element');
    return root;
  }

  private open(): { element: OpenElement; empty: boolean } {
    const start = this.at;
    this.at += 1;
    const name = this.name('an element');
    const { file, line } = this.where(start);
    const element: OpenElement = { name, attributes: new Map(), children: [], text: '', file, line };
    for (;;) {
      const blank = this.blank();
      if (this.text.startsWith('/>', this.at)) {
        this.at += 2;
        return { element, empty: true };
      }
      if (this.text[this.at] === '>') {
        this.at += 1;
        return { element, empty: false };
      }
      if (this.at >= this.text.length) this.fail(start, `<${name} has no end`);
      if (!blank) this.fail(this.at, `a blank is missing in <${name}>`);
      this.attribute(element);
    }
  }

  private attribute(element: OpenElement): void {
    const start = this.at;
    const key = this.name(`an attribute of <${element.name}>`);
    this.blank();
    if (this.text[this.at] !== '=') this.fail(start, `attribute ${key} of <${element.name}> has no value`);
    this.at += 1;
    this.blank();
    const quote = this.text[this.at];
    if (quote !== '"' && quote !== "'")
      this.fail(start, `the value of ${key} in <${element.name}> is not quoted`);
    const end = this.text.indexOf(quote, this.at + 1);
    if (end < 0) this.fail(start, `the value of ${key} in <${element.name}> has no closing quote`);
    const raw = this.text.slice(this.at + 1, end);
    if (raw.includes('<')) this.fail(start, `< in the value of ${key} in <${element.name}>`);
    if (element.attributes.has(key)) this.fail(start, `${key} stands twice in <${element.name}>`);
    element.attributes.set(key, this.decode(raw.replace(/[\t\n]/g, ' '), this.at + 1));
    this.at = end + 1;
  }

  private close(open: OpenElement[]): XmlElement {
    const start = this.at;
    this.at += 2;
    const name = this.name('a closing tag');
    this.blank();
    if (this.text[this.at] !== '>') this.fail(start, `</${name} has no end`);
    this.at += 1;
    const element = open.pop();
    if (!element) this.fail(start, `</${name}> closes nothing`);
    if (element.name !== name)
      this.fail(start, `</${name}> where </${element.name}> of line ${element.line} is expected`);
    return element;
  }

  private characterData(inside: OpenElement | undefined): void {
    const end = this.text.indexOf(']]>', this.at);
    if (end < 0) this.fail(this.at, 'CDATA has no end');
    if (!inside) this.fail(this.at, 'CDATA outside of the root element');
    inside.text += this.text.slice(this.at + 9, end);
    this.at = end + 3;
  }

  private skip(opening: string, closing: string, what: string): boolean {
    if (!this.text.startsWith(opening, this.at)) return false;
    const end = this.text.indexOf(closing, this.at + opening.length);
    if (end < 0) this.fail(this.at, `the ${what} has no end`);
    this.at = end + closing.length;
    return true;
  }

  private name(of: string): string {
    namePattern.lastIndex = this.at;
    const name = namePattern.exec(this.text)?.[0];
    if (name === undefined) this.fail(this.at, `the name of ${of} is missing`);
    this.at += name.length;
    return name;
  }

  private blank(): boolean {
    const from = this.at;
    while (/\s/.test(this.text[this.at] ?? '')) this.at += 1;
    return this.at > from;
  }

  private decode(raw: string, at: number): string {
    if (!raw.includes('&')) return raw;
    return raw.replace(/&([^;&\s]*;?)/g, (whole, body: string, offset: number) => {
      const key = body.slice(0, -1);
      const number = /^#(?:x([0-9a-fA-F]+)|([0-9]+))$/.exec(key);
      const code = number ? parseInt(number[1] ?? number[2] ?? '', number[1] === undefined ? 10 : 16) : 0;
      const known = number
        ? code > 0 && code <= 0x10ffff
          ? String.fromCodePoint(code)
          : undefined
        : entities[key];
      if (!body.endsWith(';') || known === undefined) this.fail(at + offset, `${whole} is no known entity`);
      return known;
    });
  }

  private where(offset: number): { file: string; line: number } {
    let low = 0;
    let high = this.starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    const line = this.lines[low];
    return { file: line?.file ?? '', line: line?.line ?? 0 };
  }

  private fail(offset: number, what: string): never {
    const { file, line } = this.where(offset);
    throw new ConfigurationError(file, line, what);
  }
}
