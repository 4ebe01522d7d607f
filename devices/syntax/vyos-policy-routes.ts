// `policy route`, `policy local-route`, EdgeOS `firewall modify`, WAN load balancing -> policy-route rules and their chains
import * as addresses from '../../src/model/addresses.ts';
import type { Translation } from '../../src/model/rule.ts';
import { intersectTraffic, names } from '../../src/model/traffic.ts';
import type { Branch, ChainRule } from './flatten.ts';
import { type Chain, familyTraffic } from './netfilter.ts';
import { at, list, type WordTree, word, words } from './tree.ts';
import { policyInterfaces, readModifyBindings } from './vyos-bindings.ts';
import { makeRule, type Vyos } from './vyos-config.ts';
import { addressOrUndefined } from './vyos-groups.ts';
import { bySize, leadsInto, type Route, tunnelOf } from './vyos-routes.ts';
import { has, keysOf, linesOf, numbered } from './vyos-text.ts';

type Family = 'ip' | 'ip6';
/** Where packets of a table go: the best route of each prefix, longest first. */
type Ways = readonly {
  readonly destinations: addresses.AddressSet;
  readonly translation?: Translation;
  readonly unresolved: readonly string[];
}[];

/** nftables of VyOS: policy routes are set at prerouting, priority mangle. */
const MANGLE = -150;

export function policyRouteChains(routes: readonly Route[], vyos: Vyos): Chain[] {
  return (['ip', 'ip6'] as const).flatMap((family) => {
    const rules = [
      ...routePolicies(family, routes, vyos),
      ...modifyPolicies(family, routes, vyos),
      ...localRoutes(family, routes, vyos),
      ...(family === 'ip' ? balancedRoutes(vyos) : []),
    ];
    if (rules.length === 0) return [];
    const base = {
      type: 'filter',
      hook: 'prerouting',
      priority: MANGLE,
      policy: 'accept',
      policyKey: '',
    } as const;
    return [{ id: `${family} policy route`, family, base, rules }];
  });
}

const POLICY_KNOWN = new Set('set action'.split(' '));
const POLICY_WORDS = new Set('rule interface description default-log enable-default-log'.split(' '));

function routePolicies(family: Family, routes: readonly Route[], vyos: Vyos): ChainRule[] {
  const sections = family === 'ip' ? ['route'] : ['route6', 'ipv6-route'];
  return sections.flatMap((section) =>
    list(vyos.tree, 'policy', section).flatMap((policy) => {
      for (const child of policy.children.values())
        if (!POLICY_WORDS.has(child.word)) vyos.notUnderstood(child);
      const bound = policyInterfaces(vyos, family, policy);
      return listRules(`policy route ${family} ${policy.word}`, policy, bound.names, family, routes, vyos);
    }),
  );
}

/** EdgeOS: `firewall modify M rule N { action modify, modify { table T } }`, bound by `firewall in modify M`. */
function modifyPolicies(family: Family, routes: readonly Route[], vyos: Vyos): ChainRule[] {
  const bindings = readModifyBindings(vyos).filter((one) => one.family === family);
  return list(vyos.tree, 'firewall', family === 'ip' ? 'modify' : 'ipv6-modify').flatMap((policy) => {
    const faces = bindings.filter(({ target, direction }) => target === policy.word && direction === 'in');
    const bound = faces.map(({ face }) => face);
    return listRules(`firewall modify ${family} ${policy.word}`, policy, bound, family, routes, vyos);
  });
}

const MODIFY_KNOWN = new Set('modify action set'.split(' '));

function listRules(
  name: string,
  policy: WordTree,
  bound: readonly string[],
  family: Family,
  routes: readonly Route[],
  vyos: Vyos,
): ChainRule[] {
  const rules = numbered(policy, 'rule');
  const keys = keysOf(name, rules);
  return rules.map((node, i) => {
    const set = at(node, 'set') ?? at(node, 'modify');
    const table = word(set, 'table');
    const vrf = word(set, 'vrf');
    const group = word(set, 'lb-group');
    const ways =
      table !== undefined || vrf !== undefined
        ? waysOf(routes, family, { table, vrf }, vyos)
        : group !== undefined
          ? groupWays(group, vyos)
          : undefined;
    return ruleOf(node, keys[i], name, policy.word, bound, family, ways, vyos);
  });
}

