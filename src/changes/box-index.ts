// boxes in order -> those that a given box can meet, without looking at all of them
import type { AddressSet } from '../model/addresses.ts';
import type { Traffic } from '../model/traffic.ts';

export interface BoxIndex {
  /** Ascending positions of every box that can share a packet with `box`, and perhaps of some that do not. */
  readonly near: (box: Traffic) => readonly number[];
}

/** Sets of more ranges are looked up by what lies around them. */
const MAX_RANGES = 16;
/** IPv6 lies behind IPv4 on the line, to 52 bits: a prefix longer than /52 is found with its neighbours. */
const V6_BEGINS = 2 ** 33;
const V6_DROPPED_BITS = 76n;

type Intervals = readonly (readonly [number, number])[];
type Projection = (box: Traffic) => Intervals;

/** Intervals sorted by where they begin, as an implicit search tree that knows how far each of its parts reaches. */
interface Line {
  readonly begins: Float64Array;
  readonly ends: Float64Array;
  readonly positions: Int32Array;
  readonly reaches: Float64Array;
  readonly sortedEnds: Float64Array;
}

export function indexBoxes(boxes: readonly Traffic[]): BoxIndex {
  const everything = boxes.map((_, i) => i);
  const lines = PROJECTIONS.map((project) => ({ project, line: lineOf(boxes, project) }));
  return {
    near: (box) => {
      let best: { line: Line; asked: Intervals; count: number } | undefined;
      for (const { project, line } of lines) {
        const asked = project(box);
        const count = asked.reduce((sum, interval) => sum + countNear(line, interval), 0);
        if (!best || count < best.count) best = { line, asked, count };
      }
      if (!best || best.count * 2 > boxes.length) return everything;
      const { line, asked } = best;
      const found: number[] = [];
      for (const interval of asked) collect(line, interval, 0, line.begins.length, found);
      // A box of several intervals may be found several times.
      return [...Int32Array.from(found).sort()].filter((position, i, all) => position !== all[i - 1]);
    },
  };
}

const PROJECTIONS: readonly Projection[] = [
  (box) => addressIntervals(box.destinations),
  (box) => addressIntervals(box.sources),
  (box) => intervals(box.services, 0),
];

function addressIntervals({ v4, v6 }: AddressSet): Intervals {
  const high = v6.map((value) => Number(value >> V6_DROPPED_BITS));
  return [...intervals(v4, 0), ...intervals(high, V6_BEGINS)];
}

function intervals(flat: readonly number[], offset: number): Intervals {
  if (flat.length > 2 * MAX_RANGES) return [[flat[0] + offset, flat[flat.length - 1] + offset]];
  return flat.flatMap((first, i) => (i % 2 ? [] : [[first + offset, flat[i + 1] + offset] as const]));
}

function lineOf(boxes: readonly Traffic[], project: Projection): Line {
  const all = boxes.flatMap((box, position) =>
    project(box).map(([begin, end]) => ({ begin, end, position })),
  );
  all.sort((a, b) => a.begin - b.begin);
  const line: Line = {
    begins: Float64Array.from(all, ({ begin }) => begin),
    ends: Float64Array.from(all, ({ end }) => end),
    positions: Int32Array.from(all, ({ position }) => position),
    reaches: new Float64Array(all.length),
    sortedEnds: Float64Array.from(all, ({ end }) => end).sort(),
  };
  reach(line, 0, all.length);
  return line;
}

function reach(line: Line, low: number, high: number): number {
  if (low >= high) return -1;
  const middle = (low + high) >> 1;
  const inside = Math.max(reach(line, low, middle), reach(line, middle + 1, high));
  line.reaches[middle] = Math.max(line.ends[middle], inside);
  return line.reaches[middle];
}

/** Those that begin in time, without those that end too early. */
const countNear = ({ begins, sortedEnds }: Line, [first, last]: readonly [number, number]): number =>
  countBelow(begins, last, true) - countBelow(sortedEnds, first, false);

function countBelow(sorted: Float64Array, value: number, orEqual: boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value || (orEqual && sorted[middle] === value)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function collect(
  line: Line,
  asked: readonly [number, number],
  low: number,
  high: number,
  found: number[],
): void {
  if (low >= high) return;
  const middle = (low + high) >> 1;
  if (line.reaches[middle] < asked[0]) return;
  collect(line, asked, low, middle, found);
  if (line.begins[middle] > asked[1]) return;
  if (line.ends[middle] >= asked[0]) found.push(line.positions[middle]);
  collect(line, asked, middle + 1, high, found);
}
