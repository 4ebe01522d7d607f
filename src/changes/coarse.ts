// changed entries -> what each may have opened, at most; for differences too finely cut to follow exactly
import type { Policy, PolicyEntry, RuleSet, Stage, Translation } from '../model/rule.ts';
import { intersectTraffic, type Traffic } from '../model/traffic.ts';
import type { Found, Novelty } from './compare.ts';
import { appliesBox, CUT_COST, decidedBy, usable } from './decide.ts';
import type { SideName } from './ladders.ts';
import {
  arriving,
  type Decider,
  insideArriving,
  mayOverlap,
  type Piece,
  restrictSeen,
  splitSeen,
} from './piece.ts';
import type { Touched } from './touched.ts';
import { translateDestination } from './translate.ts';

/** Claims of one diff, and comparisons of boxes for them; beyond, what is left is claimed by and large. */
const MAX_CLAIMS = 30_000;
const MAX_COMPARISONS = 20_000_000;

export interface Claim {
  readonly decider: Decider;
  readonly side: SideName;
  readonly found: Found;
}

/** A changed decider that can open a way, at its place, with what of the arriving traffic it reaches. */
interface Opener {
  readonly decider: Decider;
  readonly policy: Policy;
  readonly side: SideName;
  readonly isNew: boolean;
  readonly novelty: Novelty;
  readonly boxes: readonly Traffic[];
}

const NOVELTIES: Readonly<Record<Stage, Novelty>> = {
  'destination-nat': 'way',
  filter: 'way',
  redirect: 'redirect',
  'source-nat': 'source',
};

/**
 * What may pass on side `to` and not on side `from`, of the packets in `failed`. A packet fares anew only where a changed entry
 * lets it through or translates it on side `to`, or took it elsewhere on side `from`. For each of those: whatever side `to` may do
 * with the packets that it reaches. Order and drops are not looked at, so nothing is missed, and what passed before may be among it.
 * A way is claimed without its source translation, a source translation without its redirect.
 */
export function coarseClaims(
  ruleSets: Readonly<Record<SideName, RuleSet>>,
  to: SideName,
  touched: Touched,
  failed: readonly Traffic[],
  hull: readonly Traffic[],
): Claim[] {
  const from = to === 'after' ? 'before' : 'after';
  const openers = [
    ...openersOf(ruleSets[to], to, true, touched, failed),
    ...openersOf(ruleSets[from], from, false, touched, failed),
  ];
  // A filter behind source NAT may have stopped what seemed to come from elsewhere.
  const isLate = ({ sees }: Policy) => sees === 'translated';
  if (ruleSets[from].policies.some(isLate))
    for (const one of openers.filter(({ novelty }) => novelty === 'source'))
      openers.push({ ...one, novelty: 'way' });
  const translating = translatingOf(ruleSets[to]);
  const claims: Claim[] = [];
  const left = { comparisons: MAX_COMPARISONS };
  let isOver = false;
  for (const opener of openers) {
    const { decider, side, novelty } = opener;
    const claim = (piece: Piece, as: Novelty) =>
      claims.push({ decider, side, found: { piece: decidedBy(piece, decider), novelty: as } });
    if (!isOver && (claims.length > MAX_CLAIMS || left.comparisons < 0)) {
      isOver = true;
      // Every way that is left, laid to one change; the others get what they reach as it arrives.
      const any = { ...opener, isNew: false, novelty: 'way' as const };
      for (const box of hull) for (const piece of mayBecome(translating, any, box, left)) claim(piece, 'way');
    }
    const known = isOver ? NOTHING : translating;
    for (const box of opener.boxes)
      for (const piece of mayBecome(known, opener, box, left)) claim(piece, novelty);
  }
  return claims;
}

function openersOf(
  ruleSet: RuleSet,
  side: SideName,
  isNew: boolean,
  touched: Touched,
  failed: readonly Traffic[],
): Opener[] {
  const openers: Opener[] = [];
  for (const policy of ruleSet.policies) {
    const deciders: readonly Decider[] = [...policy.entries.filter(usable), policy];
    for (const decider of deciders) {
      if (!touched[side].has(decider) || (policy.stage === 'filter' && lets(decider) !== isNew)) continue;
      const boxes = touched.reachOf(decider).filter((box) => failed.some((other) => mayOverlap(box, other)));
      if (boxes.length > 0)
        openers.push({ decider, policy, side, isNew, novelty: noveltyOf(decider, policy), boxes });
    }
  }
  return openers;
}

