// `firewall filter` of Junos and where it is bound -> filter and policy-route rules, filters and redirects of interfaces
import { type AddressSet, ANY_ADDRESS, ANY_V4, ANY_V6 } from '../../src/model/addresses.ts';
import type { Translation } from '../../src/model/rule.ts';
import {
  ANY_NAME,
  ANY_TRAFFIC,
  intersectTraffic,
  type NameSet,
  names,
  subtractRegion,
  type Traffic,
} from '../../src/model/traffic.ts';
import type { Assembled, PolicyBuilder } from './assemble.ts';
import { spend } from './boxes.ts';
import { setOf } from './cisco-address.ts';
import { termMatch } from './junos-filter-match.ts';
import { enter, type Match, restrict } from './junos-match.ts';
import { commentOf, type Lead, reportUnknown, type Scope, someLines, unitName } from './junos-scope.ts';
import { redirectPolicy, routesOf, type Tunnel, tunnelOf, tunnelTranslation } from './junos-tunnels.ts';
import { at, linesUnder, list, type WordTree, word, words } from './tree.ts';

interface Term {
  readonly rule: Assembled;
  readonly match: Match;
  readonly outcome: 'accept' | 'drop' | 'next';
  readonly leads: readonly Lead[];
  readonly mirror: Translation | undefined;
}

interface Filter {
  readonly name: string;
  readonly node: WordTree;
  readonly family: string;
  readonly terms: () => readonly Term[];
  readonly rest: () => Assembled;
}

const FAMILIES: Readonly<Record<string, AddressSet>> = { inet: ANY_V4, inet6: ANY_V6, any: ANY_ADDRESS };
const MAX_BOXES = 1_000;
/** Terms that filters may take over from others. */
const MAX_NESTED = 4;

export function readFilters(scope: Scope, tunnels: readonly Tunnel[]): void {
  const filters = filtersOf(scope, tunnels);
  for (const filter of filters.values()) filter.terms();
  const find = (family: string, name: string) =>
    filters.get(`${family} ${name}`) ?? filters.get(`any ${name}`);
  for (const unit of scope.units.values()) {
    // What is bound to the loopback interface concerns the device itself and is not forwarded.
    if (!unit.enabled || unit.name.startsWith('lo0.')) continue;
    for (const family of ['inet', 'inet6'])
      for (const direction of ['input', 'output'] as const) {
        const bound = at(unit.node, 'family', family, 'filter');
        const asked = [...words(bound, direction), ...words(bound, `${direction}-list`)];
        const found = asked.flatMap((name) => find(family, name) ?? []);
        if (found.length > 0) bind(scope, unit.name, family, direction, found);
      }
  }
  for (const family of ['inet', 'inet6']) {
    const asked = words(scope.tree, 'forwarding-options', 'family', family, 'filter', 'input');
    const found = asked.flatMap((name) => find(family, name) ?? []);
    if (found.length > 0) bind(scope, undefined, family, 'input', found);
  }
}

function filtersOf(scope: Scope, tunnels: readonly Tunnel[]): Map<string, Filter> {
  const firewall = at(scope.tree, 'firewall');
  const found = new Map<string, Filter>();
  const add = (family: string, node: WordTree) => {
    let terms: readonly Term[] | undefined;
    let rest: Assembled | undefined;
    found.set(`${family} ${node.word}`, {
      name: node.word,
      node,
      family,
      terms: () => (terms ??= termsOf(scope, family, node, tunnels, 0)),
      rest: () => (rest ??= implicit(scope, family, node)),
    });
  };
  for (const node of list(firewall, 'filter')) add('inet', node);
  for (const family of list(firewall, 'family'))
    for (const node of list(family, 'filter')) add(family.word, node);
  reportUnknown(scope.assembly, firewall, KNOWN_FIREWALL);
  return found;
}

const KNOWN_FIREWALL = new Set(
  (
    'filter family policer three-color-policer hierarchical-policer interface-set load-balance-group prefix-action ' +
    'flexible-match simple-filter service-filter flow-tap tunnel-end-point template atm-policer'
  ).split(' '),
);
const KNOWN_TERM = new Set('from then filter'.split(' '));

function implicit(scope: Scope, family: string, node: WordTree): Assembled {
  return scope.assembly.rule({
    key: `${scope.prefix}filter ${family} ${node.word} implicit-discard`,
    kind: 'filter',
    list: `${scope.prefix}filter ${family} ${node.word} end`,
    context: { list: `${scope.prefix}${node.word}` },
    matches: [of(FAMILIES[family] ?? ANY_ADDRESS)],
    action: 'discard',
    lines: node.lines,
  });
}

const of = (family: AddressSet): Traffic => ({ ...ANY_TRAFFIC, sources: family, destinations: family });

