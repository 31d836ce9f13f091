import { join } from 'node:path';
import { accessListOf, namedAccessList, type AccessList } from './access-list.js';
import { readDialplan, type Dialplan } from './dialplan-file.js';
import { preprocess } from './preprocess.js';
import { ConfigurationError } from './source.js';
import { parseXml, type XmlElement } from './xml.js';

/** What the profile of SIP says, with FreeSWITCH's defaults. */
export interface Profile {
  readonly name: string;
  readonly sipIp: string;
  readonly sipPort: number;
  readonly context: string;
  readonly rtpIp: string;
  /** The address in SDP: `ext-rtp-ip`, else `rtp-ip`. */
  readonly publicRtpIp: string;
  readonly userAgent: string;
  readonly telephoneEvent: number;
  /** `rpid` puts the caller into Remote-Party-ID, `pid` into P-Asserted-Identity, `none` leaves both out. */
  readonly callerIdType: 'rpid' | 'pid' | 'none';
  readonly mayInvite: AccessList;
}

export interface SpoolSettings {
  /** Folder of the files: `log-base` and `/cdr-csv`. */
  readonly folder: string;
  readonly legs: { readonly a: boolean; readonly b: boolean };
  /** The template of every file, or of an account's own file, by `accountcode`. */
  readonly templates: ReadonlyMap<string, string>;
  readonly defaultTemplate: string;
  readonly masterFileOnly: boolean;
}

export interface Configuration {
  readonly globals: ReadonlyMap<string, string>;
  readonly profile: Profile;
  readonly dialplan: Dialplan;
  readonly eventSocket: {
    readonly ip: string;
    readonly port: number;
    readonly password: string;
    readonly mayConnect: AccessList;
  };
  readonly maxSessions: number;
  readonly sessionsPerSecond: number;
  readonly rtpPorts: { readonly first: number; readonly last: number };
  readonly heartbeatMs: number;
  readonly spool: SpoolSettings;
}

/**
 * The configuration in `folder`/freeswitch.xml, as FreeSWITCH would read it. `overrides` replace variables of vars.xml.
 * Throws `ConfigurationError` with file and line.
 */
export function loadConfiguration(
  folder: string,
  environment: Readonly<Record<string, string | undefined>>,
  overrides: ReadonlyMap<string, string>,
): Configuration {
  const path = join(folder, 'freeswitch.xml');
  const { lines, globals } = preprocess(path, environment, overrides);
  const root = parseXml(lines);
  const file = (name: string): XmlElement | undefined =>
    sections(root, 'configuration')
      .flatMap((section) => section.children)
      .find((child) => child.attributes.get('name') === name);
  const lists = new Map<string, AccessList>();
  for (const list of file('acl.conf')?.children.flatMap((child) => child.children) ?? []) {
    lists.set(list.attributes.get('name') ?? '', accessListOf(list));
  }
  const core = parameters(file('switch.conf'));
  const events = parameters(file('event_socket.conf'));
  const sofia = file('sofia.conf');
  const profile = sofia?.children
    .find((child) => child.name === 'profiles')
    ?.children.find((child) => child.name === 'profile');
  if (!profile) throw new ConfigurationError(path, 1, 'sofia.conf has no profile');
  return {
    globals,
    profile: readProfile(profile, lists),
    dialplan: readDialplan(sections(root, 'dialplan')),
    eventSocket: {
      ip: events.text('listen-ip', '127.0.0.1'),
      port: events.number('listen-port', 8021, 0, 65535),
      password: events.text('password', ''),
      mayConnect: events.list('apply-inbound-acl', lists, 'loopback.auto'),
    },
    maxSessions: core.number('max-sessions', 1000, 1, 1_000_000),
    sessionsPerSecond: core.number('sessions-per-second', 30, 1, 1_000_000),
    rtpPorts: portRange(core),
    heartbeatMs: core.number('event-heartbeat-interval', 20, 1, 3600) * 1000,
    spool: readSpool(file('cdr_csv.conf')),
  };
}

/** Whether FreeSWITCH takes a value for yes. */
export function isTrue(value: string | undefined): boolean {
  if (value === undefined) return false;
  return /^(yes|on|true|t|enabled|active|allow)$/i.test(value) || /^-?0*[1-9][0-9]*$/.test(value);
}

