import type { DialogEvent } from './requests.js';

/**
 * Whether a frame of drachtio-server is a record of a dialog.
 */
export function isDialogRecord(frame: string): boolean {
  return /^[^|\r\n]{1,64}\|cdr:/.test(frame);
}

/**
 * What a `cdr:start` or `cdr:stop` frame of drachtio-server says (`id|cdr:stop|source|time|reason`, then the message that
 * answered or ended the dialog); undefined for any other frame, also for one without a Call-ID. A call has eight of them and
 * nearly all are of calls that a media node tells more of, so they are not parsed as SIP: three fields are looked up.
 */
export function dialogRecord(frame: string): DialogEvent | undefined {
  const kind = /^[^|\r\n]{1,64}\|cdr:(start|stop)\|/.exec(frame)?.[1];
  if (kind !== 'start' && kind !== 'stop') return undefined;
  const end = frame.indexOf('\r\n');
  if (end < 0) return undefined;
  const head = frame.slice(end, frame.indexOf('\r\n\r\n', end) + 2);
  const callId = /\r\n(?:call-id|i)[ \t]*:[ \t]*([^\r\n]*?)[ \t]*\r\n/i.exec(head)?.[1];
  if (callId === undefined || callId === '') return undefined;
  const status = /^\r\nSIP\/\d+\.\d+ +(\d{3})/i.exec(head)?.[1];
  return {
    kind,
    callId,
    reason: kind === 'stop' ? frame.slice(0, end).split('|')[4] : undefined,
    status: status === undefined ? undefined : Number(status),
  };
}
