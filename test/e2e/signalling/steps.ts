/**
 * Scenarios of sipp, written down step by step. Each step is a piece of sipp's XML; the ends are always the same two: a
 * carrier that calls the number of the scenario, and a callee who is called by the switch.
 */

export type Step = string;

export interface Sent {
  /** Whole header lines beside the usual ones. */
  readonly headers?: readonly string[];
  /** A session description; none when absent. */
  readonly sdp?: string;
  /** Never repeated by sipp: nothing is to answer, or nobody shall wait. */
  readonly once?: boolean;
  /** A body that is no session description, with its type. */
  readonly body?: readonly [type: string, text: string];
}

/** One audio stream; `formats` as in the m= line. */
export function audio(formats = '0', ...attributes: readonly string[]): string {
  return [
    'v=0',
    'o=- 1 1 IN IP4 [local_ip]',
    's=-',
    'c=IN IP4 [local_ip]',
    't=0 0',
    `m=audio [media_port] RTP/AVP ${formats}`,
    ...(formats.split(' ').includes('101') ? ['a=rtpmap:101 telephone-event/8000', 'a=fmtp:101 0-15'] : []),
    ...attributes.map((one) => `a=${one}`),
  ].join('\n');
}

/** The same with a stream's address of nowhere, as those before RFC 3264 put a call on hold. */
export const heldOldStyle = audio('0').replace('c=IN IP4 [local_ip]', 'c=IN IP4 0.0.0.0');

/** An offer of fax (T.38) in place of the audio. */
export const fax = [
  'v=0',
  'o=- 1 2 IN IP4 [local_ip]',
  's=-',
  'c=IN IP4 [local_ip]',
  't=0 0',
  'm=image [media_port] udptl t38',
  'a=T38FaxVersion:0',
  'a=T38FaxRateManagement:transferredTCF',
].join('\n');

const CALLER = 'sip:+12025550101@[local_ip]:[local_port]';
const SWITCH = '[remote_ip]:[remote_port]';
const VIA = 'Via: SIP/2.0/[transport] [local_ip]:[local_port];rport';

function message(lines: readonly string[], sent: Sent, repeated: boolean): Step {
  const [type, text] = sent.body ?? ['application/sdp', sent.sdp ?? ''];
  const whole = [
    ...lines,
    ...(sent.headers ?? []),
    ...(text === ''
      ? ['Content-Length: 0', '']
      : [`Content-Type: ${type}`, 'Content-Length: [len]', '', text]),
  ].join('\n');
  const attributes = repeated && sent.once !== true ? ' retrans="500"' : '';
  return `<send${attributes}><![CDATA[\n${whole}\n\n]]></send>`;
}

/** Where the far end is reached: its own port, or that of the line before it. */
const contact = (user: string): string =>
  `Contact: <sip:${user}@[local_ip]:[contact_port];transport=[transport]>`;

export interface Awaited {
  readonly optional?: boolean;
  /** The header (as it stands in the message, with its colon) has to fit the expression. */
  readonly check?: readonly [header: string, expression: string];
  readonly seconds?: number;
}

/** sipp's check of a header, its whole name with the colon, or of the `body`. */
function checked([header, expression]: NonNullable<Awaited['check']>): Step {
  const text = expression.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
  const where =
    header === 'body' ? 'search_in="body"' : `search_in="hdr" case_indep="true" header="${header}"`;
  return `<ereg regexp="${text}" ${where} check_it="true" assign_to="seen"/>`;
}

function receive(what: string, { optional = false, check, seconds }: Awaited, rrs: boolean): Step {
  const attributes = `${what}${optional ? ' optional="true"' : ''}${rrs ? ' rrs="true"' : ''}${seconds === undefined ? '' : ` timeout="${String(seconds * 1000)}"`}`;
  if (check === undefined) return `<recv ${attributes}/>`;
  return `<recv ${attributes}><action>${checked(check)}</action></recv>`;
}

/** Waits for a response. */
export function response(status: number, awaited: Awaited = {}): Step {
  return receive(`response="${String(status)}"`, awaited, status > 100 && status < 300);
}

/** Waits for a request. */
export function request(method: string, awaited: Awaited = {}): Step {
  return receive(`request="${method}"`, awaited, false);
}

export function pause(ms: number): Step {
  return `<pause milliseconds="${String(ms)}"/>`;
}

/** Runs a media command of sipp's: `play_dtmf="123"`, `rtp_stream="FILE,-1,8"`. */
export function media(command: string): Step {
  return `<nop><action><exec ${command}/></action></nop>`;
}

