// values of somebody's JSON -> text, numbers and times that can be kept
import { withoutControls } from '../clean.ts';
import { ISO_TIME, writtenTime } from '../time.ts';

export type Fields = Readonly<Record<string, unknown>>;

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const MAX_TEXT = 16_384;
const LATEST_MS = Date.UTC(2100, 0);

/** Of a string or number; undefined for '' and anything else. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'string' || value === '') return undefined;
  return withoutControls(value.slice(0, MAX_TEXT));
}

/** A count, also written as text; undefined for what is none. */
export function countOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

/** Seconds since 1970, with a fraction or without, as number or text -> milliseconds. */
export function secondsOf(value: unknown): number | undefined {
  const seconds = typeof value === 'string' && /^\d{1,12}(?:\.\d{1,9})?$/.test(value) ? Number(value) : value;
  if (typeof seconds !== 'number' || !(seconds > 0)) return undefined;
  const ms = Math.round(seconds * 1000);
  return ms < LATEST_MS ? ms : undefined;
}

const WHOLE_TIME = new RegExp(`^${ISO_TIME.source}$`);

/** RFC 3339 and its relatives with a zone -> milliseconds; without a zone it is UTC. */
export function isoOf(value: unknown): number | undefined {
  if (typeof value !== 'string' || value.length > 40) return undefined;
  const groups = WHOLE_TIME.exec(value)?.groups;
  const time = groups && writtenTime(groups);
  if (time?.year === undefined) return undefined;
  const { year, month, day, hour, minute, second, millisecond, zoneMinutes = 0 } = time;
  const ms = Date.UTC(year, month, day, hour, minute, second, millisecond) - zoneMinutes * 60_000;
  return ms >= 0 && ms < LATEST_MS ? ms : undefined;
}
