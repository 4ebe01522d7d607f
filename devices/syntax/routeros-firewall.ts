// `/ip firewall` and `/ipv6 firewall` of RouterOS -> rules, and chains in the packet flow that Linux has too
import type { Rule } from '../../src/model/rule.ts';
import { ruleKey } from '../../src/rules/key.ts';
import type { Assembled, Assembly } from './assemble.ts';
import type { Branch, ChainRule, Outcome } from './flatten.ts';
import type { BaseChain, Chain, Hook } from './netfilter.ts';
import { MAX_LINES } from './objects.ts';
import { actionOf, type RouterosAction } from './routeros-actions.ts';
import { fieldOf, isDisabled, type RouterosConfig, type RouterosItem } from './routeros-config.ts';
import { type Family, menuOf } from './routeros-lists.ts';
import { type MatchTables, matchOf, type RouterosMatch } from './routeros-match.ts';
import { type RouterosRoute, tableOf, withinOf, writtenFields } from './routeros-routes.ts';

type Menu = 'raw' | 'mangle' | 'nat' | 'filter';
const MENUS: readonly Menu[] = ['raw', 'mangle', 'nat', 'filter'];

/** Chains that packets meet by themselves (manual, "Packet Flow in RouterOS"); the order is that of Netfilter. */
const BASES: Readonly<Record<Menu, Readonly<Record<string, Hook>>>> = {
  raw: { prerouting: 'prerouting', output: 'output' },
  mangle: {
    prerouting: 'prerouting',
    input: 'input',
    forward: 'forward',
    output: 'output',
    postrouting: 'postrouting',
  },
  nat: { dstnat: 'prerouting', srcnat: 'postrouting' },
  filter: { input: 'input', forward: 'forward', output: 'output' },
};
const PRIORITIES: Readonly<Record<Menu, number>> = { raw: -300, mangle: -150, nat: -100, filter: 0 };

interface OpenChain extends Chain {
  readonly rules: ChainRule[];
}

export interface FirewallSources {
  readonly config: RouterosConfig;
  readonly assembly: Assembly;
  readonly routes: readonly RouterosRoute[];
}

/** `own`: what a forward filter has to let through, because it is meant for a service of the device. */
export function firewallChains(
  { config, assembly, routes }: FirewallSources,
  tables: MatchTables,
  own: readonly ChainRule[],
): Chain[] {
  const { family } = tables;
  const chains = new Map<string, OpenChain>();
  const chainOf = (menu: Menu, name: string): OpenChain => {
    const id = `${family} ${menu} ${name}`;
    const known = chains.get(id);
    if (known) return known;
    const base = baseOf(menu, name);
    const chain: OpenChain = {
      id,
      family,
      ...(base ? { base } : {}),
      rules: menu === 'filter' && name === 'forward' ? [...own] : [],
    };
    chains.set(id, chain);
    return chain;
  };
  for (const menu of MENUS)
    for (const item of config.items(menuOf(family, menu))) {
      const name = fieldOf(item, 'chain');
      if (name === undefined) {
        assembly.notUnderstood(...item.lines);
        continue;
      }
      const chain = chainOf(menu, name);
      const match = matchOf(item, tables);
      const direction =
        menu !== 'nat' ? 'either' : name === 'dstnat' ? 'in' : name === 'srcnat' ? 'out' : 'either';
      const action =
        markedAction(item, menu, family, routes) ??
        actionOf(item, direction, (other) => `${family} ${menu} ${other}`);
      if (!action || match.strange.length > 0) assembly.notUnderstood(...item.lines);
      const rule = ruleOf(assembly, item, menu, name, family, match, action);
      if (rule.rule.enabled)
        chain.rules.push({ lines: item.lines, branches: branchesOf(rule, match, action) });
    }
  return [...chains.values()];
}

