// a bound of one millisecond for a piece of work, where the machine may be slow or busy: the work is not

const TEXT = Array.from({ length: 3200 }, (_, i) => `a${i % 97}=7ff61c0a7270 b=${i}`).join(' ');
/** What measure() takes for usualWork on a core of an AMD EPYC that nobody shares. */
const USUAL_MS = 0.62;
const TRIES = 40;

/** The least milliseconds of several runs where that is over a millisecond, and over what stands for one here and now; else 0. */
export function overMillisecond(work: () => unknown): number {
  const leastMs = measure(work, 1);
  return leastMs > 1 && leastMs > measure(usualWork) / USUAL_MS ? leastMs : 0;
}

function measure(work: () => unknown, enoughMs = 0): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < TRIES && least > enoughMs; i++) {
    const began = performance.now();
    work();
    least = Math.min(least, performance.now() - began);
  }
  return least;
}

/** Of the kind that readers of lines do: expressions, slices, maps. */
function usualWork(): number {
  const known = new Map<string, string>();
  for (const pair of TEXT.split(' ')) {
    const equals = pair.indexOf('=');
    known.set(pair.slice(0, equals), pair.slice(equals + 1));
  }
  const removed = TEXT.replace(/\b(?:cmd|a\d+)=((?:[0-9A-F]{2}){4,})/gi, (field, hex: string) =>
    hex.startsWith('00') ? '' : field,
  );
  return known.size + removed.length;
}
