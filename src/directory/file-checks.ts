import { Limits } from './declaration.js';
import type { NumberRange } from './model.js';
import { NumberTable } from './number-table.js';
import { rangeSize } from './ranges.js';
import type { Transport } from './transport.js';
import type { Field } from './yaml-source.js';

/** What a declaration needs of the world around it. */
export interface FileContext {
  /** What `self` means in a site's origins: `ownOrigins(settings.http)`. */
  readonly ownOrigins: readonly string[];
  /** The text of a file that the declaration names, relative to itself. Throws an `ErrnoException`. */
  readonly readBeside: (name: string) => string;
  /** Whether SIP is drachtio-server's: the standalone SIP server does not speak TLS. */
  readonly realServers?: boolean;
}

interface DeclaredRange {
  readonly range: NumberRange;
  readonly pool: string;
  readonly field: Field;
}

/** Names of one kind within one owner: each once. */
export class Names {
  readonly #kind: string;
  readonly #seen = new Map<string, Field>();

  constructor(kind: string) {
    this.#kind = kind;
  }

  add(name: string | undefined, field: Field): void {
    if (name === undefined) return;
    const first = this.#seen.get(name);
    if (first === undefined) this.#seen.set(name, field);
    else
      field.fault(
        `expected a name of its own: the ${this.#kind} at line ${first.place.line} is "${name}" too`,
      );
  }

  /** Checks that `name` is one of these; `field` is where it is used. */
  refer(name: string | undefined, field: Field | undefined): void {
    if (name === undefined || this.#seen.has(name)) return;
    const names = [...this.#seen.keys()];
    const known = names.length === 0 ? 'none' : names.slice(0, 10).join(', ');
    field?.fault(`expected the name of one of the account's ${this.#kind}s (${known}), not "${name}"`);
  }
}

/** What must hold across the whole file, whichever account a thing belongs to. */
export class FileChecks {
  readonly ownOrigins: readonly string[];
  readonly readBeside: (name: string) => string;
  readonly accounts = new Names('account');
  readonly #realServers: boolean;
  readonly #keys = new Map<string, Field>();
  readonly #ranges: DeclaredRange[] = [];
  readonly #untracked: { number: string; field: Field; why: string }[] = [];
  #transport: { transport: Transport; field: Field } | undefined;

  constructor({ ownOrigins, readBeside, realServers = false }: FileContext) {
    this.#realServers = realServers;
    this.ownOrigins = ownOrigins;
    this.readBeside = readBeside;
  }

  /** A key opens one account. */
  key(hash: string, field: Field): void {
    const first = this.#keys.get(hash);
    if (first === undefined) this.#keys.set(hash, field);
    else field.fault(`expected a key of its own: the key at line ${first.place.line} is the same`);
  }

  /** drachtio has one listener, and one transport towards carriers and FreeSWITCH alike (design, rule 5). */
  transport(transport: Transport, field: Field): void {
    if (transport === 'tls' && !this.#realServers)
      field.fault(
        'TLS needs drachtio-server and FreeSWITCH: set TAGSWITCH_DRACHTIO, or leave "udp" or "tcp" here',
      );
    this.#transport ??= { transport, field };
    if (this.#transport.transport === transport) return;
    const first = this.#transport;
    field.fault(
      `expected one transport for all trunks and SIP destinations: this is ${transport}, line ${first.field.place.line} is ${first.transport}`,
    );
  }

  range(range: NumberRange, pool: string, field: Field): void {
    this.#ranges.push({ range, pool, field });
  }

  /** A number that must stand in no pool. */
  untracked(number: string, field: Field, why: string): void {
    this.#untracked.push({ number, field, why });
  }

  finish(): void {
    const ranges = this.#ranges.toSorted((a, b) => Number(a.range.first) - Number(b.range.first));
    let total = 0;
    let widest: DeclaredRange | undefined;
    for (const one of ranges) {
      total += rangeSize(one.range);
      if (widest !== undefined && Number(one.range.first) <= Number(widest.range.last)) {
        // The one further down in the file is the one to mend.
        const [earlier, later] = widest.field.isBefore(one.field) ? [widest, one] : [one, widest];
        later.field.fault(
          `expected numbers that are in no other place: ${one.range.first} stands at line ${earlier.field.place.line} too (${earlier.pool})`,
        );
      }
      if (widest === undefined || Number(one.range.last) > Number(widest.range.last)) widest = one;
    }
    if (total > Limits.numbers) {
      ranges[0]?.field.fault(`expected at most ${Limits.numbers} numbers in all pools, found ${total}`);
    }
    const table = new NumberTable(ranges.map(({ range, pool }) => ({ range, value: pool })));
    for (const { number, field, why } of this.#untracked) {
      const pool = table.find(number);
      if (pool !== undefined)
        field.fault(`"${number}": expected a number of no pool (it is in ${pool}): ${why}`);
    }
  }
}
