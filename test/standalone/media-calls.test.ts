import t, { type Test } from 'tap';
import { SipResponse } from '../../src/standalone/sip/message.js';
import { Agent, audioOf, sdpOf, until, type AgentCall } from './media-agent.js';
import { EventClient, startServer, type Running } from './media-harness.js';

interface Floor {
  readonly running: Running;
  readonly sip: string;
  readonly caller: Agent;
  readonly events: EventClient;
  readonly callee: (onCall: (call: AgentCall) => void) => Promise<Agent>;
}

/** A server, a caller and a listener for one test; all is stopped and nothing may be left at its end. */
async function floor(t: Test, overrides: Readonly<Record<string, string>> = {}): Promise<Floor> {
  const running = await startServer(overrides);
  const caller = await Agent.start();
  const agents = [caller];
  const events = await EventClient.listen(running.server.eventSocketAddress);
  t.teardown(async () => {
    events.close();
    await running.stop();
    for (const agent of agents) await agent.close();
  });
  return {
    running,
    sip: running.server.sipAddress,
    caller,
    events,
    callee: async (onCall) => {
      const agent = await Agent.start(onCall);
      agents.push(agent);
      return agent;
    },
  };
}

function legOf(far: Agent, index = 0): AgentCall {
  const leg = far.calls[index];
  if (!leg) throw new Error('the leg is not there');
  return leg;
}

const nothingHeld = { legs: 0, routes: 0, calls: 0, ports: 0 };
const settled = (running: Running): Promise<void> =>
  until(() => JSON.stringify(running.server.held) === JSON.stringify(nothingHeld), 'nothing held');

/** Both far ends send `count` packets of their own pattern; what arrived is compared byte by byte. */
async function talk(
  t: Test,
  a: AgentCall,
  b: AgentCall,
  count = 25,
  types: readonly [number, number] = [0, 0],
): Promise<void> {
  a.media.received.length = b.media.received.length = 0;
  const fromA: Buffer[] = [];
  const fromB: Buffer[] = [];
  for (let n = 0; n < count; n += 1) {
    fromA.push(a.media.send(types[0], 11));
    fromB.push(b.media.send(types[1], 77));
    await new Promise((resolve) => setTimeout(resolve, 4));
  }
  await until(
    () => a.media.received.length >= count && b.media.received.length >= count,
    'the audio of both',
  );
  const samples = (packets: readonly Buffer[]): string =>
    packets.map((packet) => packet.subarray(12).toString('hex')).join('\n');
  t.equal(samples(b.media.received), samples(fromA), 'the callee hears every sample of the caller');
  t.equal(samples(a.media.received), samples(fromB), 'the caller hears every sample of the callee');
  t.not(samples(fromA), samples(fromB), 'and they are not the same');
}

