// static routes and tunnels of VyOS and EdgeOS -> rules, and what is redirected into tunnels
import * as addresses from '../../src/model/addresses.ts';
import type { SourceLine, Translation } from '../../src/model/rule.ts';
import { ANY_NAME, allNamesBut, type NameSet, names } from '../../src/model/traffic.ts';
import { ruleKey } from '../../src/rules/key.ts';
import type { Assembled } from './assemble.ts';
import { familyTraffic } from './netfilter.ts';
import { at, list, type WordTree, word } from './tree.ts';
import type { Vyos } from './vyos-config.ts';
import { addressOrUndefined } from './vyos-groups.ts';
import type { Face, FarEnd } from './vyos-interfaces.ts';
import { has, linesOf, uniqueLines } from './vyos-text.ts';

export interface Route {
  readonly family: 'ip' | 'ip6';
  readonly prefix: addresses.AddressSet;
  readonly prefixText: string;
  readonly vrf?: string;
  /** A routing table besides the main one. */
  readonly table?: string;
  readonly interface?: string;
  readonly nextHop?: addresses.AddressSet;
  readonly via: string;
  readonly distance: number;
  readonly comment?: string;
  readonly lines: readonly SourceLine[];
}

/** Every static route, in the main table, in others and in VRFs. */
export function readRoutes(vyos: Vyos): Route[] {
  const { tree } = vyos;
  const roots = [
    { root: at(tree, 'protocols', 'static'), where: {} },
    ...list(tree, 'vrf', 'name').map((vrf) => ({
      root: at(vrf, 'protocols', 'static'),
      where: { vrf: vrf.word },
    })),
  ];
  const routes: Route[] = vyos.tunnels.flatMap(ownRoutes);
  for (const { root, where } of roots) {
    if (!root) continue;
    routes.push(...routesUnder(root, where, vyos));
    for (const table of list(root, 'table'))
      routes.push(...routesUnder(table, { ...where, table: table.word }, vyos));
  }
  return routes;
}

/** EdgeOS: `route-allowed-ips true` routes what the peers of a WireGuard interface may send. */
function ownRoutes({ name, node, tunnel }: Face): Route[] {
  if (word(node, 'route-allowed-ips') !== 'true') return [];
  return tunnel!.ends.flatMap((end) =>
    (['ip', 'ip6'] as const).flatMap((family): Route[] => {
      const { v4, v6 } = end.allowed ?? addresses.NO_ADDRESSES;
      const prefix = family === 'ip' ? { v4, v6: [] } : { v4: [], v6 };
      if (addresses.noAddresses(prefix)) return [];
      const prefixText = addresses.formatAddresses(prefix).join(', ');
      const lines = linesOf(end.node);
      return [{ family, prefix, prefixText, interface: name, via: `interface ${name}`, distance: 1, lines }];
    }),
  );
}

const KINDS: Readonly<Record<string, 'ip' | 'ip6'>> = {
  route: 'ip',
  route6: 'ip6',
  'interface-route': 'ip',
  'interface-route6': 'ip6',
};
const QUIET = new Set('table arp neighbor-proxy multicast mroute description route-map'.split(' '));

type Where = Pick<Route, 'vrf' | 'table'>;

function routesUnder(root: WordTree, where: Where, vyos: Vyos): Route[] {
  const routes: Route[] = [];
  for (const kind of root.children.values()) {
    const family = Object.hasOwn(KINDS, kind.word) ? KINDS[kind.word] : undefined;
    if (!family && !QUIET.has(kind.word)) vyos.notUnderstood(kind);
    if (!family) continue;
    for (const node of kind.children.values()) {
      const prefix = addressOrUndefined(node.word);
      if (!prefix) vyos.notUnderstood(node);
      else
        for (const way of ways(node, vyos))
          routes.push({ ...way, ...where, family, prefix, prefixText: node.word });
    }
  }
  return routes;
}

type Way = Omit<Route, 'family' | 'prefix' | 'prefixText' | 'vrf' | 'table'>;