/** `table main` takes the way of everybody else, as do packets that a table has no route for. */
function waysOf(
  routes: readonly Route[],
  family: Family,
  { table, vrf }: { readonly table?: string; readonly vrf?: string },
  vyos: Vyos,
): Ways {
  const whole = familyTraffic(family).destinations;
  const main = mainWays(routes, family, vyos);
  if (table === 'main' || table === '254' || vrf === 'default') return main;
  const own = routes.filter(
    (route) =>
      route.family === family &&
      (vrf === undefined ? route.table === table : route.vrf === vrf && !route.table),
  );
  if (own.length === 0) {
    const unresolved = [
      `routes of ${vrf === undefined ? `table ${table}` : `VRF ${vrf}`} are not in the configuration`,
    ];
    return [{ destinations: whole, translation: { kind: 'policy-route' }, unresolved }];
  }
  const ways = bySize(own, (route) => route).flatMap((route): Ways => {
    const tunnel = tunnelOf(route, vyos);
    if (tunnel) return leadsInto(tunnel, route.prefix);
    if (!route.nextHop && route.interface === undefined)
      return [{ destinations: route.prefix, unresolved: [] }];
    const translation: Translation = {
      kind: 'policy-route',
      ...(route.nextHop ? { addresses: route.nextHop } : {}),
    };
    return [{ destinations: route.prefix, translation, unresolved: [] }];
  });
  const covered = addresses.unionAddresses(...own.map(({ prefix }) => prefix));
  return addresses.noAddresses(addresses.subtractAddresses(whole, covered)) ? ways : [...ways, ...main];
}

/** Into tunnels by the main table's routes; everything else goes where it would go anyhow. */
function mainWays(routes: readonly Route[], family: Family, vyos: Vyos): Ways {
  const own = routes.filter((route) => route.family === family && !route.table && !route.vrf);
  const into = bySize(own, (route) => route).flatMap((route): Ways => {
    const tunnel = tunnelOf(route, vyos);
    return tunnel ? leadsInto(tunnel, route.prefix) : [{ destinations: route.prefix, unresolved: [] }];
  });
  const tunnelled = into.some(({ translation }) => translation);
  return [...(tunnelled ? into : []), { destinations: familyTraffic(family).destinations, unresolved: [] }];
}

/** EdgeOS `load-balance group G interface I`: I's own table or default gateway takes the packet. */
function groupWays(name: string, vyos: Vyos): Ways {
  const group = at(vyos.tree, 'load-balance', 'group', name);
  const faces = words(group, 'interface');
  const unresolved = group
    ? [`the gateways of ${faces.join(', ')}`]
    : [`load-balance group ${name} is not defined`];
  return [{ destinations: addresses.ANY_V4, translation: { kind: 'policy-route' }, unresolved }];
}

function ruleOf(
  node: WordTree,
  key: string,
  listName: string,
  policyName: string,
  bound: readonly string[],
  family: Family,
  ways: Ways | undefined,
  vyos: Vyos,
): ChainRule {
  const action = word(node, 'action');
  const set = at(node, 'set') ?? at(node, 'modify');
  const isMain = /^(?:main|254)$/.test(word(set, 'table') ?? '') || word(set, 'vrf') === 'default';
  const translation = isMain ? undefined : summary(ways);
  const { assembled, chainRule } = makeRule(
    {
      node,
      key,
      kind: 'policy-route',
      list: listName,
      family,
      known: listName.startsWith('firewall') ? MODIFY_KNOWN : POLICY_KNOWN,
      context: {
        list: policyName,
        family,
        ...(bound.length > 0 ? { interfaces: [...bound].sort(), direction: 'in' } : {}),
      },
      action: set ? `set ${setText(set)}` : (action ?? 'none'),
      outcomes: [{ kind: action === 'drop' ? 'drop' : 'accept' }],
      unresolved: ways?.flatMap((way) => way.unresolved).slice(0, 20) ?? [],
      ...(translation ? { translation } : {}),
      within:
        bound.length === 0 ? familyTraffic(family) : { ...familyTraffic(family), ingress: names(...bound) },
    },
    vyos,
  );
  // Marks and header fields that are set say nothing of the way; the packet goes on.
  const ends = ways !== undefined || action === 'drop' || action === 'accept';
  if (bound.length === 0 || !assembled.rule.enabled || !ends)
    return { lines: assembled.rule.lines, branches: [] };
  if (!ways) return chainRule;
  return {
    lines: assembled.rule.lines,
    branches: chainRule.branches.flatMap((branch) => alongWays(branch, ways)),
  };
}

const setText = (set: WordTree): string =>
  [...set.children.values()].map((child) => [child.word, ...child.children.keys()].join(' ')).join(', ');

function alongWays(branch: Branch, ways: Ways): Branch[] {
  return ways.flatMap(({ destinations, translation, unresolved }): Branch[] => {
    const match = intersectTraffic(branch.match, { ...branch.match, destinations });
    if (!match) return [];
    const all = [...new Set([...branch.unresolved, ...unresolved])];
    const outcome: Branch['outcome'] = translation
      ? { kind: 'translate', stage: 'redirect', translation, final: true }
      : { kind: 'accept' };
    return [{ ...branch, match, unresolved: translation ? all : branch.unresolved, outcome }];
  });
}

