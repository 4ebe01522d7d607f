// classes of traffic with what becomes of them, and the interfaces they are bound to -> policy-route rules and redirect policies
import type { Policy, PolicyEntry, Rule, SourceLine, Translation } from '../../src/model/rule.ts';
import { ANY_NAME, names, type Traffic } from '../../src/model/traffic.ts';
import type { Family } from './cisco-address.ts';
import type { Built, Config } from './cisco-config.ts';
import { MAX_LINES } from './cisco-groups.ts';
import { withoutExemptions } from './cisco-leave.ts';
import { type Condition, hull } from './cisco-region.ts';

/** One class of a policy. Without a translation it is left to routing, or dropped. */
export interface PbrStep {
  readonly name: string;
  readonly condition: Condition;
  readonly drops: boolean;
  readonly translation?: Translation;
  readonly action: string;
  readonly lines: readonly SourceLine[];
}

export interface PbrPolicy {
  readonly name: string;
  readonly steps: readonly PbrStep[];
  /** Interfaces that are up, by family. */
  readonly bound: Readonly<Record<Family, readonly string[]>>;
}

const FAMILIES = ['ip', 'ip6'] as const;

/** First match decides, also where it leaves the packet to routing. */
export function buildPbr(found: readonly PbrPolicy[], config: Config, prefix = 'pbr'): Built {
  const rules: Rule[] = [];
  const policies: Policy[] = [];
  for (const { name, steps, bound } of found) {
    const interfaces = [...new Set(FAMILIES.flatMap((family) => bound[family]))];
    const keyed = steps.map((step, position) => {
      const rule = ruleOf(`${prefix}:${name}:${step.name}`, name, step, interfaces, position, config);
      return { step, rule };
    });
    for (const { rule } of keyed) rules.push(rule);
    for (const family of FAMILIES) {
      const entries = withoutExemptions(keyed.flatMap(({ step, rule }) => entriesOf(step, rule, family)));
      if (entries.length === 0 || bound[family].length === 0) continue;
      policies.push({
        id: `${prefix}:${name}:${family}`,
        stage: 'redirect',
        evaluation: 'first-match',
        appliesTo: { ingress: names(...bound[family]), egress: ANY_NAME },
        otherwise: 'none',
        entries,
      });
    }
  }
  return { rules, policies };
}

export const isOfFamily = (family: Family) => (box: Traffic) =>
  (family === 'ip' ? box.sources.v4 : box.sources.v6).length > 0;

const entriesOf = (step: PbrStep, rule: Rule, family: Family): PolicyEntry[] =>
  step.condition.boxes.filter(isOfFamily(family)).map((match) => ({
    ruleKey: rule.key,
    match,
    unresolved: rule.unresolved,
    action: step.translation ? ('translate' as const) : step.drops ? ('drop' as const) : ('exempt' as const),
    ...(step.translation ? { translation: step.translation } : {}),
  }));

function ruleOf(
  key: string,
  list: string,
  step: PbrStep,
  interfaces: readonly string[],
  position: number,
  config: Config,
): Rule {
  const { condition, translation, action } = step;
  return {
    key: config.unique(key),
    kind: 'policy-route',
    enabled: true,
    position,
    context: { list, ...(interfaces.length > 0 ? { interfaces, direction: 'in' as const } : {}) },
    match: hull(condition.boxes),
    unresolved: condition.unresolved,
    ...(translation ? { translation } : {}),
    action,
    lines: [...step.lines, ...condition.lines].slice(0, MAX_LINES),
  };
}
