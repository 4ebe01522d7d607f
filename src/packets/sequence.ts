// sequence numbers -> units lost, reordered, repeated datagrams, restarts
import type { SessionCounters } from './session.ts';

export interface Sequence {
  /** Number of the last datagram; -1 before the first and where its units could not be counted. */
  last: number;
  lastUnits: Units;
  uptimeMs: number;
  /** Which of COUNTINGS this exporter was last seen to follow. */
  counting: number;
  /** Units counted as lost that may still come late, the oldest first. */
  readonly missing: Range[];
  /** What would follow the last datagram that came again, and how many have followed each other so. */
  repeatNext: number;
  repeats: number;
}

/** How far one datagram advances the number. */
export interface Units {
  /** Flows in v5 and v7, 1 in v9 (RFC 3954 section 5.1), data records in IPFIX (RFC 7011 section 3.1); -1 unknown. */
  readonly all: number;
  /** IPFIX: the same without options records. */
  readonly flows?: number;
}

interface Range {
  from: number;
  count: number;
}

export const createSequence = (): Sequence => ({
  last: -1,
  lastUnits: { all: 0 },
  uptimeMs: 0,
  counting: 0,
  missing: [],
  repeatNext: -1,
  repeats: 0,
});

/** A datagram this far behind is late; further behind, the exporter started again. */
const REORDER_WINDOW = 4_096;
/** A jump this far ahead is a new start, not loss. */
const LOSS_WINDOW = 2 ** 24;
/** An uptime this much smaller than before is a restart; less is reordering or drift. */
const RESTART_MS = 60_000;
/** Datagrams with known numbers that follow each other without a new one between: no network repeats so, an exporter that started again does. */
const RESTART_REPEATS = 3;
const MOST_MISSING = 64;

/**
 * What IPFIX exporters count, the first as RFC 7011 section 3.1 says: data records before the message; some (softflowd) count
 * the records of the message itself in, or leave options records out. Others only do the first.
 */
const COUNTINGS = [
  { isInclusive: false, withOptions: true },
  { isInclusive: false, withOptions: false },
  { isInclusive: true, withOptions: true },
  { isInclusive: true, withOptions: false },
] as const;

/** Counts what the header's `number` says against the datagram before. */
export function follow(
  sequence: Sequence,
  counters: SessionCounters,
  number: number,
  units: Units,
  uptimeMs: number,
): void {
  const ahead = sequence.last < 0 ? 0 : distance(sequence, number, units);
  if (hasRestarted(sequence, uptimeMs) || ahead > LOSS_WINDOW) restart(sequence, counters);
  else if (ahead < 0) {
    if (fill(sequence, counters, startOf(sequence.counting, number, units), sizeOf(sequence.counting, units)))
      return;
    if (ahead >= -REORDER_WINDOW && !hasRepeatedOn(sequence, number, units)) {
      counters.repeatedDatagrams++;
      return;
    }
    counters.repeatedDatagrams -= Math.max(0, sequence.repeats - 1);
    restart(sequence, counters);
  } else if (ahead > 0) {
    counters.sequenceGaps += ahead;
    if (sequence.missing.length >= MOST_MISSING) sequence.missing.shift();
    sequence.missing.push({ from: nextOf(sequence, sequence.counting), count: ahead });
  }
  sequence.repeats = 0;
  sequence.uptimeMs = uptimeMs;
  sequence.last = units.all < 0 ? -1 : number;
  sequence.lastUnits = units;
}

function restart(sequence: Sequence, counters: SessionCounters): void {
  counters.restarts++;
  sequence.missing.length = 0;
}

/** Units missing between two datagrams, below 0 for a late one. A number that fits any way of counting is no loss. */
function distance(sequence: Sequence, number: number, units: Units): number {
  const ahead = distanceBy(sequence, sequence.counting, number, units);
  if (ahead === 0 || units.flows === undefined || units.all < 0) return ahead;
  for (let counting = 0; counting < COUNTINGS.length; counting++)
    if (distanceBy(sequence, counting, number, units) === 0) {
      sequence.counting = counting;
      return 0;
    }
  return ahead;
}

const distanceBy = (sequence: Sequence, counting: number, number: number, units: Units): number =>
  (startOf(counting, number, units) - nextOf(sequence, counting)) | 0;

function sizeOf(counting: number, { all, flows = all }: Units): number {
  return Math.max(0, COUNTINGS[counting].withOptions ? all : flows);
}

/** The number of the first unit in a datagram, and of the first one behind the last datagram. */
const startOf = (counting: number, number: number, units: Units): number =>
  COUNTINGS[counting].isInclusive ? number - sizeOf(counting, units) : number;

const nextOf = ({ last, lastUnits }: Sequence, counting: number): number =>
  COUNTINGS[counting].isInclusive ? last : last + sizeOf(counting, lastUnits);

/** A late datagram takes back what was counted as lost when a later one overtook it; false where nothing was. */
function fill({ missing }: Sequence, counters: SessionCounters, start: number, size: number): boolean {
  for (let i = 0; i < missing.length; i++) {
    const range = missing[i];
    const skipped = (start - range.from) | 0;
    if (skipped < 0 || skipped >= range.count) continue;
    const filled = Math.min(size, range.count - skipped);
    const behind = range.count - skipped - filled;
    counters.reordered++;
    counters.sequenceGaps -= filled;
    range.count = skipped;
    if (behind > 0) missing.splice(i + 1, 0, { from: start + filled, count: behind });
    if (skipped === 0) missing.splice(i, 1);
    return true;
  }
  return false;
}

/** Notes a datagram whose number was there before; true where it and those before it continue each other. */
function hasRepeatedOn(sequence: Sequence, number: number, units: Units): boolean {
  const { counting } = sequence;
  const follows = startOf(counting, number, units) === sequence.repeatNext;
  sequence.repeats = follows ? sequence.repeats + 1 : 1;
  sequence.repeatNext = startOf(counting, number, units) + sizeOf(counting, units);
  return sequence.repeats >= RESTART_REPEATS;
}

/** Signed 32-bit distance, so that the wrap after 49.7 days is not a restart. */
function hasRestarted(sequence: Sequence, uptimeMs: number): boolean {
  return sequence.last >= 0 && ((uptimeMs - sequence.uptimeMs) | 0) < -RESTART_MS;
}
