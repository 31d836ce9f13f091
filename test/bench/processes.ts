import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** USER_HZ: what the kernel tells user space its ticks are, on every architecture that Debian has. */
const TICK_MS = 10;

/** CPU time of a process so far, user and system, of all its threads, ms (proc(5), `stat`). */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in parentheses may hold blanks: count from behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

export interface Descriptors {
  readonly all: number;
  readonly sockets: number;
  /** What those that are no sockets lead to, each as often as it is open. */
  readonly others: readonly string[];
}

/** Open file descriptors of a process. */
export function descriptors(pid: number): Descriptors {
  const folder = `/proc/${pid}/fd`;
  let sockets = 0;
  const others: string[] = [];
  const names = readdirSync(folder);
  for (const name of names) {
    try {
      const target = readlinkSync(`${folder}/${name}`);
      if (target.startsWith('socket:')) sockets += 1;
      else others.push(target.replace(/^(pipe):.*/, '$1'));
    } catch (error) {
      // Closed between the two looks.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return { all: names.length, sockets, others: others.sort() };
}

/** Resident memory, bytes. */
export function residentBytes(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kib === undefined) throw new Error(`process ${pid} has no memory any more`);
  return Number(kib) * 1024;
}
