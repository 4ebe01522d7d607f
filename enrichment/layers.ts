// overlapping ranges with values, in layers -> disjoint ranges in order

/** Inclusive; `value` is the caller's. Numbers are IPv4, bigints IPv6. */
export interface ValueRange<T extends number | bigint, V> {
  readonly first: T;
  readonly last: T;
  readonly value: V;
}

/** One family's arithmetic. */
export interface Family<T extends number | bigint> {
  readonly zero: T;
  readonly last: T;
  readonly next: (value: T) => T;
  readonly previous: (value: T) => T;
}

export const V4: Family<number> = {
  zero: 0,
  last: 0xffff_ffff,
  next: (value) => value + 1,
  previous: (value) => value - 1,
};
export const V6: Family<bigint> = {
  zero: 0n,
  last: (1n << 128n) - 1n,
  next: (value) => value + 1n,
  previous: (value) => value - 1n,
};

/** Ranges in any order, nested or overlapping -> disjoint and sorted; the innermost wins, among equals the later. */
export function flatten<T extends number | bigint, V>(
  ranges: readonly ValueRange<T, V>[],
  family: Family<T>,
): ValueRange<T, V>[] {
  if (isDisjoint(ranges)) return ranges as ValueRange<T, V>[];
  const sorted = ranges.toSorted((a, b) => order(a.first, b.first) || order(b.last, a.last));
  const flat: ValueRange<T, V>[] = [];
  const open: ValueRange<T, V>[] = [];
  let cursor = family.zero;
  /** Writes what is open from the cursor up to and including `until`. */
  const writeUntil = (until: T | undefined) => {
    while (open.length > 0) {
      const top = open[open.length - 1];
      if (top.last < cursor) {
        open.pop();
        continue;
      }
      const last = until === undefined || top.last < until ? top.last : until;
      if (last < cursor) return;
      flat.push({ first: cursor, last, value: top.value });
      cursor = family.next(last);
      if (last !== top.last) return;
      open.pop();
    }
  };
  for (const range of sorted) {
    if (range.first > family.zero) writeUntil(family.previous(range.first));
    cursor = range.first;
    open.push(range);
  }
  writeUntil(undefined);
  return flat;
}

/** Sorted and without overlap, as published tables mostly are. */
function isDisjoint(ranges: readonly ValueRange<number | bigint, unknown>[]): boolean {
  for (let i = 1; i < ranges.length; i++) if (ranges[i].first <= ranges[i - 1].last) return false;
  return true;
}

const order = (a: number | bigint, b: number | bigint): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * Walks flat layers side by side over the whole family; calls `emit` once for each stretch over which no layer changes,
 * in order and without gaps, with each layer's value there.
 */
export function overlay<T extends number | bigint>(
  layers: readonly (readonly ValueRange<T, unknown>[])[],
  family: Family<T>,
  emit: (first: T, values: readonly unknown[]) => void,
): void {
  const at = layers.map(() => 0);
  const values: unknown[] = layers.map(() => undefined);
  let cursor = family.zero;
  for (;;) {
    let last = family.last;
    for (let i = 0; i < layers.length; i++) {
      const layer = layers[i];
      while (at[i] < layer.length && layer[at[i]].last < cursor) at[i]++;
      const range = layer[at[i]];
      const inside = range !== undefined && range.first <= cursor;
      values[i] = inside ? range.value : undefined;
      if (inside && range.last < last) last = range.last;
      else if (!inside && range !== undefined) {
        const before = family.previous(range.first);
        if (before < last) last = before;
      }
    }
    emit(cursor, values);
    if (last >= family.last) return;
    cursor = family.next(last);
  }
}
