// pieces of traffic, one policy -> which entry decides about which part of them
import type { Policy, PolicyEntry } from '../model/rule.ts';
import { ANY_TRAFFIC, type Traffic } from '../model/traffic.ts';
import { type Decider, mayOverlap, type Piece, splitSeen } from './piece.ts';

/** How many comparisons of boxes are left; over it a region is too finely cut to be worth following. */
export interface Budget {
  left: number;
}
/** Cutting a box takes as long as so many comparisons. */
export const CUT_COST = 100;
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

export const inOrder = (policy: Policy): readonly PolicyEntry[] =>
  policy.evaluation === 'last-match' ? policy.entries.toReversed() : policy.entries;

/** The first entry of the policy that matches decides, among those that `counts`. */
export function decide(
  pieces: readonly Piece[],
  policy: Policy,
  counts: (entry: PolicyEntry) => boolean,
  budget: Budget,
) {
  const { hits: inside, rest: outside } = cut(pieces, appliesBox(policy));
  const hits: { piece: Piece; entry: PolicyEntry }[] = [];
  let undecided = inside;
  for (const entry of inOrder(policy)) {
    if (undecided.length === 0) break;
    spend(budget, undecided.length);
    if (!counts(entry) || !reaches(undecided, entry.match)) continue;
    const { hits: own, rest } = cut(undecided, entry.match, entry.translated);
    for (const piece of own) hits.push({ piece, entry });
    undecided = rest;
    spend(budget, own.length * CUT_COST);
  }
  return { hits, undecided, outside };
}

/** False where no piece can have a part in the box. */
export const reaches = (pieces: readonly Piece[], box: Traffic): boolean =>
  pieces.some((piece) => mayOverlap(piece.seen, box));

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
