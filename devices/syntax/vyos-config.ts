// what the readers of VyOS and EdgeOS share while one configuration is read
import type { PolicyEntry, RuleKind } from '../../src/model/rule.ts';
import type { Assembled, Assembly } from './assemble.ts';
import type { Branch, ChainRule, Outcome } from './flatten.ts';
import { familyTraffic } from './netfilter.ts';
import type { WordTree } from './tree.ts';
import { word } from './tree.ts';
import type { Face } from './vyos-interfaces.ts';
import { type Conditions, type MatchContext, readConditions } from './vyos-match.ts';
import { has, linesOf, uniqueLines } from './vyos-text.ts';

export type Family = 'ip' | 'ip6' | 'bridge';

export interface Vyos extends MatchContext {
  readonly tree: WordTree;
  readonly faces: readonly Face[];
  readonly byName: ReadonlyMap<string, Face>;
  readonly tunnels: readonly Face[];
  readonly assembly: Assembly;
}

/** A rule of a chain on its way into the model. */
export interface NewRule {
  readonly node: WordTree;
  readonly key: string;
  readonly kind: RuleKind;
  /** The list in which positions count. */
  readonly list: string;
  readonly family: Family;
  /** Words under the rule that its own reader knows. */
  readonly known: ReadonlySet<string>;
  readonly context: Assembled['rule']['context'];
  readonly action: string;
  readonly outcomes: readonly Outcome[];
  readonly unresolved?: readonly string[];
  readonly translation?: PolicyEntry['translation'];
  /** Narrows what the rule's own words say. */
  readonly within?: Conditions['boxes'][number];
}

export interface Made {
  readonly assembled: Assembled;
  readonly chainRule: ChainRule;
}

/** Reads the rule's conditions, lists it, and gives what a chain needs of it; a disabled one does nothing there. */
export function makeRule(fresh: NewRule, vyos: Vyos): Made {
  const { node, family, outcomes } = fresh;
  const within = fresh.within ?? familyTraffic(family);
  const conditions = readConditions(node, family, within, fresh.known, vyos);
  const unresolved = [...conditions.unresolved, ...(fresh.unresolved ?? [])];
  const comment = word(node, 'description');
  const assembled = vyos.assembly.rule({
    key: fresh.key,
    kind: fresh.kind,
    list: fresh.list,
    enabled: !has(node, 'disable'),
    context: fresh.context,
    matches: conditions.boxes,
    unresolved: conditions.translated ? [...unresolved, 'connection-status nat destination'] : unresolved,
    ...(fresh.translation ? { translation: fresh.translation } : {}),
    action: fresh.action,
    ...(comment === undefined ? {} : { comment }),
    lines: uniqueLines([...linesOf(node), ...conditions.lines]),
  });
  return { assembled, chainRule: chainRuleOf(assembled, outcomes, { ...conditions, unresolved }) };
}

function chainRuleOf(
  { rule, matches }: Assembled,
  outcomes: readonly Outcome[],
  { unresolved, translated }: Pick<Conditions, 'unresolved' | 'translated'>,
): ChainRule {
  if (!rule.enabled) return { lines: rule.lines, branches: [] };
  const state = translated === undefined ? {} : { translated };
  const branches = outcomes.flatMap((outcome) =>
    matches.map((match): Branch => ({ ruleKey: rule.key, match, unresolved, ...state, outcome })),
  );
  return { lines: rule.lines, branches };
}

/** A rule that meets everything `matches` says, as chains need it. */
export const plainRule = (assembled: Assembled, outcome: Outcome): ChainRule =>
  chainRuleOf(assembled, [outcome], { unresolved: assembled.rule.unresolved });