function ways(node: WordTree, vyos: Vyos): Way[] {
  const found: Way[] = [];
  const description = word(node, 'description');
  for (const kind of node.children.values()) {
    if (kind.word === 'description' || kind.word === 'bfd') continue;
    const distance = (of: WordTree) => Number(word(of, 'distance') ?? 1) || 1;
    const make = (of: WordTree, way: Partial<Way>): Way => ({
      ...way,
      via: `${kind.word.replace(/^next-hop-/, '')}${of === kind ? '' : ` ${of.word}`}`,
      distance: distance(of),
      ...((word(of, 'description') ?? description) === undefined
        ? {}
        : { comment: word(of, 'description') ?? description }),
      lines: linesOf(of),
    });
    if (kind.word === 'blackhole' || kind.word === 'reject') found.push(make(kind, {}));
    else if (!WAYS.has(kind.word)) vyos.notUnderstood(kind);
    else
      for (const of of kind.children.values()) {
        if (has(of, 'disable')) continue;
        const nextHop = addressOrUndefined(of.word);
        const through =
          kind.word === 'next-hop' ? (word(of, 'interface') ?? word(of, 'next-hop-interface')) : of.word;
        found.push(
          make(of, {
            ...(nextHop && kind.word === 'next-hop' ? { nextHop } : {}),
            ...(through === undefined ? {} : { interface: through }),
          }),
        );
      }
  }
  return found;
}

const WAYS = new Set('next-hop interface next-hop-interface dhcp-interface'.split(' '));

/** The tunnel that a route leads into, by its interface or by a next hop inside the tunnel's network. */
export function tunnelOf(
  { interface: name, nextHop }: Pick<Route, 'interface' | 'nextHop'>,
  vyos: Vyos,
): Face | undefined {
  if (name !== undefined) return up(vyos.byName.get(name));
  if (!nextHop || addresses.noAddresses(nextHop)) return undefined;
  return vyos.tunnels.find(
    (face) => up(face) && addresses.noAddresses(addresses.subtractAddresses(nextHop, face.networks)),
  );
}

const up = (face: Face | undefined): Face | undefined => (face?.enabled && face.tunnel ? face : undefined);

/** What becomes of packets of a prefix: one item a far end that takes a part of it. */
export interface Leads {
  readonly destinations: addresses.AddressSet;
  readonly translation: Translation;
  readonly unresolved: readonly string[];
}

export function leadsInto(face: Face, prefix: addresses.AddressSet): Leads[] {
  const ends = face.tunnel!.ends.filter((end) => end.enabled);
  if (ends.length === 0)
    return [{ destinations: prefix, translation: { kind: 'tunnel' }, unresolved: [UNKNOWN_END] }];
  return ends.flatMap((end): Leads[] => {
    const destinations = end.allowed ? addresses.intersectAddresses(prefix, end.allowed) : prefix;
    if (addresses.noAddresses(destinations)) return [];
    return [{ destinations, translation: tunnelTranslation(end), unresolved: end.far ? [] : [UNKNOWN_END] }];
  });
}

const UNKNOWN_END = 'far end of the tunnel is not in the configuration';
const tunnelTranslation = ({ far }: Pick<FarEnd, 'far'>): Translation => ({
  kind: 'tunnel',
  ...(far ? { addresses: far } : {}),
});

