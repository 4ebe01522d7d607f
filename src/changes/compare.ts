// what passes before, what passes after -> the pieces that pass newly, and what about them is new
import type { AddressSet } from '../model/addresses.ts';
import type { Traffic } from '../model/traffic.ts';
import { type Budget, spend } from './decide.ts';
import type { Effect } from './effect.ts';
import { type Decider, mayOverlap, type Piece, splitPiece } from './piece.ts';
import { listsNear, type Pool, poolOf } from './pool.ts';
import type { Signatures } from './signature.ts';

/**
 * `way`: the packet did not come through to this destination, or only under conditions; `redirect`: it did, but was not taken aside or not so;
 * `source`: it did, and only seems to come from elsewhere now.
 */
export type Novelty = 'way' | 'redirect' | 'source';

export interface Found {
  readonly piece: Piece;
  readonly novelty: Novelty;
}

/** One side: what it does with a region, and the deciders that the other side has not, or has elsewhere. */
export interface Half {
  readonly effect: Effect;
  readonly touched: ReadonlySet<Decider>;
}

/** Both halves are of the same region. Throws TooManyPieces over the budget. */
export function newlyPassing(from: Half, to: Half, signatures: Signatures, budget: Budget): Found[] {
  const old = from.effect.passed;
  const isTouched = ({ touched }: Half, piece: Piece) =>
    piece.deciders.some((decider) => touched.has(decider));
  // A packet fares differently only where a touched entry decides on one of the sides.
  const reasons = [...old, ...from.effect.dropped].filter((piece) => isTouched(from, piece));
  const near = (index: Index, { traffic }: Piece): Piece[] => {
    const lists = listsNear(index.byService, traffic.services).flatMap((list) =>
      index.narrowed(list, traffic),
    );
    spend(
      budget,
      lists.reduce((sum, list) => sum + list.length, lists.length),
    );
    return lists.flatMap((list) => list.filter((other) => mayOverlap(traffic, other.traffic)));
  };
  const reasonIndex = indexOf(reasons);
  const oldIndex = indexOf(old);
  const now = to.effect.passed.filter((piece) => isTouched(to, piece) || near(reasonIndex, piece).length > 0);
  const found: Found[] = [];
  for (const piece of now) {
    let rest = [piece];
    for (const other of near(oldIndex, piece)) {
      const parts = rest.map((part) => splitPiece(part, other));
      rest = parts.flatMap((part) => part.rest);
      const common = parts.flatMap((part) => part.common);
      const novelty = common.length > 0 ? noveltyOf(piece, other, signatures) : undefined;
      if (novelty) for (const part of common) found.push({ piece: part, novelty });
      if (rest.length === 0) break;
    }
    for (const part of rest) found.push({ piece: part, novelty: 'way' });
  }
  return [...found, ...newCopies(from.effect, to.effect, signatures)];
}

/** Pieces by service, and where many share one, by destination. */
interface Index {
  readonly byService: Pool<Piece>;
  readonly narrowed: (list: Piece[], traffic: Traffic) => Piece[][];
}

const MANY = 32;

function indexOf(pieces: readonly Piece[]): Index {
  const byDestination = new Map<Piece[], Pool<Piece>>();
  const narrowed = (list: Piece[], traffic: Traffic): Piece[][] => {
    if (list.length <= MANY) return [list];
    const pool =
      byDestination.get(list) ?? poolOf(list, ({ traffic: { destinations } }) => hostsOf(destinations));
    byDestination.set(list, pool);
    return listsNear(pool, traffic.destinations.v4);
  };
  return { byService: poolOf(pieces, (piece) => piece.traffic.services), narrowed };
}

/** What is not of IPv4 alone is found always. */
const hostsOf = ({ v4, v6 }: AddressSet) => (v6.length === 0 ? v4 : []);

/** Mirrors of one packet do not exclude each other: a copy is compared with copies to the same place only. */
function newCopies(from: Effect, to: Effect, signatures: Signatures): Found[] {
  return to.mirrored.flatMap((piece) => {
    let rest = [piece];
    for (const other of from.mirrored)
      if (!noveltyOf(piece, other, signatures)) rest = rest.flatMap((part) => splitPiece(part, other).rest);
    return rest.map((part) => ({ piece: part, novelty: 'redirect' as const }));
  });
}

/** What is new about a piece that came through as `b` before. */
function noveltyOf(a: Piece, b: Piece, signatures: Signatures): Novelty | undefined {
  if (b.conditional && !a.conditional) return 'way';
  if (signatures.translation(a.redirect) !== signatures.translation(b.redirect)) return 'redirect';
  return sourceOf(a, signatures) === sourceOf(b, signatures) ? undefined : 'source';
}

/** Of a one-to-one translation only what it adds to an address counts, not how far it reaches. */
const sourceOf = ({ source, sourceShift }: Piece, signatures: Signatures): string =>
  sourceShift === undefined
    ? signatures.translation(source)
    : `${sourceShift}:${source?.ports?.join('-') ?? ''}`;
