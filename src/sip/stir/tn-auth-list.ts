/** The numbers that a certificate may sign for: digits, first and how many. Empty with `providers` for a provider's code. */
export interface NumberList {
  readonly ranges: readonly { readonly first: string; readonly count: number }[];
  /** It names service providers, whose numbers it does not list: any number passes. */
  readonly providers: boolean;
}

/** 1.3.6.1.5.5.7.1.26, id-pe-TNAuthList (RFC 8226, 9), as an OBJECT IDENTIFIER in DER. */
const OID = Buffer.from('06082b0601050507011a', 'hex');
const OCTETS = 0x04;
const INTEGER = 0x02;
const SEQUENCE = 0x30;
const BOOLEAN = 0x01;

interface Item {
  readonly tag: number;
  readonly body: Buffer;
}

/** The TNAuthList of a certificate in DER; undefined without one. */
export function telephoneNumbers(der: Buffer): NumberList | 'malformed' | undefined {
  const at = der.indexOf(OID);
  if (at < 0) return undefined;
  try {
    const rest = der.subarray(at + OID.length);
    let value = itemOf(rest);
    if (value.tag === BOOLEAN) value = itemOf(rest.subarray(3));
    if (value.tag !== OCTETS) return 'malformed';
    const list = itemOf(value.body);
    return list.tag === SEQUENCE ? listOf(itemsOf(list.body)) : 'malformed';
  } catch (error) {
    if (error instanceof RangeError) return 'malformed';
    throw error;
  }
}

/** Whether the certificate may sign for `number`, digits alone. */
export function mayTell({ ranges, providers }: NumberList, number: string): boolean {
  return (
    providers ||
    ranges.some(({ first, count }) => {
      const past = BigInt(number) - BigInt(first);
      return number.length === first.length && past >= 0n && past < BigInt(count);
    })
  );
}

/** TNEntry ::= CHOICE {spc [0] IA5String, range [1] {start, count}, one [2] IA5String}, tagged explicitly. */
function listOf(entries: readonly Item[]): NumberList {
  const ranges: { first: string; count: number }[] = [];
  let providers = false;
  for (const { tag, body } of entries) {
    const inner = itemOf(body);
    if (tag === 0xa0) providers = true;
    else if (tag === 0xa1) {
      const [start, count] = itemsOf(inner.body);
      if (start === undefined || count?.tag !== INTEGER || count.body.length > 5)
        throw new RangeError('range');
      ranges.push({ first: digits(start.body), count: Number(BigInt(`0x${count.body.toString('hex')}`)) });
    } else if (tag === 0xa2) ranges.push({ first: digits(inner.body), count: 1 });
    else throw new RangeError('entry');
  }
  return { ranges, providers };
}

function digits(body: Buffer): string {
  const text = body.toString('latin1');
  if (!/^[0-9]{1,15}$/.test(text)) throw new RangeError('number');
  return text;
}

function itemsOf(bytes: Buffer): Item[] {
  const items: Item[] = [];
  for (let rest = bytes; rest.length > 0;) {
    const { length, ...item } = itemOf(rest);
    items.push(item);
    rest = rest.subarray(length);
  }
  return items;
}

/** The first item; `length` is that of all its bytes. Throws RangeError. */
function itemOf(bytes: Buffer): Item & { readonly length: number } {
  const tag = bytes.readUInt8(0);
  const short = bytes.readUInt8(1);
  const more = short < 0x80 ? 0 : short - 0x80;
  if (more > 4 || short === 0x80) throw new RangeError('length');
  const size = more === 0 ? short : bytes.readUIntBE(2, more);
  const length = 2 + more + size;
  if (length > bytes.length) throw new RangeError('length');
  return { tag, body: bytes.subarray(2 + more, length), length };
}