t.test('a call is bridged, talks both ways, and the caller hangs up', async (t) => {
  const { running, sip, caller, events, callee } = await floor(t);
  const far = await callee((call) => {
    call.reply(180);
    call.reply(200, '0 101');
  });
  const call = await caller.call(sip, 'bridge', [
    ['X-Dial', far.dial()],
    ['X-Case', 'plain'],
    ['X-Secret', 'stays here'],
  ]);
  await events.wait('CHANNEL_BRIDGE');
  t.same(call.statuses, [100, 180, 200]);
  const leg = legOf(far);
  await until(() => leg.acks === 1, 'the ACK to the callee');
  t.equal(leg.invite.get('User-Agent'), 'FreeSWITCH-test');
  t.equal(leg.invite.get('X-Case'), 'plain', 'what was exported goes on');
  t.notOk(leg.invite.has('X-Secret'), 'nothing else does');
  t.notOk(leg.invite.has('X-Dial'));
  t.equal(leg.invite.uri, `sip:agent@127.0.0.1:${far.sip.port}`);
  t.match(leg.invite.get('From'), /^"Caller" <sip:\+12025550123@127\.0\.0\.1>;tag=/);
  t.equal(leg.invite.maxForwards, 69);
  t.equal(call.last.contactUri, `sip:bridge@${sip};transport=udp`);
  const ours = audioOf(call.last.body.toString());
  t.not(ours.port, leg.media.port, 'media is anchored here');
  t.equal(ours.port % 2, 0);
  await talk(t, call, leg);

  // DTMF in RTP goes through, under the payload type of the other side.
  call.media.send(101, 1, Buffer.from([5, 0x0a, 0, 160]), 4711);
  await until(
    () => leg.media.received.some((packet) => ((packet[1] ?? 0) & 0x7f) === 101 && packet[12] === 5),
    'the digit',
  );

  t.equal((await call.send('BYE')).status, 200);
  await until(() => leg.bye !== undefined, 'the BYE to the callee');
  t.equal(leg.bye?.get('Reason'), 'Q.850;cause=16;text="NORMAL_CLEARING"');
  await events.wait('CHANNEL_DESTROY', 'inbound');
  t.same(
    events.story(),
    [
      'CHANNEL_CREATE inbound',
      'CHANNEL_CREATE outbound',
      'CHANNEL_PROGRESS outbound',
      'CHANNEL_PROGRESS inbound',
      'CHANNEL_ANSWER outbound',
      'CHANNEL_PROGRESS_MEDIA inbound',
      'CHANNEL_ANSWER inbound',
      'CHANNEL_BRIDGE inbound',
      'CHANNEL_HANGUP inbound',
      'CHANNEL_HANGUP outbound',
      'CHANNEL_HANGUP_COMPLETE outbound',
      'CHANNEL_DESTROY outbound',
      'CHANNEL_UNBRIDGE inbound',
      'CHANNEL_HANGUP_COMPLETE inbound',
      'CHANNEL_DESTROY inbound',
    ],
    'the events of the trace, in its order',
  );
  const end = await events.wait('CHANNEL_HANGUP_COMPLETE', 'inbound');
  t.match(end, {
    'Hangup-Cause': 'NORMAL_CLEARING',
    variable_sip_hangup_disposition: 'recv_bye',
    variable_sip_term_status: '200',
    variable_originate_disposition: 'SUCCESS',
    variable_bridge_hangup_cause: 'NORMAL_CLEARING',
    variable_hangup_cause_q850: '16',
    variable_last_bridge_role: 'originator',
    'variable_sip_h_X-Secret': 'stays here',
    variable_endpoint_disposition: 'ANSWER',
    variable_sip_call_id: call.invite.callId,
    variable_DIALSTATUS: 'SUCCESS',
    variable_rtp_audio_in_packet_count: '26',
  });
  const complete = await events.wait('CHANNEL_HANGUP_COMPLETE', 'outbound');
  t.match(complete, {
    variable_sip_hangup_disposition: 'send_bye',
    variable_last_bridge_to: end['Unique-ID'],
    'variable_sip_h_X-Case': 'plain',
  });
  t.equal(complete['Channel-Call-UUID'], end['Unique-ID']);
  await settled(running);
  const [row = ''] = running.spool();
  const cells = row.slice(1, -1).split('","');
  t.equal(running.spool().length, 1, 'one line, for the caller leg');
  const stamps = ['start', 'progress', 'progress_media', 'answer', 'end'].map(
    (name) => end[`variable_${name}_uepoch`],
  );
  t.same(cells, [
    end['Unique-ID'],
    'plain',
    ...stamps,
    'NORMAL_CLEARING',
    '16',
    'recv_bye',
    'SUCCESS',
    '',
    '26',
  ]);
  t.ok(Number(stamps[0]) <= Number(stamps[3]) && Number(stamps[3]) < Number(stamps[4]));
});

