// analyzers of Junos (port mirroring without a filter) and DNS proxies -> mirror and proxy rules
import type { Translation } from '../../src/model/rule.ts';
import { ANY_NAME, ANY_TRAFFIC, names } from '../../src/model/traffic.ts';
import { setOf } from './cisco-address.ts';
import { reportUnknown, type Scope, unitName } from './junos-scope.ts';
import { redirectPolicy } from './junos-tunnels.ts';
import { at, linesUnder, list, type WordTree, word, words } from './tree.ts';

const KNOWN = new Set('input output ratio loss-priority'.split(' '));

/** `forwarding-options analyzer N`, and `ethernet-switching-options analyzer N` of older EX. */
export function readMirrors(scope: Scope): void {
  for (const section of ['forwarding-options', 'ethernet-switching-options'])
    for (const node of list(scope.tree, section, 'analyzer')) readAnalyzer(scope, node);
}

function readAnalyzer(scope: Scope, node: WordTree): void {
  reportUnknown(scope.assembly, node, KNOWN);
  const output = at(node, 'output');
  const far = word(output, 'ip-address') ?? word(output, 'next-hop');
  const addresses = far === undefined ? undefined : setOf(far.split('/')[0]);
  const translation: Translation = { kind: 'mirror', ...(addresses ? { addresses } : {}) };
  const at1 = (way: string) =>
    words(node, 'input', way, 'interface').map((name) => (name === 'all' ? name : unitName(name)));
  const vlans = ['ingress', 'egress'].flatMap((way) => words(node, 'input', way, 'vlan'));
  const side = (interfaces: readonly string[]) =>
    interfaces.includes('all') ? ANY_NAME : names(...interfaces);
  const [into, out] = [at1('ingress'), at1('egress')];
  const matches = [
    ...(into.length > 0 ? [{ ...ANY_TRAFFIC, ingress: side(into) }] : []),
    ...(out.length > 0 ? [{ ...ANY_TRAFFIC, egress: side(out) }] : []),
    ...(vlans.length > 0 ? [ANY_TRAFFIC] : []),
  ];
  const to = [...(output?.children.values() ?? [])].map((one) =>
    [one.word, ...[...one.children.keys()].slice(0, 1)].join(' '),
  );
  const made = scope.assembly.rule({
    key: `${scope.prefix}analyzer ${node.word}`,
    kind: 'mirror',
    list: `${scope.prefix}analyzers`,
    enabled: !node.inactive,
    context: into.length + out.length > 0 ? { interfaces: [...into, ...out] } : {},
    matches,
    unresolved: vlans.length > 0 ? [`VLAN ${vlans.slice(0, 10).join(', ')}`] : [],
    translation,
    action: `mirror to ${to.join(', ') || 'nothing'}`,
    lines: linesUnder(node),
  });
  if (to.length > 0)
    redirectPolicy(scope, `analyzer ${node.word}`, scope.ingress).entry(made, 'translate', { translation });
}

/** A DNS proxy asks its forwarders for whoever asks it. */
export function readProxies(scope: Scope): void {
  const node = at(scope.tree, 'system', 'services', 'dns', 'dns-proxy');
  if (!node) return;
  const servers = list(node, 'default-domain').flatMap((domain) => words(domain, 'forwarders'));
  const interfaces = words(node, 'interface').map(unitName);
  const addresses = servers.length > 0 ? setOf(...servers) : undefined;
  scope.assembly.rule({
    key: `${scope.prefix}dns-proxy`,
    kind: 'proxy',
    list: `${scope.prefix}proxies`,
    enabled: !node.inactive,
    context: { interfaces },
    matches: [{ ...ANY_TRAFFIC, ...(interfaces.length > 0 ? { ingress: names(...interfaces) } : {}) }],
    translation: { kind: 'proxy', ...(addresses ? { addresses } : {}) },
    action: `dns proxy to ${servers.join(', ') || 'the servers of the system'}`,
    lines: linesUnder(node),
  });
}
