// RuleSet before, RuleSet after -> RuleChange[]: what newly became possible, by which rule
import type { ChangeKind, RuleChange } from '../model/change.ts';
import { CHANGE_CLASSES } from '../model/change.ts';
import type { Rule, RuleSet } from '../model/rule.ts';
import type { Site } from '../model/site.ts';
import { intersectRegion, type Traffic } from '../model/traffic.ts';
import { attribute, entriesByKey, obstaclesOf, type Side } from './attribute.ts';
import { gravest } from './classify.ts';
import { coarseClaims } from './coarse.ts';
import { type Found, newlyPassing } from './compare.ts';
import { createEntryFinder, type Means, TooManyPieces } from './decide.ts';
import { type Effect, evaluate } from './effect.ts';
import type { SideName } from './ladders.ts';
import { mergePieces } from './merge.ts';
import { toOpenings } from './openings.ts';
import { createEffects, type Effects, type Pair, pairRules } from './pair.ts';
import type { Decider, Piece } from './piece.ts';
import { type RenamedInterface, renamedInterfaces, withNames } from './renamed.ts';
import { createSignatures, type Signatures } from './signature.ts';
import { FAMILIES, findTouched, hull, type Touched } from './touched.ts';

/** Comparisons of boxes that one diff, and one box of its region, may take. */
export interface Limits {
  readonly all: number;
  readonly box: number;
}
/** Some seconds in all; large rule sets are given more. */
function limitsFor(before: RuleSet, after: RuleSet): Limits {
  const count = ({ policies }: RuleSet) => policies.reduce((sum, { entries }) => sum + entries.length, 0);
  const entries = Math.min(count(before) + count(after), 200_000);
  return { all: 15_000_000 + 500 * entries, box: 3_000_000 + 150 * entries };
}

/** A change in the making. One that is `implied` by the order or by a policy counts only where traffic shows it. */
interface Draft extends Pair {
  readonly kind: ChangeKind;
  readonly implied: boolean;
  readonly opens: Found[];
  readonly closes: Found[];
  approximate: boolean;
}

/** What two rule sets are to each other. */
export interface Comparison {
  /** What differs in effect, gravest first. */
  readonly changes: readonly RuleChange[];
  /** Rules that do what they did under another comment. */
  readonly comments: readonly CommentChange[];
  /** Interfaces that are the same under another name: rules that follow them are no change. */
  readonly renamedInterfaces: readonly RenamedInterface[];
}

export interface CommentChange {
  readonly before: Rule;
  readonly after: Rule;
}

/**
 * What differs in effect, gravest first. Comments, names, numbering and an order that nothing depends on are no difference.
 * A policy's default or binding that changed without any rule of its own appears under the key "policy:<id>".
 * Where the difference is cut into more pieces than `limits` let follow, `opens` and `closes` are what the changed entries may
 * have brought about (coarse.ts): never too little, possibly too much, and the change says that it is approximate.
 */
export const diffRuleSets = (
  before: RuleSet,
  after: RuleSet,
  site: Site,
  limits?: Limits,
): readonly RuleChange[] => compareRuleSets(before, after, site, limits).changes;

/** As diffRuleSets, with what else differs. */
export function compareRuleSets(
  former: RuleSet,
  after: RuleSet,
  site: Site,
  limits = limitsFor(former, after),
): Comparison {
  const signatures = createSignatures();
  const renamed = renamedInterfaces(former, after, signatures);
  const before = withNames(former, renamed);
  const effects = createEffects(before.rules, after.rules, signatures);
  const pairs = pairRules(before.rules, after.rules, effects);
  const drafts = new Map<string, Draft>();
  for (const pair of pairs) {
    const kind = kindOf(pair, effects);
    if (kind) drafts.set(pair.key + kind, draft(pair, kind, false));
  }
  const byPair = new Map([...drafts.values()].map((one) => [one.after ?? one.before, one]));
  const touched = findTouched(before, after, signatures);
  const find = draftFinder(pairs, drafts, byPair, touched);
  follow(before, after, touched, find, signatures, limits);
  const changes = [...drafts.values()]
    .filter((one) => !one.implied || one.opens.length + one.closes.length > 0)
    .map((one) => finish(one, site, signatures))
    .sort((a, b) => rank(a) - rank(b) || lineOf(a) - lineOf(b));
  return { changes, comments: commentChanges(pairs, effects), renamedInterfaces: renamed };
}

const commentChanges = (pairs: readonly Pair[], effects: Effects): CommentChange[] =>
  pairs.flatMap((pair) => {
    const { before, after } = pair;
    if (!before || !after || (before.comment ?? '') === (after.comment ?? '')) return [];
    return kindOf(pair, effects) ? [] : [{ before, after }];
  });

function kindOf({ before, after }: Pair, effects: Effects): ChangeKind | undefined {
  if (!before) return 'added';
  if (!after) return 'removed';
  if (before.enabled !== after.enabled) return after.enabled ? 'enabled' : 'disabled';
  return effects.of(before) === effects.of(after) ? undefined : 'modified';
}

const draft = (pair: Pair, kind: ChangeKind, implied: boolean): Draft => ({
  ...pair,
  kind,
  implied,
  opens: [],
  closes: [],
  approximate: false,
});

