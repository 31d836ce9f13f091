import type { Action } from '../configuration/dialplan-file.js';
import { causeOf } from '../causes.js';
import { nowMicros } from '../channel/clock.js';
import { expand, FunctionRefused } from '../dialplan/expand.js';
import { hunt } from '../dialplan/hunt.js';
import { applications, type Next, type Running } from './applications.js';
import type { CallerLeg } from './caller-leg.js';
import type { Ground } from './ground.js';

/** Transfers and executions one call may make: a plan that goes round in a circle ends here. */
const mostTurns = 70;

/** Takes a caller through the dialplan, from the first search to the end of the call. Never rejects. */
export async function runCall(ground: Ground, caller: CallerLeg): Promise<void> {
  const { channel } = caller;
  let timer: NodeJS.Timeout | undefined;
  const running: Running = {
    ground,
    caller,
    scheduleHangup(ms, cause) {
      clearTimeout(timer);
      timer = setTimeout(
        () => caller.hangup(causeOf(cause) ?? 'ALLOTTED_TIMEOUT'),
        Math.min(ms, 2 ** 31 - 1),
      );
    },
  };
  caller.onAnswered = () => {
    const [application = '', data = ''] = (channel.get('execute_on_answer') ?? '').split(/ (.*)/s);
    if (application === '') return;
    execute(running, { application, data, inline: false }).catch((error: unknown) => {
      ground.log('error', 'what was to be done on the answer failed', {
        uuid: channel.uuid,
        reason: error instanceof Error ? error.name : 'unknown',
      });
    });
  };
  try {
    ground.tell('CHANNEL_CREATE', channel);
    const unusable = caller.unusable;
    if (unusable) caller.hangup(unusable);
    channel.state = 'CS_EXECUTE';
    channel.callState = 'RINGING';
    await follow(running);
    caller.hangup('NORMAL_CLEARING');
  } catch (error) {
    ground.log('error', 'a call failed', { uuid: channel.uuid, reason: (error as Error).message });
    caller.hangup('NORMAL_TEMPORARY_FAILURE');
  } finally {
    clearTimeout(timer);
    caller.report();
  }
}

/** Runs what the search found, and searches again after a transfer. */
async function follow(running: Running): Promise<void> {
  const { ground, caller } = running;
  const { profile } = caller.channel;
  let turns = 0;
  let due = await search(running, profile.destinationNumber, profile.context);
  while (!caller.over) {
    const action = due.shift();
    if (!action) return;
    const next = await execute(running, action);
    if (next.go === 'on') continue;
    turns += 1;
    if (turns > mostTurns) {
      ground.log('warning', 'a plan goes round in a circle', { uuid: caller.channel.uuid });
      return caller.hangup('EXCHANGE_ROUTING_ERROR');
    }
    const [extension = '', , context = profile.context] = next.to;
    if (next.go === 'execute') due = [...(await search(running, extension, context)), ...due];
    else {
      transferred(caller, extension, context);
      due = await search(running, extension, context);
    }
  }
}

function transferred(caller: CallerLeg, extension: string, context: string): void {
  const { channel } = caller;
  channel.profile.destinationNumber = extension;
  channel.profile.context = context;
  channel.profileIndex += 1;
  channel.times.profileCreated = channel.times.transfer = nowMicros();
}

async function search(running: Running, extension: string, context: string): Promise<Action[]> {
  const { ground, caller } = running;
  const { channel } = caller;
  const extensions = ground.configuration().dialplan.get(context);
  const inline: Promise<Next>[] = [];
  const found =
    caller.over || !extensions
      ? { actions: [], matched: false }
      : hunt({
          extensions,
          field: (name) =>
            name === 'destination_number' ? extension : name === 'context' ? context : channel.field(name),
          variable: (name) => channel.get(name),
          // `set` and its kind are done before `execute` first waits, so that the next condition sees what they did.
          runInline: (action) => inline.push(execute(running, action)),
          onMatch: (captures) => channel.variables.set('DP_MATCH', `ARRAY::${captures.join('|:')}`),
        });
  await Promise.all(inline);
  if (!found.matched && !caller.over) {
    ground.log('info', 'no extension', { uuid: channel.uuid, context });
    caller.hangup('NO_ROUTE_DESTINATION');
  }
  return [...found.actions];
}

async function execute(running: Running, action: Action): Promise<Next> {
  const { ground, caller } = running;
  const { channel } = caller;
  const run = applications[action.application];
  if (!run) {
    ground.log('error', 'unknown application', { uuid: channel.uuid, application: action.application });
    caller.hangup('DESTINATION_OUT_OF_ORDER');
    return { go: 'on' };
  }
  let data: string;
  try {
    data = expand(action.data, (name) => channel.get(name));
  } catch (error) {
    if (!(error instanceof FunctionRefused)) throw error;
    ground.log('error', error.message, { uuid: channel.uuid, application: action.application });
    caller.hangup('DESTINATION_OUT_OF_ORDER');
    return { go: 'on' };
  }
  channel.variables.set('current_application', action.application);
  channel.variables.set('current_application_data', data);
  channel.variables.set('last_app', action.application);
  channel.variables.set('last_arg', data);
  return run(running, data);
}
