import { createSocket, type Socket } from 'node:dgram';

export type Weather = 'loses each first copy' | 'doubles everything';

interface Address {
  readonly port: number;
  readonly address: string;
}

/**
 * A bad line between the switch and one far end over UDP, both on 127.0.0.1. What the far end sends to `inner` leaves for
 * the switch from `outer`, and what the switch sends to `outer` leaves for the far end from `inner`.
 */
export class LossyLink {
  readonly #outer: Socket;
  readonly #inner: Socket;
  readonly #seen = new Set<string>();
  readonly #weather: Weather;
  #switch: Address | undefined;
  #far: Address | undefined;
  /** How many messages did not get through, or went twice. */
  struck = 0;

  private constructor(weather: Weather, outer: Socket, inner: Socket) {
    this.#weather = weather;
    this.#outer = outer;
    this.#inner = inner;
    outer.on('message', (data) => this.#carry(data, 'in', this.#inner, this.#far));
    inner.on('message', (data, from) => {
      // A far end that calls is known by its first message.
      this.#far ??= from;
      this.#carry(data, 'out', this.#outer, this.#switch);
    });
  }

  static async open(weather: Weather): Promise<LossyLink> {
    const [outer, inner] = await Promise.all([bound(), bound()]);
    return new LossyLink(weather, outer, inner);
  }

  /** The far end's address as the switch sees it. */
  get outer(): number {
    return this.#outer.address().port;
  }

  /** The switch's address as the far end sees it. */
  get inner(): number {
    return this.#inner.address().port;
  }

  /** Who is at its ends; a far end that calls is learned. */
  between(theSwitch: number, far?: number): void {
    this.#switch = { address: '127.0.0.1', port: theSwitch };
    if (far !== undefined) this.#far = { address: '127.0.0.1', port: far };
  }

  close(): void {
    this.#outer.close();
    this.#inner.close();
  }

  #carry(data: Buffer, direction: string, by: Socket, to: Address | undefined): void {
    if (to === undefined) return;
    const copies = this.#copies(data, direction);
    for (let n = 0; n < copies; n += 1) by.send(data, to.port, to.address);
  }

  #copies(data: Buffer, direction: string): number {
    if (this.#weather === 'doubles everything') {
      this.struck += 1;
      return 2;
    }
    // The same message again may have another branch: an ACK does.
    const text = data.toString('latin1');
    const key = [
      direction,
      /^.*/.exec(text)?.[0],
      ...['Call-ID|i', 'CSeq'].map((name) => new RegExp(`^(?:${name}) *: *(.*)$`, 'im').exec(text)?.[1]),
    ].join(' ');
    if (this.#seen.has(key)) return 1;
    this.#seen.add(key);
    this.struck += 1;
    return 0;
  }
}

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return socket;
}
