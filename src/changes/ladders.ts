// policies before and after -> ladders: what packets meet one after the other, with what stands on one side only
import type { Policy, PolicyEntry, RuleSet, Stage } from '../model/rule.ts';
import { intersectTraffic, type Region, subtractTraffic, type Traffic } from '../model/traffic.ts';
import { appliesBox, inOrder, isMirror, usable } from './decide.ts';
import type { Decider } from './piece.ts';
import type { Signatures } from './signature.ts';

/** One entry, or one policy's default, as a packet meets it. */
export interface Step {
  /** Equal for steps that do the same to the same packets. */
  readonly signature: string;
  /** What it does to a packet that it matches. */
  readonly outcome: string;
  readonly decider: Decider;
  readonly translated: boolean | undefined;
  readonly box: Traffic;
}

export type SideName = 'before' | 'after';

/** A step that both sides have is one rung. */
export interface Rung extends Step {
  readonly on: SideName | 'both';
}

/** Filters have a ladder each, as all of them must accept; a stage that the first match ends has one. */
export interface Ladder {
  readonly stage: Stage;
  readonly sees: Policy['sees'];
  /** In the order in which packets meet them; a step of one side only stands between the same neighbours as there. */
  readonly rungs: readonly Rung[];
  /** What stands on one side only, and everything that is bound elsewhere now. */
  readonly touched: Readonly<Record<SideName, readonly Step[]>>;
  /** Of those, what stands on both sides in another order. */
  readonly moved: readonly Decider[];
  /** Packets that only one of the sides has meet it. */
  readonly beyond: Region;
  /** Each rung ends the ladder for what it matches: no mirrors. */
  readonly isPlain: boolean;
}

/** A filter lets a packet pass. */
export const PASS = 'pass';
/** It lets it pass under a condition: what follows decides too. */
export const MAYBE = 'maybe';
export const DROP = 'drop';
/** A NAT or redirect stage leaves a packet as it is. */
export const AS_IT_IS = '';

const TRANSLATING = ['destination-nat', 'redirect', 'source-nat'] as const;

export function laddersOf(before: RuleSet, after: RuleSet, signatures: Signatures): Ladder[] {
  const translating = TRANSLATING.map((stage) => {
    const stepsIn = ({ policies }: RuleSet) =>
      policies
        .filter((policy) => policy.stage === stage)
        .flatMap((policy) => stepsOf(policy, appliesBox(policy), signatures));
    return ladderOf(stage, undefined, stepsIn(before), stepsIn(after));
  });
  const filters = pairFilters(before.policies, after.policies, signatures).map(([old, now]) => {
    const wheres = [old, now].map((policy) => policy && appliesBox(policy));
    const [a, b] = wheres;
    // A list bound elsewhere is compared where both sides have it; what only one of them has stands beyond.
    const both = a && b ? intersectTraffic(a, b) : undefined;
    const beyond = both && a && b ? [...subtractTraffic(a, both), ...subtractTraffic(b, both)] : [];
    const stepsIn = (policy: Policy | undefined) =>
      policy ? stepsOf(policy, both ?? appliesBox(policy), signatures) : [];
    const ladder = ladderOf('filter', (old ?? now)?.sees, stepsIn(old), stepsIn(now));
    if (!old || !now || beyond.length === 0) return ladder;
    const whole = (policy: Policy) => stepsOf(policy, appliesBox(policy), signatures);
    return { ...ladder, beyond, touched: { before: whole(old), after: whole(now) } };
  });
  return [...translating, ...filters];
}

type FilterPair = readonly [Policy | undefined, Policy | undefined];

/** By id, then by what they hold (a renamed list). One that stands elsewhere in a packet's way is another filter. */
function pairFilters(before: readonly Policy[], after: readonly Policy[], signatures: Signatures) {
  const pairs: FilterPair[] = [];
  let old = before.filter(({ stage }) => stage === 'filter');
  let now = after.filter(({ stage }) => stage === 'filter');
  const bind = (keyOf: (policy: Policy) => unknown) => {
    if (old.length === 0 || now.length === 0) return;
    const waiting = Map.groupBy(old, keyOf);
    const taken = new Set<Policy>();
    now = now.filter((policy) => {
      const partner = waiting.get(keyOf(policy))?.shift();
      if (!partner) return true;
      taken.add(partner);
      pairs.push([partner, policy]);
      return false;
    });
    old = old.filter((policy) => !taken.has(policy));
  };
  const contentOf = (policy: Policy) =>
    stepsOf(policy, appliesBox(policy), signatures).map(({ signature }) => signature);
  bind((policy) => `${policy.sees}|${policy.id}`);
  bind((policy) => [policy.sees, ...contentOf(policy)].join('\n'));
  for (const policy of old) pairs.push([policy, undefined]);
  for (const policy of now) pairs.push([undefined, policy]);
  return pairs;
}

