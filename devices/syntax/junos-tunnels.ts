// tunnel units, VPNs and static routes of Junos -> rules, and what is redirected into tunnels
import {
  type AddressSet,
  NO_ADDRESSES,
  noAddresses,
  subtractAddresses,
  unionAddresses,
} from '../../src/model/addresses.ts';
import type { SourceLine, Translation } from '../../src/model/rule.ts';
import {
  ANY_NAME,
  ANY_TRAFFIC,
  allNamesBut,
  hasName,
  intersectNames,
  type NameSet,
  names,
} from '../../src/model/traffic.ts';
import type { Assembled, PolicyBuilder } from './assemble.ts';
import { setOf } from './cisco-address.ts';
import { commentOf, reportUnknown, type Scope, someLines, unitName } from './junos-scope.ts';
import { type TableRoute, tunnelEntries } from './route-table.ts';
import { at, linesUnder, list, type WordTree, word, words } from './tree.ts';

export interface Tunnel {
  readonly name: string;
  readonly kind: string;
  /** "gr-0/0/0.0"; undefined for a VPN that policies send into. */
  readonly through: string | undefined;
  readonly enabled: boolean;
  readonly farEnd: AddressSet | undefined;
  readonly farText: string;
  readonly networks: AddressSet;
  readonly node: WordTree;
  readonly lines: readonly SourceLine[];
}

const KINDS: Readonly<Record<string, string>> = {
  gr: 'gre',
  ip: 'ipip',
  fti: 'fti',
  gre: 'gre',
  ipip: 'ipip',
};

export function tunnelsOf(scope: Scope): Tunnel[] {
  return [...unitTunnels(scope), ...vpns(scope)];
}

function unitTunnels({ units, ingress }: Scope): Tunnel[] {
  return [...units.values()].flatMap((unit) => {
    const tunnel = at(unit.node, 'tunnel');
    const prefix = /^[a-z]+/.exec(unit.name)?.[0] ?? '';
    if (!tunnel || !Object.hasOwn(KINDS, prefix) || !hasName(ingress, unit.name)) return [];
    const ends = words(tunnel, 'destination').filter((text) => text !== 'address');
    const inner = ['gre', 'ipip', 'udp', 'vxlan-gpe'].flatMap((kind) =>
      words(tunnel, 'encapsulation', kind, 'destination', 'address'),
    );
    const far = [...ends, ...words(tunnel, 'destination', 'address'), ...inner];
    return {
      name: unit.name,
      kind: KINDS[prefix],
      through: unit.name,
      enabled: unit.enabled && !tunnel.inactive,
      ...farEnd(far),
      networks: unit.networks,
      node: unit.node,
      lines: linesUnder(unit.node),
    };
  });
}

function farEnd(texts: readonly string[]): Pick<Tunnel, 'farEnd' | 'farText'> {
  const sets = texts.map((text) => setOf(text));
  const isKnown = sets.length > 0 && sets.every((set) => set !== undefined);
  return {
    farEnd: isKnown ? unionAddresses(...(sets as AddressSet[])) : undefined,
    farText: texts.join(', ').slice(0, 200) || 'unknown',
  };
}

function vpns({ tree, units }: Scope): Tunnel[] {
  return list(tree, 'security', 'ipsec', 'vpn').map((node) => {
    const gateway = at(tree, 'security', 'ike', 'gateway', word(node, 'ike', 'gateway') ?? '');
    const bound = word(node, 'bind-interface');
    const unit = bound === undefined ? undefined : units.get(unitName(bound));
    return {
      name: node.word,
      kind: 'ipsec',
      through: bound === undefined ? undefined : unitName(bound),
      enabled: !node.inactive && (unit?.enabled ?? true),
      ...farEnd([...words(gateway, 'address'), ...words(node, 'manual', 'gateway')]),
      networks: unit?.networks ?? NO_ADDRESSES,
      node,
      lines: someLines(
        linesUnder(node),
        gateway ? linesUnder(gateway) : [],
        unit ? linesUnder(unit.node) : [],
      ),
    };
  });
}