/** Rules for tunnels and routes, and for each VRF a policy of what goes into tunnels. */
export function buildRoutes(routes: readonly Route[], vyos: Vyos): void {
  const made = routes.map((route) => ({
    route,
    rule: routeRule(route, vyos),
    tunnel: tunnelOf(route, vyos),
  }));
  const into = Map.groupBy(
    made.filter(({ tunnel }) => tunnel),
    ({ tunnel }) => tunnel!,
  );
  const tunnels = new Map(
    vyos.tunnels.map((face) => [
      face,
      tunnelRule(
        face,
        (into.get(face) ?? []).map(({ route }) => route),
        vyos,
      ),
    ]),
  );
  const inMain = made.filter(({ route }) => route.table === undefined);
  for (const vrf of new Set(inMain.filter(({ tunnel }) => tunnel).map(({ route }) => route.vrf))) {
    const policy = vyos.assembly.policy({
      id: vrf === undefined ? 'tunnels' : `tunnels ${vrf}`,
      stage: 'redirect',
      evaluation: 'first-match',
      appliesTo: { ingress: facesOf(vrf, vyos.faces), egress: ANY_NAME },
      otherwise: 'none',
    });
    const own = inMain.filter(({ route }) => route.vrf === vrf);
    const tunnelled = addresses.unionAddresses(
      ...own.filter(({ tunnel }) => tunnel).map(({ route }) => route.prefix),
    );
    const sorted = bySize(own, ({ route }) => route);
    // Behind the last route into a tunnel nothing needs to be kept out of one.
    for (const { route, rule, tunnel } of sorted.slice(0, sorted.findLastIndex((one) => one.tunnel) + 1)) {
      if (addresses.noAddresses(addresses.intersectAddresses(route.prefix, tunnelled))) continue;
      const whole = familyTraffic(route.family);
      if (!tunnel) policy.entry(rule, 'exempt', { matches: [{ ...whole, destinations: route.prefix }] });
      else
        for (const { destinations, translation, unresolved } of leadsInto(tunnel, route.prefix))
          policy.entry(tunnels.get(tunnel)!, 'translate', {
            matches: [{ ...whole, destinations }],
            translation,
            unresolved: [...unresolved, ...backup(route, own)],
          });
    }
  }
}

/** A second route to the same prefix acts only while the better one is down. */
function backup(route: Route, all: readonly { route: Route }[]): string[] {
  const better = all.find(
    ({ route: other }) =>
      other.distance < route.distance && addresses.sameAddresses(other.prefix, route.prefix),
  );
  return better ? [`only while the route via ${better.route.via} is down`] : [];
}

/** Longest prefix first, then by distance. */
export function bySize<T>(items: readonly T[], routeOf: (item: T) => Route): T[] {
  return items
    .map((item) => ({ item, size: addresses.countAddresses(routeOf(item).prefix) }))
    .sort((a, b) => a.size - b.size || routeOf(a.item).distance - routeOf(b.item).distance)
    .map(({ item }) => item);
}

function facesOf(vrf: string | undefined, faces: readonly Face[]): NameSet {
  const own = faces.filter((face) => (vrf === undefined ? face.vrf !== undefined : face.vrf === vrf));
  return vrf === undefined
    ? allNamesBut(...own.map(({ name }) => name))
    : names(...own.map(({ name }) => name));
}

function routeRule(route: Route, vyos: Vyos): Assembled {
  const { vrf, table, family, via, distance } = route;
  const where = `${vrf ?? ''} ${table ?? ''}`;
  return vyos.assembly.rule({
    key: `route:${ruleKey(where, family, route.prefixText, via, String(distance))}`,
    kind: 'route',
    list: `routes ${where}`,
    context: { ...(vrf === undefined ? {} : { vrf }), ...(table === undefined ? {} : { table }), family },
    matches: [{ ...familyTraffic(family), destinations: route.prefix }],
    action: `via ${via}`,
    ...(route.comment === undefined ? {} : { comment: route.comment }),
    lines: route.lines,
  });
}

function tunnelRule(face: Face, routes: readonly Route[], vyos: Vyos): Assembled {
  const ends = face.tunnel!.ends.filter((end) => end.enabled);
  const far = ends.flatMap((end) => end.far ?? []);
  const routed = addresses.unionAddresses(...routes.map(({ prefix }) => prefix));
  const unresolved = ends.length > 0 && far.length === ends.length ? [] : [UNKNOWN_END];
  return vyos.assembly.rule({
    key: `tunnel:${face.name}`,
    kind: 'tunnel',
    list: 'tunnels',
    enabled: face.enabled,
    context: { ...(face.vrf === undefined ? {} : { vrf: face.vrf }), interfaces: [face.name] },
    matches: routes.length === 0 ? [] : [{ ...familyTraffic('inet'), destinations: routed }],
    unresolved,
    translation: {
      kind: 'tunnel',
      ...(far.length > 0 ? { addresses: addresses.unionAddresses(...far) } : {}),
    },
    action: face.tunnel!.mode,
    ...(face.description === undefined ? {} : { comment: face.description }),
    lines: uniqueLines([...linesOf(face.node), ...routes.flatMap(({ lines }) => lines)]),
  });
}
