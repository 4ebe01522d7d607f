// routes, routing rules and IPsec policies of RouterOS -> tunnels, policy routing, and where a routing mark leads
import {
  type AddressSet,
  countAddresses,
  formatAddresses,
  intersectAddresses,
  noAddresses,
  unionAddresses,
} from '../../src/model/addresses.ts';
import type { Translation } from '../../src/model/rule.ts';
import { ANY_NAME, ANY_TRAFFIC, type Traffic } from '../../src/model/traffic.ts';
import { ruleKey } from '../../src/rules/key.ts';
import type { Assembly, PolicyBuilder } from './assemble.ts';
import { oneFamily } from './boxes.ts';
import { setOf } from './cisco-address.ts';
import { familyTraffic } from './netfilter.ts';
import { type TableRoute, tunnelEntries } from './route-table.ts';
import { fieldOf, isDisabled, isYes, type RouterosConfig, type RouterosItem } from './routeros-config.ts';
import type { RouterosInterfaces } from './routeros-interfaces.ts';
import type { Family, InterfaceNames } from './routeros-lists.ts';

interface Way {
  readonly translation: Translation;
  readonly isTunnel: boolean;
  readonly unresolved: readonly string[];
}

export interface RouterosRoute extends TableRoute {
  readonly family: Family;
  readonly table: string;
  readonly way: Way;
}

const MAIN = 'main';

/** Each tunnel as a rule of its own, so that a moved far end shows even where nothing is routed into it. */
export function tunnelRules({ tunnels }: RouterosInterfaces, assembly: Assembly): void {
  for (const { name, type, far, farText, isDisabled: isOff, comment, lines } of tunnels.values())
    assembly.rule({
      key: `tunnel ${name}`,
      kind: 'tunnel',
      list: 'tunnel',
      enabled: !isOff,
      context: { interfaces: [name] },
      matches: [ANY_TRAFFIC],
      unresolved: far ? [] : [unknownEnd(farText)],
      translation: { kind: 'tunnel', ...(far ? { addresses: far } : {}) },
      action: `tunnel ${type}`,
      ...(comment === undefined ? {} : { comment }),
      lines,
    });
}

const unknownEnd = (text: string): string =>
  text === '' ? 'the far end of the tunnel is not in the configuration' : `the address of ${text}`;

export function readRoutes(
  config: RouterosConfig,
  interfaces: RouterosInterfaces,
  assembly: Assembly,
): RouterosRoute[] {
  return (['ip', 'ip6'] as const).flatMap((family) =>
    config.items(family === 'ip' ? 'ip route' : 'ipv6 route').flatMap((item) => {
      const route = readRoute(item, family, interfaces, assembly);
      if (!route) assembly.notUnderstood(...item.lines);
      return route ?? [];
    }),
  );
}

function readRoute(
  item: RouterosItem,
  family: Family,
  interfaces: RouterosInterfaces,
  assembly: Assembly,
): RouterosRoute | undefined {
  const written = fieldOf(item, 'dst-address') ?? (family === 'ip' ? '0.0.0.0/0' : '::/0');
  const prefix = setOf(written);
  if (!prefix) return undefined;
  const isBlackhole =
    isYes(item, 'blackhole') || /^(?:blackhole|unreachable|prohibit)$/.test(fieldOf(item, 'type') ?? '');
  const table = fieldOf(item, 'routing-table') ?? fieldOf(item, 'routing-mark') ?? MAIN;
  const gateways = (fieldOf(item, 'gateway') ?? '').split(',').filter(Boolean);
  const way = wayOf(gateways, interfaces);
  const via = isBlackhole ? 'blackhole' : gateways.join(' ');
  const comment = fieldOf(item, 'comment');
  const rule = assembly.rule({
    key: ruleKey('routeros route', family, formatAddresses(prefix).join(), via, table),
    kind: 'route',
    list: `route ${family}`,
    enabled: !isDisabled(item),
    context: { family, table },
    matches: [{ ...familyTraffic(family), destinations: prefix }],
    unresolved: way.unresolved,
    ...(way.isTunnel ? { translation: way.translation } : {}),
    action: `via ${via}`,
    ...(comment === undefined ? {} : { comment }),
    lines: item.lines,
  });
  const distance = Number(fieldOf(item, 'distance') ?? '1');
  const tunnel = way.isTunnel && !isBlackhole ? { tunnel: way } : {};
  return { rule, prefix, distance, ...tunnel, via, family, table, way };
}

