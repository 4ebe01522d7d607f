// pairs of paths that show the same packets, and what was elected before -> which path counts, and which only where it does not
import type { PathPair, PathSight, Shown } from './duplicates.ts';

export interface PathName {
  readonly exporter: string;
  /** ifIndex, as in the flow records. */
  readonly interface: number;
}

/** A path whose conversations count only where those of `elected` do not show them. */
export interface DuplicatePath extends PathName {
  readonly elected: PathName;
  readonly sinceMs: number;
  /** Undefined while it is so. */
  readonly untilMs?: number;
  /** When it was last seen to be so. */
  readonly foundAtMs: number;
  /** Of the smaller one's conversations in the other, 0 to 1; 0 where the direction is no duplicate. */
  readonly shareOut: number;
  readonly shareIn: number;
  /** Of the elected. */
  readonly samplingRate: number;
  /** The elected shows whatever this path does, as far as its sampling lets it. */
  readonly isWhole: boolean;
  /** Runs in a row that found them different. */
  readonly missed: number;
  /** Runs in a row in which another one had been the better choice. */
  readonly challenged: number;
}

export interface Compared {
  readonly pairs: readonly PathPair[];
  readonly paths: readonly PathSight[];
  /** By number of the path. */
  readonly names: readonly PathName[];
  readonly fromMs: number;
  readonly untilMs: number;
}

/** A pair begins with this share, and ends below the other: a share between the two changes nothing. */
const BEGIN_SHARE = 0.6;
const END_SHARE = 0.4;
/** Comparable conversations and slots without which a pair is not judged. */
const LEAST_COMPARABLE = 6;
const LEAST_SLOTS = 3;
const LEAST_CONVERSATIONS = 2;
/** Conversations of a sampling exporter without which it says nothing that it shares none. */
const LEAST_SAMPLED = 50;
const WHOLE_SHARE = 0.9;
/** Runs in a row before a pair ends, and before another one is elected. */
const PATIENCE = 3;
/** A pair of which one has been silent for so long is over. */
const SILENCE_MS = 86_400_000;
/** Less than this part of the other direction is no showing of both. */
const LEAST_DIRECTION = 0.01;
const DAYS_BACK_MS = 14 * 86_400_000;

interface Judged {
  readonly shareOut: number;
  readonly shareIn: number;
  /** Least share of each one's comparable conversations in the other, over the directions that both show. */
  readonly firstInSecond: number;
  readonly secondInFirst: number;
}

export const nameOf = (path: PathName) => `${path.exporter} ${path.interface}`;
const pairKey = (a: string, b: string) => (a < b ? `${a}|${b}` : `${b}|${a}`);

/** Paths of pairs that begin now, for which `elect` must know since when they are there. */
export function beginning(compared: Compared, stored: readonly DuplicatePath[]): PathName[] {
  const known = new Set(stored.map((one) => pairKey(nameOf(one), nameOf(one.elected))));
  const found = new Map<string, PathName>();
  for (const pair of compared.pairs) {
    const [first, second] = [compared.names[pair.first], compared.names[pair.second]];
    if (!begins(judge(pair)) || known.has(pairKey(nameOf(first), nameOf(second)))) continue;
    found.set(nameOf(first), first);
    found.set(nameOf(second), second);
  }
  return [...found.values()];
}

/**
 * Pure: the rows to store, which replace those of the same pair and `sinceMs`. `stored`: what is in force. `sinceOf`: when
 * a path of `beginning` was first there. `endedMs`: when a pair that was one before ceased to be.
 */
export function elect(
  compared: Compared,
  stored: readonly DuplicatePath[],
  sinceOf: (path: PathName) => number,
  endedMs: (a: PathName, b: PathName) => number | undefined = () => undefined,
): DuplicatePath[] {
  const judged = judgeAll(compared);
  const sights = new Map(compared.paths.map((sight) => [nameOf(compared.names[sight.path]), sight]));
  const kept = stored.map((one) => followed(one, judged, sights, compared));
  const ended = kept.filter((one) => one.untilMs !== undefined);
  const going = kept.filter((one) => one.untilMs === undefined);
  const known = new Set(stored.map((one) => pairKey(nameOf(one), nameOf(one.elected))));
  const fresh = compared.pairs
    .map((pair) => [compared.names[pair.first], compared.names[pair.second]] as const)
    .filter(([a, b]) => {
      const key = pairKey(nameOf(a), nameOf(b));
      return !known.has(key) && begins(judged.get(key));
    });
  const result: DuplicatePath[] = [...ended];
  const edges = [...going.map((one) => [one, one.elected] as const), ...fresh];
  for (const members of components(edges)) {
    const inside = (path: PathName) => members.has(nameOf(path));
    const had = going.filter(inside);
    const better = (a: string, b: string) => byMerit(sights.get(a), sights.get(b));
    const longest = (a: string, b: string) => sinceOf(members.get(a)!) - sinceOf(members.get(b)!);
    const merit = [...members.keys()].sort((a, b) => better(a, b) || longest(a, b) || (a < b ? -1 : 1));
    const usual = inOrderOf(had, merit);
    const isWorse = edges.some(([a, b]) => inside(a) && contradicts(a, b, usual, sights));
    const challenged = isWorse ? Math.max(0, ...had.map((one) => one.challenged)) + 1 : 0;
    const isChanged = had.length === 0 || challenged >= PATIENCE;
    const order = isChanged ? merit : usual;
    const state = { order, judged, sights, challenged: isChanged ? 0 : challenged };
    for (const one of had) result.push(...renewed(one, state, compared.untilMs));
    for (const [a, b] of fresh.filter(([a]) => inside(a))) {
      const since = Math.max(sinceOf(a), sinceOf(b), endedMs(a, b) ?? 0, compared.untilMs - DAYS_BACK_MS);
      result.push(oriented(a, b, state, Math.min(since, compared.fromMs), compared.untilMs));
    }
  }
  return result;
}