function termsOf(
  scope: Scope,
  family: string,
  filter: WordTree,
  tunnels: readonly Tunnel[],
  depth: number,
): Term[] {
  const terms = list(filter, 'term');
  const bare = at(filter, 'from') || at(filter, 'then') ? [filter] : [];
  return [...terms, ...bare].flatMap((term): Term[] => {
    if (term !== filter) reportUnknown(scope.assembly, term, KNOWN_TERM);
    const nested = word(term, 'filter');
    if (nested !== undefined) {
      const other =
        at(scope.tree, 'firewall', 'family', family, 'filter', nested) ??
        at(scope.tree, 'firewall', 'filter', nested);
      return other && depth < MAX_NESTED ? termsOf(scope, family, other, tunnels, depth + 1) : [];
    }
    return [termOf(scope, family, filter, term, tunnels)];
  });
}

function termOf(
  scope: Scope,
  family: string,
  filter: WordTree,
  term: WordTree,
  tunnels: readonly Tunnel[],
): Term {
  const then = at(term, 'then');
  reportUnknown(scope.assembly, then, KNOWN_THEN);
  const range = FAMILIES[family] ?? ANY_ADDRESS;
  const found = termMatch(at(term, 'from'), range, scope);
  const policers = ['policer', 'three-color-policer', 'hierarchical-policer'].flatMap((kind) =>
    words(then, kind),
  );
  const drops = ['discard', 'reject'].find((one) => at(then, one));
  const leads = leadsOf(scope, then, tunnels);
  const mirror = mirrorOf(scope, then, family);
  const outcome = drops ? 'drop' : at(then, 'next') ? 'next' : 'accept';
  const action = actionOf(then, drops ?? (outcome === 'next' ? 'next term' : 'accept'));
  const match = policers.length > 0 ? limited(found, `policer ${policers.join(', ')}`) : found;
  const [lead] = leads;
  const translation = lead?.translation ?? mirror;
  const rule = scope.assembly.rule({
    key: `${scope.prefix}filter ${family} ${filter.word} ${term === filter ? 'then' : term.word}`,
    kind: lead ? 'policy-route' : mirror ? 'mirror' : 'filter',
    list: `${scope.prefix}filter ${family} ${filter.word}`,
    enabled: !term.inactive,
    context: { list: `${scope.prefix}${filter.word}` },
    matches: match.possible,
    unresolved: match.unresolved,
    ...(translation ? { translation } : {}),
    action,
    ...commentOf(term),
    lines: someLines(linesUnder(term), match.lines),
  });
  return { rule, match, outcome, leads, mirror };
}

const limited = (match: Match, reason: string): Match => ({
  ...match,
  sure: [],
  unresolved: [...match.unresolved, reason],
});

const KNOWN_THEN = new Set(
  (
    'accept discard reject next routing-instance next-ip next-ip6 next-interface port-mirror port-mirror-instance count log ' +
    'syslog sample policer three-color-policer hierarchical-policer forwarding-class loss-priority dscp traffic-class ' +
    'decapsulate encapsulate logical-system topology prefix-action service-accounting service-filter-hit analyzer l2-mirror ' +
    'packet-mode traffic-class-count ipsec-sa load-balance'
  ).split(' '),
);

function actionOf(then: WordTree | undefined, end: string): string {
  const said = [
    'routing-instance',
    'next-ip',
    'next-ip6',
    'next-interface',
    'logical-system',
    'port-mirror-instance',
    'decapsulate',
    'encapsulate',
  ].flatMap((kind) => (at(then, kind) ? [[kind, ...words(then, kind).slice(0, 1)].join(' ')] : []));
  if (at(then, 'port-mirror')) said.push('port-mirror');
  return said.length === 0 ? end : end === 'accept' ? said.join(', ') : `${said.join(', ')}, ${end}`;
}

/** Where a term sends packets: by the routes of another instance, or to a next hop. */
function leadsOf(scope: Scope, then: WordTree | undefined, tunnels: readonly Tunnel[]): readonly Lead[] {
  const hop = word(then, 'next-ip') ?? word(then, 'next-ip6');
  if (hop !== undefined) {
    const addresses = setOf(hop.split('/')[0]);
    return [
      {
        translation: { kind: 'policy-route', ...(addresses ? { addresses } : {}) },
        destinations: ANY_ADDRESS,
      },
    ];
  }
  const through = word(then, 'next-interface');
  if (through !== undefined) {
    const tunnel = tunnels.find((one) => one.enabled && one.through === unitName(through));
    return [
      {
        translation: tunnel ? tunnelTranslation(tunnel) : { kind: 'policy-route' },
        destinations: ANY_ADDRESS,
      },
    ];
  }
  const encapsulated = at(then, 'encapsulate');
  if (encapsulated)
    return [{ translation: templateEnd(scope, word(then, 'encapsulate')), destinations: ANY_ADDRESS }];
  const instance = word(then, 'routing-instance');
  if (instance === undefined || instance === 'default') return [];
  const known = scope.instanceLeads.get(instance) ?? instanceLeads(scope, instance, tunnels);
  scope.instanceLeads.set(instance, known);
  return known;
}

/** Longest prefix first; with more routes than that, only the device knows. */
const MAX_LEADS = 256;

