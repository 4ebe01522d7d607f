// policy-based forwarding, tunnels, static routes, mirrored decryption, DNS proxies of PAN-OS -> rules and redirects
import { type AddressSet, ANY_ADDRESS } from '../../src/model/addresses.ts';
import type { Translation } from '../../src/model/rule.ts';
import { ANY_NAME, ANY_TRAFFIC, type NameSet, names } from '../../src/model/traffic.ts';
import type { PolicyBuilder } from './assemble.ts';
import { has, isYes, last } from './panos-config.ts';
import { conditionsOf, enter, matchOf, servicesIn, zoneNames } from './panos-match.ts';
import {
  type Lookup,
  learnsRoutes,
  routersOf,
  type StaticRoute,
  staticRoutesOf,
  type Tunnel,
} from './panos-network.ts';
import {
  makeRule,
  once,
  QUIET_WORDS,
  type Reader,
  reportUnknown,
  rulesOf,
  type WrittenRule,
} from './panos-reader.ts';
import type { Scope } from './panos-scope.ts';
import { at, linesUnder, list, type WordTree, words } from './tree.ts';

const redirectPolicy = (id: string, ingress: NameSet, { assembly }: Reader): PolicyBuilder =>
  assembly.policy({
    id,
    stage: 'redirect',
    evaluation: 'first-match',
    appliesTo: { ingress, egress: ANY_NAME },
    otherwise: 'none',
  });

const KNOWN_FORWARDING = new Set(
  (
    `${QUIET_WORDS} from source source-user destination negate-source negate-destination application service schedule ` +
    'action enforce-symmetric-return active-active-device-binding'
  ).split(' '),
);

/** Forwarding rules decide the egress themselves: a rule meets packets that leave by the interface it names. */
export function readForwarding(
  scope: Scope,
  reader: Reader,
  tunnels: readonly Tunnel[],
  lookup: Lookup,
): void {
  const rules = rulesOf(scope, 'pbf');
  if (rules.length === 0) return;
  const policy = redirectPolicy(`pbf ${scope.id}`, scope.ingress, reader);
  for (const rule of rules) {
    const { node, owner } = rule;
    const forward = at(node, 'action', 'forward');
    const through = last(forward, 'egress-interface');
    const egress = through === undefined ? ANY_NAME : names(through);
    const matchIn = (where: Scope) =>
      matchOf(where, node, {
        ways: [{ ingress: ingressOf(node, where), egress }],
        services: servicesIn(where, node, false),
        conditions: conditionsOf(node),
      });
    const translation = forward && forwarded(forward, through, tunnels, lookup);
    const kind = last(node, 'action') ?? 'forward';
    const made = once(reader, node, () => {
      reportUnknown(reader, node, KNOWN_FORWARDING);
      return makeRule(rule, reader, {
        kind: 'policy-route',
        match: matchIn(owner),
        action: forward
          ? `forward to ${hopOf(forward) ?? 'the connected network'} by ${through ?? 'any interface'}`
          : kind,
        ...(translation ? { translation } : {}),
      });
    });
    if (!rule.enabled) continue;
    const action = forward
      ? 'translate'
      : kind === 'discard'
        ? 'drop'
        : kind === 'no-pbf'
          ? 'exempt'
          : undefined;
    if (action) enter(policy, made, action, matchIn(scope), translation ? { translation } : {});
  }
}

function ingressOf(node: WordTree, scope: Scope): NameSet {
  const interfaces = words(node, 'from', 'interface');
  return interfaces.length > 0 ? names(...interfaces) : zoneNames(scope, words(node, 'from', 'zone'));
}

const hopOf = (forward: WordTree): string | undefined => {
  const hop = at(forward, 'nexthop');
  return last(hop, 'ip-address') ?? last(hop, 'fqdn') ?? last(hop, 'ipv6-address');
};

function forwarded(
  forward: WordTree,
  through: string | undefined,
  tunnels: readonly Tunnel[],
  lookup: Lookup,
): Translation {
  const tunnel = tunnels.find((one) => one.through === through && one.enabled);
  if (tunnel) return { kind: 'tunnel', ...known(tunnel.farEnd) };
  return { kind: 'policy-route', ...known(lookup(hopOf(forward) ?? '')) };
}

const known = (addresses: AddressSet | undefined) => (addresses ? { addresses } : {});

/** Whose network section it is: "" for the device itself; a template's interfaces go by the names of those that get it. */
export interface Place {
  readonly prefix: string;
  readonly namesOf: (name: string) => readonly string[];
}

/**
 * Tunnels and the static routes into them. Where the device learns routes, or its routers are not in the text, everything
 * that leaves by the tunnel's interface counts.
 */
export function readTunnels(
  network: WordTree | undefined,
  tunnels: readonly Tunnel[],
  place: Place,
  reader: Reader,
  lookup: Lookup,
): void {
  const routes = staticRoutesOf(network, lookup);
  const policy = redirectPolicy(`routes${place.prefix && ` ${place.prefix.slice(0, -1)}`}`, ANY_NAME, reader);
  const byInterface = Map.groupBy(tunnels, ({ through }) => through);
  for (const route of routes) {
    const into = byInterface.get(route.through ?? '')?.find((tunnel) => tunnel.enabled);
    readRoute(route, into, place, reader, policy);
  }
  const takesAll = learnsRoutes(network) || routersOf(network).length === 0;
  for (const tunnel of tunnels) readTunnel(tunnel, takesAll, place, reader, policy);
}

const KNOWN_ROUTE = new Set(
  'interface destination nexthop metric admin-dist route-table bfd path-monitor option'.split(' '),
);

