/** The configuration of media nodes: clean as it comes, and each thing that is worth a word gets one. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { lintCommand } from '../../src/commands/lint.js';
import { lintConfiguration } from '../../src/standalone/media-server/lint.js';
import { keepLines } from '../commands/fake-switch.js';
import { root } from './tool.js';

const ENVIRONMENT = { TAGSWITCH_FREESWITCH_SECRET: 'of-this-installation' };

t.test('as it comes there is nothing to mend', async (t) => {
  t.same(lintConfiguration(join(root, 'freeswitch-conf'), ENVIRONMENT), []);
});

t.test('each fault is named by file and line', async (t) => {
  const folder = t.testdir({});
  const fresh = (): void => cpSync(join(root, 'freeswitch-conf'), folder, { recursive: true });
  for (const [file, from, to, expected] of [
    [
      'autoload_configs/acl.conf.xml',
      '<list name="switch" default="deny">',
      '<list name="switch" default="allow">',
      /default="deny"/,
    ],
    [
      'vars.xml',
      'tagswitch_switch_network=127.0.0.1/32',
      'tagswitch_switch_network=0.0.0.0/0',
      /lets everybody in/,
    ],
    [
      'autoload_configs/event_socket.conf.xml',
      '"apply-inbound-acl" value="application"',
      '"apply-inbound-acl" value="nobody"',
      /event socket: expected apply-inbound-acl/,
    ],
    [
      'autoload_configs/event_socket.conf.xml',
      '$${tagswitch_event_secret}',
      'ClueCon',
      /password: expected one of this installation/,
    ],
    [
      'sip_profiles/tagswitch.xml',
      '"disable-transfer" value="true"',
      '"disable-transfer" value="false"',
      /disable-transfer: expected true, found false/,
    ],
    [
      'sip_profiles/tagswitch.xml',
      '"liberal-dtmf" value="true"',
      '"liberal-dtmf" value="false"',
      /liberal-dtmf: expected true, found false/,
    ],
    [
      'sip_profiles/tagswitch.xml',
      '"enable-3pcc" value="proxy"',
      '"enable-3pcc" value="false"',
      /enable-3pcc: expected proxy, found false/,
    ],
    [
      'sip_profiles/tagswitch.xml',
      '"enable-100rel" value="true"',
      '"enable-100rel" value="false"',
      /enable-100rel: expected true, found false/,
    ],
    [
      'sip_profiles/tagswitch.xml',
      '"disable-register" value="true"',
      '"x" value="true"',
      /disable-register: expected true, found nothing/,
    ],
    [
      'sip_profiles/tagswitch.xml',
      '"context" value="tagswitch"',
      '"context" value="public"',
      /context: expected tagswitch/,
    ],
    ['sip_profiles/tagswitch.xml', '"sip-trace" value="no"', '"sip-trace" value="yes"', /sip-trace/],
    [
      'sip_profiles/tagswitch.xml',
      '"outbound-codec-prefs" value="PCMU,PCMA"',
      '"outbound-codec-prefs" value="G722"',
      /calls are transcoded/,
    ],
    [
      'sip_profiles/tagswitch.xml',
      '"inbound-late-negotiation" value="true"',
      '"inbound-late-negotiation" value="false"',
      /a codec is chosen before/,
    ],
    [
      'autoload_configs/switch.conf.xml',
      '"loglevel" value="warning"',
      '"loglevel" value="debug"',
      /loglevel: expected warning/,
    ],
    [
      'autoload_configs/switch.conf.xml',
      '/dev/shm/tagswitch-core.db',
      '/var/lib/freeswitch/core.db',
      /core-db-name: expected a file in memory/,
    ],
    [
      'vars.xml',
      'tagswitch_max_sessions=2000',
      'tagswitch_max_sessions=9000',
      /ports 16384 to 24574 are enough for 4096 of 9000 sessions/,
    ],
    [
      'vars.xml',
      'tagswitch_sessions_per_second=200',
      'tagswitch_sessions_per_second=30',
      /30 admits 15 calls a second/,
    ],
    [
      'vars.xml',
      'tagswitch_sip_port=5180',
      'tagswitch_sip_port=16400',
      /port 16400 lies among the ports for media/,
    ],
    [
      'dialplan/tagswitch.xml',
      'field="${sip_h_X-Tagswitch-Plan-2}"',
      'field="destination_number"',
      /never from what was dialled/,
    ],
    [
      'dialplan/tagswitch.xml',
      '<action application="bridge" data="$1"/>',
      '<action application="bridge" data="${sip_h_X-Tagswitch-Plan}"/>',
      /bridge: expected \$1/,
    ],
    [
      'dialplan/tagswitch.xml',
      '<action application="ring_ready"/>',
      '<action application="system" data="x"/>',
      /application system: none that a plan needs/,
    ],
    ['dialplan/tagswitch.xml', 'DP_MATCH=|', 'x=${system(ls)}|', /a function in/],
    [
      'autoload_configs/modules.conf.xml',
      '<load module="mod_sndfile"/>',
      '<load module="mod_lua"/>',
      /mod_lua: nothing of tagswitch needs it/,
    ],
    ['autoload_configs/modules.conf.xml', '<load module="mod_cdr_csv"/>', '', /mod_cdr_csv is not loaded/],
    ['sip_profiles/tagswitch.xml', '</profile>', '', /./],
    ['vars.xml', 'sip_copy_custom_headers=false', 'other=false', /sip_copy_custom_headers: expected false/],
    [
      'vars.xml',
      'hangup_after_bridge=true',
      'hangup_after_bridge=false',
      /hangup_after_bridge: expected true/,
    ],
    ['vars.xml', 'auto_cause XML tagswitch_end', 'true', /transfer_on_fail: expected causes/],
    ['vars.xml', 'continue_on_fail=', 'continue_on_fail=true ', /continue_on_fail: expected causes/],
    ['vars.xml', 'ignore_q850_reason=true', 'other=true', /ignore_q850_reason: expected true/],
    ['vars.xml', 'outbound_redirect_fatal=true', 'other=true', /outbound_redirect_fatal: expected true/],
  ] as const) {
    fresh();
    const path = join(folder, file);
    const text = readFileSync(path, 'utf8');
    t.ok(text.includes(from), `${file} has ${from}`);
    writeFileSync(path, text.replace(from, to));
    const faults = lintConfiguration(folder, ENVIRONMENT);
    t.ok(faults.length >= 1, to);
    t.match(faults.map(({ what }) => what).join('\n'), expected);
    for (const fault of faults) t.ok(fault.line > 0 && fault.file.startsWith(folder), fault.file);
  }
});

t.test('as a command', async (t) => {
  const own = join(root, 'freeswitch-conf');
  const { lines, ...io } = keepLines();
  t.equal(lintCommand([], { ...io, environment: ENVIRONMENT, own }), 0);
  t.match(lines.out[0], /nothing to mend$/);
  t.equal(lintCommand(['/no/such/folder'], { ...io, environment: ENVIRONMENT, own }), 1);
  t.match(lines.err[0], /freeswitch\.xml/);
  t.equal(lintCommand(['a', 'b'], { ...io, environment: ENVIRONMENT, own }), 2);
  const bare = keepLines();
  t.equal(lintCommand([own], { ...bare, environment: { TAGSWITCH_FREESWITCH_SECRET: 'ClueCon' }, own }), 1);
  t.match(bare.lines.err[0], /event_socket\.conf\.xml:\d+: password: expected one of this installation/);
});