t.test('the callee hangs up', async (t) => {
  const { running, sip, caller, events, callee } = await floor(t);
  const far = await callee((call) => call.reply(200, '0'));
  const call = await caller.call(sip, 'bridge', [['X-Dial', far.dial()]]);
  await events.wait('CHANNEL_BRIDGE');
  const leg = far.calls[0];
  await until(() => leg?.acks === 1, 'ACK');
  const [callerSide] = caller.calls;
  t.equal((await leg?.send('BYE'))?.status, 200);
  await until(() => callerSide?.bye !== undefined, 'the BYE to the caller');
  const end = await events.wait('CHANNEL_HANGUP_COMPLETE', 'inbound');
  t.match(end, {
    variable_sip_hangup_disposition: 'send_bye',
    variable_last_bridge_hangup_cause: 'NORMAL_CLEARING',
  });
  t.match(await events.wait('CHANNEL_HANGUP_COMPLETE', 'outbound'), {
    variable_sip_hangup_disposition: 'recv_bye',
  });
  t.same(call.statuses, [100, 200]);
  await settled(running);
});

t.test('over TCP on both sides, in A-law, with another number for events', async (t) => {
  const { sip, caller, events, callee } = await floor(t);
  const far = await callee((call) => {
    t.match(
      call.invite.body.toString(),
      /m=audio [0-9]+ RTP\/AVP 8 0 101\r/,
      "the caller's codecs, in his order",
    );
    call.reply(200, '8 101');
  });
  const offer =
    'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n' +
    'm=audio 9 RTP/AVP 8 0 96\r\na=rtpmap:96 telephone-event/8000\r\nm=video 9 RTP/AVP 97\r\n';
  const call = await caller.call(sip, 'bridge', [['X-Dial', far.dial('tcp')]], offer, 'tcp');
  await events.wait('CHANNEL_BRIDGE');
  const leg = legOf(far);
  t.equal(leg.server?.flow.proto, 'tcp');
  t.match(leg.invite.contactUri, /;transport=tcp$/);
  t.equal(call.last.contactUri, `sip:bridge@${sip};transport=tcp`);
  const answer = call.last.body.toString();
  t.match(answer, /m=audio [0-9]+ RTP\/AVP 8 96\r/);
  t.match(answer, /m=video 0 RTP\/AVP 97\r/, 'what is not ours is refused, in its place');
  await talk(t, call, leg, 10, [8, 8]);
  leg.media.send(101, 1, Buffer.from([11, 0x8a, 0, 160]), 99);
  await until(
    () => call.media.received.some((packet) => ((packet[1] ?? 0) & 0x7f) === 96 && packet[12] === 11),
    'the digit as 96',
  );
  await call.send('BYE');
});

