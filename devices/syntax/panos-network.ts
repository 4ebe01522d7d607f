// network section of PAN-OS -> interfaces, what they are called, tunnels with their far ends, static routes
import { type AddressSet, NO_ADDRESSES, unionAddresses } from '../../src/model/addresses.ts';
import type { DeviceInterface, SourceLine } from '../../src/model/rule.ts';
import type { NameTable } from './objects.ts';
import { literal } from './panos-address.ts';
import { has, isYes, last } from './panos-config.ts';
import { at, linesUnder, list, type WordTree, words } from './tree.ts';

/** An address or the name of an object that holds one. */
export type Lookup = (text: string) => AddressSet | undefined;

export function lookupIn(table: NameTable<AddressSet> | undefined): Lookup {
  return (text) => {
    const found = literal(text);
    if (found) return found;
    const named = table?.resolve(text);
    return named && named.unresolved.length === 0 ? named.value : undefined;
  };
}

/** Without its prefix length: an interface's own address is one. */
const hostOf = (text: string, lookup: Lookup): AddressSet => lookup(text.split('/')[0]) ?? NO_ADDRESSES;

export function interfacesOf(network: WordTree | undefined, lookup: Lookup): DeviceInterface[] {
  const found: DeviceInterface[] = [];
  const add = (node: WordTree, name: string) => {
    const layer = at(node, 'layer3') ?? node;
    const texts = [...words(layer, 'ip'), ...words(layer, 'ipv6', 'address')];
    const description = last(node, 'comment');
    found.push({
      name,
      addresses: unionAddresses(...texts.slice(0, 1_000).map((text) => hostOf(text, lookup))),
      ...(description === undefined ? {} : { description: description.slice(0, 1_024) }),
    });
    for (const kind of [layer, at(node, 'layer2'), at(node, 'virtual-wire')])
      for (const unit of list(kind, 'units')) add(unit, unit.word);
  };
  for (const family of list(network, 'interface')) {
    const isOne = has(family, 'units') || has(family, 'ip');
    if (isOne) add(family, family.word);
    else for (const node of list(network, 'interface', family.word)) add(node, node.word);
  }
  return found;
}

export interface Tunnel {
  readonly name: string;
  readonly kind: 'ipsec' | 'gre';
  /** "tunnel.1". */
  readonly through: string;
  readonly enabled: boolean;
  /** Undefined where only the device or DNS knows it. */
  readonly farEnd: AddressSet | undefined;
  readonly farEndText: string;
  readonly description: string | undefined;
  readonly lines: readonly SourceLine[];
}

export function tunnelsOf(network: WordTree | undefined, lookup: Lookup): Tunnel[] {
  const ipsec = list(network, 'tunnel', 'ipsec').map((node): Tunnel => {
    const gateways = words(node, 'auto-key', 'ike-gateway')
      .map((name) => at(network, 'ike', 'gateway', name))
      .filter((gateway) => gateway !== undefined);
    const manual = words(node, 'manual-key', 'peer-address', 'ip');
    const peers = [...manual, ...gateways.flatMap((gateway) => words(gateway, 'peer-address', 'ip'))];
    const named = gateways.flatMap((gateway) => words(gateway, 'peer-address', 'fqdn'));
    const isDynamic = gateways.some((gateway) => has(gateway, 'peer-address', 'dynamic'));
    const isOff = gateways.length > 0 && gateways.every((gateway) => isYes(gateway, 'disabled'));
    return tunnel(node, 'ipsec', lookup, {
      peers,
      isWhole: named.length === 0 && !isDynamic,
      text: [...peers, ...named, ...(isDynamic ? ['dynamic'] : [])].join(', '),
      isOff,
      lines: gateways.flatMap((gateway) => linesUnder(gateway)),
    });
  });
  const gre = list(network, 'tunnel', 'gre').map((node): Tunnel => {
    const peers = words(node, 'peer-address', 'ip');
    return tunnel(node, 'gre', lookup, {
      peers,
      isWhole: true,
      text: peers.join(', '),
      isOff: false,
      lines: [],
    });
  });
  return [...ipsec, ...gre];
}

interface Far {
  readonly peers: readonly string[];
  readonly isWhole: boolean;
  readonly text: string;
  readonly isOff: boolean;
  readonly lines: readonly SourceLine[];
}

function tunnel(node: WordTree, kind: Tunnel['kind'], lookup: Lookup, far: Far): Tunnel {
  const sets = far.peers.map(lookup);
  const isKnown = far.isWhole && sets.length > 0 && sets.every((set) => set !== undefined);
  return {
    name: node.word,
    kind,
    through: last(node, 'tunnel-interface') ?? '',
    enabled: !isYes(node, 'disabled') && !far.isOff,
    farEnd: isKnown ? unionAddresses(...(sets as AddressSet[])) : undefined,
    farEndText: far.text || 'unknown',
    description: last(node, 'comment'),
    lines: [...linesUnder(node), ...far.lines],
  };
}

export interface StaticRoute {
  readonly router: string;
  readonly name: string;
  readonly destination: AddressSet | undefined;
  readonly through: string | undefined;
  /** As written: "203.0.113.1", "discard", "next-vr vr2". */
  readonly nextHop: string;
  readonly node: WordTree;
}

/** `virtual-router X routing-table`, or `logical-router X vrf Y routing-table` of the advanced routing engine. */
export function routersOf(
  network: WordTree | undefined,
): { readonly name: string; readonly node: WordTree }[] {
  return [
    ...list(network, 'virtual-router').map((node) => ({ name: node.word, node })),
    ...list(network, 'logical-router').flatMap((router) =>
      list(router, 'vrf').map((node) => ({ name: `${router.word} ${node.word}`, node })),
    ),
  ];
}

export function staticRoutesOf(network: WordTree | undefined, lookup: Lookup): StaticRoute[] {
  return routersOf(network).flatMap(({ name, node }) =>
    ['ip', 'ipv6'].flatMap((family) =>
      list(node, 'routing-table', family, 'static-route').map((route): StaticRoute => {
        const destination = last(route, 'destination');
        const kind = last(route, 'nexthop');
        const hop = kind === undefined ? undefined : last(route, 'nexthop', kind);
        return {
          router: name,
          name: route.word,
          destination: destination === undefined ? undefined : lookup(destination),
          through: last(route, 'interface'),
          nextHop:
            kind === 'ip-address' || kind === 'ipv6-address'
              ? (hop ?? '')
              : [kind, hop].filter(Boolean).join(' '),
          node: route,
        };
      }),
    ),
  );
}

/** Routing protocols bring routes that the text does not show. */
export function learnsRoutes(network: WordTree | undefined): boolean {
  return routersOf(network).some(({ node }) =>
    ['bgp', 'ospf', 'ospfv3', 'rip', 'eigrp'].some(
      (protocol) => isYes(node, 'protocol', protocol, 'enable') || isYes(node, protocol, 'enable'),
    ),
  );
}