export const tunnelTranslation = (tunnel: Tunnel | undefined): Translation => ({
  kind: 'tunnel',
  ...(tunnel?.farEnd ? { addresses: tunnel.farEnd } : {}),
});

interface Hop {
  readonly text: string;
  readonly address: AddressSet | undefined;
  readonly interface: string | undefined;
  readonly distance: number;
}

export interface Route {
  readonly node: WordTree;
  readonly table: string;
  readonly prefix: AddressSet;
  readonly hops: readonly Hop[];
}

const KNOWN_ROUTE = new Set(
  (
    'next-hop qualified-next-hop next-table discard reject receive preference metric tag community no-readvertise readvertise ' +
    'install no-install resolve no-resolve retain no-retain active passive as-path bfd-liveness-detection color description ' +
    'static-lsp-next-hop lsp-next-hop p2mp-lsp-next-hop longest-match backup-pe-group no-bfd resolution-rib tag2 metric2'
  ).split(' '),
);

/** Static routes of a table: `routing-options` of the system or of an instance. */
export function routesOf(options: WordTree | undefined, table: string, scope: Scope): Route[] {
  const statics = [at(options, 'static'), ...list(options, 'rib').map((rib) => at(rib, 'static'))];
  return statics.flatMap((section) =>
    list(section, 'route').flatMap((node) => {
      const prefix = setOf(node.word === 'default' ? '0.0.0.0/0' : node.word);
      if (!prefix) scope.assembly.notUnderstood(...linesUnder(node));
      reportUnknown(scope.assembly, node, KNOWN_ROUTE);
      return prefix ? [{ node, table, prefix, hops: hopsOf(node) }] : [];
    }),
  );
}

function hopsOf(node: WordTree): Hop[] {
  const preference = Number(word(node, 'preference') ?? 5) || 5;
  const hop = (one: WordTree, distance: number): Hop => {
    const address = setOf(one.word);
    const through = word(one, 'interface') ?? (address ? undefined : one.word);
    return {
      text: one.word,
      address,
      interface: through === undefined ? undefined : unitName(through),
      distance,
    };
  };
  return [
    ...list(node, 'next-hop').map((one) => hop(one, preference)),
    ...list(node, 'qualified-next-hop').map((one) => hop(one, Number(word(one, 'preference') ?? preference))),
  ].sort((a, b) => a.distance - b.distance);
}

/** Tunnels that a next hop is looked for in by its address. */
const MAX_SEARCHED = 2_000;
interface Found {
  readonly byInterface: ReadonlyMap<string | undefined, Tunnel>;
  readonly networked: readonly Tunnel[];
}
const searched = new WeakMap<readonly Tunnel[], Found>();

function indexOf(tunnels: readonly Tunnel[]): Found {
  const known = searched.get(tunnels);
  if (known) return known;
  const up = tunnels.filter(({ enabled }) => enabled);
  const made = {
    byInterface: new Map(up.map((tunnel) => [tunnel.through, tunnel])),
    networked: up.filter(({ networks }) => !noAddresses(networks)).slice(0, MAX_SEARCHED),
  };
  searched.set(tunnels, made);
  return made;
}

export function tunnelOf(
  { address, interface: through }: Hop,
  tunnels: readonly Tunnel[],
): Tunnel | undefined {
  const { byInterface, networked } = indexOf(tunnels);
  if (through !== undefined) return byInterface.get(through);
  return address && networked.find(({ networks }) => noAddresses(subtractAddresses(address, networks)));
}