t.test('final responses of a callee, and of the dialplan', async (t) => {
  const { running, sip, caller, callee, events } = await floor(t);
  let answerWith = 486;
  const far = await callee((call) => call.reply(answerWith));
  const cases: readonly (readonly [number, number, string])[] = [
    [486, 486, 'USER_BUSY'],
    [603, 603, 'CALL_REJECTED'],
    [404, 404, 'UNALLOCATED_NUMBER'],
    [503, 503, 'NORMAL_TEMPORARY_FAILURE'],
    [488, 488, 'INCOMPATIBLE_DESTINATION'],
    [302, 302, 'REQUESTED_CHAN_UNAVAIL'],
  ];
  let ended = 0;
  for (const [theirs, ours, cause] of cases) {
    answerWith = theirs;
    const call = await caller.call(sip, 'bridge', [['X-Dial', far.dial()]]);
    ended += 1;
    const end = await events.wait('CHANNEL_HANGUP_COMPLETE', 'inbound', ended);
    await until(() => call.statuses.length > 1, 'a final response');
    t.equal(call.statuses.at(-1), ours, `${theirs} of the callee`);
    t.equal(end['Hangup-Cause'], cause);
    t.equal(end['variable_originate_disposition'], cause);
    t.equal(end['variable_last_bridge_proto_specific_hangup_cause'], `sip:${theirs}`);
    t.equal(end['variable_sip_hangup_disposition'], 'send_refuse');
    t.match(call.last.get('Reason'), new RegExp(`^Q\\.850;cause=[0-9]+;text="${cause}"$`));
  }
  const plain: readonly (readonly [string, number, RegExp])[] = [
    ['respond-603', 603, /^Q\.850;cause=21;text="TEST"$/],
    ['hangup-NO_ANSWER', 480, /cause=19/],
    ['nonsense', 502, /cause=27/],
    ['away', 486, /cause=17/],
    ['circle', 483, /cause=25/],
    ['unknown', 404, /cause=3;/],
  ];
  for (const [user, status, reason] of plain) {
    const call = await caller.call(sip, user);
    await until(() => (call.statuses.at(-1) ?? 0) >= 200, `${user} answered`);
    t.equal(call.last.status, status, user);
    t.match(call.last.get('Reason') ?? '', reason);
    if (user.startsWith('respond')) t.equal(call.last.reason, 'Because of 603');
  }
  const undialable: readonly (readonly [string, number])[] = [
    ['loopback/x', 480],
    ['sofia/other/sip:a@127.0.0.1:9', 502],
    ['sofia/test/sip:a@127.0.0.1:9;transport=tls', 502],
    ['sofia/test/sip:a b@c', 484],
  ];
  for (const [dial, status] of undialable) {
    const call = await caller.call(sip, 'bridge', [['X-Dial', dial]]);
    await until(() => (call.statuses.at(-1) ?? 0) >= 200, dial);
    t.equal(call.last.status, status, dial);
  }
  await settled(running);
});

t.test("no answer, a leg's own time, and nobody there", async (t) => {
  const { running, sip, caller, callee } = await floor(t);
  const far = await callee((call) => call.reply(180));
  const started = Date.now();
  const whole = await caller.call(sip, 'bridge', [
    ['X-Dial', far.dial()],
    ['X-Set', 'call_timeout=1'],
  ]);
  const own = await caller.call(sip, 'bridge', [['X-Dial', `[leg_timeout=1]${far.dial()}`]]);
  await until(() => (whole.statuses.at(-1) ?? 0) >= 200 && (own.statuses.at(-1) ?? 0) >= 200, 'both refused');
  t.ok(Date.now() - started >= 950, 'not before its time');
  t.same(whole.statuses, [100, 180, 480]);
  t.same(own.statuses, [100, 180, 480]);
  t.match(own.last.get('Reason'), /^SIP;cause=802;text="ALLOTTED_TIMEOUT"$/);
  t.match(
    whole.last.get('Reason'),
    /^Q\.850;cause=16/,
    'no answer lets the plan go on to its end, as FreeSWITCH does',
  );
  await until(() => far.calls.every((leg) => leg.cancelled !== undefined), 'both cancelled');
  t.match(far.calls[0]?.cancelled?.get('Reason'), /NO_ANSWER/);
  await settled(running);
});

t.test('the caller cancels while it rings, and in early media', async (t) => {
  const { running, sip, caller, callee, events } = await floor(t);
  const far = await callee((call) => {
    if (call.invite.get('X-Case') === 'early') call.reply(183, '0');
    else call.reply(180);
  });
  const ringing = await caller.call(sip, 'bridge', [['X-Dial', far.dial()]]);
  await until(() => ringing.statuses.includes(180), '180');
  ringing.client?.cancel();
  await until(() => ringing.statuses.includes(487), '487');
  t.match(await events.wait('CHANNEL_HANGUP_COMPLETE', 'inbound'), {
    'Hangup-Cause': 'ORIGINATOR_CANCEL',
    variable_sip_hangup_disposition: 'recv_cancel',
    variable_sip_term_status: '487',
    variable_originate_disposition: 'ORIGINATOR_CANCEL',
    variable_DIALSTATUS: 'CANCEL',
  });
  await until(() => far.calls[0]?.cancelled !== undefined, 'the CANCEL to the callee');

  const early = await caller.call(sip, 'bridge', [
    ['X-Dial', far.dial()],
    ['X-Case', 'early'],
  ]);
  await until(() => early.statuses.includes(183), '183');
  await events.wait('CHANNEL_BRIDGE');
  const leg = legOf(far, 1);
  await talk(t, early, leg, 5);
  early.client?.cancel();
  await until(() => early.statuses.includes(487) && leg.cancelled !== undefined, '487 and CANCEL');
  t.match(await events.wait('CHANNEL_HANGUP_COMPLETE', 'outbound', 2), {
    'Hangup-Cause': 'ORIGINATOR_CANCEL',
    variable_sip_hangup_disposition: 'send_cancel',
    variable_sip_invite_failure_status: '487',
    variable_endpoint_disposition: 'EARLY MEDIA',
  });
  await settled(running);
});

