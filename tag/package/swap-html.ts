/** The visitor's number in HTML that a server sends: where the tag would write it, and nowhere else. */
import { dialled, patternOf } from '../pattern.js';
import type { Given } from './given.js';
import { pieces, type Attribute, type Piece } from './html-pieces.js';

const TEXTS = /^(?:title|aria-label|alt)$/;
const VOID = /^(?:area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr)$/;
/** What may stand between two digits, written as an entity: blanks and dashes. */
const ENTITY =
  /&(?:nbsp|ensp|emsp|thinsp|hyphen|dash|ndash|mdash|minus|shy|#160|#xa0|#82(?:0[89]|1[0-2])|#x201[0-4]);/gi;
/** Characters that no text has a use for. */
const PRIVATE = 0xe000;
const MOST = 0x1900;

/**
 * HTML with another number in the place of the printed one, in its text, in links `tel:` and in the attributes `title`,
 * `aria-label` and `alt`. What is marked `data-tagswitch-off` stays. All else is the same byte for byte.
 * @param printed country code, a blank, and the rest
 */
export function swapHtml(html: string, printed: string, given: Given | undefined): string {
  const [, country = '', national = ''] = dialled(printed);
  if (!given || !national || !/^\+\d+$/.test(given.number)) return html;
  const { replace } = patternOf(country, national);
  const display = given.display.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

  /** undefined where the number is not written in it. */
  const swap = (text: string, isLink = false): string | undefined => {
    const entities: string[] = [];
    const isPlain = /[\ue000-\uf8ff]/.test(text);
    const whole = text.replace(ENTITY, (entity) =>
      isPlain || entities.length === MOST ? entity : String.fromCharCode(PRIVATE + entities.push(entity) - 1),
    );
    const made = replace(whole, given.number, display, isLink);
    return made?.replace(/[\ue000-\uf8ff]/g, (stand) => entities[stand.charCodeAt(0) - PRIVATE] ?? stand);
  };

  const swapTag = ({ from, to, name, attributes }: Piece): string => {
    let made = '';
    let at = from;
    for (const attribute of attributes) {
      const value = html.slice(attribute.from, attribute.to);
      const isLink = name === 'a' && attribute.name === 'href' && /^\s*tel:/i.test(value);
      const swapped = isLink || TEXTS.test(attribute.name) ? swap(value, isLink) : undefined;
      if (swapped === undefined || (!attribute.quote && /[\s"'<=>`]/.test(swapped))) continue;
      made += html.slice(at, attribute.from) + swapped;
      at = attribute.to;
    }
    return made + html.slice(at, to);
  };

  let made = '';
  /** The element that nothing is changed in, and how many of its kind are open. One that is never closed reaches to the end. */
  let off = '';
  let depth = 0;
  for (const piece of pieces(html)) {
    const { kind, from, to, name, attributes } = piece;
    const text = html.slice(from, to);
    if (off) {
      made += text;
      if (name === off) depth += kind === 'start' ? 1 : -1;
      if (depth === 0) off = '';
    } else if (kind === 'start' && isOff(name, attributes)) {
      made += text;
      off = VOID.test(name) ? '' : name;
      depth = 1;
    } else if (kind === 'text') made += swap(text) ?? text;
    else made += kind === 'start' ? swapTag(piece) : text;
  }
  return made;
}

function isOff(name: string, attributes: readonly Attribute[]): boolean {
  return (
    /^(?:script|style|select)$/.test(name) ||
    attributes.some((attribute) => /^(?:data-tagswitch-off|contenteditable)$/.test(attribute.name))
  );
}