/** Decider -> the change it belongs to; makes one where its rule itself did not change: moved, bound elsewhere, a new default. */
function draftFinder(
  pairs: readonly Pair[],
  drafts: Map<string, Draft>,
  byRule: Map<Rule | undefined, Draft>,
  touched: Touched,
) {
  const byKey = {
    before: Map.groupBy(pairs, (pair) => pair.before?.key),
    after: Map.groupBy(pairs, (pair) => pair.after?.key),
  };
  return (decider: Decider, side: SideName): Draft => {
    if (!('ruleKey' in decider)) return make({ key: `policy:${decider.id}` }, 'modified');
    const own = byKey[side].get(decider.ruleKey) ?? [];
    for (const pair of own) {
      const known = byRule.get(pair.after ?? pair.before);
      if (known) return known;
    }
    const kind = touched.moved.has(decider) ? 'moved' : 'modified';
    if (own.length > 0) return make(own[0], kind);
    return make({ key: decider.ruleKey }, kind);
  };
  function make(pair: Pair, kind: ChangeKind): Draft {
    const id = pair.key + ((pair.before ?? pair.after) ? kind : '');
    const known = drafts.get(id);
    if (known) return known;
    const made = draft(pair, kind, true);
    drafts.set(id, made);
    if (pair.before ?? pair.after) byRule.set(pair.after ?? pair.before, made);
    return made;
  }
}

/** Evaluates both sides where they can differ, and hands each newly passing piece to the changes it is owed to. */
function follow(
  before: RuleSet,
  after: RuleSet,
  touched: Touched,
  find: (decider: Decider, side: SideName) => Draft,
  signatures: Signatures,
  limits: Limits,
): void {
  const entries = { before: entriesByKey(before), after: entriesByKey(after) };
  const side = (name: SideName, effect: Effect): Side<Draft> => ({
    effect,
    touched: touched[name],
    changeOf: (decider) => find(decider, name),
    obstacles: obstaclesOf(effect, touched[name]),
    entries: entries[name],
  });
  const compare = ([old, now]: readonly [Effect, Effect], { budget }: Means) => {
    const [sideBefore, sideAfter] = [side('before', old), side('after', now)];
    const opened = newlyPassing(sideBefore, sideAfter, signatures, budget);
    const closed = newlyPassing(sideAfter, sideBefore, signatures, budget);
    const keysBefore = (change: Draft) => (change.before ? [change.before.key] : []);
    for (const found of opened)
      for (const [change, piece] of attribute(found, sideBefore, sideAfter, keysBefore, signatures))
        change.opens.push({ ...found, piece });
    const keysAfter = (change: Draft) => (change.after ? [change.after.key] : []);
    for (const found of closed)
      for (const [change, piece] of attribute(found, sideAfter, sideBefore, keysAfter, signatures))
        change.closes.push({ ...found, piece });
  };
  // Box by box, as pieces of disjoint boxes never meet; narrow boxes first, so that a wide one cannot use up their share.
  const failed: Traffic[] = [];
  let left = limits.all;
  const entriesNear = createEntryFinder();
  const keeps = (decider: Decider) => touched.before.has(decider) || touched.after.has(decider);
  const merge = (pieces: Piece[]) => mergePieces(pieces, keeps, signatures);
  for (const box of touched.region.toReversed()) {
    const budget = { left: Math.min(left, limits.box) };
    const granted = budget.left;
    try {
      const means = { budget, entriesNear, keeps, merge };
      compare([evaluate(before, [box], means), evaluate(after, [box], means)], means);
    } catch (error) {
      if (!(error instanceof TooManyPieces)) throw error;
      failed.push(box);
    }
    left -= granted - Math.max(0, budget.left);
  }
  if (failed.length === 0) return;
  const around = intersectRegion([hull(failed)], FAMILIES);
  for (const to of ['after', 'before'] as const)
    for (const { decider, side, found } of coarseClaims({ before, after }, to, touched, failed, around)) {
      const change = find(decider, side);
      change.approximate = true;
      change[to === 'after' ? 'opens' : 'closes'].push(found);
    }
}

function finish(one: Draft, site: Site, signatures: Signatures): RuleChange {
  const opens = toOpenings(one.opens, site, signatures);
  const closes = toOpenings(one.closes, site, signatures);
  const opened = gravest(opens.map((opening) => opening.class));
  const closed = gravest(closes.map((opening) => opening.class));
  // What takes the place of a forward that is gone (the untranslated packet) says nothing about it.
  const goes = one.kind === 'removed' || one.kind === 'disabled';
  const tells = opens.length > 0 && !(goes && opened === 'internal');
  return {
    kind: one.kind,
    class: tells ? opened : closed,
    ruleKey: one.key,
    ...(one.before ? { before: one.before } : {}),
    ...(one.after ? { after: one.after } : {}),
    opens,
    closes,
    ...(one.approximate ? { approximate: true } : {}),
  };
}

const rank = (change: RuleChange) => CHANGE_CLASSES.indexOf(change.class);
const lineOf = (change: RuleChange) => change.after?.lines[0]?.number ?? change.before?.lines[0]?.number ?? 0;
