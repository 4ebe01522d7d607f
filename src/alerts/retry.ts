// how often a delivery was tried -> when it is tried again

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** Sums to about a day; then the delivery is parked. */
const DELAYS_MS = [
  5 * SECOND,
  30 * SECOND,
  2 * MINUTE,
  5 * MINUTE,
  15 * MINUTE,
  30 * MINUTE,
  HOUR,
  2 * HOUR,
  4 * HOUR,
  8 * HOUR,
  8 * HOUR,
];

/** Delay after the attempt-th failure (1-based) with a quarter of it left to chance; undefined: park it. `random` is 0..1. */
export function retryDelayMs(attempt: number, random: number): number | undefined {
  const delay = DELAYS_MS[attempt - 1];
  return delay === undefined ? undefined : Math.round(delay * (0.875 + random * 0.25));
}
