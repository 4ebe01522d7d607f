// when a watch is answered: soon after the change was seen, then less and less often over a day

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Delays after the watch was opened. Flows of the first minutes arrive within exporters' active timeouts and one flush. */
const DELAYS_MS = [
  15 * SECOND,
  30 * SECOND,
  45 * SECOND,
  MINUTE,
  75 * SECOND,
  90 * SECOND,
  2 * MINUTE,
  3 * MINUTE,
  4 * MINUTE,
  5 * MINUTE,
  7 * MINUTE,
  10 * MINUTE,
  15 * MINUTE,
  20 * MINUTE,
  30 * MINUTE,
  45 * MINUTE,
  HOUR,
  90 * MINUTE,
  2 * HOUR,
  3 * HOUR,
  4 * HOUR,
  6 * HOUR,
  8 * HOUR,
  12 * HOUR,
  16 * HOUR,
  20 * HOUR,
];

/** The first answer time after `nowMs`, at most untilMs; undefined when the watch is over. */
export function nextAnswerAt(openedAtMs: number, untilMs: number, nowMs: number): number | undefined {
  if (nowMs >= untilMs) return undefined;
  const next = DELAYS_MS.map((delay) => openedAtMs + delay).find((at) => at > nowMs);
  return Math.min(next ?? untilMs, untilMs);
}
