/** The ids of a call and of the account whose call it is, which is all that names a call to every process. */
export interface CallIds {
  readonly call: string;
  readonly account: string;
}

const CALL_IDS = /^(call_[0-9a-z]{16})\.(acc_[0-9a-z]{16})$/;

/** Both as one text, as a media node carries them: one variable of a channel costs FreeSWITCH less than two. */
export function writeCallIds({ call, account }: CallIds): string {
  return `${call}.${account}`;
}

/** undefined for a text of any other form. */
export function readCallIds(text: string): CallIds | undefined {
  const [, call, account] = CALL_IDS.exec(text) ?? [];
  return call === undefined || account === undefined ? undefined : { call, account };
}
