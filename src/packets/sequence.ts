// sequence numbers -> units lost, reordered, restarts
import type { SessionCounters } from './session.ts';

export interface Sequence {
  /** The number that the next datagram should carry; -1 unknown. */
  next: number;
  uptimeMs: number;
}

export const createSequence = (): Sequence => ({ next: -1, uptimeMs: 0 });

/** A datagram this far behind is late; further behind, the exporter started again. */
const REORDER_WINDOW = 4_096;
/** A jump this far ahead is a new start, not loss. */
const LOSS_WINDOW = 2 ** 24;
/** An uptime this much smaller than before is a restart; less is reordering or drift. */
const RESTART_MS = 60_000;

/**
 * `number` is the header's, `units` what this datagram advances it by: flows in v5, 1 in v9 (RFC 3954 section 5.1), data
 * records in IPFIX (RFC 7011 section 3.1); -1 where the units could not be counted, so that the next number is not known.
 */
export function follow(
  sequence: Sequence,
  counters: SessionCounters,
  number: number,
  units: number,
  uptimeMs: number,
): void {
  const restarted = hasRestarted(sequence, uptimeMs);
  const ahead = sequence.next < 0 ? 0 : (number - sequence.next) | 0;
  if (restarted || ahead < -REORDER_WINDOW || ahead > LOSS_WINDOW) counters.restarts++;
  else if (ahead < 0) {
    // It was counted as lost when a later one overtook it.
    counters.reordered++;
    counters.sequenceGaps = Math.max(0, counters.sequenceGaps - Math.max(0, units));
    return;
  } else counters.sequenceGaps += ahead;
  sequence.uptimeMs = uptimeMs;
  sequence.next = units < 0 ? -1 : (number + units) >>> 0;
}

/** Signed 32-bit distance, so that the wrap after 49.7 days is not a restart. */
function hasRestarted(sequence: Sequence, uptimeMs: number): boolean {
  return sequence.next >= 0 && ((uptimeMs - sequence.uptimeMs) | 0) < -RESTART_MS;
}
