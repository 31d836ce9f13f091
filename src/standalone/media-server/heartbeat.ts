import { cpus } from 'node:os';
import { eventHead, type EventFields, type EventOrigin } from './channel/event.js';
import { duration } from './event-socket/api.js';

export interface Load {
  readonly startedAt: number;
  readonly channels: number;
  readonly maxSessions: number;
  readonly sessionsPerSecond: number;
  readonly lastSecond: number;
  readonly mostPerSecond: number;
  readonly sessions: number;
  readonly peak: number;
}

/** The fields of a HEARTBEAT. `idle` is in per cent. */
export function heartbeat(origin: EventOrigin, load: Load, idle: number): EventFields {
  const up = Date.now() - load.startedAt;
  return {
    ...eventHead(origin, 'HEARTBEAT'),
    'Event-Info': 'System Ready',
    'Up-Time': duration(up),
    'FreeSWITCH-Version': 'tagswitch standalone media server',
    'Uptime-msec': String(up),
    'Session-Count': String(load.channels),
    'Max-Sessions': String(load.maxSessions),
    'Session-Per-Sec': String(load.sessionsPerSecond),
    'Session-Per-Sec-Last': String(load.lastSecond),
    'Session-Per-Sec-Max': String(load.mostPerSecond),
    'Session-Per-Sec-FiveMin': String(load.mostPerSecond),
    'Session-Since-Startup': String(load.sessions),
    'Session-Peak-Max': String(load.peak),
    'Session-Peak-FiveMin': String(load.peak),
    'Idle-CPU': idle.toFixed(6),
  };
}

/** Gives the machine's idle share since it was last asked, in per cent. */
export function idleMeter(): () => number {
  const read = (): { idle: number; all: number } => {
    const times = cpus().map((cpu) => cpu.times);
    const idle = times.reduce((sum, time) => sum + time.idle, 0);
    return {
      idle,
      all: times.reduce((sum, time) => sum + time.idle + time.user + time.sys + time.nice + time.irq, 0),
    };
  };
  let last = read();
  return () => {
    const now = read();
    const all = now.all - last.all;
    const share = all > 0 ? (100 * (now.idle - last.idle)) / all : 100;
    last = now;
    return share;
  };
}
