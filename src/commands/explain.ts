import type { HostPort } from '../addresses.js';
import { Exit } from '../directory/commands.js';
import { ApiFault, CallApi } from './api.js';
import { readArguments } from './arguments.js';
import { explanation } from './explanation.js';
import { DEMO_KEY, isKey, type Lines } from './io.js';

export interface ExplainIo extends Lines {
  readonly http: HostPort;
}

/**
 * `tagswitch explain CALL`: why a call went where it went and whose visit it was, in sentences.
 * @returns 0; 1 when there is no such call or the switch does not say; 2 for bad arguments
 */
export async function explainCommand(argv: readonly string[], io: ExplainIo): Promise<number> {
  const read = readArguments(argv, { words: ['CALL'], options: { key: 'an API key' } });
  const faults = 'faults' in read ? read.faults : [];
  const id = 'faults' in read ? '' : (read.words[0] ?? '');
  const key = 'faults' in read ? DEMO_KEY : (read.options.get('key') ?? DEMO_KEY);
  if (faults.length === 0 && !/^call_[0-9a-z]{1,60}$/.test(id))
    faults.push('CALL: expected the id of a call, call_...');
  if (!isKey(key)) faults.push('--key: expected an API key, printable ASCII characters without blanks');
  if (faults.length > 0) {
    for (const fault of faults) io.err(`tagswitch explain: ${fault}`);
    return Exit.badInput;
  }
  try {
    const found = await new CallApi(io.http, key).call(id);
    if (found === undefined) {
      io.err(`tagswitch explain: the account of this key has no call ${id}`);
      return Exit.refused;
    }
    io.out(found.record.id);
    for (const line of explanation(found.record, found.events)) io.out(line);
    return Exit.done;
  } catch (error) {
    if (!(error instanceof ApiFault)) throw error;
    io.err(`tagswitch explain: ${error.message}`);
    return Exit.refused;
  }
}