function sections(root: XmlElement, name: string): XmlElement[] {
  return root.children.filter((child) => child.name === 'section' && child.attributes.get('name') === name);
}

function readProfile(element: XmlElement, lists: ReadonlyMap<string, AccessList>): Profile {
  const values = parameters(element);
  const callerIdType = values.text('caller-id-type', 'rpid');
  if (callerIdType !== 'rpid' && callerIdType !== 'pid' && callerIdType !== 'none') {
    throw new ConfigurationError(
      element.file,
      element.line,
      `caller-id-type "${callerIdType}" is none of rpid, pid, none`,
    );
  }
  const rtpIp = values.text('rtp-ip', '127.0.0.1');
  return {
    name: element.attributes.get('name') ?? '',
    sipIp: values.text('sip-ip', '127.0.0.1'),
    sipPort: values.number('sip-port', 5060, 0, 65535),
    context: values.text('context', 'default'),
    rtpIp,
    publicRtpIp: values.text('ext-rtp-ip', rtpIp),
    userAgent: values.text('user-agent-string', 'FreeSWITCH-mod_sofia'),
    telephoneEvent: values.number('rfc2833-pt', 101, 96, 127),
    callerIdType,
    mayInvite: values.list('apply-inbound-acl', lists, 'any_v4.auto'),
  };
}

function readSpool(element: XmlElement | undefined): SpoolSettings {
  const values = parameters(element);
  const templates = new Map<string, string>();
  for (const template of element?.children.find((child) => child.name === 'templates')?.children ?? []) {
    const name = template.attributes.get('name');
    if (name !== undefined)
      templates.set(name, template.text.endsWith('\n') ? template.text : `${template.text}\n`);
  }
  const legs = values.text('legs', 'a');
  const defaultTemplate = values.text('default-template', 'default');
  if (element && !templates.has(defaultTemplate)) {
    throw new ConfigurationError(element.file, element.line, `there is no template "${defaultTemplate}"`);
  }
  return {
    folder: join(values.text('log-base', '.'), 'cdr-csv'),
    legs: { a: legs.includes('a'), b: legs.includes('b') },
    templates,
    defaultTemplate,
    masterFileOnly: isTrue(values.text('master-file-only', 'false')),
  };
}

function portRange(core: Parameters): { first: number; last: number } {
  const first = core.number('rtp-start-port', 16384, 1024, 65534);
  const last = core.number('rtp-end-port', 32768, 1025, 65535);
  if (last <= first) core.fail('rtp-end-port', 'rtp-end-port is not above rtp-start-port');
  return { first: first + (first % 2), last };
}

interface Parameters {
  text(name: string, otherwise: string): string;
  number(name: string, otherwise: number, least: number, most: number): number;
  list(name: string, lists: ReadonlyMap<string, AccessList>, otherwise: string): AccessList;
  fail(name: string, what: string): never;
}

/** The `<param name= value=/>` of an element's `<settings>`. */
function parameters(element: XmlElement | undefined): Parameters {
  const all = element?.children.find((child) => child.name === 'settings')?.children ?? [];
  const find = (name: string): XmlElement | undefined =>
    all.findLast((child) => child.attributes.get('name') === name);
  const fail = (name: string, what: string): never => {
    const at = find(name) ?? element;
    throw new ConfigurationError(at?.file ?? '', at?.line ?? 0, what);
  };
  const text = (name: string, otherwise: string): string => {
    const value = find(name)?.attributes.get('value');
    return value === undefined || value === '' ? otherwise : value;
  };
  return {
    text,
    fail,
    number(name, otherwise, least, most) {
      const value = text(name, String(otherwise));
      const number = Number(value);
      if (!/^[0-9]+$/.test(value) || number < least || number > most) {
        return fail(name, `${name} "${value}" is no number from ${least} to ${most}`);
      }
      return number;
    },
    list(name, lists, otherwise) {
      const wanted = text(name, otherwise);
      return namedAccessList(wanted, lists) ?? fail(name, `there is no access list "${wanted}"`);
    },
  };
}
