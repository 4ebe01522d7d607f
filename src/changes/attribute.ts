// a newly passing piece -> the rule changes that it is owed to
import type { PolicyEntry, RuleSet, Stage } from '../model/rule.ts';
import type { Effect } from './effect.ts';
import { type Decider, insideArriving, outsideArriving, type Piece, splitPiece, splitSeen } from './piece.ts';
import type { Signatures } from './signature.ts';

/** One side of the comparison, seen from the other. */
export interface Side<Change> {
  readonly obstacles: readonly Obstacle<Change>[];
  readonly touched: ReadonlySet<Decider>;
  readonly changeOf: (decider: Decider) => Change;
  readonly entries: ReadonlyMap<string, readonly PlacedEntry[]>;
}

export interface PlacedEntry {
  readonly entry: PolicyEntry;
  readonly stage: Stage;
}

export function entriesByKey(ruleSet: RuleSet): Map<string, PlacedEntry[]> {
  const placed = ruleSet.policies.flatMap(({ stage, entries }) => entries.map((entry) => ({ entry, stage })));
  return Map.groupBy(placed, ({ entry }) => entry.ruleKey);
}

/**
 * Every part of `piece`, which passes on side `to` and not so on side `from`, with at least one change. A changed rule that lets
 * a part through is to blame unless it did the same before its change; else the changed rule that stood in the way is.
 * `otherKeys` gives the keys under which a change's rule stands on side `from`.
 */
export function attribute<Change>(
  piece: Piece,
  from: Side<Change>,
  to: Side<Change>,
  otherKeys: (change: Change) => readonly string[],
  signatures: Signatures,
): [Change, Piece][] {
  const result: [Change, Piece][] = [];
  const deciding = piece.deciders.filter((decider) => to.touched.has(decider));
  let open = [piece];
  for (const decider of deciding) {
    const change = to.changeOf(decider);
    const same = sameBefore(decider, otherKeys(change), from, to, signatures);
    const parts = same.reduce((rest, other) => rest.flatMap((part) => outside(part, other)), [piece]);
    for (const part of parts) {
      result.push([change, part]);
      open = open.flatMap((rest) => splitPiece(rest, part).rest);
    }
  }
  if (open.length === 0) return result;
  for (const { piece: other, changes } of from.obstacles) {
    const parts = open.flatMap((rest) => insideArriving(rest, other.traffic) ?? []);
    if (parts.length === 0) continue;
    for (const change of changes) result.push(...parts.map((part): [Change, Piece] => [change, part]));
    open = open.flatMap((rest) => outsideArriving(rest, other.traffic));
    if (open.length === 0) break;
  }
  for (const decider of deciding)
    result.push(...open.map((part): [Change, Piece] => [to.changeOf(decider), part]));
  return result;
}

/** Entries of the same rule on the other side that do what `decider` does. */
function sameBefore<Change>(
  decider: Decider,
  keys: readonly string[],
  from: Side<Change>,
  to: Side<Change>,
  signatures: Signatures,
): readonly PlacedEntry[] {
  if (!('ruleKey' in decider)) return [];
  const stage = to.entries.get(decider.ruleKey)?.find(({ entry }) => entry === decider)?.stage;
  return keys
    .flatMap((key) => from.entries.get(key) ?? [])
    .filter(
      (other) =>
        other.stage === stage &&
        other.entry.action === decider.action &&
        signatures.translation(other.entry.translation) === signatures.translation(decider.translation),
    );
}

const outside = (piece: Piece, { entry, stage }: PlacedEntry): readonly Piece[] =>
  stage === 'destination-nat' ? outsideArriving(piece, entry.match) : splitSeen(piece, entry.match).rest;

/** What a touched entry did with packets. One that dropped them is to blame alone; otherwise all touched deciders are. */
export interface Obstacle<Change> {
  readonly piece: Piece;
  readonly changes: readonly Change[];
}

export function obstaclesOf<Change>(
  effect: Effect,
  touched: ReadonlySet<Decider>,
  changeOf: (decider: Decider) => Change,
): Obstacle<Change>[] {
  const obstacle = (piece: Piece, deciders: readonly Decider[]): Obstacle<Change>[] =>
    deciders.length === 0 ? [] : [{ piece, changes: [...new Set(deciders.map(changeOf))] }];
  const among = (piece: Piece) => piece.deciders.filter((decider) => touched.has(decider));
  return [
    ...effect.dropped.flatMap((piece) => {
      const last = piece.deciders[piece.deciders.length - 1];
      return obstacle(piece, touched.has(last) ? [last] : among(piece));
    }),
    ...[...effect.passed, ...effect.mirrored, ...effect.exempted].flatMap((piece) =>
      obstacle(piece, among(piece)),
    ),
  ];
}
