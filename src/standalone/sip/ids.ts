import { randomBytes } from 'node:crypto';
import { magicCookie } from './via.js';

/** A branch that no other transaction has (RFC 3261 section 8.1.1.7). */
export function newBranch(): string {
  return `${magicCookie}${randomBytes(12).toString('hex')}`;
}

/** A tag of 64 random bits (section 19.3 asks for 32). */
export function newTag(): string {
  return randomBytes(8).toString('hex');
}

export function newCallId(): string {
  return randomBytes(16).toString('hex');
}