/** All ways together, for the rule's listing. */
function summary(ways: Ways | undefined): Translation | undefined {
  const all = ways?.flatMap((way) => way.translation ?? []) ?? [];
  if (all.length === 0) return undefined;
  const kind = all.some((one) => one.kind === 'tunnel') ? 'tunnel' : 'policy-route';
  const far = all.flatMap((one) => one.addresses ?? []);
  return { kind, ...(far.length > 0 ? { addresses: addresses.unionAddresses(...far) } : {}) };
}

const LOCAL_WORDS = new Set('set source destination protocol fwmark inbound-interface'.split(' '));

/** `policy local-route rule N`: an `ip rule`, which packets that pass through meet as well. */
function localRoutes(family: Family, routes: readonly Route[], vyos: Vyos): ChainRule[] {
  const section = family === 'ip' ? 'local-route' : 'local-route6';
  const rules = numbered(vyos.tree, 'policy', section, 'rule');
  const keys = keysOf(`policy ${section}`, rules);
  return rules.flatMap((node, i): ChainRule[] => {
    for (const child of node.children.values()) if (!LOCAL_WORDS.has(child.word)) vyos.notUnderstood(child);
    const ways = waysOf(
      routes,
      family,
      { table: word(node, 'set', 'table'), vrf: word(node, 'set', 'vrf') },
      vyos,
    );
    const flat = (side: string) =>
      [...words(node, side, 'address'), ...words(node, side)].flatMap((t) => addressOrUndefined(t) ?? []);
    const [sources, destinations, faces] = [
      flat('source'),
      flat('destination'),
      words(node, 'inbound-interface'),
    ];
    const whole = familyTraffic(family);
    const match = {
      ...whole,
      ...(sources.length > 0 ? { sources: addresses.unionAddresses(...sources) } : {}),
      ...(destinations.length > 0 ? { destinations: addresses.unionAddresses(...destinations) } : {}),
      ...(faces.length > 0 ? { ingress: names(...faces) } : {}),
    };
    const conditions = ['fwmark', 'protocol'].flatMap((name) => {
      const value = word(node, name);
      return value === undefined ? [] : [`${name} ${value}`];
    });
    const ports = ['source', 'destination'].flatMap((side) =>
      words(node, side, 'port').map((p) => `${side} port ${p}`),
    );
    const translation = summary(ways);
    const unresolved = [...conditions, ...ports];
    const assembled = vyos.assembly.rule({
      key: keys[i],
      kind: 'policy-route',
      list: section,
      context: { list: section, family },
      matches: [match],
      unresolved: [...unresolved, ...ways.flatMap((way) => way.unresolved)],
      ...(translation ? { translation } : {}),
      action: `set ${setText(at(node, 'set') ?? node)}`,
      lines: linesOf(node),
    });
    const { rule, matches } = assembled;
    const branches = matches.map(
      (box): Branch => ({ ruleKey: rule.key, match: box, unresolved, outcome: { kind: 'accept' } }),
    );
    return [{ lines: rule.lines, branches: branches.flatMap((branch) => alongWays(branch, ways)) }];
  });
}

const BALANCE_KNOWN = new Set('interface failover exclude limit per-packet-balancing'.split(' '));

/** `load-balancing wan rule N`: connections are shared out over the gateways of the rule's interfaces. */
function balancedRoutes(vyos: Vyos): ChainRule[] {
  const wan = at(vyos.tree, 'load-balancing', 'wan');
  const rules = numbered(wan, 'rule');
  const keys = keysOf('load-balancing wan', rules);
  return rules.map((node, i) => {
    const faces = words(node, 'interface');
    const hops = faces.flatMap(
      (name) => addressOrUndefined(word(wan, 'interface-health', name, 'nexthop') ?? '') ?? [],
    );
    const translation: Translation = {
      kind: 'policy-route',
      ...(hops.length > 0 ? { addresses: addresses.unionAddresses(...hops) } : {}),
    };
    const excluded = has(node, 'exclude');
    const { chainRule } = makeRule(
      {
        node,
        key: keys[i],
        kind: 'policy-route',
        list: 'load-balancing wan',
        family: 'ip',
        known: BALANCE_KNOWN,
        context: { list: 'load-balancing wan', family: 'ip' },
        action: excluded ? 'exclude' : `balance over ${faces.join(', ')}`,
        outcomes: [
          excluded ? { kind: 'accept' } : { kind: 'translate', stage: 'redirect', translation, final: true },
        ],
        unresolved: hops.length === faces.length || excluded ? [] : ['gateways given by DHCP'],
        ...(excluded ? {} : { translation }),
      },
      vyos,
    );
    return chainRule;
  });
}
