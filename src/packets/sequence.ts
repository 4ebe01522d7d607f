// sequence numbers -> units lost, reordered, restarts
import type { SessionCounters } from './session.ts';

export interface Sequence {
  /** Number of the last datagram; -1 before the first and where its units could not be counted. */
  last: number;
  lastUnits: Units;
  uptimeMs: number;
}

/** How far one datagram advances the number. */
export interface Units {
  /** Flows in v5 and v7, 1 in v9 (RFC 3954 section 5.1), data records in IPFIX (RFC 7011 section 3.1); -1 unknown. */
  readonly all: number;
  /** IPFIX: the same without options records. */
  readonly flows?: number;
}

export const createSequence = (): Sequence => ({ last: -1, lastUnits: { all: 0 }, uptimeMs: 0 });

/** A datagram this far behind is late; further behind, the exporter started again. */
const REORDER_WINDOW = 4_096;
/** A jump this far ahead is a new start, not loss. */
const LOSS_WINDOW = 2 ** 24;
/** An uptime this much smaller than before is a restart; less is reordering or drift. */
const RESTART_MS = 60_000;

/** Counts what the header's `number` says against the datagram before. */
export function follow(
  sequence: Sequence,
  counters: SessionCounters,
  number: number,
  units: Units,
  uptimeMs: number,
): void {
  const ahead = sequence.last < 0 ? 0 : distance(sequence, number, units);
  if (hasRestarted(sequence, uptimeMs) || ahead < -REORDER_WINDOW || ahead > LOSS_WINDOW) counters.restarts++;
  else if (ahead < 0) {
    // It was counted as lost when a later one overtook it.
    counters.reordered++;
    counters.sequenceGaps = Math.max(0, counters.sequenceGaps - Math.max(0, units.all));
    return;
  } else counters.sequenceGaps += ahead;
  sequence.uptimeMs = uptimeMs;
  sequence.last = units.all < 0 ? -1 : number;
  sequence.lastUnits = units;
}

/**
 * Units missing between two datagrams, below 0 for a late one. Some IPFIX exporters (softflowd) count the records of the
 * message itself in, or leave options records out: a number that fits either way is no loss.
 */
function distance({ last, lastUnits }: Sequence, number: number, units: Units): number {
  const step = (number - last) | 0;
  const isIpfix = units.flows !== undefined;
  const fits = isIpfix && (step === lastUnits.flows || step === units.all || step === units.flows);
  return fits ? 0 : (step - lastUnits.all) | 0;
}

/** Signed 32-bit distance, so that the wrap after 49.7 days is not a restart. */
function hasRestarted(sequence: Sequence, uptimeMs: number): boolean {
  return sequence.last >= 0 && ((uptimeMs - sequence.uptimeMs) | 0) < -RESTART_MS;
}
