// access lists and the interfaces they are bound to -> filter rules and policies
import type { Policy, PolicyEntry, Rule } from '../../src/model/rule.ts';
import { ANY_NAME, names } from '../../src/model/traffic.ts';
import { ruleKey } from '../../src/rules/key.ts';
import type { AccessList } from './cisco-acl.ts';
import type { Built, Config } from './cisco-config.ts';
import { everything, hull } from './cisco-region.ts';

/** A rule for each entry of each list, a policy for each direction in which a list is bound. */
export function buildFilters(config: Config): Built {
  const rules: Rule[] = [];
  const policies: Policy[] = [];
  for (const list of config.lists.values()) {
    const built = buildList(list, config);
    for (const rule of built.rules) rules.push(rule);
    policies.push(...built.policies);
  }
  return { rules, policies };
}

function buildList(list: AccessList, config: Config): Built {
  const bound = { in: boundTo(list, 'in', config), out: boundTo(list, 'out', config) };
  const interfaces = [...new Set([...bound.in, ...bound.out])];
  const directions = (['in', 'out'] as const).filter((direction) => bound[direction].length > 0);
  const context = {
    list: list.name,
    family: list.family,
    ...(interfaces.length > 0 ? { interfaces } : {}),
    ...(directions.length > 0
      ? { direction: directions.length === 2 ? ('both' as const) : directions[0] }
      : {}),
  };
  const prefix = `${list.family === 'ip' ? 'acl' : 'acl6'}:${list.name}`;
  const rules: Rule[] = list.entries.map((entry, position) => ({
    key: config.unique(`${prefix}:${ruleKey(entry.text)}`),
    kind: 'filter',
    enabled: true,
    position,
    context,
    match: entry.action === 'evaluate' ? everything(list.family) : hull(entry.boxes),
    unresolved: entry.unresolved,
    action: entry.action,
    ...(entry.comment === undefined ? {} : { comment: entry.comment }),
    lines: entry.lines,
  }));
  // A list that is empty, like one that is not defined, lets everything pass.
  if (directions.length === 0 || rules.length === 0) return { rules, policies: [] };
  const entries: PolicyEntry[] = list.entries.flatMap((entry, i) =>
    entry.matchesNew ? stepsOf(entry, rules[i].key) : [],
  );
  const last: Rule = {
    key: config.unique(`${prefix}:implicit-deny`),
    kind: 'filter',
    enabled: true,
    position: rules.length,
    context,
    match: everything(list.family),
    unresolved: [],
    action: 'implicit deny',
    lines: [list.head],
  };
  entries.push({ ruleKey: last.key, match: last.match, unresolved: [], action: 'drop' });
  const policies = directions.map((direction) =>
    policyOf(`${prefix}:${direction}`, direction, bound[direction], entries),
  );
  return { rules: [...rules, last], policies };
}

const stepsOf = (entry: AccessList['entries'][number], key: string): PolicyEntry[] =>
  entry.boxes.map((match) => ({
    ruleKey: key,
    match,
    unresolved: entry.unresolved,
    action: entry.action === 'permit' ? 'accept' : 'drop',
  }));

/** The implicit deny is an entry, since it holds for one address family; the other one passes. */
function policyOf(
  id: string,
  direction: 'in' | 'out',
  interfaces: readonly string[],
  entries: readonly PolicyEntry[],
): Policy {
  const bound = names(...interfaces);
  return {
    id,
    stage: 'filter',
    evaluation: 'first-match',
    appliesTo:
      direction === 'in' ? { ingress: bound, egress: ANY_NAME } : { ingress: ANY_NAME, egress: bound },
    // Cisco "NAT Order of Operation": input lists come before translation, output lists after it.
    sees: direction === 'in' ? 'untranslated' : 'translated',
    otherwise: 'accept',
    entries,
  };
}

const boundTo = (list: AccessList, direction: 'in' | 'out', config: Config): string[] =>
  config.bindings.get(`${list.family} ${list.name} ${direction}`) ?? [];