t.test('early media, then the answer: the caller gets 183 and 200 with one address', async (t) => {
  const { running, sip, caller, callee, events } = await floor(t);
  const far = await callee((call) => call.reply(183, '0'));
  const call = await caller.call(sip, 'bridge', [['X-Dial', far.dial()]]);
  await events.wait('CHANNEL_BRIDGE');
  far.calls[0]?.reply(200, '0');
  await until(() => call.statuses.includes(200), '200');
  t.same(call.statuses, [100, 183, 200]);
  t.same(audioOf(call.responses[1]?.body.toString() ?? ''), audioOf(call.last.body.toString()));
  await call.send('BYE');
  await settled(running);
});

t.test('early media, then busy: the caller hears of it', async (t) => {
  const { running, sip, caller, callee, events } = await floor(t);
  const far = await callee((call) => call.reply(183, '0'));
  const call = await caller.call(sip, 'bridge', [['X-Dial', far.dial()]]);
  await events.wait('CHANNEL_BRIDGE');
  far.calls[0]?.reply(486);
  await until(() => call.statuses.includes(486), '486');
  await settled(running);
});

t.test(
  'in parallel: the winner answers, the loser is cancelled; in sequence: the second after the first',
  async (t) => {
    const { running, sip, caller, callee, events } = await floor(t);
    const slow = await callee((call) => call.reply(180));
    const quick = await callee((call) => {
      call.reply(180);
      setTimeout(() => call.reply(200, '0'), 100);
    });
    const busy = await callee((call) => call.reply(486));
    const call = await caller.call(sip, 'bridge', [
      ['X-Dial', `${slow.dial()},${quick.dial()},${busy.dial()}`],
    ]);
    await events.wait('CHANNEL_BRIDGE');
    await until(() => slow.calls[0]?.cancelled !== undefined, 'the loser is cancelled');
    t.equal(slow.calls[0]?.cancelled?.get('Reason'), 'SIP;cause=200;text="Call completed elsewhere"');
    t.same(call.statuses, [100, 180, 200], 'the caller sees one ringing');
    await talk(t, call, legOf(quick), 5);
    await call.send('BYE');
    const causes =
      (await events.wait('CHANNEL_HANGUP_COMPLETE', 'inbound'))['variable_originate_causes'] ?? '';
    t.match(causes, /;LOSE_RACE\|:[0-9a-f-]+;NONE\|:[0-9a-f-]+;USER_BUSY$/);

    const next = await caller.call(sip, 'bridge', [['X-Dial', `${busy.dial()}|${quick.dial()}`]]);
    await events.wait('CHANNEL_BRIDGE', undefined, 2);
    t.same(
      next.statuses.filter((status) => status !== 180),
      [100, 200],
    );
    t.equal(busy.calls.length, 2);
    await next.send('BYE');
    await settled(running);
  },
);