/** A table's routes as rules; those into tunnels redirect. Then tunnels that no static route leads into. */
export function readRoutes(scope: Scope, tunnels: readonly Tunnel[]): void {
  const own = scope.instances.flatMap(({ interfaces }) => interfaces);
  const tables = [
    { name: 'default', options: at(scope.tree, 'routing-options'), ingress: allNamesBut(...own) },
    ...scope.instances.map(({ name, node, interfaces }) => ({
      name,
      options: at(node, 'routing-options'),
      ingress: names(...interfaces),
    })),
  ];
  const used = new Set<Tunnel>();
  for (const { name, options, ingress } of tables) {
    const policy = redirectPolicy(scope, `routes ${name}`, intersectNames(scope.ingress, ingress));
    const routes = routesOf(options, name, scope).map((route) => routeRule(route, scope, tunnels, used));
    tunnelEntries(routes, NO_ADDRESSES, policy);
  }
  const policy = redirectPolicy(scope, 'tunnels', scope.ingress);
  for (const tunnel of tunnels) readTunnel(tunnel, !used.has(tunnel), scope, policy);
}

export const redirectPolicy = (scope: Scope, id: string, ingress: NameSet): PolicyBuilder =>
  scope.assembly.policy({
    id: `${scope.prefix}${id}`,
    stage: 'redirect',
    evaluation: 'first-match',
    appliesTo: { ingress, egress: ANY_NAME },
    otherwise: 'none',
  });

function routeRule(
  { node, table, prefix, hops }: Route,
  scope: Scope,
  tunnels: readonly Tunnel[],
  used: Set<Tunnel>,
): TableRoute {
  const into = hops.map((hop) => ({ hop, tunnel: tunnelOf(hop, tunnels) }));
  const first = into.find(({ tunnel }) => tunnel);
  for (const { tunnel } of into) if (tunnel) used.add(tunnel);
  const translation = first && tunnelTranslation(first.tunnel);
  const others = hops
    .filter((hop) => first && hop !== first.hop && hop.distance <= first.hop.distance)
    .map(({ text }) => text);
  const unresolved = first && others.length > 0 ? [`also by ${others.slice(0, 8).join(', ')}`] : [];
  const away = ['discard', 'reject', 'receive'].find((one) => at(node, one));
  const via = hops.map(({ text }) => text).join(', ') || word(node, 'next-table') || away || 'nothing';
  const rule = scope.assembly.rule({
    key: `${scope.prefix}route ${table} ${node.word}`,
    kind: 'route',
    list: `${scope.prefix}routes ${table}`,
    enabled: !node.inactive,
    context: table === 'default' ? {} : { vrf: table },
    matches: [{ ...ANY_TRAFFIC, destinations: prefix }],
    unresolved,
    ...(translation ? { translation } : {}),
    action: `route to ${via}`,
    ...commentOf(node),
    lines: linesUnder(node),
  });
  return {
    rule,
    prefix,
    distance: hops[0]?.distance ?? 5,
    ...(translation ? { tunnel: { translation, unresolved } } : {}),
    via,
  };
}

function readTunnel(tunnel: Tunnel, takesAll: boolean, scope: Scope, policy: PolicyBuilder): Assembled {
  const { through, farEnd: far, farText, kind, name, node } = tunnel;
  const translation = tunnelTranslation(tunnel);
  const made = scope.assembly.rule({
    key: `${scope.prefix}${kind} ${name}`,
    kind: 'tunnel',
    list: `${scope.prefix}tunnels`,
    enabled: tunnel.enabled,
    context: through === undefined ? {} : { interfaces: [through] },
    matches: [{ ...ANY_TRAFFIC, ...(through === undefined ? {} : { egress: names(through) }) }],
    unresolved: far ? [] : [`far end ${farText}`],
    translation,
    action: `${kind} to ${farText}`,
    ...commentOf(node),
    lines: tunnel.lines,
  });
  // Routing protocols may lead into it; without an interface only policies do.
  if (takesAll && through !== undefined) policy.entry(made, 'translate', { translation, unresolved: [] });
  return made;
}
