/** The far ends of most suites: a caller, and one callee who rings and answers at once. */
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
