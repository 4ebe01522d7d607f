// times that lines state, beside their receipt -> by how much the sender's clock is off
import type { Event } from '../model/event.ts';

/** Lines that state a zone (or count seconds since 1970) and lines that do not are off by different amounts. */
export type StampKind = 'zoned' | 'zoneless';

export interface ClockEstimate {
  /** The sender's clock minus ours, its zone included. */
  readonly offsetMs: number;
  /** Where lines without a zone are in local time: minutes ahead of UTC. */
  readonly zoneMinutes?: number;
}

export interface Clock {
  /** One line, in the order of receipt; both times in milliseconds since 1970. */
  add(observedAtMs: number, receivedAtMs: number): void;
  /** Undefined while nothing lasting was measured, and where the difference is below what stamps of whole seconds can tell. */
  readonly estimate: ClockEstimate | undefined;
}

/** A slice of time of receipt; of its lines the one that came fastest counts. */
const SLICE_MS = 30_000;
/** Three slices that agree are a minute at least. */
const SETTLED_SLICES = 3;
/** Late lines look like a clock that is behind: that is believed after ten slices that agree, five minutes at least. */
const BEHIND_SLICES = 10;
/** What slices may differ by and still agree: a stamp of whole seconds, a queue at the sender, some drift. */
const AGREED_MS = 5000;
/** Whole seconds and the way here make up this much. */
const UNKNOWABLE_MS = 1500;
const HALF_HOUR_MS = 1_800_000;
/** A local time this near to a half hour's multiple is a zone; what is left is the clock's own difference. */
const ZONE_SLACK_MS = 300_000;
const MAX_ZONE_MS = 14 * 3_600_000;

/**
 * A line takes time to come, and never less than none: of the differences `observed - received` in a slice the greatest is
 * nearest to the truth. A batch that comes late holds ever less late lines, so its slices disagree, and what was known stays.
 * `knownOffsetMs` is what was measured before a restart.
 */
export function createClock(stamps: StampKind, knownOffsetMs = 0): Clock {
  /** Greatest difference of the last slices, the newest last. */
  const slices: number[] = [];
  let slice = Number.NEGATIVE_INFINITY;
  let greatestMs = Number.NEGATIVE_INFINITY;
  let offsetMs = knownOffsetMs;
  let estimate = estimateOf(knownOffsetMs, stamps);

  const settle = () => {
    slices.push(greatestMs);
    if (slices.length > BEHIND_SLICES) slices.shift();
    const candidateMs = agreed(slices, SETTLED_SLICES);
    if (candidateMs === undefined) return;
    const isBehind = candidateMs < offsetMs - AGREED_MS;
    const isZone = stamps === 'zoneless' && candidateMs !== 0 && isZoneAlone(candidateMs);
    if (isBehind && !isZone && agreed(slices, BEHIND_SLICES) === undefined) return;
    offsetMs = candidateMs;
    estimate = estimateOf(candidateMs, stamps);
  };
  return {
    add: (observedAtMs, receivedAtMs) => {
      const current = Math.floor(receivedAtMs / SLICE_MS);
      if (current !== slice) {
        if (slice !== Number.NEGATIVE_INFINITY) settle();
        slice = current;
        greatestMs = Number.NEGATIVE_INFINITY;
      }
      greatestMs = Math.max(greatestMs, observedAtMs - receivedAtMs);
    },
    get estimate() {
      return estimate;
    },
  };
}

/** The greatest of the last `count` where all of these agree. */
function agreed(slices: readonly number[], count: number): number | undefined {
  if (slices.length < count) return undefined;
  const last = slices.slice(-count);
  const greatest = Math.max(...last);
  return greatest - Math.min(...last) <= AGREED_MS ? greatest : undefined;
}

const zoneOf = (offsetMs: number) => Math.round(offsetMs / HALF_HOUR_MS) * HALF_HOUR_MS;

function isZoneAlone(offsetMs: number): boolean {
  const zoneMs = zoneOf(offsetMs);
  return zoneMs !== 0 && Math.abs(offsetMs - zoneMs) <= UNKNOWABLE_MS;
}

function estimateOf(offsetMs: number, stamps: StampKind): ClockEstimate | undefined {
  const zoneMs = stamps === 'zoneless' ? zoneOf(offsetMs) : 0;
  const isZone =
    zoneMs !== 0 && Math.abs(zoneMs) <= MAX_ZONE_MS && Math.abs(offsetMs - zoneMs) <= ZONE_SLACK_MS;
  const ownMs = isZone ? offsetMs - zoneMs : offsetMs;
  const known = Math.abs(ownMs) <= UNKNOWABLE_MS ? 0 : ownMs;
  if (!isZone) return known === 0 ? undefined : { offsetMs: known };
  return { offsetMs: zoneMs + known, zoneMinutes: zoneMs / 60_000 };
}

const HEAD_LENGTH = 80;
/** RFC 5424 or RFC 3339 behind the priority. */
const ZONED_HEAD =
  /^(?:<\d{1,3}>)?(?:1 )?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})? ?(?:Z|[+-]\d\d:?\d\d)/;

/** What the time of an event was written with; undefined where it states none, so that the receipt stands for it. */
export function stampKind(
  event: Pick<Event, 'raw' | 'observedAtMs' | 'receivedAtMs'>,
): StampKind | undefined {
  const { raw } = event;
  if (event.observedAtMs === event.receivedAtMs) return undefined;
  // Objects of osquery, Zeek and the unified log, and audit records, state seconds since 1970 or a zone.
  if (raw.startsWith('{') || raw.includes('audit(')) return 'zoned';
  return ZONED_HEAD.test(raw.slice(0, HEAD_LENGTH)) ? 'zoned' : 'zoneless';
}
