// what passes before, what passes after -> the pieces that pass newly, and what about them is new
import type { Effect } from './effect.ts';
import { type Piece, splitPiece } from './piece.ts';
import type { Signatures } from './signature.ts';

/**
 * `way`: the packet did not come through to this destination; `redirect`: it did, but was not taken aside or not so;
 * `source`: it did, and only seems to come from elsewhere now.
 */
export type Novelty = 'way' | 'redirect' | 'source';

export interface Found {
  readonly piece: Piece;
  readonly novelty: Novelty;
}

export function newlyPassing(from: Effect, to: Effect, signatures: Signatures): Found[] {
  const [old, now] = withoutEqual(from.passed, to.passed, signatures);
  const found: Found[] = [];
  for (const piece of now) {
    let rest = [piece];
    for (const other of old) {
      const parts = rest.map((part) => splitPiece(part, other));
      rest = parts.flatMap((part) => part.rest);
      const novelty = differenceOf(piece, other, signatures);
      if (novelty)
        for (const part of parts) found.push(...part.common.map((common) => ({ piece: common, novelty })));
      if (rest.length === 0) break;
    }
    found.push(...rest.map((part) => ({ piece: part, novelty: 'way' as const })));
  }
  return [...found, ...newCopies(from, to, signatures)];
}

/** Mirrors of one packet do not exclude each other: a copy is compared with copies to the same place only. */
function newCopies(from: Effect, to: Effect, signatures: Signatures): Found[] {
  const [old, now] = withoutEqual(from.mirrored, to.mirrored, signatures);
  return now.flatMap((piece) => {
    let rest = [piece];
    for (const other of old)
      if (!differenceOf(piece, other, signatures))
        rest = rest.flatMap((part) => splitPiece(part, other).rest);
    return rest.map((part) => ({ piece: part, novelty: 'redirect' as const }));
  });
}

function differenceOf(a: Piece, b: Piece, signatures: Signatures): 'redirect' | 'source' | undefined {
  if (signatures.translation(a.redirect) !== signatures.translation(b.redirect)) return 'redirect';
  return signatures.translation(a.source) === signatures.translation(b.source) ? undefined : 'source';
}

/** Pieces that are the same on both sides cancel out: pieces of one side are disjoint, so they touch no other. */
function withoutEqual(a: readonly Piece[], b: readonly Piece[], signatures: Signatures): [Piece[], Piece[]] {
  const signature = (piece: Piece) =>
    [
      signatures.traffic(piece.traffic),
      signatures.traffic(piece.seen),
      piece.shift ?? 'any',
      piece.keepsPorts,
      piece.unknown && piece.destination?.kind,
      signatures.translation(piece.redirect),
      signatures.translation(piece.source),
    ].join('|');
  const count = new Map<string, number>();
  for (const piece of a) count.set(signature(piece), (count.get(signature(piece)) ?? 0) + 1);
  const cancelled = new Map<string, number>();
  const restB = b.filter((piece) => {
    const key = signature(piece);
    const left = count.get(key) ?? 0;
    if (left === 0) return true;
    count.set(key, left - 1);
    cancelled.set(key, (cancelled.get(key) ?? 0) + 1);
    return false;
  });
  const restA = a.filter((piece) => {
    const key = signature(piece);
    const left = cancelled.get(key) ?? 0;
    if (left === 0) return true;
    cancelled.set(key, left - 1);
    return false;
  });
  return [restA, restB];
}
