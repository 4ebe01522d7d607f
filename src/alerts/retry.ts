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

/** A receiver that asks for more than the longest of our own waits gets that. */
const MAX_WISH_MS = 8 * HOUR;

/**
 * Delay after the attempt-th failure (1-based) with a quarter of it left to chance, but no less than the receiver asks for;
 * undefined: park it. `random` is 0..1.
 */
export function retryDelayMs(attempt: number, random: number, wishMs = 0): number | undefined {
  const delay = DELAYS_MS[attempt - 1];
  if (delay === undefined) return undefined;
  return Math.max(Math.round(delay * (0.875 + random * 0.25)), Math.min(wishMs, MAX_WISH_MS));
}
