// a newly passing piece -> the rule changes that it is owed to
import type { Policy, PolicyEntry, RuleSet, Stage } from '../model/rule.ts';
import type { Found, Half, Novelty } from './compare.ts';
import type { Effect } from './effect.ts';
import { type Decider, insideArriving, outsideArriving, type Piece, splitPiece, splitSeen } from './piece.ts';
import type { Signatures } from './signature.ts';

/** One side of the comparison, seen from the other. */
export interface Side<Change> extends Half {
  readonly obstacles: readonly Obstacle[];
  readonly changeOf: (decider: Decider) => Change;
  readonly entries: ReadonlyMap<string, readonly PlacedEntry[]>;
}

/** Stages that can bring about what is new; a source translation, say, opens no way. */
const STAGES_OF: Readonly<Record<Novelty, readonly Stage[]>> = {
  way: ['destination-nat', 'redirect', 'filter'],
  redirect: ['redirect'],
  source: ['source-nat'],
};

export interface PlacedEntry {
  readonly entry: PolicyEntry;
  readonly stage: Stage;
  readonly sees: Policy['sees'];
}

export function entriesByKey(ruleSet: RuleSet): Map<string, PlacedEntry[]> {
  const placed = ruleSet.policies.flatMap(({ stage, sees, entries }) =>
    entries.map((entry) => ({ entry, stage, sees })),
  );
  return Map.groupBy(placed, ({ entry }) => entry.ruleKey);
}

/**
 * Every part of a piece, which passes on side `to` and not so on side `from`, with at least one change. A changed rule that lets
 * a part through is to blame unless it did the same before its change; else the changed rule that stood in the way is.
 * `otherKeys` gives the keys under which a change's rule stands on side `from`.
 */
export function attribute<Change>(
  { piece, novelty }: Found,
  from: Side<Change>,
  to: Side<Change>,
  otherKeys: (change: Change) => readonly string[],
  signatures: Signatures,
): [Change, Piece][] {
  const result: [Change, Piece][] = [];
  const deciding = piece.deciders.filter((decider) => to.touched.has(decider));
  const able = deciding.filter(
    (decider) => STAGES_OF[novelty].includes(stageOf(decider, to.entries)) && !stops(decider),
  );
  let open = [piece];
  for (const decider of able) {
    const change = to.changeOf(decider);
    const same = sameBefore(decider, stageOf(decider, to.entries), otherKeys(change), from, signatures);
    const parts = same.reduce((rest, other) => rest.flatMap((part) => outside(part, other)), [piece]);
    result.push(...parts.map((part): [Change, Piece] => [change, part]));
    for (const part of parts) open = open.flatMap((rest) => splitPiece(rest, part).rest);
  }
  const inTheWay = (decider: Decider) => STAGES_OF[novelty].includes(stageOf(decider, from.entries));
  open = blameObstacles(open, from, inTheWay, result);
  // Order alone: the entry did the same before, but something unchanged stood in front of it.
  if (able.length === 0) open = blameObstacles(open, from, () => true, result);
  for (const decider of able.length > 0 ? able : deciding)
    result.push(...open.map((part): [Change, Piece] => [to.changeOf(decider), part]));
  return result;
}

/** Hands the parts of `open` that met an obstacle to its changes; returns the parts that met none. */
function blameObstacles<Change>(
  open: Piece[],
  side: Side<Change>,
  counts: (decider: Decider) => boolean,
  result: [Change, Piece][],
): Piece[] {
  let rest = open;
  for (const { piece, deciders } of side.obstacles) {
    if (rest.length === 0) break;
    const parts = rest.flatMap((part) => insideArriving(part, piece.traffic) ?? []);
    const blamed = parts.length > 0 ? deciders.filter(counts) : [];
    if (blamed.length === 0) continue;
    for (const change of new Set(blamed.map(side.changeOf)))
      result.push(...parts.map((part): [Change, Piece] => [change, part]));
    rest = rest.flatMap((part) => outsideArriving(part, piece.traffic));
  }
  return rest;
}

function stageOf(decider: Decider, entries: ReadonlyMap<string, readonly PlacedEntry[]>): Stage {
  if (!('ruleKey' in decider)) return decider.stage;
  return entries.get(decider.ruleKey)?.find(({ entry }) => entry === decider)?.stage ?? 'filter';
}

/** A conditional piece has among its deciders who would drop it. */
const stops = (decider: Decider): boolean =>
  'ruleKey' in decider ? decider.action === 'drop' : decider.otherwise === 'drop';

/** Entries of the same rule on the other side that do what `decider` does. */
function sameBefore<Change>(
  decider: Decider,
  stage: Stage,
  keys: readonly string[],
  from: Side<Change>,
  signatures: Signatures,
): readonly PlacedEntry[] {
  if (!('ruleKey' in decider)) return [];
  return keys
    .flatMap((key) => from.entries.get(key) ?? [])
    .filter(
      (other) =>
        other.stage === stage &&
        other.entry.action === decider.action &&
        (other.entry.unresolved.length === 0 || decider.unresolved.length > 0) &&
        (other.entry.translated === undefined || other.entry.translated === decider.translated) &&
        signatures.translation(other.entry.translation) === signatures.translation(decider.translation),
    );
}

const outside = (piece: Piece, { entry, stage, sees }: PlacedEntry): readonly Piece[] =>
  stage === 'destination-nat' || sees === 'untranslated'
    ? outsideArriving(piece, entry.match)
    : splitSeen(piece, entry.match).rest;

/** What touched entries did with packets. One that dropped them is to blame alone; otherwise all touched deciders are. */
export interface Obstacle {
  readonly piece: Piece;
  readonly deciders: readonly Decider[];
}

export function obstaclesOf(effect: Effect, touched: ReadonlySet<Decider>): Obstacle[] {
  const among = (piece: Piece) => piece.deciders.filter((decider) => touched.has(decider));
  const dropped = effect.dropped.map((piece) => {
    const last = piece.deciders[piece.deciders.length - 1];
    return { piece, deciders: touched.has(last) ? [last] : among(piece) };
  });
  const others = [...effect.passed, ...effect.mirrored, ...effect.exempted];
  return [...dropped, ...others.map((piece) => ({ piece, deciders: among(piece) }))].filter(
    ({ deciders }) => deciders.length > 0,
  );
}