function judgeAll(compared: Compared): Map<string, Judged> {
  const all = new Map<string, Judged>();
  for (const pair of compared.pairs) {
    const [first, second] = [nameOf(compared.names[pair.first]), nameOf(compared.names[pair.second])];
    const found = judge(pair);
    if (!found) continue;
    const { firstInSecond, secondInFirst } = found;
    all.set(
      pairKey(first, second),
      first < second ? found : { ...found, firstInSecond: secondInFirst, secondInFirst: firstInSecond },
    );
  }
  return all;
}

/** Undefined where there is too little to judge by. */
function judge({ out, in: back, sameness, slots, conversations }: PathPair): Judged | undefined {
  if (sameness === undefined || slots < LEAST_SLOTS || conversations < LEAST_CONVERSATIONS) return undefined;
  const enough = (shown: Shown) => shown.comparable >= LEAST_COMPARABLE;
  if (![...out, ...back].some(enough)) return undefined;
  // Of a path that shows a part of what the other does, all of that part is the same.
  const share = (ways: PathPair['out']) =>
    sameness * Math.max(0, ...ways.filter(enough).map((shown) => shown.share));
  const least = (which: 0 | 1) =>
    sameness * Math.min(1, ...[out[which], back[which]].filter(enough).map((shown) => shown.share));
  const none = (which: 0 | 1) => ![out[which], back[which]].some(enough);
  return {
    shareOut: share(out),
    shareIn: share(back),
    firstInSecond: none(0) ? 0 : least(0),
    secondInFirst: none(1) ? 0 : least(1),
  };
}

const begins = (judged: Judged | undefined) =>
  judged !== undefined && Math.max(judged.shareOut, judged.shareIn) >= BEGIN_SHARE;

/** A pair in force after one more look. */
function followed(
  one: DuplicatePath,
  judged: ReadonlyMap<string, Judged>,
  sights: ReadonlyMap<string, PathSight>,
  { fromMs, untilMs }: Compared,
): DuplicatePath {
  const [name, elected] = [nameOf(one), nameOf(one.elected)];
  const found = judged.get(pairKey(name, elected));
  const isApart = !found && isTelling(sights.get(name)) && isTelling(sights.get(elected));
  if (!found && !isApart)
    return untilMs - one.foundAtMs > SILENCE_MS ? { ...one, untilMs: one.foundAtMs } : one;
  if (!found || Math.max(found.shareOut, found.shareIn) < END_SHARE) {
    const missed = one.missed + 1;
    return { ...one, missed, ...(missed >= PATIENCE ? { untilMs: Math.max(one.sinceMs, fromMs) } : {}) };
  }
  const held = (before: number, now: number) => (now >= (before > 0 ? END_SHARE : BEGIN_SHARE) ? now : 0);
  return {
    ...one,
    shareOut: held(one.shareOut, found.shareOut),
    shareIn: held(one.shareIn, found.shareIn),
    missed: 0,
    foundAtMs: untilMs,
  };
}

/** It showed so much that a duplicate of it would have been among it. */
const isTelling = (sight: PathSight | undefined) =>
  sight !== undefined &&
  sight.slots >= LEAST_SLOTS &&
  sight.conversations >= (sight.samplingRate > 1 ? LEAST_SAMPLED : LEAST_COMPARABLE);

/** Connected paths, each set by name. */
function components(edges: readonly (readonly [PathName, PathName])[]): Map<string, PathName>[] {
  const found = new Map<string, Map<string, PathName>>();
  for (const [a, b] of edges) {
    const one = found.get(nameOf(a)) ?? new Map([[nameOf(a), a]]);
    const other = found.get(nameOf(b)) ?? new Map([[nameOf(b), b]]);
    const all = new Map([...one, ...other]);
    for (const name of all.keys()) found.set(name, all);
  }
  return [...new Set(found.values())];
}

