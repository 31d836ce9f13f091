import type { Action, Condition, Extension } from '../configuration/dialplan-file.js';
import { expand, type Lookup } from './expand.js';

export interface Hunt {
  /** What is to be run, in order, variables not yet expanded. */
  readonly actions: readonly Action[];
  readonly matched: boolean;
}

export interface HuntInput {
  readonly extensions: readonly Extension[];
  /** A field of the caller's profile by FreeSWITCH's name (`destination_number`, ...). */
  readonly field: Lookup;
  /** A channel variable, as `${}` sees it. */
  readonly variable: Lookup;
  /** Runs an action with `inline="true"` at once: it may change what later conditions see. */
  readonly runInline: (action: Action) => void;
  /** Told of each condition with groups that held: its captures, the whole match first. */
  readonly onMatch: (captures: readonly string[]) => void;
}

/**
 * Searches a context as FreeSWITCH does: the actions of every extension whose conditions hold are gathered, up to the
 * first without `continue`. `$1` to `$9` in an action stand for the groups of its own condition.
 */
export function hunt(input: HuntInput): Hunt {
  const actions: Action[] = [];
  for (const extension of input.extensions) {
    const proceed = search(extension, input, actions);
    if (proceed && !extension.continue) return { actions, matched: true };
  }
  return { actions, matched: actions.length > 0 };
}

/** The actions of one extension by its name (`execute_extension` looks by number; see `hunt`). */
function search(extension: Extension, input: HuntInput, gathered: Action[]): boolean {
  let proceed = false;
  for (const condition of extension.conditions) {
    const match = check(condition, input);
    if (match && match.length > 1) input.onMatch(match);
    const due = match ? condition.actions : condition.antiActions;
    for (const action of due) {
      const ready = match && match.length > 1 ? { ...action, data: substitute(action.data, match) } : action;
      if (ready.inline) input.runInline(ready);
      else gathered.push(ready);
    }
    proceed = match !== undefined || condition.antiActions.length > 0;
    if (condition.break === 'always') break;
    if (condition.break === (match ? 'on-true' : 'on-false')) break;
  }
  return proceed;
}

function check(condition: Condition, input: HuntInput): readonly string[] | undefined {
  if (condition.field === undefined) return [''];
  const value = condition.field.includes('$')
    ? expand(condition.field, input.variable)
    : (input.field(condition.field) ?? '');
  const found = expression(expand(condition.expression, input.variable)).exec(value);
  return found ? found.map((group) => group ?? '') : undefined;
}

const compiled = new Map<string, RegExp>();

/** A PCRE of the dialplan as a RegExp: `/x/i` and a leading `(?i)` set flags, `$` also matches before a last newline. */
export function expression(text: string): RegExp {
  const known = compiled.get(text);
  if (known) return known;
  const slashed = /^\/(.*)\/([a-z]*)$/s.exec(text);
  const inline = /^\(\?([a-z]+)\)(.*)$/s.exec(text);
  const source = slashed?.[1] ?? inline?.[2] ?? text;
  const wanted = slashed?.[2] ?? inline?.[1] ?? '';
  const made = new RegExp(source, [...'ims'].filter((flag) => wanted.includes(flag)).join(''));
  if (compiled.size > 1000) compiled.clear();
  compiled.set(text, made);
  return made;
}

function substitute(data: string, captures: readonly string[]): string {
  return data.replace(/\\\$|\$([0-9]{1,2})/g, (whole, group: string | undefined) =>
    group === undefined ? whole : (captures[Number(group)] ?? ''),
  );
}
