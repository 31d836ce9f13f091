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
 * Whether an endpoint with these hours is open at `at` (ms since the epoch), by the clocks of `timeZone` (IANA). Hours
 * belong to the day on which they begin: those that end before they begin go on past midnight. A holiday takes the place
 * of the hours that begin on its day, whatever time they last to.
 */
export function isOpen(hours: Hours, at: number, timeZone: string): boolean {
  const { date, weekday, minute } = wallTime(at, timeZone);
  return (
    spansOf(hours, date, weekday).some((span) => within(span, minute)) ||
    spansOf(hours, dayBefore(date), (weekday + 6) % 7).some((span) => within(span, minute + DAY_MINUTES))
  );
}

type Span = Pick<OpenHours, 'from' | 'to'>;

/** The hours that begin on a day. A holiday of that very year counts before one of every year. */
function spansOf({ open, holidays = [] }: Hours, date: string, weekday: number): Span[] {
  const dated = holidays.filter(({ day }) => day === date);
  const own = dated.length > 0 ? dated : holidays.filter(({ day }) => day === date.slice(5));
  if (own.length === 0) return open.filter(({ days }) => days.includes(weekday));
  return own.flatMap(({ from, to }) => (from === undefined || to === undefined ? [] : [{ from, to }]));
}

function dayBefore(date: string): string {
  return new Date(Date.parse(date) - 86_400_000).toISOString().slice(0, 10);
}

/** `minute` counts from the midnight that the hours belong to. */
function within({ from, to }: Span, minute: number): boolean {
  return minute >= from && minute < (to <= from ? to + DAY_MINUTES : to);
}
