/** The codecs that this server relays and generates. */
export type Codec = 'PCMU' | 'PCMA';
export type MediaDirection = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

export interface OfferedCodec {
  readonly codec: Codec;
  readonly payloadType: number;
}

/** The audio stream of a session description (RFC 4566), as far as this server uses it. */
export interface RemoteMedia {
  readonly address: string;
  readonly port: number;
  /** In the far end's order; empty when it has none of ours. */
  readonly codecs: readonly OfferedCodec[];
  readonly telephoneEvent: number | undefined;
  /** From the far end's point of view; `0.0.0.0` and port 0 count as inactive. */
  readonly direction: MediaDirection;
  /** Every m-line, to be answered one by one (RFC 3264 section 6); `audio` marks the one above. */
  readonly lines: readonly { readonly text: string; readonly audio: boolean }[];
}

const staticTypes: Readonly<Record<number, Codec>> = { 0: 'PCMU', 8: 'PCMA' };

/** Reads a session description; undefined when it has no audio stream over RTP/AVP or cannot be read. */
export function parseSdp(text: string): RemoteMedia | undefined {
  const sections = text.split(/\r?\n(?=m=)/);
  const session = sections.shift() ?? '';
  if (!session.startsWith('v=0')) return undefined;
  const lines: { text: string; audio: boolean }[] = [];
  let media: Omit<RemoteMedia, 'lines'> | undefined;
  for (const section of sections) {
    // A CR alone ends it too: what is refused is written back, and must stay one line.
    const [line = ''] = section.split(/[\r\n]/, 1);
    const read = media ? undefined : readAudio(line, section, session);
    lines.push({ text: line, audio: read !== undefined });
    media ??= read;
  }
  return media && { ...media, lines };
}

function readAudio(line: string, section: string, session: string): Omit<RemoteMedia, 'lines'> | undefined {
  const found = /^m=audio ([0-9]+)(?:\/[0-9]+)? RTP\/AVP ([0-9]+(?: [0-9]+)*)\s*$/.exec(line);
  const address = connection(section) ?? connection(session);
  const port = Number(found?.[1]);
  if (!found || address === undefined || port > 65535) return undefined;
  const names = new Map<number, string>();
  for (const [, type, name] of section.matchAll(/^a=rtpmap:([0-9]+) ([^\r\n]+)$/gm)) {
    names.set(Number(type), (name ?? '').trimEnd().toUpperCase());
  }
  const types = (found[2] ?? '').split(' ').map(Number);
  const codecs = types.flatMap((payloadType): OfferedCodec[] => {
    const name = names.get(payloadType);
    const codec =
      name === undefined ? staticTypes[payloadType] : /^(PCMU|PCMA)\/8000(?:\/1)?$/.exec(name)?.[1];
    return codec === 'PCMU' || codec === 'PCMA' ? [{ codec, payloadType }] : [];
  });
  const telephoneEvent = types.find((type) => names.get(type)?.startsWith('TELEPHONE-EVENT/8000') === true);
  const told = /^a=(sendrecv|sendonly|recvonly|inactive)[ \t]*$/m;
  const direction = (told.exec(section) ?? told.exec(session))?.[1] ?? 'sendrecv';
  const away = address === '0.0.0.0' || port === 0;
  return {
    address,
    port,
    codecs,
    telephoneEvent,
    direction: away ? 'inactive' : (direction as MediaDirection),
  };
}

function connection(section: string): string | undefined {
  return /^c=IN IP[46] ([0-9A-Fa-f.:]+)/m.exec(section)?.[1];
}

/** What we say about our side of an audio stream. */
export interface LocalMedia {
  /** Whose description it is, as its origin and session name say; FreeSWITCH when left out. */
  readonly program?: string;
  readonly address: string;
  readonly port: number;
  readonly codecs: readonly OfferedCodec[];
  readonly telephoneEvent: number | undefined;
  readonly direction: MediaDirection;
  readonly sessionId: number;
  readonly version: number;
}

/** Our session description: an offer, or with `offer` the answer to it, every other stream refused. */
export function writeSdp(local: LocalMedia, offer?: RemoteMedia): string {
  const types = [
    ...local.codecs.map((codec) => codec.payloadType),
    ...(local.telephoneEvent === undefined ? [] : [local.telephoneEvent]),
  ];
  const audio = [
    `m=audio ${local.port} RTP/AVP ${types.join(' ')}`,
    ...local.codecs.map(({ codec, payloadType }) => `a=rtpmap:${payloadType} ${codec}/8000`),
    ...(local.telephoneEvent === undefined
      ? []
      : [`a=rtpmap:${local.telephoneEvent} telephone-event/8000`, `a=fmtp:${local.telephoneEvent} 0-15`]),
    'a=ptime:20',
    ...(local.direction === 'sendrecv' ? [] : [`a=${local.direction}`]),
  ];
  const refused = (line: string): string => line.replace(/^(m=\S+) [0-9]+(?:\/[0-9]+)?/, '$1 0');
  const streams = offer ? offer.lines.flatMap((line) => (line.audio ? audio : [refused(line.text)])) : audio;
  return [
    'v=0',
    `o=${local.program ?? 'FreeSWITCH'} ${local.sessionId} ${local.version} IN IP4 ${local.address}`,
    `s=${local.program ?? 'FreeSWITCH'}`,
    `c=IN IP4 ${local.address}`,
    't=0 0',
    ...streams,
    '',
  ].join('\r\n');
}

/** The direction that we answer with (RFC 3264 section 6.1), and whether the far end wants to hear us. */
export function answerDirection(theirs: MediaDirection): {
  readonly ours: MediaDirection;
  readonly mayHear: boolean;
} {
  switch (theirs) {
    case 'sendonly':
      return { ours: 'recvonly', mayHear: false };
    case 'recvonly':
      return { ours: 'sendonly', mayHear: true };
    case 'inactive':
      return { ours: 'inactive', mayHear: false };
    case 'sendrecv':
      return { ours: 'sendrecv', mayHear: true };
  }
}