/** "192.0.2.1", "gre1", "192.0.2.1%ether1": a tunnel by its name, or by a gateway that lies in its network. */
function wayOf(gateways: readonly string[], { tunnels, networks }: RouterosInterfaces): Way {
  const hops = gateways.flatMap((text) => setOf(text.split(/[%@]/)[0]) ?? []);
  const found = gateways.flatMap((text) => {
    const [address, name] = text.split(/[%@]/);
    const set = setOf(address);
    const direct = tunnels.get(name ?? address) ?? tunnels.get(address);
    if (direct || !set) return direct ?? [];
    return [...tunnels.values()]
      .filter(({ name: tunnel }) => isWithin(set, networks.get(tunnel)))
      .slice(0, 1);
  });
  const usable = found.filter((tunnel) => !tunnel.isDisabled);
  if (usable.length === 0)
    return {
      translation: {
        kind: 'policy-route',
        ...(hops.length > 0 ? { addresses: unionAddresses(...hops) } : {}),
      },
      isTunnel: false,
      unresolved: [],
    };
  const isKnown = usable.every(({ far }) => far);
  const choice = usable.length < gateways.length ? [`the device chooses among ${gateways.join(' ')}`] : [];
  const unknown = usable.filter(({ far }) => !far).map(({ farText }) => unknownEnd(farText));
  const far = isKnown ? { addresses: unionAddresses(...usable.flatMap((tunnel) => tunnel.far ?? [])) } : {};
  return { translation: { kind: 'tunnel', ...far }, isTunnel: true, unresolved: [...choice, ...unknown] };
}

const isWithin = (set: AddressSet, network: AddressSet | undefined): boolean =>
  network !== undefined &&
  [...set.v4].every((value) => value >= (network.v4[0] ?? 1) && value <= (network.v4.at(-1) ?? 0)) &&
  [...set.v6].every((value) => value >= (network.v6[0] ?? 1n) && value <= (network.v6.at(-1) ?? 0n));

/** Routes of a table other than the main one, longest prefix first; packets that none of them fits take the main table. */
export function tableOf(routes: readonly RouterosRoute[], family: Family, table: string): RouterosRoute[] {
  return routes
    .filter((route) => route.family === family && route.table === table && route.rule.rule.enabled)
    .map((route) => ({ route, size: countAddresses(route.prefix) }))
    .sort((a, b) => a.size - b.size || a.route.distance - b.route.distance)
    .map(({ route }) => route);
}

/** What the main table takes into tunnels. */
export function mainTable(
  routes: readonly RouterosRoute[],
  interfaces: RouterosInterfaces,
  assembly: Assembly,
): void {
  const policy = redirect(assembly, 'tunnels');
  const connected = unionAddresses(...interfaces.networks.values());
  for (const family of ['ip', 'ip6'] as const)
    tunnelEntries(
      routes.filter((route) => route.family === family && route.table === MAIN),
      connected,
      policy,
    );
}

const redirect = (assembly: Assembly, id: string): PolicyBuilder =>
  assembly.policy({
    id,
    stage: 'redirect',
    evaluation: 'first-match',
    appliesTo: { ingress: ANY_NAME, egress: ANY_NAME },
    otherwise: 'none',
  });

