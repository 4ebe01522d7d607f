// changed entries -> what each lets through or stops by itself; for differences too finely cut to follow exactly
import type { PolicyEntry, RuleSet, Stage, Translation } from '../model/rule.ts';
import { intersectTraffic, type Traffic } from '../model/traffic.ts';
import { appliesBox, type Effect, usable } from './effect.ts';
import { arriving, type Decider, type Piece } from './piece.ts';
import type { Touched } from './touched.ts';
import { translateDestination } from './translate.ts';

/**
 * As if no other entry stood before a changed one: what it lets through passes on its side, and what it stops passes on the
 * other. So neither side misses what the exact evaluation would find; both may claim more.
 */
export function coarseEffects(before: RuleSet, after: RuleSet, touched: Touched): [Effect, Effect] {
  const old = ownEffect(before, touched.before, touched.moved);
  const now = ownEffect(after, touched.after, touched.moved);
  const unstopped = (pieces: readonly Piece[]) => pieces.map((piece) => arriving(piece.traffic));
  return [
    { ...old, passed: [...old.passed, ...unstopped(now.dropped)] },
    { ...now, passed: [...now.passed, ...unstopped(old.dropped)] },
  ];
}

function ownEffect(ruleSet: RuleSet, touched: ReadonlySet<Decider>, moved: ReadonlySet<Decider>): Effect {
  const effect = { passed: [] as Piece[], mirrored: [] as Piece[], dropped: [] as Piece[], exempted: [] };
  for (const policy of ruleSet.policies) {
    const applies = appliesBox(policy);
    for (const entry of policy.entries) {
      const box = touched.has(entry) && usable(entry) ? intersectTraffic(entry.match, applies) : undefined;
      if (box && !moved.has(entry)) place(effect, policy.stage, entry, box);
    }
    if (!touched.has(policy) || moved.has(policy)) continue;
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
