// rule set, region of traffic -> disjoint pieces that pass, each with what becomes of it and which entries decided
import type { AddressSet } from '../model/addresses.ts';
import type { Policy, PolicyEntry, RuleSet, Stage, Translation } from '../model/rule.ts';
import { ANY_TRAFFIC, type Region, subtractRegion, type Traffic } from '../model/traffic.ts';
import { arriving, type Decider, mayOverlap, type Piece, splitSeen } from './piece.ts';
import { translateDestination } from './translate.ts';

/** One box of packets that pass, and what becomes of them. */
export interface Passing {
  /** As the packet arrives, before translation. */
  readonly traffic: Traffic;
  readonly destinationTranslation?: Translation;
  /** Policy route, tunnel or proxy that takes the packet, or mirror that takes a copy of it. */
  readonly redirect?: Translation;
  readonly sourceTranslation?: Translation;
  readonly ruleKeys: readonly string[];
}

/** What the rule set makes of a region: `mirrored` are copies of packets that are also in `passed`. */
export interface Effect {
  readonly passed: readonly Piece[];
  readonly mirrored: readonly Piece[];
  readonly dropped: readonly Piece[];
  /** Packets that an exemption keeps from being mirrored; they are elsewhere too. */
  readonly exempted: readonly Piece[];
}

/** How many comparisons of boxes are left; over it a region is too finely cut to be worth following. */
export interface Budget {
  left: number;
}
/** Cutting a box takes as long as so many comparisons. */
const CUT_COST = 100;
export class TooManyPieces extends Error {}

export function spend(budget: Budget, comparisons: number): void {
  budget.left -= comparisons;
  if (budget.left < 0) throw new TooManyPieces();
}

/** Disjoint in (packet, choice the device makes from a pool); a mirrored packet is there once more with its mirror. */
export function passing(ruleSet: RuleSet, within: Region): Passing[] {
  const { passed, mirrored } = evaluate(ruleSet, disjoint(within), { left: Infinity });
  return [...passed, ...mirrored].map((piece) => ({
    traffic: piece.traffic,
    destinationTranslation: destinationOf(piece),
    redirect: piece.redirect,
    sourceTranslation: piece.source,
    ruleKeys: ruleKeysOf(piece),
  }));
}

/** `within` must be disjoint. Throws TooManyPieces over the budget. */
export function evaluate(ruleSet: RuleSet, within: Region, budget: Budget): Effect {
  const at = (stage: Stage) => ruleSet.policies.filter((policy) => policy.stage === stage);
  const nat = firstOf(within.map(arriving), at('destination-nat'), usable, budget, (piece, entry) =>
    translateDestination(piece, entry, entry.translation as Translation),
  );
  // What the device keeps for itself is not forwarded: no later stage sees it.
  const own = nat.pieces.filter((piece) => piece.unknown);
  const onward = nat.pieces.filter((piece) => !piece.unknown);
  const routed = firstOf(
    onward,
    at('redirect'),
    (entry) => usable(entry) && !isMirror(entry),
    budget,
    (piece, entry) => [{ ...decidedBy(piece, entry), redirect: entry.translation }],
  );
  const exempted: Piece[] = [];
  const copies = at('redirect').flatMap((policy) => copiesOf(onward, policy, exempted));
  const filtered = filterAll(routed.pieces, at('filter'), budget);
  const mirrored = filterAll(copies, at('filter'), budget);
  const sourced = firstOf(filtered.pieces, at('source-nat'), usable, budget, (piece, entry) => [
    { ...decidedBy(piece, entry), source: entry.translation },
  ]);
  return {
    passed: [...own, ...sourced.pieces],
    mirrored: mirrored.pieces,
    dropped: [
      ...nat.dropped,
      ...routed.dropped,
      ...filtered.dropped,
      ...mirrored.dropped,
      ...sourced.dropped,
    ],
    exempted,
  };
}

interface Outcome {
  readonly pieces: Piece[];
  readonly dropped: Piece[];
}