/** The final 200 to a request that came in a dialog, or another status. */
export function reply(status: number, phrase: string, sent: Sent & { readonly user?: string } = {}): Step {
  const repeated = sent.sdp !== undefined && status === 200;
  const lines = [
    `SIP/2.0 ${String(status)} ${phrase}`,
    '[last_Via:]',
    '[last_From:]',
    '[last_To:]',
    '[last_Call-ID:]',
    '[last_CSeq:]',
    ...(sent.user === undefined ? [] : [contact(sent.user)]),
  ];
  return message(lines, sent, repeated);
}

/** Is hung up on, at either end. */
function hungUpOn(sent: Sent = {}): Step[] {
  return [request('BYE', { seconds: 20 }), reply(200, 'OK', sent)];
}

/** What the carrier does. `number` is who is called; sipp's own branch is put aside where a message is sent again. */
export class CarrierSteps {
  readonly #number: string;

  constructor(number: string) {
    this.#number = number;
  }

  get #to(): string {
    return `<sip:${this.#number}@${SWITCH}>`;
  }

  #head(method: string, target: string, sequence: number, dialog: boolean, branch = '[branch]'): string[] {
    return [
      `${method} ${target} SIP/2.0`,
      `${VIA};branch=${branch}`,
      ...(dialog ? ['[routes]'] : []),
      `From: <${CALLER}>;tag=[pid]c[call_number]`,
      `To: ${this.#to}${dialog ? '[peer_tag_param]' : ''}`,
      'Call-ID: [call_id]',
      `CSeq: ${String(sequence)} ${method}`,
    ];
  }

  /** The INVITE has a branch of its own, so that CANCEL, ACK and repetitions can name it again. */
  get #branch(): string {
    return 'z9hG4bK-[pid]-[call_number]-invite';
  }

  invite(sent: Sent & { readonly maxForwards?: number; readonly target?: string } = {}): Step {
    const lines = [
      ...this.#head('INVITE', sent.target ?? `sip:${this.#number}@${SWITCH}`, 1, false, this.#branch),
      contact('caller'),
      `Max-Forwards: ${String(sent.maxForwards ?? 70)}`,
    ];
    return message(lines, sent, true);
  }

  cancel(sent: Sent = {}): Step {
    const lines = this.#head('CANCEL', `sip:${this.#number}@${SWITCH}`, 1, false, this.#branch);
    return message([...lines, 'Max-Forwards: 70'], sent, true);
  }

  /** Of a refusal: in the INVITE's transaction (RFC 3261, 17.1.1.3). */
  ackRefusal(): Step {
    const lines = this.#head('ACK', `sip:${this.#number}@${SWITCH}`, 1, false, this.#branch);
    lines[3] = `To: ${this.#to}[peer_tag_param]`;
    return message([...lines, 'Max-Forwards: 70'], {}, false);
  }

  ack(sent: Sent = {}, sequence = 1): Step {
    return message([...this.#head('ACK', '[next_url]', sequence, true), 'Max-Forwards: 70'], sent, false);
  }

  /** Of a refusal of a request in the dialog: in its transaction too, which had this branch. */
  ackRefusalOf(sequence: number, branch: string): Step {
    return message(
      [...this.#head('ACK', '[next_url]', sequence, true, branch), 'Max-Forwards: 70'],
      {},
      false,
    );
  }

  /** A request in the dialog. */
  send(method: string, sequence: number, sent: Sent = {}, branch?: string): Step {
    const lines = [
      ...this.#head(method, '[next_url]', sequence, true, branch),
      contact('caller'),
      'Max-Forwards: 70',
    ];
    return message(lines, sent, true);
  }

  /** A request out of any dialog, to the switch itself or with a To tag that nobody gave. */
  outside(method: string, tagged = false, sent: Sent = {}): Step {
    const lines = this.#head(method, `sip:${this.#number}@${SWITCH}`, 1, false);
    if (tagged) lines[3] = `To: ${this.#to};tag=nobody[call_number]`;
    return message([...lines, contact('caller'), 'Max-Forwards: 70'], sent, true);
  }

  /** INVITE, and what every answered call goes on with up to the ACK. */
  answered(sent: Sent = {}, ...between: readonly Step[]): Step[] {
    return [
      this.invite({ sdp: audio(), ...sent }),
      response(100, { optional: true }),
      response(180),
      ...between,
      response(200),
      this.ack(),
    ];
  }

  /** Hangs up. */
  bye(sequence = 2, sent: Sent = {}): Step[] {
    return [this.send('BYE', sequence, sent), response(200)];
  }

  readonly hungUpOn = hungUpOn;

  /** Refused with `status` after the switch's own 180, which is there when the media node was asked. */
  refused(
    status: number,
    sent: Parameters<CarrierSteps['invite']>[0] = {},
    check?: Awaited['check'],
  ): Step[] {
    return [
      this.invite({ sdp: audio(), ...sent }),
      response(100, { optional: true }),
      response(180, { optional: true }),
      response(183, { optional: true }),
      response(status, { seconds: 20, ...(check === undefined ? {} : { check }) }),
      this.ackRefusal(),
    ];
  }
}

/** What the callee does; the INVITE's two ends are kept, so that requests of his own can be sent. */
export const callee = {
  /** Waits for the INVITE. */
  invited(check?: Awaited['check']): Step {
    const action = [
      '<ereg regexp="[^ ].*" search_in="hdr" header="From:" assign_to="far"/>',
      '<ereg regexp="[^ ].*" search_in="hdr" header="To:" assign_to="own"/>',
      '<ereg regexp="[0-9]+" search_in="hdr" header="CSeq:" assign_to="cseq"/>',
      '<ereg regexp="[^ ].*" search_in="hdr" header="Record-Route:" assign_to="route"/>',
      '<ereg regexp="[^ ].*" search_in="hdr" header="Via:" assign_to="proxy"/>',
      '<ereg regexp="[^ ].*" search_in="hdr" header="Via:" occurrence="2" assign_to="sender"/>',
    ];
    if (check !== undefined) action.push(checked(check));
    return `<recv request="INVITE" rrs="true"><action>${action.join('')}</action></recv>`;
  },

  /** A response to the INVITE. */
  says(status: number, phrase: string, sent: Sent = {}): Step {
    const lines = [
      `SIP/2.0 ${String(status)} ${phrase}`,
      '[last_Via:]',
      '[last_Record-Route:]',
      '[last_From:]',
      '[last_To:];tag=[pid]d[call_number]',
      '[last_Call-ID:]',
      '[last_CSeq:]',
      contact('callee'),
    ];
    return message(lines, sent, status >= 200);
  },

  rings(sent: Sent = {}): Step {
    return callee.says(180, 'Ringing', sent);
  },

  /** Answers and waits for the ACK. */
  answers(sent: Sent = {}): Step[] {
    return [callee.says(200, 'OK', { sdp: audio(), ...sent }), request('ACK')];
  },

  /** Refuses and waits for the ACK. */
  refuses(status: number, phrase: string, sent: Sent = {}): Step[] {
    return [callee.says(status, phrase, sent), request('ACK')];
  },

  /**
   * A response to the INVITE after another request came: by its CSeq (FreeSWITCH does not begin at 1) and by both Vias of it,
   * as that of the proxy itself, a CANCEL, has the proxy's alone.
   */
  saysLater(status: number, phrase: string, sent: Sent = {}): Step {
    const lines = [
      `SIP/2.0 ${String(status)} ${phrase}`,
      'Via: [$proxy]',
      'Via: [$sender]',
      'Record-Route: [$route]',
      '[last_From:]',
      'To: [$own];tag=[pid]d[call_number]',
      '[last_Call-ID:]',
      'CSeq: [$cseq] INVITE',
      contact('callee'),
    ];
    return message(lines, sent, true);
  },

  /** Waits for the CANCEL, answers it, and then the INVITE. */
  cancelled(status: number, phrase: string, sent: Sent = {}): Step[] {
    return [
      request('CANCEL', { seconds: 20 }),
      reply(200, 'OK'),
      callee.saysLater(status, phrase, sent),
      request('ACK'),
    ];
  },

  hungUpOn,

  /** A request in the dialog of the callee's own. */
  send(method: string, sequence: number, sent: Sent = {}): Step {
    const lines = [
      `${method} [next_url] SIP/2.0`,
      `${VIA};branch=[branch]`,
      '[routes]',
      'From: [$own];tag=[pid]d[call_number]',
      'To: [$far]',
      'Call-ID: [call_id]',
      `CSeq: ${String(sequence)} ${method}`,
      contact('callee'),
      'Max-Forwards: 70',
    ];
    return message(lines, sent, method !== 'ACK');
  },

  /** Hangs up. */
  bye(sequence = 1, sent: Sent = {}): Step[] {
    return [callee.send('BYE', sequence, sent), response(200)];
  },
};

/**
 * The file that sipp reads.
 * @param contactPort where the far end is reached; its own port when absent
 */
export function scenarioXml(name: string, steps: readonly Step[], contactPort?: number): string {
  const kept = ['far', 'own', 'cseq', 'route', 'proxy', 'sender', 'seen', 'rseq'].filter((one) =>
    steps.join('').includes(`assign_to="${one}"`),
  );
  const text = steps
    .join('\n')
    .replaceAll('[contact_port]', contactPort === undefined ? '[local_port]' : String(contactPort));
  // sipp takes a variable that is set and never read for a mistake.
  const known = kept.length === 0 ? '' : `<Reference variables="${kept.join(',')}"/>\n`;
  return `<?xml version="1.0" encoding="ISO-8859-1" ?>\n<scenario name="${name}">\n${text}\n${known}</scenario>\n`;
}
