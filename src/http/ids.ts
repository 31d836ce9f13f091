import { Type } from 'typebox';

/** A number in E.164. */
export const E164 = '^\\+[1-9][0-9]{6,14}$';

/** Ids that pages make. Ours that stand beside them begin with `~`. */
export const SESSION = {
  pattern: '^[A-Za-z0-9._-][A-Za-z0-9._~-]{0,127}$',
  description: '1 to 128 characters of A-Z a-z 0-9 . _ ~ -, not ~ first',
};
const OWN_ID = {
  pattern: '^[A-Za-z0-9._~-]{1,128}$',
  description: '1 to 128 characters of A-Z a-z 0-9 . _ ~ -',
};

export const SessionId = Type.String(SESSION);
export const OwnId = Type.String(OWN_ID);