t.test('a 200 that crosses the CANCEL is acknowledged and ended', async (t) => {
  const { running, sip, caller, callee, events } = await floor(t);
  const far = await callee((call) => {
    call.reply(180);
    if (call.server) call.server.handlers = { onCancel: () => call.reply(200, '0') };
  });
  const call = await caller.call(sip, 'bridge', [['X-Dial', far.dial()]]);
  await events.wait('CHANNEL_PROGRESS', 'inbound');
  call.client?.cancel();
  await until(() => far.calls[0]?.acks === 1 && far.calls[0].bye !== undefined, 'ACK and BYE');
  await until(() => call.statuses.includes(487), '487');
  await settled(running);
});

t.test('an answer after the 487 that a proxy gave in his name is acknowledged and ended', async (t) => {
  const { running, sip, caller, callee, events } = await floor(t);
  const far = await callee((call) => {
    call.reply(180);
    if (call.server) call.server.handlers = { onCancel: () => call.reply(487) };
  });
  for (const [at, proto] of (['udp', 'tcp'] as const).entries()) {
    const call = await caller.call(sip, 'bridge', [['X-Dial', far.dial(proto)]]);
    await events.wait('CHANNEL_PROGRESS', 'inbound', at + 1);
    const { server, invite } = legOf(far, at);
    call.client?.cancel();
    await until(() => server?.state === 'confirmed' || server?.state === 'terminated', 'the ACK to the 487');
    const headers = [['Contact', `<${far.sip.uri(proto, 'agent')}>`]] as const;
    const answer = SipResponse.to(invite, 200, { toTag: 'answered', headers });
    await far.sip.sendResponse(answer, server?.flow);
    await until(() => legOf(far, at).acks === 1 && legOf(far, at).bye !== undefined, `ACK and BYE, ${proto}`);
    t.equal(legOf(far, at).bye?.toTag, 'answered');
  }
  await settled(running);
});

t.test('503 goes to the second bridge by continue_on_fail, 486 straight to the caller', async (t) => {
  const { running, sip, caller, callee } = await floor(t);
  let status = 503;
  const first = await callee((call) => call.reply(status));
  const second = await callee((call) => call.reply(200, '0'));
  const plan = (): [string, string][] => [
    ['X-Dial', first.dial()],
    ['X-Dial2', second.dial()],
    ['X-Set', 'continue_on_fail=NORMAL_TEMPORARY_FAILURE,38'],
  ];
  const call = await caller.call(sip, 'bridge', plan());
  await until(() => call.statuses.includes(200), '200 of the second');
  await call.send('BYE');
  status = 486;
  const busy = await caller.call(sip, 'bridge', plan());
  await until(() => busy.statuses.includes(486), '486');
  t.equal(second.calls.length, 1);
  const away = await caller.call(sip, 'bridge', [
    ...plan().slice(0, 2),
    ['X-Set', 'transfer_on_fail=USER_BUSY auto_cause XML end;sip_reason=X'],
  ]);
  await until(() => (away.statuses.at(-1) ?? 0) > 200, 'transferred');
  t.equal(away.last.reason, 'Busy Here');
  t.equal(second.calls.length, 1);
  await settled(running);
});

