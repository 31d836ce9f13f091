/** Microseconds since the epoch, as FreeSWITCH stamps events. The system's own clock: other programs' stamps compare. */
export function nowMicros(): number {
  return Date.now() * 1000;
}

const two = (value: number): string => String(value).padStart(2, '0');

/** `2026-11-22 16:47:47`, local time. */
export function localStamp(micros: number): string {
  const at = new Date(micros / 1000);
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}