/** What dropped packets gives a way where it is gone, whatever its stage. */
const noveltyOf = (decider: Decider, { stage }: Policy): Novelty =>
  'ruleKey' in decider && decider.action === 'drop' ? 'way' : NOVELTIES[stage];

const lets = (decider: Decider): boolean =>
  'ruleKey' in decider ? decider.action === 'accept' : decider.otherwise !== 'drop';

interface Allowance {
  comparisons: number;
}

type Placed = readonly [Policy, PolicyEntry];
type Translating = Readonly<Record<Stage, readonly Placed[]>>;
const NOTHING: Translating = { 'destination-nat': [], redirect: [], filter: [], 'source-nat': [] };

function translatingOf({ policies }: RuleSet): Translating {
  const of = (stage: Stage): Placed[] =>
    policies
      .filter((policy) => policy.stage === stage)
      .flatMap((policy) => policy.entries.map((entry): Placed => [policy, entry]))
      .filter(([, entry]) => entry.action === 'translate' && usable(entry));
  return {
    ...NOTHING,
    'destination-nat': of('destination-nat'),
    redirect: of('redirect'),
    'source-nat': of('source-nat'),
  };
}

/** Everything that packets of the box may become where the opener meets them. */
function mayBecome(translating: Translating, opener: Opener, box: Traffic, left: Allowance): Piece[] {
  const each = (pieces: readonly Piece[], stage: Stage, translate: Translate): Piece[] => {
    const own = ownAt(opener, stage);
    const entries = own ? own.filter(([, entry]) => entry.action === 'translate') : translating[stage];
    const mayPassBy = !own || entries.length === 0;
    left.comparisons -= pieces.length * entries.length;
    const becoming = pieces.flatMap((piece) => [
      ...(mayPassBy ? [piece] : []),
      ...entries.flatMap((one) => hitBy(piece, one).flatMap((hit) => translate(hit, one[1]))),
    ]);
    left.comparisons -= becoming.length * CUT_COST;
    return becoming;
  };
  const arrived = each([arriving(box)], 'destination-nat', (piece, entry) =>
    translateDestination(piece, entry, entry.translation as Translation),
  );
  const met = arrived.flatMap((piece) => meeting(piece, opener));
  if (opener.novelty === 'source')
    return each(met, 'source-nat', (piece, entry) => [{ ...piece, source: entry.translation }]);
  return each(met, 'redirect', (piece, entry) => [{ ...piece, redirect: entry.translation }]);
}

type Translate = (piece: Piece, entry: PolicyEntry) => Piece[];

/** A new entry of a stage is the only one there that can do what was not done before. */
function ownAt({ isNew, policy, decider }: Opener, stage: Stage): readonly Placed[] | undefined {
  return isNew && policy.stage === stage && 'ruleKey' in decider ? [[policy, decider]] : undefined;
}

function hitBy(piece: Piece, [policy, entry]: Placed): Piece[] {
  if (piece.unknown || !mayOverlap(piece.seen, entry.match)) return [];
  const seen = intersectTraffic(piece.seen, entry.match);
  const bound = seen && intersectTraffic(seen, appliesBox(policy));
  return bound ? [restrictSeen(piece, bound)] : [];
}

/** The part of a piece that the opener meets. */
function meeting(piece: Piece, { decider, policy }: Opener): Piece[] {
  const { stage, sees } = policy;
  if (stage === 'destination-nat' || !('ruleKey' in decider) || sees === 'translated') return [piece];
  if (sees === 'untranslated') {
    const inside = insideArriving(piece, decider.match);
    return inside ? [inside] : [];
  }
  const hit = piece.unknown ? undefined : splitSeen(piece, decider.match).hit;
  return hit ? [hit] : [];
}
