// pulled rulesets before and after a change -> whether the number of active rules fell, against the host's own history
import type { RulesetState } from '../model/host.ts';

export interface DropParameters {
  /** Share 0..1 of the active rules that must be gone. */
  readonly DropShare: number;
  readonly MinDropRules: number;
  /** How many robust spreads below the median of its history the number must be. */
  readonly DropSpread: number;
}

export interface Drop {
  readonly before: RulesetState;
  readonly after: RulesetState;
  readonly rulesFell: boolean;
  /** Policies that dropped and no longer do. */
  readonly turned: readonly string[];
  readonly natFell: boolean;
  /** Of the history: the least and the most that the bulk of it held. */
  readonly usual?: readonly [number, number];
}

/** A share of earlier rulesets that were as low: then it comes and goes, as Docker's chains do. */
const SEEN_SHARE = 0.05;
const SEEN_COUNT = 3;

/** undefined where nothing fell. `history`: rulesets from before, oldest first; `before` may be the last of them. */
export function dropOf(
  before: RulesetState,
  after: RulesetState,
  history: readonly RulesetState[],
  p: DropParameters,
): Drop | undefined {
  const drop = compare(before, after, history, p);
  return drop.rulesFell || drop.turned.length > 0 || drop.natFell ? drop : undefined;
}

/** Whether or not anything fell. */
export function compare(
  before: RulesetState,
  after: RulesetState,
  history: readonly RulesetState[],
  p: DropParameters,
): Drop {
  const counts = history.map(({ activeRules }) => activeRules);
  const lost = before.activeRules - after.activeRules;
  const isLarge =
    before.activeRules > 0 &&
    (after.activeRules === 0 || (lost >= p.MinDropRules && lost >= p.DropShare * before.activeRules));
  const seenPolicies = new Map<string, number>();
  for (const { dropping = [] } of history)
    for (const name of dropping) seenPolicies.set(name, (seenPolicies.get(name) ?? 0) + 1);
  const now = new Set(after.dropping);
  const turned = (before.dropping ?? []).filter((name) => {
    const without = history.length - (seenPolicies.get(name) ?? 0);
    return !now.has(name) && !isSeen(without, history.length);
  });
  const nat = [before.natRules ?? 0, after.natRules ?? 0];
  const natSeen = history.filter(({ natRules = 0 }) => natRules <= nat[1]).length;
  return {
    before,
    after,
    rulesFell: isLarge && isUnusual(after.activeRules, counts, p),
    turned,
    natFell: nat[0] > 0 && nat[1] <= nat[0] / 2 && !isSeen(natSeen, history.length),
    ...(counts.length > 0 ? { usual: bulkOf(counts) } : {}),
  };
}

const isSeen = (count: number, of: number): boolean => count >= Math.max(SEEN_COUNT, SEEN_SHARE * of);

/** Below what its history spreads over (median and median absolute deviation), and hardly ever so low before. */
function isUnusual(count: number, history: readonly number[], p: DropParameters): boolean {
  if (history.length < SEEN_COUNT) return true;
  if (isSeen(history.filter((one) => one <= count).length, history.length)) return false;
  const median = quantile(history, 0.5);
  const deviation = quantile(
    history.map((one) => Math.abs(one - median)),
    0.5,
  );
  return count < median - p.DropSpread * Math.max(1.4826 * deviation, 0.05 * median, 1);
}

const bulkOf = (counts: readonly number[]): readonly [number, number] => [
  quantile(counts, 0.1),
  quantile(counts, 0.9),
];

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

export type RulesetVerdict =
  | { readonly kind: 'none' }
  /** No ruleset from before the change. */
  | { readonly kind: 'no-before'; readonly after: RulesetState }
  | { readonly kind: 'no-after'; readonly before: RulesetState }
  | { readonly kind: 'kept'; readonly drop: Drop }
  | { readonly kind: 'fell'; readonly drop: Drop; readonly restored?: RulesetState }
  | { readonly kind: 'restored'; readonly drop: Drop; readonly restored: RulesetState };

/** A ruleset is pulled over some seconds: its time is when that began. */
const PULL_MS = 2000;

/**
 * What the rulesets around a change at `atMs` prove. `restoredWithinMs`: what is back by then
 * was a restart or a reload.
 */
export function judgeRulesets(
  rulesets: readonly RulesetState[],
  atMs: number,
  restoredWithinMs: number,
  p: DropParameters,
  { countsNat }: { readonly countsNat: boolean },
): RulesetVerdict {
  const earlier = rulesets.filter(({ takenAtMs }) => takenAtMs < atMs - PULL_MS);
  const before = earlier.at(-1) ?? rulesets.find(({ takenAtMs }) => takenAtMs < atMs);
  const later = rulesets.filter(({ takenAtMs }) => takenAtMs >= atMs && takenAtMs !== before?.takenAtMs);
  if (!before) return later.length > 0 ? { kind: 'no-before', after: later.at(-1)! } : { kind: 'none' };
  if (later.length === 0) return { kind: 'no-after', before };
  const drops = later.map((after) => compare(before, after, earlier, p));
  const isDrop = (drop: Drop) => drop.rulesFell || drop.turned.length > 0 || (countsNat && drop.natFell);
  const fellAt = drops.findIndex(isDrop);
  // What was pulled in the middle of the change proves nothing; clocks agree to about that.
  if (fellAt < 0)
    return later.at(-1)!.takenAtMs >= atMs + PULL_MS
      ? { kind: 'kept', drop: drops.at(-1)! }
      : { kind: 'no-after', before };
  const restored = drops.slice(fellAt + 1).find((drop) => !isDrop(drop))?.after;
  const drop = drops[fellAt];
  if (!restored) return { kind: 'fell', drop: drops.filter(isDrop).at(-1)! };
  return restored.takenAtMs - atMs <= restoredWithinMs
    ? { kind: 'restored', drop, restored }
    : { kind: 'fell', drop, restored };
}