/** Both directions before low sampling, since returns are judged against what was sent by the same exporter; a silent one last. */
function byClass(a: PathSight | undefined, b: PathSight | undefined): number {
  if (!a || !b) return Number(!a) - Number(!b);
  return Number(!showsBoth(a)) - Number(!showsBoth(b)) || a.samplingRate - b.samplingRate;
}

export const showsBoth = ({ outPackets, inPackets }: { outPackets: number; inPackets: number }) =>
  Math.min(outPackets, inPackets) > LEAST_DIRECTION * Math.max(outPackets, inPackets);

function byMerit(a: PathSight | undefined, b: PathSight | undefined): number {
  const size = (sight: PathSight | undefined) => Math.round(Math.log2(1 + (sight?.conversations ?? 0)) * 3);
  return byClass(a, b) || size(b) - size(a);
}

/** What was elected stays so, before those that it stood for; newcomers come last. */
function inOrderOf(had: readonly DuplicatePath[], merit: readonly string[]): string[] {
  const depths = new Map<string, number>();
  // No chain is longer than there are paths.
  for (let round = 0; round < merit.length; round++) {
    let isSettled = true;
    for (const one of had) {
      const depth = (depths.get(nameOf(one.elected)) ?? 0) + 1;
      if (depth <= (depths.get(nameOf(one)) ?? 0)) continue;
      depths.set(nameOf(one), depth);
      isSettled = false;
    }
    if (isSettled) break;
  }
  const isKnown = new Set(had.flatMap((one) => [nameOf(one), nameOf(one.elected)]));
  const depthOf = (name: string) => (isKnown.has(name) ? (depths.get(name) ?? 0) : Number.POSITIVE_INFINITY);
  return [...merit].sort((a, b) => (depthOf(a) < depthOf(b) ? -1 : depthOf(a) > depthOf(b) ? 1 : 0));
}

/** Of two that show the same, the one that is less fit comes first. A silent one is no worse: what it does not show is counted. */
function contradicts(
  a: PathName,
  b: PathName,
  order: readonly string[],
  sights: ReadonlyMap<string, PathSight>,
): boolean {
  const [one, other] = [sights.get(nameOf(a)), sights.get(nameOf(b))];
  if (!one || !other) return false;
  const isBefore = order.indexOf(nameOf(a)) < order.indexOf(nameOf(b));
  return isBefore ? byClass(other, one) < 0 : byClass(one, other) < 0;
}

interface ElectionState {
  readonly order: readonly string[];
  readonly judged: ReadonlyMap<string, Judged>;
  readonly sights: ReadonlyMap<string, PathSight>;
  readonly challenged: number;
}

/** Where the election turned around, the old row ends and another one begins. */
function renewed(one: DuplicatePath, state: ElectionState, atMs: number): DuplicatePath[] {
  const { order, challenged, judged, sights } = state;
  if (order.indexOf(nameOf(one.elected)) < order.indexOf(nameOf(one))) {
    const found = judged.get(pairKey(nameOf(one), nameOf(one.elected)));
    const samplingRate = sights.get(nameOf(one.elected))?.samplingRate ?? one.samplingRate;
    return [
      { ...one, challenged, samplingRate, isWhole: found ? isWhole(one, one.elected, found) : one.isWhole },
    ];
  }
  const turned = oriented(one, one.elected, state, atMs, one.foundAtMs);
  const { shareOut, shareIn, missed } = one;
  return [
    { ...one, untilMs: Math.max(one.sinceMs, atMs) },
    { ...turned, shareOut, shareIn, missed },
  ];
}

function oriented(
  a: PathName,
  b: PathName,
  { order, judged, sights, challenged }: ElectionState,
  sinceMs: number,
  foundAtMs: number,
): DuplicatePath {
  const [elected, other] = order.indexOf(nameOf(a)) < order.indexOf(nameOf(b)) ? [a, b] : [b, a];
  const found = judged.get(pairKey(nameOf(a), nameOf(b)));
  const counted = (share = 0) => (share >= BEGIN_SHARE ? share : 0);
  return {
    exporter: other.exporter,
    interface: other.interface,
    elected: { exporter: elected.exporter, interface: elected.interface },
    sinceMs,
    foundAtMs,
    shareOut: counted(found?.shareOut),
    shareIn: counted(found?.shareIn),
    samplingRate: sights.get(nameOf(elected))?.samplingRate ?? 1,
    isWhole: found ? isWhole(other, elected, found) : false,
    missed: 0,
    challenged,
  };
}

const isWhole = (path: PathName, elected: PathName, found: Judged) =>
  (nameOf(path) < nameOf(elected) ? found.firstInSecond : found.secondInFirst) >= WHOLE_SHARE;
