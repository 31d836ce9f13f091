import { given, readAll } from './account-parts.js';
import type { Holiday, Hours, OpenHours } from './model.js';
import * as values from './values.js';
import type { Field } from './yaml-source.js';

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** An endpoint's `hours`: `open`, `holidays` and `timeZone`. */
export function readHours(field: Field): Hours {
  const fields = field.map(['timeZone', 'open', 'holidays']);
  const open = fields.get('open');
  if (open === undefined) field.fault('expected "open": a list of hours, as "mon-fri 09:00-17:30"');
  const holidays = fields.get('holidays');
  return given<Hours>({
    timeZone: fields.optional('timeZone', values.parseTimeZone),
    open: readAll(open?.list('hours') ?? [], (one) => one.take(parseOpenHours)),
    holidays: holidays && readAll(holidays.list('days'), (one) => one.take(parseHoliday)),
  });
}

/** `mon-fri 09:00-17:30`, `sat,sun 10:00-14:00`, `fri 22:00-02:00` (into Saturday), `mon 00:00-24:00`. */
function parseOpenHours(text: string): values.Parsed<OpenHours> {
  const [, dayText = '', span = ''] = /^([a-z,-]+) +(\S+)$/i.exec(text) ?? [];
  const days = daysOf(dayText.toLowerCase());
  const hours = spanOf(span);
  return days === undefined || hours === undefined
    ? { expected: 'days and hours, as "mon-fri 09:00-17:30" or "sat,sun 10:00-14:00"' }
    : { value: { days, ...hours } };
}

/** `2026-12-25` (closed), `12-25` (every year), `2026-12-24 09:00-12:00`. */
function parseHoliday(text: string): values.Parsed<Holiday> {
  const [, day = '', span] = /^((?:\d{4}-)?\d\d-\d\d)(?: +(\S+))?$/.exec(text) ?? [];
  const hours = span === undefined ? {} : spanOf(span);
  return isDay(day) && hours !== undefined
    ? { value: { day, ...hours } }
    : {
        expected:
          'a day, as "2026-12-25", or "12-25" for every year, with its hours where it has some: "12-24 09:00-12:00"',
      };
}

function isDay(day: string): boolean {
  // Of days without a year the 29th of February is one, too.
  const [year = 2024, month = 0, date = 0] = (day.length === 5 ? `2024-${day}` : day).split('-').map(Number);
  const made = new Date(Date.UTC(year, month - 1, date));
  return day !== '' && made.getUTCMonth() === month - 1 && made.getUTCDate() === date;
}

/** 0 is Sunday. */
function daysOf(text: string): number[] | undefined {
  const days = new Set<number>();
  for (const part of text.split(',')) {
    const [first = -1, last = first, ...more] = part.split('-').map((day) => DAYS.indexOf(day));
    if (first < 0 || last < 0 || more.length > 0) return undefined;
    for (let day = first; ; day = (day + 1) % 7) {
      days.add(day);
      if (day === last) break;
    }
  }
  return [...days].sort();
}

/** Minutes since midnight. */
function spanOf(text: string): { from: number; to: number } | undefined {
  const [, hour, minute, endHour, endMinute] = /^(\d\d):(\d\d)-(\d\d):(\d\d)$/.exec(text) ?? [];
  const from = Number(hour) * 60 + Number(minute);
  const to = Number(endHour) * 60 + Number(endMinute);
  const whole = Number(minute) < 60 && Number(endMinute) < 60 && from < 1440 && to <= 1440 && from !== to;
  return whole ? { from, to } : undefined;
}
