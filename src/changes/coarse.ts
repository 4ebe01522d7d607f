// changed entries -> what each lets through or stops by itself; for differences too finely cut to follow exactly
import type { PolicyEntry, RuleSet, Stage, Translation } from '../model/rule.ts';
import { intersectTraffic, type Traffic } from '../model/traffic.ts';
import { appliesBox, usable } from './decide.ts';
import type { Effect } from './effect.ts';
import { arriving, type Decider, mayOverlap, type Piece } from './piece.ts';
import type { Touched } from './touched.ts';
import { translateDestination } from './translate.ts';

/**
 * For the changed entries that reach into `failed`, as if no other entry stood before them: what one lets through passes on its
 * side, and what it stops passes on the other. So neither side misses what the exact evaluation would find; both may claim more.
 * A moved entry counts where it may open something: a pass as new, a stop as gone.
 */
export function coarseEffects(
  before: RuleSet,
  after: RuleSet,
  touched: Touched,
  failed: readonly Traffic[],
): [Effect, Effect] {
  const reaches = (decider: Decider) =>
    touched.reach.get(decider)?.some((box) => failed.some((other) => mayOverlap(box, other))) === true;
  const old = ownEffect(
    before,
    (decider) =>
      touched.before.has(decider) && reaches(decider) && !(touched.moved.has(decider) && passes(decider)),
  );
  const now = ownEffect(
    after,
    (decider) =>
      touched.after.has(decider) && reaches(decider) && !(touched.moved.has(decider) && !passes(decider)),
  );
  const unstopped = (pieces: readonly Piece[]) => pieces.map((piece) => arriving(piece.traffic));
  return [
    { ...old, passed: [...old.passed, ...unstopped(now.dropped)] },
    { ...now, passed: [...now.passed, ...unstopped(old.dropped)] },
  ];
}

const passes = (decider: Decider): boolean =>
  'ruleKey' in decider
    ? decider.action === 'accept' || decider.action === 'translate'
    : decider.otherwise !== 'drop';

function ownEffect(ruleSet: RuleSet, isMeant: (decider: Decider) => boolean): Effect {
  const effect = { passed: [] as Piece[], mirrored: [] as Piece[], dropped: [] as Piece[], exempted: [] };
  for (const policy of ruleSet.policies) {
    const applies = appliesBox(policy);
    for (const entry of policy.entries) {
      const box = isMeant(entry) && usable(entry) ? intersectTraffic(entry.match, applies) : undefined;
      if (box) place(effect, policy.stage, entry, box);
    }
    if (!isMeant(policy)) continue;
    const piece = { ...arriving(applies), deciders: [policy] };
    (policy.otherwise === 'drop' ? effect.dropped : effect.passed).push(piece);
  }
  return effect;
}

function place(
  effect: { passed: Piece[]; mirrored: Piece[]; dropped: Piece[] },
  stage: Stage,
  entry: PolicyEntry,
  box: Traffic,
): void {
  const piece: Piece = { ...arriving(box), deciders: [entry] };
  const translation = entry.translation as Translation;
  if (entry.action === 'drop' || entry.action === 'exempt') effect.dropped.push(piece);
  else if (entry.action === 'accept') effect.passed.push(piece);
  else if (stage === 'destination-nat')
    effect.passed.push(...translateDestination(arriving(box), entry, translation));
  else if (stage === 'source-nat') effect.passed.push({ ...piece, source: translation });
  else if (translation.kind === 'mirror') effect.mirrored.push({ ...piece, redirect: translation });
  else if (stage === 'redirect') effect.passed.push({ ...piece, redirect: translation });
}
