/** The far ends of most suites: a caller, and one callee who rings and answers at once. */
import type { Test } from 'tap';
import { Agent, until, type AgentCall } from '../standalone/media-agent.js';
import { declarationOf } from './declaration.js';
import { System } from './system.js';

export interface Ends {
  readonly system: System;
  readonly caller: Agent;
  readonly callee: Agent;
  /** Stops all three. */
  stop(): Promise<void>;
}

/** The switch with one endpoint, `answers`, and an end on either side. */
export async function startEnds(transport: 'udp' | 'tcp' = 'udp'): Promise<Ends> {
  const callee = await Agent.start((call) => {
    call.reply(180);
    call.reply(200, '0 101');
  });
  const caller = await Agent.start();
  const destination = `sip:agent@127.0.0.1:${String(callee.sip.port)}`;
  const system = await System.start(declarationOf([{ name: 'answers', ring: [[destination]] }], transport));
  return {
    system,
    caller,
    callee,
    stop: async () => {
      await system.stop();
      await caller.close();
      await callee.close();
    },
  };
}

/** The final response that the caller got. */
export async function finalOf(call: AgentCall, ms = 10_000): Promise<number> {
  await until(() => (call.statuses.at(-1) ?? 0) >= 200, 'a final response', ms);
  return call.statuses.at(-1) ?? 0;
}

/** One call over `transport` throughout: bridged, recorded, and every far end told a way back over the same. */
export async function callOver(
  t: Test,
  { system, caller, callee }: Pick<Ends, 'system' | 'caller' | 'callee'>,
  transport: 'tcp' | 'tls',
): Promise<void> {
  const upper = transport.toUpperCase();
  const named = new RegExp(`transport=${transport}`, 'i');
  const link = await system.allocate('answers', 'session-1');
  const call = await caller.call(system.sip, link.number, [], undefined, transport);
  t.equal(await finalOf(call), 200);
  const [leg] = callee.calls;
  if (leg === undefined) throw new Error('no leg');
  await until(() => leg.acks > 0, 'ACK at the callee');
  t.ok(leg.invite.get('Via')?.startsWith(`SIP/2.0/${upper}`), `the callee is called over ${upper}`);
  for (const header of [...call.last.getAll('Record-Route'), ...leg.invite.getAll('Record-Route')])
    t.match(header, named, header);
  t.match(call.last.get('Contact') ?? '', named, `the media node is reached over ${upper}`);
  t.equal((await call.send('BYE')).status, 200);
  await until(() => leg.bye !== undefined, 'BYE at the callee');
  t.match(await system.record(link.number), {
    result: 'answered',
    fault: 'caller',
    session: 'session-1',
    media: 'bridged',
  });
}
