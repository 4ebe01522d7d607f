// sorted disjoint integer ranges -> set algebra; the arithmetic under address, service and port sets

/** Sorted, disjoint, non-adjacent inclusive ranges as a flat list: [first, last, first, last, ...]. */
export type Ranges<T extends number | bigint> = readonly T[];

type Step<T> = (value: T) => T;

// Math.min and Math.max take no bigint.
function larger<T extends number | bigint>(a: T, b: T): T {
  if (a > b) return a;
  return b;
}

function smaller<T extends number | bigint>(a: T, b: T): T {
  if (a < b) return a;
  return b;
}

/** Sorts and merges overlapping or adjacent ranges. `next` gives the successor of a value. */
export function normalise<T extends number | bigint>(
  pairs: readonly (readonly [T, T])[],
  next: Step<T>,
): Ranges<T> {
  const sorted = pairs
    .filter(([first, last]) => first <= last)
    .sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
  const merged: T[] = [];
  for (const [first, last] of sorted) {
    const end = merged.length - 1;
    if (end > 0 && first <= next(merged[end])) {
      if (last > merged[end]) merged[end] = last;
    } else merged.push(first, last);
  }
  return merged;
}

/** Lists longer than this are searched for where to begin. */
const LONG = 16;
const NOTHING: Ranges<never> = [];

/** Whether one range of `a` holds all of `b`, which is not empty. */
const holds = <T extends number | bigint>(a: Ranges<T>, b: Ranges<T>): boolean =>
  a.length === 2 && a[0] <= b[0] && a[1] >= b[b.length - 1];

/** Index of the first range that does not end before `value`. */
function startOf<T extends number | bigint>(ranges: Ranges<T>, value: T): number {
  let low = 0;
  let high = ranges.length / 2;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ranges[2 * middle + 1] < value) low = middle + 1;
    else high = middle;
  }
  return 2 * low;
}

/** May be one of the arguments itself, as most sets meet "any" or nothing of each other. */
export function intersect<T extends number | bigint>(a: Ranges<T>, b: Ranges<T>): Ranges<T> {
  if (a.length === 0 || b.length === 0 || a[a.length - 1] < b[0] || b[b.length - 1] < a[0]) return NOTHING;
  if (holds(b, a)) return a;
  if (holds(a, b)) return b;
  const result: T[] = [];
  let i = a.length > LONG ? startOf(a, b[0]) : 0;
  let j = b.length > LONG ? startOf(b, a[0]) : 0;
  while (i < a.length && j < b.length) {
    const first = larger(a[i], b[j]);
    const last = smaller(a[i + 1], b[j + 1]);
    if (first <= last) result.push(first, last);
    if (a[i + 1] < b[j + 1]) i += 2;
    else j += 2;
  }
  return result;
}

/** a without b. `next` and `previous` step a value by one. */
export function subtract<T extends number | bigint>(
  a: Ranges<T>,
  b: Ranges<T>,
  next: Step<T>,
  previous: Step<T>,
): Ranges<T> {
  if (a.length === 0 || b.length === 0 || a[a.length - 1] < b[0] || b[b.length - 1] < a[0]) return a;
  if (holds(b, a)) return NOTHING;
  if (b.length === 2 && a.length > LONG) return subtractOne(a, b[0], b[1], next, previous);
  const result: T[] = [];
  let j = b.length > LONG ? startOf(b, a[0]) : 0;
  for (let i = 0; i < a.length; i += 2) {
    let first = a[i];
    const last = a[i + 1];
    while (j < b.length && b[j + 1] < first) j += 2;
    let k = j;
    let consumed = false;
    while (k < b.length && b[k] <= last) {
      if (b[k] > first) result.push(first, previous(b[k]));
      if (b[k + 1] >= last) {
        consumed = true;
        break;
      }
      first = next(b[k + 1]);
      k += 2;
    }
    if (!consumed) result.push(first, last);
  }
  return result;
}

/** A long list without one range: most of it is copied as it is. */
function subtractOne<T extends number | bigint>(
  a: Ranges<T>,
  first: T,
  last: T,
  next: Step<T>,
  previous: Step<T>,
): Ranges<T> {
  const begin = startOf(a, first);
  let end = startOf(a, last);
  if (end < a.length && a[end] <= last) end += 2;
  if (begin === end) return a;
  const kept: T[] = [];
  if (a[begin] < first) kept.push(a[begin], previous(first));
  if (a[end - 1] > last) kept.push(next(last), a[end - 1]);
  return a.slice(0, begin).concat(kept, a.slice(end));
}

export function contains<T extends number | bigint>(ranges: Ranges<T>, value: T): boolean {
  let low = 0;
  let high = ranges.length / 2 - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (value < ranges[2 * middle]) high = middle - 1;
    else if (value > ranges[2 * middle + 1]) low = middle + 1;
    else return true;
  }
  return false;
}

/** Whether all of `b` lies in `a`. */
export function covers<T extends number | bigint>(a: Ranges<T>, b: Ranges<T>): boolean {
  for (let i = 0; i < b.length; i += 2) {
    const at = startOf(a, b[i]);
    if (at >= a.length || a[at] > b[i] || a[at + 1] < b[i + 1]) return false;
  }
  return true;
}

export function equal<T extends number | bigint>(a: Ranges<T>, b: Ranges<T>): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}
