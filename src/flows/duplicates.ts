// a sample of conversations by path (exporter and interface) -> which paths show the same packets, by direction

/** One conversation as one path shows it within a slot of some minutes. Packets are scaled for sampling. */
export interface SampleRow {
  /** Numbers: the conversation's below 2^46, and the slot's from 0 to 127. */
  readonly conversation: number;
  readonly slot: number;
  /** A number for exporter and interface. */
  readonly path: number;
  readonly outPackets: number;
  readonly inPackets: number;
  /** As Conversation.internalPorts; 0 where the protocol has no ports or they were not kept. */
  readonly ports: number;
  /** 1 is unsampled. */
  readonly samplingRate: number;
}

/** What a path shows of what another one shows, in one direction. */
export interface Shown {
  /** Conversations of the one that the other would show, did the same packets pass it. */
  readonly comparable: number;
  /** 0 to 1 of them that it does show. */
  readonly share: number;
}

/** Two paths that showed some conversation in the same slot and direction. `of`: of the first's in the second, and the reverse. */
export interface PathPair {
  readonly first: number;
  readonly second: number;
  readonly out: readonly [ofFirst: Shown, ofSecond: Shown];
  readonly in: readonly [ofFirst: Shown, ofSecond: Shown];
  /** 0: what both show is as different as chance has it, 1: the same internal ports; undefined where ports tell nothing. */
  readonly sameness: number | undefined;
  /** Different conversations that both show, and slots in which they do. */
  readonly conversations: number;
  readonly slots: number;
}

/** What one path shows in all of the sample. */
export interface PathSight {
  readonly path: number;
  readonly samplingRate: number;
  readonly outPackets: number;
  readonly inPackets: number;
  readonly conversations: number;
  readonly slots: number;
}

/** So many packets of a conversation must be expected of a sampling exporter before their absence says anything. */
const EXPECTED_PACKETS = 8;
/** What ports tell, in sum, below which they tell nothing: a conversation of one port tells nearly 1. */
const LEAST_TOLD = 1.5;
const PORT_BITS = 32;
const MAX_SLOTS = 128;
const DIRECTIONS = ['outPackets', 'inPackets'] as const;
type Direction = (typeof DIRECTIONS)[number];

interface Tally {
  readonly first: number;
  readonly second: number;
  /** Comparable ones of the first that the second shows, and the reverse; out, then in. */
  readonly shown: [number, number, number, number];
  readonly slots: Set<number>;
  readonly conversations: Set<number>;
  same: number;
  told: number;
}

/** Pure. Rows in any order; one row at most of a conversation, slot and path. */
export function comparePaths(rows: readonly SampleRow[]): { pairs: PathPair[]; paths: PathSight[] } {
  const byPath = groupBy(rows, (row) => row.path);
  const paths = [...byPath].map(([path, of]) => sightOf(path, of)).sort((a, b) => a.path - b.path);
  const rates = new Map(paths.map((one) => [one.path, one.samplingRate]));
  const tallies = new Map<string, Tally>();
  for (const same of groupBy(rows, (row) => row.conversation * MAX_SLOTS + row.slot).values()) {
    if (same.length < 2) continue;
    const ordered = [...same].sort((a, b) => a.path - b.path);
    for (let i = 0; i < ordered.length; i++)
      for (let j = i + 1; j < ordered.length; j++) count(tallies, ordered[i], ordered[j], rates);
  }
  const comparable = comparableCounts(byPath, rates);
  const pairs = [...tallies.values()].map((tally) => pairOf(tally, comparable));
  return { pairs: pairs.sort((a, b) => a.first - b.first || a.second - b.second), paths };
}

function sightOf(path: number, rows: readonly SampleRow[]): PathSight {
  const sum = (of: Direction) => rows.reduce((total, row) => total + row[of], 0);
  return {
    path,
    samplingRate: rows.reduce((most, row) => Math.max(most, row.samplingRate), 1),
    outPackets: sum('outPackets'),
    inPackets: sum('inPackets'),
    conversations: rows.length,
    slots: new Set(rows.map((row) => row.slot)).size,
  };
}

/** Whether a path of that rate must show what another one shows so much of. */
const isComparable = (packets: number, rate: number) =>
  packets > 0 && (rate === 1 || packets / rate >= EXPECTED_PACKETS);

function count(
  tallies: Map<string, Tally>,
  first: SampleRow,
  second: SampleRow,
  rates: ReadonlyMap<number, number>,
): void {
  const isShared = DIRECTIONS.map((direction) => first[direction] > 0 && second[direction] > 0);
  // One shows the way out and the other the way in: asymmetric, each is needed.
  if (!isShared[0] && !isShared[1]) return;
  const key = `${first.path} ${second.path}`;
  let tally = tallies.get(key);
  if (!tally) {
    tally = {
      first: first.path,
      second: second.path,
      shown: [0, 0, 0, 0],
      slots: new Set(),
      conversations: new Set(),
      same: 0,
      told: 0,
    };
    tallies.set(key, tally);
  }
  DIRECTIONS.forEach((direction, i) => {
    if (!isShared[i]) return;
    if (isComparable(first[direction], rates.get(second.path)!)) tally.shown[i * 2]++;
    if (isComparable(second[direction], rates.get(first.path)!)) tally.shown[i * 2 + 1]++;
  });
  tally.slots.add(first.slot);
  tally.conversations.add(first.conversation);
  // Sets of bits that have nothing to do with each other share a part by chance; only what goes beyond that tells.
  const [one, other] = [bitCount(first.ports), bitCount(second.ports)];
  const byChance = (one * other) / PORT_BITS;
  if (one === 0 || other === 0) return;
  tally.same += bitCount(first.ports & second.ports) - byChance;
  tally.told += Math.min(one, other) - byChance;
}

function pairOf(
  tally: Tally,
  comparable: (path: number, direction: Direction, other: number) => number,
): PathPair {
  const { first, second, shown } = tally;
  const of = (at: number, path: number, other: number): Shown => {
    const all = comparable(path, DIRECTIONS[at >> 1], other);
    return { comparable: all, share: all === 0 ? 0 : shown[at] / all };
  };
  return {
    first,
    second,
    out: [of(0, first, second), of(1, second, first)],
    in: [of(2, first, second), of(3, second, first)],
    sameness: tally.told < LEAST_TOLD ? undefined : Math.max(0, Math.min(1, tally.same / tally.told)),
    conversations: tally.conversations.size,
    slots: tally.slots.size,
  };
}

/** How many conversations of a path another one would show; they differ by the other's rate only. */
function comparableCounts(
  byPath: ReadonlyMap<number, readonly SampleRow[]>,
  rates: ReadonlyMap<number, number>,
): (path: number, direction: Direction, other: number) => number {
  const known = new Map<string, number>();
  return (path, direction, other) => {
    const rate = rates.get(other)!;
    const key = `${path} ${direction} ${rate}`;
    let all = known.get(key);
    if (all === undefined) {
      all = byPath.get(path)!.filter((row) => isComparable(row[direction], rate)).length;
      known.set(key, all);
    }
    return all;
  };
}

function bitCount(word: number): number {
  let rest = word - ((word >>> 1) & 0x5555_5555);
  rest = (rest & 0x3333_3333) + ((rest >>> 2) & 0x3333_3333);
  return Math.imul((rest + (rest >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}

function groupBy<Row>(rows: readonly Row[], keyOf: (row: Row) => number): Map<number, Row[]> {
  const groups = new Map<number, Row[]>();
  for (const row of rows) {
    const key = keyOf(row);
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  return groups;
}
