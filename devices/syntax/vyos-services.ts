// mirrors, proxies and IPsec tunnels of VyOS and EdgeOS -> rules and what they take aside
import * as addresses from '../../src/model/addresses.ts';
import type { PolicyEntry, Rule, Translation } from '../../src/model/rule.ts';
import { service } from '../../src/model/services.ts';
import { ANY_NAME, ANY_TRAFFIC, names, type Traffic } from '../../src/model/traffic.ts';
import type { PolicyBuilder } from './assemble.ts';
import { familyTraffic } from './netfilter.ts';
import { at, list, type WordTree, word, words } from './tree.ts';
import type { Vyos } from './vyos-config.ts';
import { addressOrUndefined } from './vyos-groups.ts';
import { type Face, ownAddresses, peerAddress } from './vyos-interfaces.ts';
import { has, linesOf } from './vyos-text.ts';

/** `interfaces .. mirror ingress|egress I`: a copy to I; it leaves the device's reach only where I is a tunnel. */
export function buildMirrors(vyos: Vyos): void {
  for (const face of vyos.faces) {
    const mirror = at(face.node, 'mirror');
    for (const way of mirror?.children.values() ?? [])
      for (const target of way.children.values()) mirrorRule(face, way, target, vyos);
    // A redirect to an input device is how shaping takes incoming packets.
    const redirect = at(face.node, 'redirect');
    if (redirect && ![...redirect.children.keys()].every((name) => name.startsWith('ifb')))
      vyos.notUnderstood(redirect);
  }
}

function mirrorRule(face: Face, way: WordTree, target: WordTree, vyos: Vyos): void {
  if (way.word !== 'ingress' && way.word !== 'egress') {
    vyos.notUnderstood(way);
    return;
  }
  const tunnel = vyos.byName.get(target.word)?.tunnel;
  const far = tunnel?.ends.flatMap((end) => end.far ?? []) ?? [];
  const translation: Translation = {
    kind: 'mirror',
    ...(far.length > 0 ? { addresses: addresses.unionAddresses(...far) } : {}),
  };
  const unresolved = tunnel && far.length === 0 ? ['far end of the tunnel is not in the configuration'] : [];
  const made = vyos.assembly.rule({
    key: `mirror:${face.name} ${way.word} ${target.word}`,
    kind: 'mirror',
    list: 'mirrors',
    enabled: face.enabled,
    context: { interfaces: [face.name], direction: way.word === 'ingress' ? 'in' : 'out' },
    matches: [ANY_TRAFFIC],
    unresolved,
    translation,
    action: `mirror to ${target.word}`,
    lines: linesOf(target),
  });
  if (!tunnel) return;
  const bound = names(face.name);
  const policy = vyos.assembly.policy({
    id: made.rule.key,
    stage: 'redirect',
    evaluation: 'first-match',
    appliesTo:
      way.word === 'ingress' ? { ingress: bound, egress: ANY_NAME } : { ingress: ANY_NAME, egress: bound },
    otherwise: 'none',
  });
  policy.entry(made, 'translate', { translation });
}

/** `service webproxy`, `load-balancing haproxy` (or reverse-proxy): connections that end here and go on from here. */
export function buildProxies(vyos: Vyos): void {
  const policy = vyos.assembly.policy({
    id: 'proxies',
    stage: 'redirect',
    evaluation: 'first-match',
    appliesTo: { ingress: ANY_NAME, egress: ANY_NAME },
    otherwise: 'none',
  });
  webProxies(policy, vyos);
  for (const section of ['haproxy', 'reverse-proxy']) {
    const node = at(vyos.tree, 'load-balancing', section);
    for (const front of list(node, 'service')) haproxyRule(front, node!, policy, vyos);
  }
  for (const node of list(vyos.tree, 'load-balancing'))
    if (!['wan', 'haproxy', 'reverse-proxy'].includes(node.word)) vyos.notUnderstood(node);
}

const tcpPort = (port: number) => service(6, [[port, port]]);

/** Squid listens on 3128 and takes all HTTP of the networks at its addresses, unless `disable-transparent` is set. */
function webProxies(policy: PolicyBuilder, vyos: Vyos): void {
  const section = at(vyos.tree, 'service', 'webproxy');
  if (!section || has(section, 'disable')) return;
  const usual = Number(word(section, 'default-port') ?? 3128);
  for (const node of list(section, 'listen-address')) {
    const address = addressOrUndefined(node.word);
    if (!address) {
      vyos.notUnderstood(node);
      continue;
    }
    const port = Number(word(node, 'port') ?? usual) || usual;
    const face = vyos.faces.find(
      (one) => !addresses.noAddresses(addresses.intersectAddresses(one.addresses, address)),
    );
    const matches: Traffic[] = [{ ...ANY_TRAFFIC, destinations: address, services: tcpPort(port) }];
    if (!has(node, 'disable-transparent') && !has(section, 'disable-transparent') && face)
      matches.push({ ...familyTraffic('ip'), ingress: names(face.name), services: tcpPort(80) });
    proxyRule(`webproxy:${node.word}`, node, matches, { kind: 'proxy' }, 'web proxy', [], policy, vyos);
  }
}

