// rules of pf, where the last match wins unless a rule is quick -> the same decisions in an order where the first match wins
import { intersectNames, type NameSet, noNames, type Traffic } from '../../src/model/traffic.ts';
import type { Assembled } from './assemble.ts';
import { product } from './boxes.ts';
import type { PfRule } from './pf-parse.ts';

export type Direction = 'in' | 'out';

/** A rule, or an anchor with its rules, as it stands in the ruleset. */
export interface Item {
  readonly rule: PfRule;
  readonly made: Assembled;
  readonly boxes: readonly Traffic[];
  readonly on?: NameSet;
  readonly unresolved: readonly string[];
  /** Rules of an anchor. */
  readonly items?: readonly Item[];
}

/** A rule with what it meets in one direction, narrowed by the anchors around it. */
export interface Met {
  readonly item: Item;
  readonly boxes: readonly Traffic[];
  readonly unresolved: readonly string[];
}

/**
 * The first quick rule that matches decides; where none does, the last of the others. `match` rules decide nothing and stand
 * apart, the last one first.
 */
export function inOrder(
  items: readonly Item[],
  direction: Direction,
): { readonly deciding: readonly Met[]; readonly matching: readonly Met[] } {
  const { quick, others, matching } = sort(items, direction, undefined);
  return { deciding: [...quick, ...others.reverse()], matching: matching.reverse() };
}

/** Translation rules of old are asked apart from these. */
const ASKED = new Set(['pass', 'block', 'match', 'anchor']);

interface Sorted {
  readonly quick: Met[];
  readonly others: Met[];
  readonly matching: Met[];
}

function sort(items: readonly Item[], direction: Direction, around: Met | undefined): Sorted {
  const sorted: Sorted = { quick: [], others: [], matching: [] };
  for (const item of items) {
    if (!item.made.rule.enabled || !ASKED.has(item.rule.verb)) continue;
    if (item.rule.direction !== undefined && item.rule.direction !== direction) continue;
    const met = meets(item, direction, around);
    if (met.boxes.length === 0) continue;
    if (item.items) {
      const inner = sort(item.items, direction, met);
      for (const one of inner.matching) sorted.matching.push(one);
      // An anchor that is quick ends the evaluation as soon as any of its rules matched.
      const decided = item.rule.quick ? [...inner.quick, ...inner.others.reverse()] : inner.quick;
      for (const one of decided) sorted.quick.push(one);
      if (!item.rule.quick) for (const one of inner.others) sorted.others.push(one);
    } else if (item.rule.verb === 'match') sorted.matching.push(met);
    else (item.rule.quick ? sorted.quick : sorted.others).push(met);
  }
  return sorted;
}

function meets(item: Item, direction: Direction, around: Met | undefined): Met {
  const end = direction === 'in' ? 'ingress' : 'egress';
  const on = item.on;
  const own = on
    ? item.boxes.flatMap((box) => {
        const left = intersectNames(box[end], on);
        return noNames(left) ? [] : [{ ...box, [end]: left }];
      })
    : item.boxes;
  const boxes = around ? (product(around.boxes, own) ?? own) : own;
  const unresolved = around ? [...around.unresolved, ...item.unresolved] : item.unresolved;
  return { item, boxes, unresolved };
}
