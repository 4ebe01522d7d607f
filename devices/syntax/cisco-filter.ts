// access lists and the interfaces they are bound to -> filter rules and policies
import type { Policy, PolicyEntry, Rule } from '../../src/model/rule.ts';
import { ANY_NAME, names } from '../../src/model/traffic.ts';
import { ruleKey } from '../../src/rules/key.ts';
import type { AccessList, AclEntry } from './cisco-acl.ts';
import type { Built, Config } from './cisco-config.ts';
import { withoutExemptions } from './cisco-leave.ts';
import { everything, hull } from './cisco-region.ts';
import { wayText, wayTranslation } from './cisco-ways.ts';
import { addTo } from './multimap.ts';

/** Lists that packets of some interfaces meet one after the other as if they were one (IOS-XR: a common one and another). */
export interface Chain {
  readonly lists: readonly AccessList[];
  readonly direction: 'in' | 'out';
  readonly interfaces: readonly string[];
}

/** A rule for each entry of each list, a policy for each direction in which a list is bound. */
export function buildFilters(config: Config, chains: readonly Chain[] = chainsOf(config)): Built {
  const rules: Rule[] = [];
  const policies: Policy[] = [];
  const built = new Map<AccessList, readonly Rule[]>();
  const through = new Map<AccessList, Chain[]>();
  for (const chain of chains) for (const list of chain.lists) addTo(through, list, chain);
  for (const list of config.lists.values()) {
    const own = rulesOf(list, through.get(list) ?? [], config);
    built.set(list, own);
    for (const rule of own) rules.push(rule);
  }
  for (const chain of chains) {
    // A list that is empty, like one that is not defined, lets everything pass.
    if (chain.lists.every((list) => list.entries.length === 0)) continue;
    const steps = chain.lists.flatMap((list) => stepsOf(list, built.get(list)!));
    policies.push(...redirectOf(chain, steps), filterOf(chain, steps, built));
  }
  return { rules, policies };
}

/** One list a direction. */
function chainsOf(config: Config): Chain[] {
  const chains: Chain[] = [];
  for (const list of config.lists.values()) {
    for (const direction of ['in', 'out'] as const) {
      const interfaces = config.bindings.get(`${list.family} ${list.name} ${direction}`) ?? [];
      if (interfaces.length > 0) chains.push({ lists: [list], direction, interfaces });
    }
  }
  return chains;
}

const lastOf = (chain: Chain) => chain.lists.findLast((list) => list.entries.length > 0);

const prefixOf = (list: AccessList): string => `${list.family === 'ip' ? 'acl' : 'acl6'}:${list.name}`;

function rulesOf(list: AccessList, chains: readonly Chain[], config: Config): Rule[] {
  const interfaces = [...new Set(chains.flatMap((chain) => chain.interfaces))];
  const directions = [...new Set(chains.map((chain) => chain.direction))];
  const context = {
    list: list.name,
    family: list.family,
    ...(interfaces.length > 0 ? { interfaces } : {}),
    ...(directions.length > 0
      ? { direction: directions.length === 2 ? ('both' as const) : directions[0] }
      : {}),
  };
  const prefix = prefixOf(list);
  const rules: Rule[] = list.entries.map((entry, position) => ({
    key: config.unique(`${prefix}:${ruleKey(entry.text)}`),
    kind: entry.way ? ('policy-route' as const) : ('filter' as const),
    enabled: true,
    position,
    context,
    match: entry.action === 'evaluate' ? everything(list.family) : hull(entry.boxes),
    unresolved: entry.unresolved,
    ...(entry.way ? { translation: wayTranslation(entry.way, config) } : {}),
    action: entry.way ? `${entry.action} ${wayText(entry.way)}` : entry.action,
    ...(entry.comment === undefined ? {} : { comment: entry.comment }),
    lines: entry.lines,
  }));
  // What denies at the end of a chain is its last list.
  if (rules.length === 0 || !chains.some((chain) => lastOf(chain) === list)) return rules;
  rules.push({
    key: config.unique(`${prefix}:implicit-deny`),
    kind: 'filter',
    enabled: true,
    position: rules.length,
    context,
    match: everything(list.family),
    unresolved: [],
    action: 'implicit deny',
    lines: [list.head],
  });
  return rules;
}

interface Step {
  readonly entry: AclEntry;
  readonly rule: Rule;
}

const stepsOf = (list: AccessList, rules: readonly Rule[]): Step[] =>
  list.entries.flatMap((entry, i) => (entry.matchesNew ? [{ entry, rule: rules[i] }] : []));

function appliesTo({ direction, interfaces }: Chain): Policy['appliesTo'] {
  const bound = names(...interfaces);
  return direction === 'in' ? { ingress: bound, egress: ANY_NAME } : { ingress: ANY_NAME, egress: bound };
}

/** The implicit deny is an entry, since it holds for one address family; the other one passes. */
function filterOf(
  chain: Chain,
  steps: readonly Step[],
  built: ReadonlyMap<AccessList, readonly Rule[]>,
): Policy {
  const entries: PolicyEntry[] = steps.flatMap(({ entry, rule }) =>
    entry.boxes.map((match) => ({
      ruleKey: rule.key,
      match,
      unresolved: entry.unresolved,
      action: entry.action === 'permit' ? ('accept' as const) : ('drop' as const),
    })),
  );
  const last = built.get(lastOf(chain)!)!.at(-1)!;
  entries.push({ ruleKey: last.key, match: last.match, unresolved: [], action: 'drop' });
  return {
    id: `${chain.lists.map(prefixOf).join('+')}:${chain.direction}`,
    stage: 'filter',
    evaluation: 'first-match',
    appliesTo: appliesTo(chain),
    // Cisco "NAT Order of Operation": input lists come before translation, output lists after it.
    sees: chain.direction === 'in' ? 'untranslated' : 'translated',
    otherwise: 'accept',
    entries,
  };
}

/** Entries that send what they permit to a next hop; the first entry that matches decides, also where it names none. */
function redirectOf(chain: Chain, steps: readonly Step[]): Policy[] {
  if (!steps.some(({ entry }) => entry.way)) return [];
  const entries: PolicyEntry[] = steps.flatMap(({ entry, rule }) =>
    entry.boxes.map((match) => {
      const taken = entry.way?.isDefault ? ['only where no route leads there'] : [];
      return {
        ruleKey: rule.key,
        match,
        unresolved: [...entry.unresolved, ...taken],
        ...(entry.way
          ? { action: 'translate' as const, translation: rule.translation }
          : { action: 'exempt' as const }),
      };
    }),
  );
  const id = `forward:${chain.lists.map(prefixOf).join('+')}:${chain.direction}`;
  const head = { id, stage: 'redirect' as const, evaluation: 'first-match' as const };
  return [{ ...head, appliesTo: appliesTo(chain), otherwise: 'none', entries: withoutExemptions(entries) }];
}