t.test('confirmation: the callee alone hears the tone, and the caller is answered after it', async (t) => {
  const { running, sip, caller, callee, events } = await floor(t);
  const far = await callee((call) => {
    call.reply(180);
    call.reply(200, '0 101');
  });
  const loser = await callee((call) => call.reply(180));
  const call = await caller.call(sip, 'bridge', [
    [
      'X-Dial',
      `{group_confirm_file='playback tone_stream://%(300,0,440)',group_confirm_key=exec}${far.dial()},${loser.dial()}`,
    ],
  ]);
  await events.wait('CHANNEL_ANSWER', 'outbound');
  const answered = Date.now();
  t.notOk(call.statuses.includes(200), 'the caller still waits');
  await until(() => call.statuses.includes(200), '200');
  t.ok(Date.now() - answered > 250, 'until the tone is over');
  t.ok(loser.calls[0]?.cancelled, 'the loser is cancelled');
  const leg = legOf(far);
  t.equal(leg.media.received.length, 15, '300 ms in packets of 20 ms');
  t.equal(call.media.received.length, 0, 'nothing of it for the caller');
  await talk(t, call, leg, 5);
  await call.send('BYE');

  const pressed = await caller.call(sip, 'bridge', [
    ['X-Dial', `{group_confirm_key=1,group_confirm_file=tone_stream://%(100\\,100\\,440)}${far.dial()}`],
  ]);
  await events.wait('CHANNEL_ANSWER', 'outbound', 2);
  const second = legOf(far, 1);
  await until(() => second.media.received.length > 2, 'the tone');
  t.notOk(pressed.statuses.includes(200));
  second.media.send(101, 5, Buffer.from([2, 0x0a, 0, 160]), 1000);
  await new Promise((resolve) => setTimeout(resolve, 300));
  t.notOk(pressed.statuses.includes(200), 'the wrong digit does not connect');
  second.media.send(101, 5, Buffer.from([1, 0x0a, 0, 160]), 2000);
  second.media.send(101, 5, Buffer.from([1, 0x8a, 0, 160]), 2000);
  await until(() => pressed.statuses.includes(200), 'the right one does');
  await pressed.send('BYE');
  await settled(running);
});

t.test('hold and resume are answered here, and nothing is sent meanwhile', async (t) => {
  const { running, sip, caller, callee, events } = await floor(t);
  const far = await callee((call) => call.reply(200, '0 101'));
  const call = await caller.call(sip, 'bridge', [['X-Dial', far.dial()]]);
  await events.wait('CHANNEL_BRIDGE');
  const leg = legOf(far);
  await until(() => leg.acks === 1, 'ACK');
  await talk(t, call, leg, 5);
  for (const [theirs, ours] of [
    ['sendonly', 'recvonly'],
    ['inactive', 'inactive'],
  ]) {
    const held = await call.send('INVITE', sdpOf(call.media, '0 101', `a=${theirs ?? ''}\r\n`));
    t.equal(held.status, 200);
    t.match(held.body.toString(), new RegExp(`a=${ours ?? ''}\r\n`));
  }
  await events.wait('CHANNEL_HOLD');
  call.media.received.length = 0;
  leg.media.send(0, 3);
  leg.media.send(0, 3);
  await new Promise((resolve) => setTimeout(resolve, 60)); // long enough for what must not arrive
  t.equal((await call.send('INVITE', sdpOf(call.media))).status, 200);
  await events.wait('CHANNEL_UNHOLD');
  t.equal(call.media.received.length, 0, 'nothing while held');
  await talk(t, call, leg, 5);
  t.equal((await call.send('INVITE', sdpOf(call.media, '9'))).status, 488, 'another codec is refused');
  await talk(t, call, leg, 5);
  t.equal(leg.requests.length, 0, 'the other side notices nothing');
  t.equal(
    (await leg.send('INVITE', sdpOf(leg.media, '0 101', 'a=sendonly\r\n'))).status,
    200,
    'the callee may hold too',
  );
  t.equal((await leg.send('REFER')).status, 603);
  t.equal((await leg.send('INFO')).status, 200);
  t.equal((await leg.send('UPDATE')).status, 501);
  await call.send('BYE');
  await settled(running);
});

