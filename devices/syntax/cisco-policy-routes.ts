// route-maps bound by `ip policy` -> policy-route rules and redirect policies

import * as addresses from '../../src/model/addresses.ts';
import type { Policy, PolicyEntry, Rule, Translation } from '../../src/model/rule.ts';
import { ANY_NAME, names } from '../../src/model/traffic.ts';
import { ruleKey } from '../../src/rules/key.ts';
import type { Family } from './cisco-address.ts';
import type { Built, Config } from './cisco-config.ts';
import { MAX_LINES } from './cisco-groups.ts';
import { withoutExemptions } from './cisco-leave.ts';
import { hull } from './cisco-region.ts';
import { conditionOf, type RouteMapStep } from './cisco-route-maps.ts';
import { tunnelOf, tunnelTranslation } from './cisco-routes.ts';

/** Rules for route-maps that say where packets go or are bound; those of routing protocols and NAT have none. */
export function buildPolicyRoutes(config: Config): Built {
  const rules: Rule[] = [];
  const policies: Policy[] = [];
  for (const [name, steps] of config.routeMaps) {
    for (const family of ['ip', 'ip6'] as const) {
      const bound = boundTo(name, family, config);
      if (bound.length === 0 && (familyOf(steps) !== family || !steps.some(forwards))) continue;
      const built = buildMap(name, steps, family, bound, config);
      for (const rule of built.rules) rules.push(rule);
      policies.push(...built.policies);
    }
  }
  return { rules, policies };
}

/** The family that an unbound route-map is about. */
const familyOf = (steps: readonly RouteMapStep[]): Family =>
  steps.some((step) => step.matches.some((words) => words[0] === 'ipv6') || step.nextHops.v6.length > 0)
    ? 'ip6'
    : 'ip';

const forwards = (step: RouteMapStep): boolean =>
  !addresses.noAddresses(step.nextHops) || step.interfaces.length > 0 || step.vrf !== undefined;

const boundTo = (name: string, family: Family, config: Config): string[] =>
  config.bindings.get(`${family} ${name} policy`) ?? [];

function buildMap(
  name: string,
  steps: readonly RouteMapStep[],
  family: Family,
  bound: readonly string[],
  config: Config,
): Built {
  const rules: Rule[] = [];
  const entries: PolicyEntry[] = [];
  for (const step of steps) {
    const condition = conditionOf(step, config.lists, family, config.conditions);
    const unresolved = [
      ...condition.unresolved,
      ...(step.isDefault ? ['only where no explicit route leads there'] : []),
    ];
    const key = config.unique(
      `${family === 'ip' ? 'route-map' : 'route-map6'}:${name}:${ruleKey(step.text)}`,
    );
    const translation = step.action === 'permit' ? translationOf(step, config) : undefined;
    rules.push({
      key,
      kind: 'policy-route',
      enabled: true,
      position: step.position,
      context: { list: name, family, ...(bound.length > 0 ? { interfaces: bound, direction: 'in' } : {}) },
      match: hull(condition.boxes),
      unresolved,
      ...(translation ? { translation } : {}),
      action: actionOf(step),
      lines: [...step.lines, ...condition.lines].slice(0, MAX_LINES),
    });
    for (const match of condition.boxes) {
      entries.push({
        ruleKey: key,
        match,
        unresolved,
        action: translation ? 'translate' : 'exempt',
        ...(translation ? { translation } : {}),
      });
    }
  }
  const left = withoutExemptions(entries);
  if (bound.length === 0 || left.length === 0) return { rules, policies: [] };
  const policy: Policy = {
    id: `policy-route:${family}:${name}`,
    stage: 'redirect',
    evaluation: 'first-match',
    appliesTo: { ingress: names(...bound), egress: ANY_NAME },
    otherwise: 'none',
    entries: left,
  };
  return { rules, policies: [policy] };
}

function translationOf(step: RouteMapStep, config: Config): Translation | undefined {
  if (!forwards(step)) return undefined;
  const ways = [
    ...step.interfaces.map((name) => tunnelOf(config, { interface: name })),
    tunnelOf(config, { nextHop: step.nextHops }),
  ];
  const tunnel = ways.find((face) => face !== undefined);
  if (tunnel) return tunnelTranslation(tunnel);
  return {
    kind: 'policy-route',
    ...(addresses.noAddresses(step.nextHops) ? {} : { addresses: step.nextHops }),
  };
}

function actionOf(step: RouteMapStep): string {
  if (step.action === 'deny') return 'deny';
  const ways = [
    ...addresses.formatAddresses(step.nextHops).map((hop) => `next-hop ${hop}`),
    ...step.interfaces.map((name) => `interface ${name}`),
    ...(step.vrf === undefined ? [] : [`vrf ${step.vrf}`]),
  ];
  return ways.length === 0 ? 'permit' : `set ${step.isDefault ? 'default ' : ''}${ways.join(', ')}`;
}
