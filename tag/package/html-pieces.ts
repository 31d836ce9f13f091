/** Cuts HTML into pieces, as a browser's tokenizer does. Their texts, one after the other, are the HTML again. */

export interface Attribute {
  /** In small letters. */
  readonly name: string;
  /** Where its value stands in the HTML, without quotes. */
  readonly from: number;
  readonly to: number;
  readonly quote: string;
}

export interface Piece {
  /** `other`: comments, declarations, and the text of scripts and the like, in which there is no markup. */
  readonly kind: 'text' | 'start' | 'end' | 'other';
  readonly from: number;
  readonly to: number;
  /** Of an element, in small letters. */
  readonly name: string;
  readonly attributes: readonly Attribute[];
}

/** Elements whose text ends with their end tag alone. */
const RAW = /^(?:script|style|textarea|title|xmp|iframe|noembed|noframes|plaintext)$/;
const MARKUP = /<(?:[a-z]|\/.|[!?])/gis;
const NAME = /<\/?([a-z][^\t\n\f\r />]*)/iy;
const BETWEEN = /[\t\n\f\r /]*/y;
const ATTRIBUTE = /([^\t\n\f\r />][^\t\n\f\r />=]*)([\t\n\f\r ]*=[\t\n\f\r ]*)?/y;
const BARE = /[^\t\n\f\r >]*/y;

export function* pieces(html: string): Generator<Piece> {
  const plain = (kind: Piece['kind'], from: number, to: number): Piece => ({
    kind,
    from,
    to,
    name: '',
    attributes: [],
  });
  let at = 0;
  while (at < html.length) {
    MARKUP.lastIndex = at;
    const next = MARKUP.exec(html)?.index ?? html.length;
    if (next > at) yield plain('text', at, next);
    if (next === html.length) return;
    const tag = tagAt(html, next);
    if (!tag) {
      yield plain('other', next, (at = commentEnd(html, next)));
      continue;
    }
    yield tag;
    at = tag.to;
    if (tag.kind !== 'start' || !RAW.test(tag.name)) continue;
    const end = rawEnd(html, at, tag.name);
    if (end > at) yield plain('other', at, end);
    at = end;
  }
}

/** The tag that begins there; one that never ends is no element's. */
function tagAt(html: string, from: number): Piece | undefined {
  const name = match(NAME, html, from)?.[1]?.toLowerCase();
  if (name === undefined) return undefined;
  const kind = html[from + 1] === '/' ? 'end' : 'start';
  const attributes: Attribute[] = [];
  let at = NAME.lastIndex;
  for (;;) {
    match(BETWEEN, html, at);
    at = BETWEEN.lastIndex;
    if (html[at] === '>') return { kind, from, to: at + 1, name, attributes };
    const found = match(ATTRIBUTE, html, at);
    if (!found) return { kind: 'other', from, to: html.length, name: '', attributes: [] };
    at = ATTRIBUTE.lastIndex;
    const quote = found[2] && /["']/.test(html[at] ?? '') ? (html[at] as string) : '';
    const start = at + quote.length;
    let end = at;
    if (quote) end = html.indexOf(quote, start);
    else if (found[2] && match(BARE, html, at)) end = BARE.lastIndex;
    if (end < 0) return { kind: 'other', from, to: html.length, name: '', attributes: [] };
    attributes.push({ name: (found[1] ?? '').toLowerCase(), from: start, to: end, quote });
    at = end + quote.length;
  }
}

/** Where a comment, or what browsers take for one, ends. */
function commentEnd(html: string, from: number): number {
  const isComment = html.startsWith('<!--', from);
  const end = isComment ? /-->|--!>/g : />/g;
  // `<!-->` is a whole one.
  end.lastIndex = from + 2;
  const found = end.exec(html);
  return found ? end.lastIndex : html.length;
}

/** Where the text of a raw element ends. */
function rawEnd(html: string, from: number, name: string): number {
  // In a script, `<!--` and then `<script` make an inner one, whose end tag does not count.
  const marks = new RegExp(
    name === 'script' ? '<!--(?!-?>)|-->|</?script(?=[\\s/>])' : `</${name}(?=[\\s/>])`,
    'gi',
  );
  marks.lastIndex = from;
  let isComment = false;
  let isInner = false;
  for (let found = marks.exec(html); found; found = marks.exec(html)) {
    const [mark] = found;
    if (mark === '<!--') isComment = true;
    else if (mark === '-->') isComment = isInner = false;
    else if (mark[1] !== '/') isInner = isComment;
    else if (!isInner) return name === 'plaintext' ? html.length : found.index;
    else isInner = false;
  }
  return html.length;
}

function match(pattern: RegExp, html: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(html);
}
