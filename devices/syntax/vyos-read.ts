// VyOS or EdgeOS configuration, in braces or as set lines -> RuleSet
import type { Policy, RuleSet } from '../../src/model/rule.ts';
import { intersectNames, type NameSet } from '../../src/model/traffic.ts';
import { assemble } from './assemble.ts';
import { newAllowance } from './boxes.ts';
import { nameExpander } from './interfaces.ts';
import { type Chain, netfilterPolicies } from './netfilter.ts';
import { at, linesUnder, list, type WordTree, words } from './tree.ts';
import type { Vyos } from './vyos-config.ts';
import { firewallChains } from './vyos-firewall.ts';
import { readGroups } from './vyos-groups.ts';
import { asDeviceInterface, type Face, readInterfaces } from './vyos-interfaces.ts';
import { edgeNatRules, natBase, natChains } from './vyos-nat.ts';
import { policyRouteChains } from './vyos-policy-routes.ts';
import { portForwards } from './vyos-port-forward.ts';
import { buildRoutes, readRoutes } from './vyos-routes.ts';
import { buildIpsec, buildMirrors, buildProxies, listUpnp } from './vyos-services.ts';
import { readVyosText } from './vyos-text.ts';

/** Lines of one statement that can be unread. */
const MAX_UNREAD = 10_000;

/** Never throws; what it does not understand in sections that bear rules is in `unread`. */
export function readVyos(text: string): RuleSet {
  const { tree, others } = readVyosText(text);
  const assembly = assemble();
  assembly.notUnderstood(...others);
  const faces = readInterfaces(tree);
  const byName = new Map(faces.map((face) => [face.name, face]));
  const expand = nameExpander(interfaceNames(tree, faces), '*');
  const vyos: Vyos = {
    tree,
    assembly,
    faces,
    byName,
    tunnels: faces.filter((face) => face.tunnel),
    groups: readGroups(tree, (name) => byName.get(name)),
    // "eth+" up to VyOS 1.3, "eth*" since then
    expand: (name) => expand(name.replace(/\+$/, '*')),
    allowance: newAllowance(),
    notUnderstood: (node) => assembly.notUnderstood(...linesUnder(node, MAX_UNREAD)),
  };
  const forwards = portForwards(vyos);
  const edge = edgeNatRules(vyos);
  const routes = readRoutes(vyos);
  const chains: Chain[] = [
    ...edgeChains(forwards, edge),
    ...natChains(vyos),
    ...policyRouteChains(routes, vyos),
    ...firewallChains(vyos, forwards.filter),
  ];
  listUpnp(vyos);
  buildMirrors(vyos);
  buildProxies(vyos);
  buildIpsec(vyos);
  buildRoutes(routes, vyos);
  const { policies, unread } = netfilterPolicies(chains);
  assembly.notUnderstood(...unread);
  const result = assembly.result(faces.map(asDeviceInterface));
  return { ...result, policies: [...policies.filter(stops).map(lifted), ...result.policies] };
}

function edgeChains(
  forwards: ReturnType<typeof portForwards>,
  edge: ReturnType<typeof edgeNatRules>,
): Chain[] {
  return (['destination', 'source'] as const).flatMap((way): Chain[] => {
    const rules = [...forwards[way], ...edge[way]];
    return rules.length === 0 ? [] : [{ id: `service nat ${way}`, family: 'ip', base: natBase(way), rules }];
  });
}

/** Whether a filter stops anything at all; other stages always act. */
const stops = ({ stage, otherwise, entries }: Policy): boolean =>
  stage !== 'filter' || otherwise === 'drop' || entries.some(({ action }) => action === 'drop');

/** Interfaces that all entries share are the policy's own, so that other packets pass it by. */
function lifted(policy: Policy): Policy {
  const shared = (end: 'ingress' | 'egress'): NameSet => {
    const [first, ...rest] = policy.entries.map(({ match }) => match[end]);
    const isShared = first && rest.every((set) => sameNames(set, first));
    return isShared ? intersectNames(policy.appliesTo[end], first) : policy.appliesTo[end];
  };
  return { ...policy, appliesTo: { ingress: shared('ingress'), egress: shared('egress') } };
}

const sameNames = (a: NameSet, b: NameSet): boolean =>
  a === b || (a.except === b.except && a.names.join() === b.names.join());

/** Names that wildcards stand for. */
function interfaceNames(tree: WordTree, faces: readonly Face[]): string[] {
  const grouped = list(tree, 'firewall', 'group', 'interface-group').flatMap((group) =>
    words(group, 'interface'),
  );
  const zoned = [at(tree, 'firewall', 'zone'), at(tree, 'zone-policy', 'zone')].flatMap((zones) =>
    list(zones).flatMap((zone) => words(zone, 'interface')),
  );
  return [...faces.map((face) => face.name), ...grouped, ...zoned].filter((name) => !/[*+]$/.test(name));
}
