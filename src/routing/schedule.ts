import type { Hours, OpenHours } from '../directory/model.js';

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const DAY_MINUTES = 1440;

/** What a clock on the wall of a time zone shows. */
interface WallTime {
  /** `2026-12-25` */
  readonly date: string;
  /** 0 is Sunday. */
  readonly weekday: number;
  /** Since midnight as the clock shows it: an hour that comes twice in a night counts twice, one that is left out never. */
  readonly minute: number;
}

const clocks = new Map<string, Intl.DateTimeFormat>();

function wallTime(at: number, timeZone: string): WallTime {
  let clock = clocks.get(timeZone);
  if (clock === undefined) {
    clock = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      weekday: 'short',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
    });
    clocks.set(timeZone, clock);
  }
  const parts = new Map(clock.formatToParts(at).map(({ type, value }) => [type, value]));
  const part = (type: Intl.DateTimeFormatPartTypes): string => parts.get(type) ?? '';
  return {
    date: `${part('year')}-${part('month')}-${part('day')}`,
    weekday: WEEKDAYS.indexOf(part('weekday')),
    minute: Number(part('hour')) * 60 + Number(part('minute')),
  };
}

/**
 * Whether an endpoint with these hours is open at `at` (ms since the epoch), by the clocks of `timeZone` (IANA). Hours that
 * end before they begin go on past midnight, into the next day. On a holiday only the holiday's own hours count, from
 * midnight to midnight.
 */
export function isOpen(hours: Hours, at: number, timeZone: string): boolean {
  const { date, weekday, minute } = wallTime(at, timeZone);
  const holiday = hours.holidays?.find(({ day }) => day === date || day === date.slice(5));
  if (holiday !== undefined)
    return holiday.from !== undefined && holiday.to !== undefined
      ? within(holiday.from, holiday.to, minute)
      : false;
  const yesterday = (weekday + 6) % 7;
  return hours.open.some(
    ({ days, from, to }) =>
      (days.includes(weekday) && within(from, to, minute)) ||
      (days.includes(yesterday) && within(from, to, minute + DAY_MINUTES)),
  );
}

/** `minute` counts from the midnight that the hours belong to. */
function within(from: OpenHours['from'], to: OpenHours['to'], minute: number): boolean {
  return minute >= from && minute < (to <= from ? to + DAY_MINUTES : to);
}