t.test('what is no call is refused, and so is a call that cannot be taken', async (t) => {
  const { running, sip, caller, events } = await floor(t);
  const noCodec = await caller.call(
    sip,
    'tone',
    [],
    'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 9\r\n',
  );
  const late = await caller.call(sip, 'tone', [], null);
  const reliable = await caller.call(sip, 'tone', [['Require', '100rel']]);
  await until(
    () => [noCodec, late, reliable].every((call) => (call.statuses.at(-1) ?? 0) >= 200),
    'all refused',
  );
  t.equal(noCodec.last.status, 488);
  t.match(noCodec.last.get('Reason'), /cause=88/);
  t.equal(late.last.status, 480);
  t.match(late.last.get('Reason'), /MANDATORY_IE_MISSING/);
  t.equal(reliable.last.status, 420);
  t.equal(reliable.last.get('Unsupported'), '100rel');
  const ask = (method: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const request = noCodec.invite.withHeader('CSeq', `9 ${method}`).withHeader('Call-ID', `${method}-1`);
      const asked = Object.assign(
        Object.create(Object.getPrototypeOf(request) as object) as typeof request,
        request,
        { method },
      );
      caller.sip.request(asked.withBody(''), {
        onResponse: ({ status }) => resolve(status),
        onFailure: (cause) => reject(new Error(cause)),
      });
    });
  for (const method of ['REGISTER', 'SUBSCRIBE', 'MESSAGE', 'REFER', 'PUBLISH'])
    t.equal(await ask(method), 405, method);
  t.equal(await ask('OPTIONS'), 200);
  t.equal(await ask('BYE'), 501);

  t.equal(await events.api('fsctl pause inbound'), '+OK\n');
  const paused = await caller.call(sip, 'tone');
  await until(() => (paused.statuses.at(-1) ?? 0) >= 200, 'refused');
  t.equal(paused.last.status, 503);
  t.equal(paused.last.get('Retry-After'), '300');
  t.equal(await ask('OPTIONS'), 200, 'a paused node still answers OPTIONS, as FreeSWITCH does');
  t.equal(await events.api('fsctl resume inbound'), '+OK\n');
  const tone = await caller.call(sip, 'tone');
  await until(() => tone.bye !== undefined, 'the tone is played and the call ended');
  t.equal(tone.media.received.length, 10, '200 ms');
  t.ok(tone.media.received.every((packet) => packet.length === 172));
  const limited = await caller.call(sip, 'limited');
  await until(() => limited.bye !== undefined, 'sched_hangup', 3000);
  await settled(running);
});

t.test('an address outside of the list gets 403', async (t) => {
  const { sip, caller, running } = await floor(t, { test_network: '127.0.0.2/32' });
  const call = await caller.call(sip, 'respond-486');
  await until(() => (call.statuses.at(-1) ?? 0) >= 200, 'refused');
  t.equal(call.last.status, 403);
  t.same(running.server.held, nothingHeld);
});

t.test('stopping: calls are ended, new ones get 410', async (t) => {
  const { running, sip, caller } = await floor(t);
  const call = await caller.call(sip, 'hold');
  await until(() => call.statuses.includes(200), '200');
  const stopping = running.server.stop();
  const late = await caller.call(sip, 'hold');
  await until(() => call.bye !== undefined, 'BYE');
  await until(() => late.statuses.includes(410) || late.statuses.length > 0, 'an answer');
  t.equal(late.statuses.at(-1), 410);
  await stopping;
  t.same(running.server.held, nothingHeld);
});

t.test('a hundred calls leave nothing behind', async (t) => {
  const { running, sip, caller, callee, events } = await floor(t);
  const far = await callee((call) => {
    call.reply(180);
    call.reply(200, '0');
  });
  const active = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'UDPWRAP').length;
  for (let round = 0; round < 10; round += 1) {
    const calls = await Promise.all(
      Array.from({ length: 10 }, () => caller.call(sip, 'bridge', [['X-Dial', far.dial()]])),
    );
    await until(() => calls.every((call) => call.statuses.includes(200)), 'all answered');
    await Promise.all(calls.map((call) => call.send('BYE')));
  }
  await events.wait('CHANNEL_DESTROY', 'inbound', 100);
  await settled(running);
  t.equal(running.spool().length, 100);
  // The agents hold a media socket a call; the server's four a call are gone.
  await until(() => active() <= 203 + 4, 'the sockets are closed');
  t.notOk(
    running.lines.some((line) => line.level === 'error' || line.level === 'warning'),
    'and nothing to complain of',
  );
  t.equal(new Set(events.events.map((event) => event['Event-Sequence'])).size, events.events.length);
});
