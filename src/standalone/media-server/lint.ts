import { join } from 'node:path';
import { preprocess } from './configuration/preprocess.js';
import { ConfigurationError } from './configuration/source.js';
import { parseXml, type XmlElement } from './configuration/xml.js';

/** Something in a node's configuration that costs security, calls or speed. */
export interface LintFault {
  readonly file: string;
  readonly line: number;
  readonly what: string;
}

type Environment = Readonly<Record<string, string | undefined>>;
type Rule = (look: Look) => void;

/**
 * What is wrong with the FreeSWITCH configuration in `folder`/freeswitch.xml, as `environment` fills it in; empty where
 * nothing is. What cannot be read at all is one fault.
 */
export function lintConfiguration(folder: string, environment: Environment): LintFault[] {
  const faults: LintFault[] = [];
  try {
    const { lines, globals } = preprocess(join(folder, 'freeswitch.xml'), environment, new Map());
    const look = new Look(parseXml(lines), faults);
    for (const rule of RULES) rule(look);
    nodeVariables(look, globals);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    faults.push({
      file: error.file,
      line: error.line,
      what: error.message.slice(`${error.file}:${error.line}: `.length),
    });
  }
  return faults;
}

/** The elements of a configuration by what they are, and a place for what is wrong with them. */
class Look {
  readonly #root: XmlElement;
  readonly #faults: LintFault[];

  constructor(root: XmlElement, faults: LintFault[]) {
    this.#root = root;
    this.#faults = faults;
  }

  get top(): XmlElement {
    return this.#root;
  }

  fault(at: XmlElement, what: string): void {
    this.#faults.push({ file: at.file, line: at.line, what });
  }