function readRoute(
  route: StaticRoute,
  into: Tunnel | undefined,
  { prefix, namesOf }: Place,
  reader: Reader,
  policy: PolicyBuilder,
): void {
  const { node, router, name, destination, through, nextHop } = route;
  reportUnknown(reader, node, KNOWN_ROUTE);
  const listName = `${prefix}routes ${router}`;
  const hop = [nextHop && `via ${nextHop}`, through && `by ${through}`].filter(Boolean).join(' ');
  const translation: Translation | undefined = into && { kind: 'tunnel', ...known(into.farEnd) };
  const made = reader.assembly.rule({
    key: `${listName} ${name}`,
    kind: 'route',
    list: listName,
    context: { vrf: router },
    matches: [
      {
        ...ANY_TRAFFIC,
        destinations: destination ?? ANY_ADDRESS,
        ...(through === undefined ? {} : { egress: names(...namesOf(through)) }),
      },
    ],
    unresolved: destination ? [] : [`destination ${last(node, 'destination') ?? ''} is not known`],
    action: `route ${hop}`,
    ...(translation ? { translation } : {}),
    lines: linesUnder(node),
  });
  if (translation) policy.entry(made, 'translate', { translation });
}

function readTunnel(
  tunnel: Tunnel,
  takesAll: boolean,
  { prefix, namesOf }: Place,
  { assembly }: Reader,
  policy: PolicyBuilder,
): void {
  const translation: Translation = { kind: 'tunnel', ...known(tunnel.farEnd) };
  const made = assembly.rule({
    key: `${prefix}${tunnel.kind} ${tunnel.name}`,
    kind: 'tunnel',
    list: `${prefix}tunnels`,
    enabled: tunnel.enabled,
    context: tunnel.through ? { interfaces: namesOf(tunnel.through) } : {},
    matches: [{ ...ANY_TRAFFIC, ...(tunnel.through ? { egress: names(...namesOf(tunnel.through)) } : {}) }],
    unresolved: tunnel.farEnd ? [] : [`far end ${tunnel.farEndText.slice(0, 200)}`],
    translation,
    action: `${tunnel.kind} to ${tunnel.farEndText.slice(0, 200)}`,
    ...(tunnel.description === undefined ? {} : { comment: tunnel.description.slice(0, 1_024) }),
    lines: tunnel.lines,
  });
  // Without an interface nothing can be routed into it.
  if (takesAll && tunnel.through) policy.entry(made, 'translate', { translation, unresolved: [] });
}

const KNOWN_DECRYPTION = new Set(
  (
    `${QUIET_WORDS} from to source destination source-user category service type action profile negate-source ` +
    'negate-destination log-fail log-success source-hip destination-hip packet-broker-profile'
  ).split(' '),
);

/** `decryption-mirroring` of a profile: what the device decrypts leaves in the clear by another interface. */
export function readMirrors(scope: Scope, layers: readonly (WordTree | undefined)[], reader: Reader): void {
  const rules = rulesOf(scope, 'decryption').flatMap((rule) => {
    reportUnknown(reader, rule.node, KNOWN_DECRYPTION);
    const name = last(rule.node, 'profile');
    const profiles = layers.flatMap((layer) => at(layer, 'profiles', 'decryption', name ?? '') ?? []);
    const mirror = profiles[0] && (at(profiles[0], 'interface') ?? at(profiles[0], 'decrypt-mirror'));
    return mirror && isDecrypting(rule.node) ? [{ rule, mirror }] : [];
  });
  if (rules.length === 0) return;
  const policy = redirectPolicy(`mirror ${scope.id}`, scope.ingress, reader);
  for (const { rule, mirror } of rules) readMirror(rule, mirror, scope, reader, policy);
}

const isDecrypting = (node: WordTree): boolean => (last(node, 'action') ?? '').startsWith('decrypt');

function readMirror(
  rule: WrittenRule,
  mirror: WordTree,
  scope: Scope,
  reader: Reader,
  policy: PolicyBuilder,
): void {
  const { node, owner } = rule;
  const to = [...mirror.children.keys()].at(-1) ?? '';
  const matchIn = (where: Scope) =>
    matchOf(where, node, {
      ways: [{ ingress: zoneNames(where, words(node, 'from')), egress: zoneNames(where, words(node, 'to')) }],
      services: servicesIn(where, node, true),
      conditions: conditionsOf(node),
    });
  const translation: Translation = { kind: 'mirror' };
  const made = once(reader, node, () =>
    makeRule(rule, reader, {
      kind: 'mirror',
      match: matchIn(owner),
      action: `mirror decrypted to ${to}`,
      translation,
    }),
  );
  if (rule.enabled) enter(policy, made, 'translate', matchIn(scope), { translation });
}

/** A DNS proxy asks its own servers for whoever asks it. */
export function readProxies(
  network: WordTree | undefined,
  { prefix, namesOf }: Place,
  { assembly }: Reader,
  lookup: Lookup,
): void {
  for (const node of list(network, 'dns-proxy')) {
    const servers = ['primary', 'secondary'].flatMap((which) => last(node, 'default', which) ?? []);
    const [first] = servers.flatMap((text) => lookup(text) ?? []);
    const interfaces = words(node, 'interface').flatMap(namesOf);
    assembly.rule({
      key: `${prefix}dns-proxy ${node.word}`,
      kind: 'proxy',
      list: `${prefix}dns-proxy`,
      enabled: !has(node, 'enabled') || isYes(node, 'enabled'),
      context: { interfaces },
      matches: [{ ...ANY_TRAFFIC, ingress: names(...interfaces) }],
      translation: { kind: 'proxy', ...known(first) },
      action: `dns proxy to ${servers.join(', ') || 'inherited servers'}`,
      lines: linesUnder(node),
    });
  }
}
