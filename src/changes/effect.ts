// rule set, region of traffic -> disjoint pieces that pass, each with what becomes of it and which entries decided
import type { AddressSet } from '../model/addresses.ts';
import type { Policy, PolicyEntry, RuleSet, Stage, Translation } from '../model/rule.ts';
import { type Region, subtractRegion, type Traffic } from '../model/traffic.ts';
import { appliesBox, cut, decide, decidedBy, isMirror, type Means, spend, usable } from './decide.ts';
import { filterAll, type Outcome } from './filter.ts';
import { arriving, mayOverlap, type Piece } from './piece.ts';
import { boxAround } from './pool.ts';
import { offsetOf, translateDestination } from './translate.ts';

/** What the rule set makes of a region: `mirrored` are copies of packets that are also in `passed`. */
export interface Effect {
  readonly passed: readonly Piece[];
  readonly mirrored: readonly Piece[];
  readonly dropped: readonly Piece[];
  /** Packets that an exemption keeps from being mirrored; they are elsewhere too. */
  readonly exempted: readonly Piece[];
}

/** `within` must be disjoint. Throws TooManyPieces over the budget. */
export function evaluate(ruleSet: RuleSet, within: Region, means: Means): Effect {
  const at = (stage: Stage) => ruleSet.policies.filter((policy) => policy.stage === stage);
  const filters = (sees: Policy['sees']) => at('filter').filter((policy) => policy.sees === sees);
  const arrived = filterAll(within.map(arriving), filters('untranslated'), means);
  const nat = firstOf(arrived.pieces, at('destination-nat'), usable, means, (piece, entry) =>
    translateDestination(piece, entry, entry.translation as Translation),
  );
  // What the device keeps for itself is not forwarded: no later stage sees it.
  const own = nat.pieces.filter((piece) => piece.unknown);
  const onward = nat.pieces.filter((piece) => !piece.unknown);
  const routed = firstOf(
    onward,
    at('redirect'),
    (entry) => usable(entry) && !isMirror(entry),
    means,
    (piece, entry) => [{ ...decidedBy(piece, entry), redirect: entry.translation }],
  );
  const exempted: Piece[] = [];
  const copies = at('redirect').flatMap((policy) => copiesOf(onward, policy, means, exempted));
  const leave = (pieces: readonly Piece[]) => leaving(pieces, at('source-nat'), filters, means);
  const left = leave(routed.pieces);
  const mirrored = leave(copies);
  return {
    passed: [...own, ...left.pieces],
    // A copy is of the packet as it came.
    mirrored: mirrored.pieces.map(({ source, sourceShift, ...copy }) => copy),
    dropped: [...arrived.dropped, ...nat.dropped, ...routed.dropped, ...left.dropped, ...mirrored.dropped],
    exempted,
  };
}

/** From routing to the wire: filters, source NAT, filters of translated packets. */
function leaving(
  pieces: readonly Piece[],
  nat: readonly Policy[],
  filters: (sees: Policy['sees']) => Policy[],
  means: Means,
): Outcome {
  const filtered = filterAll(pieces, filters(undefined), means);
  const sourced = firstOf(filtered.pieces, nat, usable, means, (piece, entry) => [
    { ...decidedBy(piece, entry), source: entry.translation, sourceShift: sourceShiftOf(entry) },
  ]);
  const last = filterAll(sourced.pieces, filters('translated'), means);
  return { pieces: last.pieces, dropped: [...filtered.dropped, ...sourced.dropped, ...last.dropped] };
}

function sourceShiftOf({ match, translation }: PolicyEntry): bigint | undefined {
  return translation?.offset && translation.addresses
    ? offsetOf(match.sources, translation.addresses)
    : undefined;
}

/** NAT and redirect stages: over all policies in order, the first entry that matches ends the stage. */
function firstOf(
  pieces: readonly Piece[],
  policies: readonly Policy[],
  counts: (entry: PolicyEntry) => boolean,
  means: Means,
  translate: (piece: Piece, entry: PolicyEntry) => Piece[],
): Outcome {
  const done: Piece[] = [];
  const dropped: Piece[] = [];
  let open = [...pieces];
  for (const policy of policies) {
    const { hits, undecided, outside } = decide(open, policy, counts, means);
    for (const { piece, entry } of hits) {
      if (entry.action === 'translate') for (const part of translate(piece, entry)) done.push(part);
      else (entry.action === 'drop' ? dropped : done).push(decidedBy(piece, entry));
    }
    open = [...undecided, ...outside];
  }
  return { pieces: [...done, ...open], dropped };
}

/** Every mirror that a packet meets takes a copy; only an exemption ends the list. */
function copiesOf(
  pieces: readonly Piece[],
  policy: Policy,
  { budget, entriesNear }: Means,
  exempted: Piece[],
): Piece[] {
  if (!policy.entries.some(isMirror)) return [];
  const copies: Piece[] = [];
  let open: Piece[] = cut(pieces, appliesBox(policy)).hits;
  for (const entry of entriesNear(policy, boxAround(open.map(({ seen }) => seen)))) {
    spend(budget, 1 + open.length);
    if (!usable(entry) || (entry.action === 'translate' && !isMirror(entry))) continue;
    const { hits, rest } = cut(open, entry.match, entry.translated);
    if (entry.action === 'translate')
      copies.push(...hits.map((piece) => ({ ...decidedBy(piece, entry), redirect: entry.translation })));
    else {
      exempted.push(...hits.map((piece) => decidedBy(piece, entry)));
      open = rest;
    }
  }
  return copies;
}

/** A region as disjoint boxes. */
export function disjoint(region: Region): Traffic[] {
  const result: Traffic[] = [];
  for (const box of region) {
    const near = result.filter((other) => mayOverlap(box, other));
    result.push(...subtractRegion([box], near));
  }
  return result;
}

/** The translation of a piece, narrowed to the addresses and ports that it can come out with. */
export function destinationOf(piece: Piece): Translation | undefined {
  if (!piece.destination || piece.unknown || piece.shift !== undefined) return piece.destination;
  const addresses: AddressSet = piece.seen.destinations;
  const { services } = piece.seen;
  const ports = [services[0] & 0xffff, services[services.length - 1] & 0xffff] as const;
  return { kind: piece.destination.kind, addresses, ...(piece.keepsPorts ? {} : { ports }) };
}