  /** `<configuration name="switch.conf">`; a fault of the whole where it is missing. */
  configuration(name: string): XmlElement {
    const found = this.all('configuration').find((one) => one.attributes.get('name') === name);
    if (found === undefined) this.fault(this.#root, `${name} is missing`);
    return found ?? this.#root;
  }

  profile(): XmlElement {
    const [profile = this.#root] = this.all('profile', this.configuration('sofia.conf'));
    return profile;
  }

  all(name: string, within: XmlElement = this.#root): XmlElement[] {
    return within.children.flatMap((child) => [
      ...(child.name === name ? [child] : []),
      ...this.all(name, child),
    ]);
  }

  /** The last `<param>` of that name, which is the one that counts. */
  param(within: XmlElement, name: string): XmlElement | undefined {
    return this.all('param', within).findLast((one) => one.attributes.get('name') === name);
  }

  /** A fault unless the parameter has one of these values. */
  expect(within: XmlElement, name: string, values: readonly string[], why: string): void {
    const param = this.param(within, name);
    const value = param?.attributes.get('value');
    if (value !== undefined && values.includes(value)) return;
    this.fault(
      param ?? within,
      `${name}: expected ${values.join(' or ')}, found ${value ?? 'nothing'}: ${why}`,
    );
  }

  number(within: XmlElement, name: string): number {
    const param = this.param(within, name);
    const value = Number(param?.attributes.get('value') ?? Number.NaN);
    if (Number.isInteger(value)) return value;
    this.fault(param ?? within, `${name}: expected a whole number`);
    return Number.NaN;
  }
}

/** SIP from drachtio-server alone, the event socket from the application alone. */
const access: Rule = (look) => {
  const lists = look.all('list', look.configuration('acl.conf'));
  const guarded = (within: XmlElement, what: string): void => {
    const param = look.param(within, 'apply-inbound-acl');
    const name = param?.attributes.get('value');
    const list = lists.find((one) => one.attributes.get('name') === name);
    if (list === undefined) {
      look.fault(
        param ?? within,
        `${what}: expected apply-inbound-acl to name a list of acl.conf, or anybody gets in`,
      );
      return;
    }
    if (list.attributes.get('default') !== 'deny')
      look.fault(list, `list ${name ?? ''}: expected default="deny"`);
    for (const node of look.all('node', list))
      if (node.attributes.get('type') === 'allow' && /\/0$/.test(node.attributes.get('cidr') ?? ''))
        look.fault(
          node,
          `list ${name ?? ''}: expected the addresses of one program, this block lets everybody in`,
        );
  };
  guarded(look.profile(), 'profile');
  const events = look.configuration('event_socket.conf');
  guarded(events, 'event socket');
  const password = look.param(events, 'password');
  const text = password?.attributes.get('value') ?? '';
  if (text === '' || text === 'ClueCon')
    look.fault(
      password ?? events,
      'password: expected one of this installation, not the one that everybody knows',
    );
};

/** What is not a call is refused. */
const refusals: Rule = (look) => {
  const profile = look.profile();
  look.expect(profile, 'disable-register', ['true'], 'nobody registers at a media node');
  look.expect(profile, 'disable-transfer', ['true'], 'a REFER would take a call out of its plan');
  look.expect(profile, 'manage-presence', ['false'], 'presence costs a database and is asked for by nobody');
  look.expect(profile, 'auth-calls', ['false'], 'a challenge would only be relayed to the caller');
  look.expect(profile, 'liberal-dtmf', ['true'], 'an INFO with a digit gets no answer at all');
  look.expect(
    profile,
    'enable-3pcc',
    ['proxy'],
    'an INVITE without an offer is refused, or answered before the callee is',
  );
  look.expect(profile, 'enable-100rel', ['true'], 'carriers that require reliable provisionals get 420');
  look.expect(profile, 'context', ['tagswitch'], 'another context does not check the plan');
};

/** The commonest causes of a slow FreeSWITCH. */
const speed: Rule = (look) => {
  const core = look.configuration('switch.conf');
  look.expect(core, 'loglevel', ['warning', 'err', 'crit', 'alert'], 'logging costs more than the calls');
  look.expect(
    look.profile(),
    'sip-trace',
    ['no', 'false'],
    'traces cost more than the calls, and hold callers’ numbers',
  );
  look.expect(look.profile(), 'debug', ['0'], 'the stack’s own log costs more than the calls');
  const database = look.param(core, 'core-db-name')?.attributes.get('value') ?? '';
  if (!/^(?:\/dev\/shm\/|\/run\/|memory:|file:memory)/.test(database))
    look.fault(
      look.param(core, 'core-db-name') ?? core,
      'core-db-name: expected a file in memory (/dev/shm): each call writes there, and on a disk waits for it',
    );
};

/** Sessions, sessions a second and ports fit together. */
const limits: Rule = (look) => {
  const core = look.configuration('switch.conf');
  const sessions = look.number(core, 'max-sessions');
  const perSecond = look.number(core, 'sessions-per-second');
  const first = look.number(core, 'rtp-start-port');
  const last = look.number(core, 'rtp-end-port');
  const at = look.param(core, 'rtp-end-port') ?? core;
  // A session has a port for RTP and one for RTCP.
  if (last - first + 2 < 2 * sessions)
    look.fault(
      at,
      `ports ${first} to ${last} are enough for ${Math.floor((last - first + 2) / 2)} of ${sessions} sessions`,
    );
  if (perSecond <= 30)
    look.fault(
      look.param(core, 'sessions-per-second') ?? core,
      `sessions-per-second: a call is two sessions: ${perSecond} admits ${Math.floor(perSecond / 2)} calls a second`,
    );
  const taken = [
    look.param(look.profile(), 'sip-port'),
    look.param(look.configuration('event_socket.conf'), 'listen-port'),
  ];
  for (const port of taken) {
    const number = Number(port?.attributes.get('value'));
    if (port !== undefined && number >= first && number <= last + 1)
      look.fault(port, `port ${number} lies among the ports for media, ${first} to ${last}`);
  }
};

/** Nothing is transcoded without need. */
const codecs: Rule = (look) => {
  const profile = look.profile();
  look.expect(
    profile,
    'inbound-late-negotiation',
    ['true'],
    'without it a codec is chosen before the callee has said his',
  );
  const value = (name: string): string | undefined => look.param(profile, name)?.attributes.get('value');
  if (value('inbound-codec-prefs') !== value('outbound-codec-prefs'))
    look.fault(
      look.param(profile, 'outbound-codec-prefs') ?? profile,
      'outbound-codec-prefs: expected the same as inbound-codec-prefs: where they differ, calls are transcoded',
    );
};

const APPLICATIONS = new Set([
  ...[
    'set',
    'multiset',
    'export',
    'unset',
    'bridge',
    'respond',
    'hangup',
    'ring_ready',
    'pre_answer',
    'playback',
    'transfer',
  ],
]);

const OWN_FIELD = /^\$\{sip_h_X-Tagswitch-[A-Za-z0-9-]+\}$/;
/** What goes on to the callee as it came. */
const CARRIED = new Set(['${sip_h_Diversion}', '${sip_history_info}', '${sip_h_identity}']);

/** The dialplan is the lock on the door. */
const dialplan: Rule = (look) => {
  for (const context of look.all('context')) {
    const plans = context.attributes.get('name') !== 'tagswitch_end';
    for (const condition of look.all('condition', context)) {
      const field = condition.attributes.get('field') ?? '';
      if (plans && !OWN_FIELD.test(field) && !CARRIED.has(field))
        look.fault(
          condition,
          `condition on "${field}": a plan comes from our headers alone, never from what was dialled`,
        );
    }
    for (const action of [...look.all('action', context), ...look.all('anti-action', context)]) {
      const application = action.attributes.get('application') ?? '';
      const data = action.attributes.get('data') ?? '';
      if (!APPLICATIONS.has(application))
        look.fault(
          action,
          `application ${application}: none that a plan needs; each one more can be reached by a call`,
        );
      if (/\$\{[a-z_]+\(/i.test(data))
        look.fault(action, 'a function in ${...} runs something for every call');
      if (application === 'bridge' && data !== '$1')
        look.fault(action, 'bridge: expected $1, what the condition above it has checked');
    }
  }
  for (const condition of look.all('condition')) {
    const bridges = look
      .all('action', condition)
      .some((one) => one.attributes.get('application') === 'bridge');
    if (bridges && !/^\^\(.*\)\$$/s.test(condition.attributes.get('expression') ?? ''))
      look.fault(
        condition,
        'a bridge behind an expression that is not anchored at both ends takes any dial string',
      );
  }
};

/** Each module more is one more thing that can be reached. */
const MODULES = new Set([
  ...['mod_console', 'mod_logfile', 'mod_commands', 'mod_event_socket', 'mod_sofia', 'mod_dialplan_xml'],
  ...['mod_dptools', 'mod_tone_stream', 'mod_sndfile', 'mod_cdr_csv', 'mod_opus', 'mod_spandsp'],
]);
const modules: Rule = (look) => {
  const file = look.configuration('modules.conf');
  const loaded = look.all('load', file);
  for (const load of loaded) {
    const name = load.attributes.get('module') ?? '';
    if (!MODULES.has(name)) look.fault(load, `${name}: nothing of tagswitch needs it`);
  }
  for (const needed of ['mod_event_socket', 'mod_sofia', 'mod_dialplan_xml', 'mod_dptools', 'mod_cdr_csv'])
    if (!loaded.some((load) => load.attributes.get('module') === needed))
      look.fault(file, `${needed} is not loaded`);
};

/** What no channel sets for itself, and every call relies on. */
function nodeVariables(look: Look, globals: ReadonlyMap<string, string>): void {
  const needed: readonly (readonly [string, (value: string) => boolean, string])[] = [
    ['sip_copy_custom_headers', (value) => value === 'false', 'false, or the plan goes on to the carrier'],
    [
      'hangup_after_bridge',
      (value) => value === 'true',
      'true, or a call that is over goes on to the next trunk',
    ],
    [
      'continue_on_fail',
      (value) => /^[A-Z_,]+$/.test(value),
      'causes that mean that a trunk is out of order',
    ],
    [
      'transfer_on_fail',
      (value) => value.endsWith(' XML tagswitch_end'),
      'causes, auto_cause XML tagswitch_end',
    ],
    [
      'ignore_q850_reason',
      (value) => value === 'true',
      'true, or a far end that gives a Reason decides what the caller is told',
    ],
    ['outbound_redirect_fatal', (value) => value === 'true', 'true, or a redirection is followed'],
  ];
  for (const [name, holds, expected] of needed)
    if (!holds(globals.get(name) ?? '')) look.fault(look.top, `variable ${name}: expected ${expected}`);
}

const RULES: readonly Rule[] = [access, refusals, speed, limits, codecs, dialplan, modules];