/** `/ip route rule` (v6) and `/routing rule` (v7): which table packets are looked up in. */
export function routingRules(
  config: RouterosConfig,
  routes: readonly RouterosRoute[],
  names: InterfaceNames,
  assembly: Assembly,
): void {
  const policy = redirect(assembly, 'routing rules');
  for (const item of [...config.items('ip route rule'), ...config.items('routing rule')]) {
    const [source, destination] = [
      setOf(fieldOf(item, 'src-address') ?? 'any'),
      setOf(fieldOf(item, 'dst-address') ?? 'any'),
    ];
    if (!source || !destination) {
      assembly.notUnderstood(...item.lines);
      continue;
    }
    const inside = fieldOf(item, 'interface');
    const ingress = inside === undefined ? ANY_NAME : names.one(inside).value;
    const family: Family = source.v4.length > 0 && destination.v4.length > 0 ? 'ip' : 'ip6';
    const mark = fieldOf(item, 'routing-mark');
    const unresolved = mark === undefined ? [] : [`routing-mark=${mark}`];
    const box: Traffic = oneFamily({ ...ANY_TRAFFIC, ingress, sources: source, destinations: destination });
    const [action, table] = [fieldOf(item, 'action') ?? 'lookup', fieldOf(item, 'table') ?? MAIN];
    const rows = table === MAIN ? [] : tableOf(routes, family, table);
    const comment = fieldOf(item, 'comment');
    const isDrop = action === 'drop' || action === 'unreachable';
    const rule = assembly.rule({
      key: ruleKey('routeros routing rule', ...writtenFields(item)),
      kind: 'policy-route',
      list: 'routing rule',
      enabled: !isDisabled(item),
      context: { list: 'routing rule' },
      matches: [box],
      unresolved,
      ...(rows[0] && !isDrop ? { translation: rows[0].way.translation } : {}),
      action: isDrop ? action : `${action} ${table}`,
      ...(comment === undefined ? {} : { comment }),
      lines: item.lines,
    });
    if (isDrop) policy.entry(rule, 'drop');
    else if (table === MAIN) policy.entry(rule, 'exempt');
    for (const { prefix, way } of isDrop ? [] : rows)
      policy.entry(rule, 'translate', {
        matches: rule.matches.flatMap((match) => withinOf(match, prefix)),
        unresolved: [...unresolved, ...way.unresolved],
        translation: way.translation,
      });
  }
}

/** The part of a box that goes to these addresses. */
export function withinOf(match: Traffic, prefix: AddressSet): Traffic[] {
  const destinations = intersectAddresses(match.destinations, prefix);
  return noAddresses(destinations) ? [] : [{ ...match, destinations }];
}

/** The fields of an item as written, for a key: what people write beside it and whether it is on are no part of it. */
export const writtenFields = (item: RouterosItem): string[] =>
  [...item.fields]
    .filter(([name]) => !/^(?:comment|disabled|log|log-prefix|place-before|\(menu\))$/.test(name))
    .map(([name, value]) => `${name}=${value}`)
    .sort();

/** IPsec policies in tunnel mode take what they select to their peer. */
export function ipsecPolicies(config: RouterosConfig, assembly: Assembly): void {
  const peers = new Map(
    config.items('ip ipsec peer').map((item) => [fieldOf(item, 'name') ?? '', item] as const),
  );
  const policy = redirect(assembly, 'ipsec');
  for (const item of config.items('ip ipsec policy')) {
    if (isYes(item, 'template') || !isYes(item, 'tunnel')) continue;
    const [source, destination] = [
      setOf(fieldOf(item, 'src-address') ?? 'any'),
      setOf(fieldOf(item, 'dst-address') ?? 'any'),
    ];
    if (!source || !destination) {
      assembly.notUnderstood(...item.lines);
      continue;
    }
    const peer = peers.get(fieldOf(item, 'peer') ?? '');
    const farText = fieldOf(item, 'sa-dst-address') ?? (peer && fieldOf(peer, 'address')) ?? '';
    const far = setOf(farText.replace(/\/(?:32|128)$/, ''));
    const comment = fieldOf(item, 'comment');
    const translation: Translation = { kind: 'tunnel', ...(far ? { addresses: far } : {}) };
    const rule = assembly.rule({
      key: ruleKey('routeros ipsec', ...writtenFields(item)),
      kind: 'tunnel',
      list: 'ipsec policy',
      enabled: !isDisabled(item),
      context: { list: 'ipsec policy' },
      matches: [{ ...ANY_TRAFFIC, sources: source, destinations: destination }],
      unresolved: far ? [] : [unknownEnd(farText)],
      translation,
      action: 'ipsec tunnel',
      ...(comment === undefined ? {} : { comment }),
      lines: [...item.lines, ...(peer?.lines ?? [])],
    });
    policy.entry(rule, 'translate', { translation });
  }
}
