// a timestamp of a log line -> epoch milliseconds

/** A time as written; `zoneMinutes` is undefined where the line states no zone. */
export interface WrittenTime {
  readonly year?: number;
  /** 0 to 11. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly millisecond: number;
  readonly zoneMinutes?: number;
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** Abbreviations that mean one zone; the others (CST, IST) are taken for UTC like no zone. */
const ZONE_MINUTES: Readonly<Record<string, number>> = {
  UTC: 0,
  GMT: 0,
  Z: 0,
  CET: 60,
  CEST: 120,
  EET: 120,
  EEST: 180,
  MSK: 180,
  EST: -300,
  EDT: -240,
  CDT: -300,
  MST: -420,
  MDT: -360,
  PST: -480,
  PDT: -420,
  JST: 540,
};

/** RFC 3339 and its broken relatives: a blank for T, a comma for the point, no zone. */
export const ISO_TIME =
  /(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d)[T ](?<time>\d\d:\d\d:\d\d)(?:[.,](?<fraction>\d{1,9}))? ?(?<zone>Z|[+-]\d\d:?\d\d)?/;
/** RFC 3164 section 4.1.2, with a year in any of three places, a fraction and a zone's name; IOS marks a clock that is not set by * or . */
export const MONTH_TIME =
  /[*.]?(?:(?<yearBefore>\d{4}) )?(?<monthName>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) {1,2}(?<day>\d{1,2})(?: (?<yearInside>\d{4}))? (?<time>\d\d:\d\d:\d\d)(?:\.(?<fraction>\d{1,9}))?(?: (?<yearAfter>(?:19|20)\d\d)(?=[\s:]|$))?(?: (?<zone>[A-Z]{3,4})(?=:|$))?/;

/** From a match of one of the two; undefined for what is no time (Feb 30, 25:00:00). */
export function writtenTime(groups: Readonly<Record<string, string | undefined>>): WrittenTime | undefined {
  const yearText = groups.year ?? groups.yearBefore ?? groups.yearInside ?? groups.yearAfter;
  const month = groups.month
    ? Number(groups.month) - 1
    : MONTHS.indexOf((groups.monthName ?? '').toLowerCase());
  // Both patterns have it as hh:mm:ss.
  const { time: clock = '' } = groups;
  const hour = Number(clock.slice(0, 2));
  const minute = Number(clock.slice(3, 5));
  const second = Number(clock.slice(6, 8));
  const time = {
    year: yearText === undefined ? undefined : Number(yearText),
    month,
    day: Number(groups.day),
    hour,
    minute,
    // RFC 5424 section 6.2.3 forbids the leap second 60, devices write it.
    second: Math.min(second, 59),
    millisecond: groups.fraction === undefined ? 0 : Number(groups.fraction.padEnd(3, '0').slice(0, 3)),
    zoneMinutes: zoneMinutes(groups.zone),
  };
  const isDay = month >= 0 && month <= 11 && time.day >= 1 && time.day <= daysIn(time.year ?? 2024, month);
  return isDay && hour <= 23 && minute <= 59 && second <= 60 ? time : undefined;
}

function zoneMinutes(zone: string | undefined): number | undefined {
  if (zone === undefined) return undefined;
  if (zone === 'Z') return 0;
  const offset = /^([+-])(\d\d):?(\d\d)$/.exec(zone);
  if (!offset) return ZONE_MINUTES[zone.toUpperCase()];
  return (offset[1] === '-' ? -1 : 1) * (Number(offset[2]) * 60 + Number(offset[3]));
}

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const isLeap = (year: number) => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
const daysIn = (year: number, month: number) => DAYS[month] + (month === 1 && isLeap(year) ? 1 : 0);

/** The difference up to which a time without a zone is believed: no zone is further from UTC than 14 hours, few than 12. */
export const ZONELESS_TOLERANCE_MS = 12 * 3_600_000;
/** Up to this no other year is nearer. */
const HALF_YEAR_MS = 182 * 86_400_000;
const LATEST_MS = Date.UTC(2100, 0);

/**
 * Without a year, the year nearest to the receipt; without a zone, UTC, and undefined where that is further from the receipt
 * than the tolerance: the clock or its zone is not known then.
 */
export function resolveTime(
  time: WrittenTime,
  receivedAtMs: number,
  toleranceMs = ZONELESS_TOLERANCE_MS,
): number | undefined {
  const at = (year: number) =>
    Date.UTC(year, time.month, time.day, time.hour, time.minute, time.second, time.millisecond) -
    (time.zoneMinutes ?? 0) * 60_000;
  const distance = (atMs: number) => Math.abs(atMs - receivedAtMs);
  const received = time.year ?? new Date(receivedAtMs).getUTCFullYear();
  let nearest = at(received);
  if (time.year === undefined && distance(nearest) > HALF_YEAR_MS)
    nearest = [received - 1, received, received + 1]
      .map(at)
      .reduce((best, one) => (distance(one) < distance(best) ? one : best));
  if (nearest < 0 || nearest > LATEST_MS) return undefined;
  const isStated = time.year !== undefined && time.zoneMinutes !== undefined;
  return isStated || distance(nearest) <= toleranceMs ? nearest : undefined;
}