function baseOf(menu: Menu, name: string): BaseChain | undefined {
  const hook = Object.hasOwn(BASES[menu], name) ? BASES[menu][name] : undefined;
  if (!hook) return undefined;
  const isNat = menu === 'nat';
  return {
    type: isNat ? 'nat' : menu === 'mangle' && hook === 'output' ? 'route' : 'filter',
    hook,
    priority: isNat && hook === 'postrouting' ? 100 : PRIORITIES[menu],
    // There is no policy to set: what no rule decides about is accepted.
    policy: 'accept',
    policyKey: '',
  };
}

/** `mark-routing` in mangle: the packet takes the routes of the table with that name, and the main table where none fits. */
function markedAction(
  item: RouterosItem,
  menu: Menu,
  family: Family,
  routes: readonly RouterosRoute[],
): RouterosAction | undefined {
  if (menu !== 'mangle' || fieldOf(item, 'action') !== 'mark-routing') return undefined;
  const rows = tableOf(routes, family, fieldOf(item, 'new-routing-mark') ?? '');
  const final = fieldOf(item, 'passthrough') === 'no';
  return {
    kind: 'policy-route',
    ...(rows[0] ? { translation: rows[0].way.translation } : {}),
    outcomesOf: () => [],
    branchesOf: (box) =>
      rows.flatMap(({ prefix, way }) =>
        withinOf(box, prefix).map((match) => ({
          match,
          unresolved: way.unresolved,
          outcome: { kind: 'translate', stage: 'redirect', translation: way.translation, final } as const,
        })),
      ),
  };
}

function ruleOf(
  assembly: Assembly,
  item: RouterosItem,
  menu: Menu,
  chain: string,
  family: Family,
  match: RouterosMatch,
  action: RouterosAction | undefined,
): Assembled {
  const comment = fieldOf(item, 'comment');
  const lines = [
    ...item.lines,
    ...match.lines.filter(({ number }) => !item.lines.some((own) => own.number === number)),
  ];
  const context: Rule['context'] = { family, table: menu, chain };
  return assembly.rule({
    key: ruleKey('routeros', family, menu, ...writtenFields(item)),
    kind: menu === 'nat' ? 'nat' : (action?.kind ?? 'filter'),
    list: `${family} ${menu} ${chain}`,
    enabled: !isDisabled(item),
    context,
    matches: match.parts.flatMap(({ boxes }) => boxes),
    unresolved: match.isNever ? [...match.unresolved, ...neverOf(item)] : match.unresolved,
    ...(action?.translation ? { translation: action.translation } : {}),
    action: [
      fieldOf(item, 'action') ?? 'accept',
      fieldOf(item, 'jump-target'),
      fieldOf(item, 'new-routing-mark'),
    ]
      .filter(Boolean)
      .join(' '),
    ...(comment === undefined ? {} : { comment }),
    lines: lines.slice(0, MAX_LINES),
  });
}

/** What no new connection is, in words. */
const neverOf = (item: RouterosItem): string[] =>
  ['connection-state', 'ipsec-policy', 'tcp-flags'].flatMap((name) => {
    const value = fieldOf(item, name);
    return value === undefined ? [] : [`${name}=${value}`];
  });

function branchesOf({ rule }: Assembled, match: RouterosMatch, action: RouterosAction | undefined): Branch[] {
  if (!action) return [];
  const state = match.translated === undefined ? {} : { translated: match.translated };
  return match.parts.flatMap(({ boxes, unresolved }) =>
    boxes.flatMap((box): Branch[] => {
      const step = { ruleKey: rule.key, ...state };
      const plain = action
        .outcomesOf(box)
        .map((outcome: Outcome) => ({ ...step, match: box, unresolved, outcome }));
      const more = (action.branchesOf?.(box) ?? []).map((branch) => ({
        ...step,
        ...branch,
        unresolved: [...unresolved, ...branch.unresolved],
      }));
      return [...plain, ...more];
    }),
  );
}

/** Whether rules keep connections from being tracked. */
export const hasNotrack = (config: RouterosConfig): boolean =>
  (['ip', 'ip6'] as const).some((family) =>
    config
      .items(menuOf(family, 'raw'))
      .some((item) => fieldOf(item, 'action') === 'notrack' && !isDisabled(item)),
  );