function proxyRule(
  key: string,
  node: WordTree,
  matches: readonly Traffic[],
  translation: Translation,
  action: string,
  unresolved: readonly string[],
  policy: PolicyBuilder,
  vyos: Vyos,
  lines: Rule['lines'] = [],
): void {
  const comment = word(node, 'description');
  const made = vyos.assembly.rule({
    key,
    kind: 'proxy',
    list: 'proxies',
    enabled: !has(node, 'disable'),
    matches,
    unresolved,
    translation,
    action,
    ...(comment === undefined ? {} : { comment }),
    lines: [...linesOf(node), ...lines],
  });
  policy.entry(made, 'translate', { translation });
}

function haproxyRule(front: WordTree, section: WordTree, policy: PolicyBuilder, vyos: Vyos): void {
  const ports = words(front, 'port').map(Number);
  const listen = words(front, 'listen-address').flatMap((text) => addressOrUndefined(text) ?? []);
  const own = ownAddresses(vyos.faces);
  const destinations = listen.length > 0 ? addresses.unionAddresses(...listen) : own;
  const isKnown = !addresses.noAddresses(destinations);
  const backends = [
    ...words(front, 'backend'),
    ...list(front, 'rule').flatMap((rule) => words(rule, 'set', 'backend')),
  ];
  const nodes = [...new Set(backends)].flatMap((name) => at(section, 'backend', name) ?? []);
  const servers = nodes
    .flatMap((backend) => list(backend, 'server'))
    .filter((server) => !has(server, 'disable'));
  const far = servers.flatMap((server) => addressOrUndefined(word(server, 'address') ?? '') ?? []);
  const serverPorts = servers.flatMap((server) => Number(word(server, 'port') ?? 0) || []);
  const translation: Translation = {
    kind: 'proxy',
    ...(far.length > 0 ? { addresses: addresses.unionAddresses(...far) } : {}),
    ...(serverPorts.length > 0 ? { ports: [Math.min(...serverPorts), Math.max(...serverPorts)] } : {}),
  };
  const unresolved = [
    ...(isKnown ? [] : ["the device's own addresses"]),
    ...(far.length < servers.length ? ['servers by name'] : []),
  ];
  const services = service(
    6,
    ports.filter((port) => port > 0 && port <= 65_535).map((port) => [port, port] as const),
  );
  const match: Traffic = {
    ...ANY_TRAFFIC,
    services,
    ...(isKnown ? { destinations } : {}),
  };
  const action = `proxy to ${[...new Set(backends)].join(', ') || 'nothing'}`;
  const lines = nodes.flatMap((node) => linesOf(node));
  proxyRule(`haproxy:${front.word}`, front, [match], translation, action, unresolved, policy, vyos, lines);
}

/** `vpn ipsec site-to-site peer P tunnel N { local prefix, remote prefix }`: policy-based tunnels. */
export function buildIpsec(vyos: Vyos): void {
  const policy = vyos.assembly.policy({
    id: 'ipsec',
    stage: 'redirect',
    evaluation: 'first-match',
    appliesTo: { ingress: ANY_NAME, egress: ANY_NAME },
    otherwise: 'none',
  });
  for (const peer of list(vyos.tree, 'vpn', 'ipsec', 'site-to-site', 'peer'))
    for (const tunnel of list(peer, 'tunnel')) ipsecRule(peer, tunnel, policy, vyos);
}

function ipsecRule(peer: WordTree, tunnel: WordTree, policy: PolicyBuilder, vyos: Vyos): void {
  const sides = (['local', 'remote'] as const).map((side) =>
    [...words(tunnel, side, 'prefix'), ...words(tunnel, side, 'subnet')].flatMap(
      (text) => addressOrUndefined(text) ?? [],
    ),
  );
  const [local, remote] = sides.map((sets) =>
    sets.length > 0 ? addresses.unionAddresses(...sets) : addresses.ANY_ADDRESS,
  );
  const { far } = peerAddress(peer);
  const translation: Translation = { kind: 'tunnel', ...(far ? { addresses: far } : {}) };
  const comment = word(peer, 'description');
  const made = vyos.assembly.rule({
    key: `ipsec:${peer.word} tunnel ${tunnel.word}`,
    kind: 'tunnel',
    list: `ipsec ${peer.word}`,
    enabled: !has(tunnel, 'disable') && !has(peer, 'disable'),
    matches: [{ ...ANY_TRAFFIC, sources: local, destinations: remote }],
    unresolved: far ? [] : ['far end of the tunnel is not in the configuration'],
    translation,
    action: 'tunnel ipsec',
    ...(comment === undefined ? {} : { comment }),
    lines: linesOf(tunnel),
  });
  const entry: PolicyEntry['action'] = 'translate';
  policy.entry(made, entry, { translation });
}

/** EdgeOS `service upnp2`, `service upnp`: hosts may ask for port forwards, which no configuration shows. */
export function listUpnp({ tree, assembly }: Vyos): void {
  for (const name of ['upnp', 'upnp2']) {
    const node = at(tree, 'service', name);
    if (!node || list(node).length === 0) continue;
    const faces = words(node, 'listen-on');
    assembly.rule({
      key: `service ${name}`,
      kind: 'nat',
      list: 'upnp',
      context: { list: `service ${name}`, ...(faces.length > 0 ? { interfaces: faces } : {}) },
      matches: [],
      unresolved: ['what hosts ask for'],
      action: 'port forwards that hosts ask for',
      lines: linesOf(node),
    });
  }
}
