import { randomInt } from 'node:crypto';
import {
  answerDirection,
  parseSdp,
  writeSdp,
  type MediaDirection,
  type OfferedCodec,
  type RemoteMedia,
} from '../media-server/media/sdp.js';
import type { FarEnd } from '../media-server/media/stream.js';

const ULAW: OfferedCodec = { codec: 'PCMU', payloadType: 0 };
const ALAW: OfferedCodec = { codec: 'PCMA', payloadType: 8 };

/** Our side of one session's descriptions: offers and answers by RFC 3264, one audio stream of G.711. */
export class Description {
  readonly #address: string;
  readonly #port: number;
  readonly #sessionId = randomInt(1, 2 ** 40);
  #version = 0;
  #last = '';

  /** Where we hear. */
  constructor(address: string, port: number) {
    this.#address = address;
    this.#port = port;
  }

  /** What we propose; the best codec first. */
  offer(codecs: readonly OfferedCodec[] = [ULAW, ALAW]): string {
    return this.#write(codecs, 'sendrecv');
  }

  /** Our answer to their offer, and where our sound goes then; undefined when there is nothing in common. */
  answer(body: Buffer): { readonly sdp: string; readonly far: FarEnd } | undefined {
    const offer = parseSdp(body.toString());
    const far = offer && farEndOf(offer);
    if (offer === undefined || far === undefined) return undefined;
    return { sdp: this.#write([far.audio], answerDirection(offer.direction).ours, offer), far };
  }

  /** Where our sound goes after their answer to our offer; undefined when it is no answer that we can use. */
  accept(body: Buffer): FarEnd | undefined {
    const answer = parseSdp(body.toString());
    return answer && farEndOf(answer);
  }

  #write(codecs: readonly OfferedCodec[], direction: MediaDirection, offer?: RemoteMedia): string {
    const of = (version: number): string =>
      writeSdp(
        {
          program: 'tagswitch',
          address: this.#address,
          port: this.#port,
          codecs,
          telephoneEvent: undefined,
          direction,
          sessionId: this.#sessionId,
          version,
        },
        offer,
      );
    // A description that is the same has the same version, another one the next (RFC 3264 section 8).
    if (of(this.#version) !== this.#last) this.#version += 1;
    this.#last = of(this.#version);
    return this.#last;
  }
}

/** What the caller proposes. */
export const CALLER_CODECS: readonly OfferedCodec[] = [ULAW];

function farEndOf(media: RemoteMedia): FarEnd | undefined {
  const [audio] = media.codecs;
  if (audio === undefined) return undefined;
  const { mayHear } = answerDirection(media.direction);
  return { address: media.address, port: media.port, audio, telephoneEvent: undefined, mayHear };
}