const isMirror = (entry: PolicyEntry) => entry.translation?.kind === 'mirror';
/** An entry whose match is a superset decides only where it lets something through. */
export const usable = (entry: PolicyEntry): boolean =>
  (entry.unresolved.length === 0 || entry.action === 'accept' || entry.action === 'translate') &&
  (entry.action !== 'translate' || entry.translation !== undefined);
const decidedBy = (piece: Piece, decider: Decider): Piece => ({
  ...piece,
  deciders: [...piece.deciders, decider],
});

/** NAT and redirect stages: over all policies in order, the first entry that matches ends the stage. */
function firstOf(
  pieces: readonly Piece[],
  policies: readonly Policy[],
  counts: (entry: PolicyEntry) => boolean,
  budget: Budget,
  translate: (piece: Piece, entry: PolicyEntry) => Piece[],
): Outcome {
  const done: Piece[] = [];
  const dropped: Piece[] = [];
  let open = [...pieces];
  for (const policy of policies) {
    const { hits, undecided, outside } = decide(open, policy, counts, budget);
    for (const { piece, entry } of hits) {
      if (entry.action === 'translate') done.push(...translate(piece, entry));
      else (entry.action === 'drop' ? dropped : done).push(decidedBy(piece, entry));
    }
    open = [...undecided, ...outside];
  }
  return { pieces: [...done, ...open], dropped };
}

/** Filters one after the other; all must accept. */
function filterAll(pieces: readonly Piece[], policies: readonly Policy[], budget: Budget): Outcome {
  let open = [...pieces];
  const dropped: Piece[] = [];
  const counts = (entry: PolicyEntry) =>
    usable(entry) && (entry.action === 'accept' || entry.action === 'drop');
  for (const policy of policies) {
    const { hits, undecided, outside } = decide(open, policy, counts, budget);
    open = outside;
    for (const { piece, entry } of hits)
      (entry.action === 'accept' ? open : dropped).push(decidedBy(piece, entry));
    const rest = undecided.map((piece) => decidedBy(piece, policy));
    if (policy.otherwise === 'drop') dropped.push(...rest);
    else open.push(...rest);
  }
  return { pieces: open, dropped };
}

/** Every mirror that a packet meets takes a copy; only an exemption ends the list. */
function copiesOf(pieces: readonly Piece[], policy: Policy, exempted: Piece[]): Piece[] {
  if (!policy.entries.some(isMirror)) return [];
  const copies: Piece[] = [];
  let open: Piece[] = cut(pieces, appliesBox(policy)).hits;
  for (const entry of inOrder(policy)) {
    if (!usable(entry) || (entry.action === 'translate' && !isMirror(entry))) continue;
    const { hits, rest } = cut(open, entry.match);
    if (entry.action === 'translate')
      copies.push(...hits.map((piece) => ({ ...decidedBy(piece, entry), redirect: entry.translation })));
    else {
      exempted.push(...hits.map((piece) => decidedBy(piece, entry)));
      open = rest;
    }
  }
  return copies;
}

export const appliesBox = (policy: Policy): Traffic => ({ ...ANY_TRAFFIC, ...policy.appliesTo });
const inOrder = (policy: Policy): readonly PolicyEntry[] =>
  policy.evaluation === 'last-match' ? policy.entries.toReversed() : policy.entries;

function decide(
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
    if (!counts(entry) || !undecided.some((piece) => mayOverlap(piece.seen, entry.match))) continue;
    const { hits: own, rest } = cut(undecided, entry.match);
    for (const piece of own) hits.push({ piece, entry });
    undecided = rest;
    spend(budget, own.length * CUT_COST);
  }
  return { hits, undecided, outside };
}

function cut(pieces: readonly Piece[], box: Traffic): { hits: Piece[]; rest: Piece[] } {
  const hits: Piece[] = [];
  const rest: Piece[] = [];
  for (const piece of pieces) {
    const parts = splitSeen(piece, box);
    if (parts.hit) hits.push(parts.hit);
    rest.push(...parts.rest);
  }
  return { hits, rest };
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

/** Keys of the rules among the deciders, each once. */
export function ruleKeysOf(piece: Piece): string[] {
  return [...new Set(piece.deciders.flatMap((decider) => ('ruleKey' in decider ? [decider.ruleKey] : [])))];
}