function instanceLeads(scope: Scope, instance: string, tunnels: readonly Tunnel[]): readonly Lead[] {
  const found = scope.instances.find(({ name }) => name === instance);
  const routes = routesOf(at(found?.node, 'routing-options'), instance, scope)
    .filter(({ node, hops }) => !node.inactive && hops.length > 0)
    .sort((a, b) => size(a.prefix) - size(b.prefix));
  if (routes.length === 0 || routes.length > MAX_LEADS)
    return [{ translation: { kind: 'policy-route' }, destinations: ANY_ADDRESS }];
  return routes.map(({ prefix, hops: [first] }) => {
    const tunnel = tunnelOf(first, tunnels);
    const translation: Translation = tunnel
      ? tunnelTranslation(tunnel)
      : { kind: 'policy-route', ...(first.address ? { addresses: first.address } : {}) };
    return { translation, destinations: prefix };
  });
}

function templateEnd(scope: Scope, name: string | undefined): Translation {
  const template = at(scope.tree, 'firewall', 'tunnel-end-point', name ?? '');
  const far = ['ipv4', 'ipv6'].flatMap((kind) => words(template, kind, 'destination-address'));
  const addresses = setOf(...far);
  return { kind: 'tunnel', ...(far.length > 0 && addresses ? { addresses } : {}) };
}

const size = ({ v4, v6 }: AddressSet): number =>
  v4.length > 0 ? v4[1] - v4[0] : Number((v6[1] ?? 0n) - (v6[0] ?? 0n));

/** `then port-mirror [instance]`: a copy goes where the instance says. */
function mirrorOf(scope: Scope, then: WordTree | undefined, family: string): Translation | undefined {
  const instance = word(then, 'port-mirror-instance') ?? word(then, 'port-mirror', 'instance');
  if (!at(then, 'port-mirror') && instance === undefined && !at(then, 'analyzer')) return undefined;
  const options = at(scope.tree, 'forwarding-options', 'port-mirroring');
  const from = instance === undefined ? options : at(options, 'instance', instance);
  const output = at(from, 'family', family, 'output') ?? at(from, 'output');
  const hops = list(output, 'interface').flatMap((one) => words(one, 'next-hop'));
  const addresses = hops.length > 0 ? setOf(...hops) : undefined;
  return { kind: 'mirror', ...(addresses ? { addresses } : {}) };
}

type Direction = 'input' | 'output';

function bind(
  scope: Scope,
  name: string | undefined,
  family: string,
  direction: Direction,
  filters: readonly Filter[],
): void {
  const here: NameSet = name === undefined ? scope.ingress : names(name);
  const appliesTo =
    direction === 'input' ? { ingress: here, egress: ANY_NAME } : { ingress: ANY_NAME, egress: here };
  const id = `${scope.prefix}${name ?? 'forwarding table'} ${family} ${direction}`;
  const within = direction === 'input' ? { ingress: here } : { egress: here };
  const terms = filters.flatMap((filter) => filter.terms());
  const range = FAMILIES[family];
  const own = terms.filter(({ rule }) => rule.rule.enabled);
  const cost = own.reduce((sum, { match, leads }) => sum + match.possible.length * (1 + leads.length), 1);
  if (!spend(scope.allowance, cost)) {
    for (const { node } of filters) scope.assembly.notUnderstood(...linesUnder(node, 1));
    return;
  }
  const policy = scope.assembly.policy({
    id: `${id} filter`,
    stage: 'filter',
    evaluation: 'first-match',
    appliesTo,
    sees: direction === 'input' ? 'untranslated' : 'translated',
    otherwise: 'accept',
  });
  for (const { rule, match, outcome } of own)
    if (outcome !== 'next') enter(policy, rule, outcome, restrict(match, { ...within, sources: range }));
  // Packets of the other family are not asked.
  policy.entry(filters.at(-1)!.rest(), 'drop', { matches: [{ ...of(range), ...within }] });
  if (own.some(({ leads, mirror }) => leads.length > 0 || mirror))
    readLeads(redirectPolicy(scope, `${id} redirect`, direction === 'input' ? here : ANY_NAME), own, {
      ...within,
      sources: range,
    });
}

/** A term's own packets: what earlier terms accepted or dropped does not come to it, and is routed as usual. */
function readLeads(policy: PolicyBuilder, terms: readonly Term[], within: Partial<Traffic>): void {
  let earlier: Traffic[] = [];
  for (const { rule, match, outcome, leads, mirror } of terms) {
    const { possible, sure, unresolved } = restrict(match, within);
    const left = (boxes: readonly Traffic[]) =>
      earlier.length * boxes.length > MAX_BOXES ? [...boxes] : subtractRegion(boxes, earlier);
    if (mirror) policy.entry(rule, 'translate', { matches: left(possible), unresolved, translation: mirror });
    for (const { translation, destinations } of leads) {
      const to = { ...ANY_TRAFFIC, destinations };
      const cut = left(possible).flatMap((box) => intersectTraffic(box, to) ?? []);
      policy.entry(rule, 'translate', { matches: cut, unresolved, translation });
    }
    if (outcome !== 'next') earlier = [...earlier, ...sure].slice(0, MAX_BOXES);
  }
}