function stepsOf(policy: Policy, where: Traffic, signatures: Signatures): Step[] {
  const { stage, otherwise } = policy;
  const steps: Step[] = [];
  const add = (decider: Decider, match: Traffic, translated: boolean | undefined, outcome: string) => {
    const box = intersectTraffic(match, where);
    if (!box) return;
    const mirror = 'ruleKey' in decider && isMirror(decider) ? 'mirror' : '';
    const signature = `${mirror}${outcome}|${translated ?? ''}|${signatures.traffic(box)}`;
    steps.push({ signature, outcome, decider, translated, box });
  };
  for (const entry of inOrder(policy))
    if (usable(entry)) add(entry, entry.match, entry.translated, outcomeOf(entry, stage, signatures));
  if (stage === 'filter') add(policy, where, undefined, otherwise === 'drop' ? DROP : PASS);
  return steps;
}

/** What a one-to-one translation makes of a packet depends on the range that it translates. */
function outcomeOf(entry: PolicyEntry, stage: Stage, signatures: Signatures): string {
  const { action, match, translation, unresolved } = entry;
  if (action === 'drop') return DROP;
  if (stage === 'filter') return unresolved.length > 0 ? MAYBE : PASS;
  if (action !== 'translate') return AS_IT_IS;
  const from = stage === 'source-nat' ? match.sources : match.destinations;
  return signatures.translation(translation) + (translation?.offset ? signatures.addresses(from) : '');
}

function ladderOf(
  stage: Stage,
  sees: Policy['sees'],
  before: readonly Step[],
  after: readonly Step[],
): Ladder {
  const rungs = merged(before, after);
  const only = (side: SideName) => rungs.filter(({ on }) => on === side);
  const again = new Set(only('before').map(({ signature }) => signature));
  const movedNow = only('after').filter(({ signature }) => again.has(signature));
  const movedSignatures = new Set(movedNow.map(({ signature }) => signature));
  const movedOld = only('before').filter(({ signature }) => movedSignatures.has(signature));
  return {
    stage,
    sees,
    rungs,
    touched: { before: only('before'), after: only('after') },
    moved: [...movedOld, ...movedNow].map(({ decider }) => decider),
    beyond: [],
    isPlain: ![...before, ...after].some(({ decider }) => 'ruleKey' in decider && isMirror(decider)),
  };
}

/** Along one long common subsequence: equal steps paired in order of appearance, then the longest rising run. */
function merged(before: readonly Step[], after: readonly Step[]): Rung[] {
  const places = new Map<string, number[]>();
  for (const [i, { signature }] of before.entries()) {
    const list = places.get(signature);
    if (list) list.push(i);
    else places.set(signature, [i]);
  }
  const used = new Map<string, number>();
  const partners = after.map(({ signature }) => {
    const nth = used.get(signature) ?? 0;
    used.set(signature, nth + 1);
    return places.get(signature)?.[nth] ?? -1;
  });
  const kept = longestRising(partners);
  const rungs: Rung[] = [];
  let next = 0;
  const addBefore = (end: number) => {
    for (; next < end; next++) rungs.push({ ...before[next], on: 'before' });
  };
  for (const [i, step] of after.entries()) {
    if (kept.has(i)) {
      addBefore(partners[i]);
      next++;
    }
    rungs.push({ ...step, on: kept.has(i) ? 'both' : 'after' });
  }
  addBefore(before.length);
  return rungs;
}

/** Indices of a longest strictly rising subsequence; negative values are left out. */
function longestRising(values: readonly number[]): Set<number> {
  const tails: number[] = [];
  const previous = new Array<number>(values.length).fill(-1);
  for (const [i, value] of values.entries()) {
    if (value < 0) continue;
    let low = 0;
    let high = tails.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (values[tails[middle]] < value) low = middle + 1;
      else high = middle;
    }
    if (low > 0) previous[i] = tails[low - 1];
    tails[low] = i;
  }
  const kept = new Set<number>();
  for (let i = tails.at(-1) ?? -1; i >= 0; i = previous[i]) kept.add(i);
  return kept;
}
