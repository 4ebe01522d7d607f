// configuration text -> what its own header lines say about the last change
import type { DeviceDefinition } from '../../devices/definition.ts';
import { found } from './clean.ts';

export interface ChangeHeader {
  readonly user?: string;
  /** Undefined where the line has no time or a zone that nobody knows. */
  readonly atMs?: number;
  readonly raw: string;
}

/** Headers stand at the top; what users write further down must not pass for one. */
const HEADER_LINES = 60;
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
/** Minutes east of UTC, for devices whose own time zone is not registered. */
const ZONES: Readonly<Record<string, number>> = {
  UTC: 0,
  GMT: 0,
  Z: 0,
  WET: 0,
  WEST: 60,
  BST: 60,
  CET: 60,
  CEST: 120,
  EET: 120,
  EEST: 180,
  MSK: 180,
  EST: -300,
  EDT: -240,
  CST: -360,
  CDT: -300,
  MST: -420,
  MDT: -360,
  PST: -480,
  PDT: -420,
  JST: 540,
  AEST: 600,
  AEDT: 660,
};

/** `timeZone` is the device's IANA zone; it decides for every zone word but UTC and GMT. */
export function changeHeaders(
  text: string,
  definition: Pick<DeviceDefinition, 'changeHeaders'>,
  timeZone?: string,
): ChangeHeader[] {
  const headers: ChangeHeader[] = [];
  for (const line of text.slice(0, 16_384).split('\n', HEADER_LINES)) {
    const pattern = definition.changeHeaders?.find((candidate) => found(candidate, line));
    const groups =
      pattern && new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, '')).exec(line)?.groups;
    if (!pattern) continue;
    headers.push({
      user: groups?.user,
      atMs: groups?.time === undefined ? undefined : parseHeaderTime(groups.time, timeZone),
      raw: line.trim().slice(0, 300),
    });
  }
  return headers;
}

/** "09:37:40 CEST Tue Aug 20 2024", "2017-08-01 00:00:00 UTC", "Tue Jun  7 14:42:19 2016" -> milliseconds since 1970. */
export function parseHeaderTime(text: string, timeZone?: string): number | undefined {
  const clock = /\b(\d{1,2}):(\d\d):(\d\d)(?:\.(\d{1,3})\d*)?/.exec(text);
  const date = parseDate(text);
  if (!clock || !date) return undefined;
  const [hour, minute, second, fraction] = clock.slice(1, 5);
  const localMs = Date.UTC(
    ...date,
    Number(hour),
    Number(minute),
    Number(second),
    Number((fraction ?? '0').padEnd(3, '0')),
  );
  const zone = /\b([A-Z]{1,5})\b/.exec(text.replace(/\b[A-Z][a-z]+\b/g, ''))?.[1];
  if (zone !== undefined && ZONES[zone] === 0) return localMs;
  if (timeZone !== undefined) return fromZone(localMs, timeZone);
  if (zone === undefined || ZONES[zone] === undefined) return undefined;
  return localMs - ZONES[zone] * 60_000;
}

function parseDate(text: string): [number, number, number] | undefined {
  const iso = /\b(\d{4})-(\d\d)-(\d\d)\b/.exec(text);
  if (iso) return [Number(iso[1]), Number(iso[2]) - 1, Number(iso[3])];
  const month = /\b([A-Z][a-z]{2}) +(\d{1,2})\b(?!:)/.exec(text);
  const year = /\b((?:19|20)\d\d)\b/.exec(text);
  if (!month || !year) return undefined;
  const index = MONTHS.indexOf(month[1].toLowerCase());
  return index < 0 ? undefined : [Number(year[1]), index, Number(month[2])];
}

/** A wall clock of a zone -> UTC; undefined for a zone that does not exist. */
function fromZone(localMs: number, timeZone: string): number | undefined {
  let guessMs = localMs;
  // Twice, because the first guess may lie on the other side of a change to or from summer time.
  for (let i = 0; i < 2; i++) {
    const offsetMs = zoneOffsetMs(guessMs, timeZone);
    if (offsetMs === undefined) return undefined;
    guessMs = localMs - offsetMs;
  }
  return guessMs;
}

function zoneOffsetMs(atMs: number, timeZone: string): number | undefined {
  try {
    const parts = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' }).formatToParts(
      atMs,
    );
    const name = parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
    const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)/.exec(name) ?? [undefined, '+', '0', '0'];
    return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
  } catch {
    return undefined;
  }
}
