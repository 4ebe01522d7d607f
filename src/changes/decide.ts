// pieces of traffic, one policy -> which entry decides about which part of them
import type { Policy, PolicyEntry } from '../model/rule.ts';
import { ANY_TRAFFIC, type Traffic } from '../model/traffic.ts';
import { type BoxIndex, indexBoxes } from './box-index.ts';
import { type Decider, mayOverlap, type Piece, splitSeen } from './piece.ts';
import { boxAround, everyItem, listsNear, type Pool, poolOf, put } from './pool.ts';

/** How many comparisons of boxes are left; over it a region is too finely cut to be worth following. */
export interface Budget {
  left: number;
}
/** Cutting a box takes as long as so many comparisons. */
export const CUT_COST = 50;
export class TooManyPieces extends Error {}

export function spend(budget: Budget, comparisons: number): void {
  budget.left -= comparisons;
  if (budget.left < 0) throw new TooManyPieces();
}

/** An entry whose match is a superset decides only where it lets something through. */
export const usable = (entry: PolicyEntry): boolean =>
  (entry.unresolved.length === 0 || entry.action === 'accept' || entry.action === 'translate') &&
  (entry.action !== 'translate' || entry.translation !== undefined);

export const decidedBy = (piece: Piece, decider: Decider): Piece => ({
  ...piece,
  deciders: [...piece.deciders, decider],
});

export const appliesBox = (policy: Policy): Traffic => ({ ...ANY_TRAFFIC, ...policy.appliesTo });

export const isMirror = ({ translation }: PolicyEntry): boolean => translation?.kind === 'mirror';

export const inOrder = (policy: Policy): readonly PolicyEntry[] =>
  policy.evaluation === 'last-match' ? policy.entries.toReversed() : policy.entries;

/** What one evaluation works with. */
export interface Means {
  readonly budget: Budget;
  /** Entries in the order in which packets meet them; of a large policy, those that can meet the box. */
  readonly entriesNear: (policy: Policy, box: Traffic) => readonly PolicyEntry[];
  /** Whether an entry is to be told from others that do the same. */
  readonly keeps: (decider: Decider) => boolean;
  /** Fewer pieces that say the same. */
  readonly merge: (pieces: Piece[]) => Piece[];
}

/** Policies of fewer entries are walked through. */
const LARGE = 64;

/** Knows each large policy it was asked about by where its entries lie. */
export function createEntryFinder(): Means['entriesNear'] {
  const known = new Map<Policy, { entries: readonly PolicyEntry[]; index: BoxIndex }>();
  return (policy, box) => {
    if (policy.entries.length < LARGE) return inOrder(policy);
    let found = known.get(policy);
    if (!found) {
      const entries = inOrder(policy);
      found = { entries, index: indexBoxes(entries.map(({ match }) => match)) };
      known.set(policy, found);
    }
    const { entries } = found;
    return found.index.near(box).map((position) => entries[position]);
  };
}

/** The first entry of the policy that matches decides, among those that `counts`. */
export function decide(
  pieces: readonly Piece[],
  policy: Policy,
  counts: (entry: PolicyEntry) => boolean,
  { budget, entriesNear }: Means,
) {
  const { hits: inside, rest: outside } = cut(pieces, appliesBox(policy));
  const hits: { piece: Piece; entry: PolicyEntry }[] = [];
  const undecided = openTo(inside);
  for (const entry of inside.length > 0 ? entriesNear(policy, undecided.around) : []) {
    spend(budget, 1);
    if (!counts(entry)) continue;
    for (const piece of takeHits(undecided, entry.match, entry.translated, budget))
      hits.push({ piece, entry });
  }
  return { hits, undecided: everyItem(undecided.pool), outside };
}

/** Pieces that no entry of a policy has decided about yet. */
export interface Undecided {
  readonly pool: Pool<Piece>;
  /** Around what they were at first: most entries of a large policy lie outside. */
  readonly around: Traffic;
}

export const openTo = (pieces: readonly Piece[]): Undecided => ({
  pool: poolOf(pieces, (piece) => piece.seen.services),
  around: boxAround(pieces.map((piece) => piece.seen)),
});

/** Takes out what is seen inside the box; the rest of those pieces stays. */
export function takeHits(
  { pool, around }: Undecided,
  box: Traffic,
  translated: boolean | undefined,
  budget: Budget,
): Piece[] {
  if (!mayOverlap(around, box)) return [];
  const taken: Piece[] = [];
  for (const list of listsNear(pool, box.services)) {
    spend(budget, list.length);
    if (!list.some((piece) => mayOverlap(piece.seen, box))) continue;
    const { hits, rest } = cut(list, box, translated);
    for (const piece of hits) taken.push(piece);
    list.length = 0;
    for (const piece of rest) put(pool, piece);
  }
  spend(budget, taken.length * CUT_COST);
  return taken;
}

/** Parts of the pieces that are seen inside the box, and their rest; `translated`: only of pieces that are, or are not. */
export function cut(
  pieces: readonly Piece[],
  box: Traffic,
  translated?: boolean,
): { hits: Piece[]; rest: Piece[] } {
  const hits: Piece[] = [];
  const rest: Piece[] = [];
  for (const piece of pieces) {
    if (translated !== undefined && translated !== (piece.destination !== undefined)) {
      rest.push(piece);
      continue;
    }
    const parts = splitSeen(piece, box);
    if (parts.hit) hits.push(parts.hit);
    for (const part of parts.rest) rest.push(part);
  }
  return { hits, rest };
}
