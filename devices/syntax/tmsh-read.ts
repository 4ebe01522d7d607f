// TMOS configuration (bigip.conf and bigip_base.conf, `tmsh list`) -> RuleSet
import type { RuleSet } from '../../src/model/rule.ts';
import { ANY_NAME } from '../../src/model/traffic.ts';
import { type Assembly, assemble, type PolicyBuilder } from './assemble.ts';
import { readFirewall } from './tmsh-firewall.ts';
import { readNats, readSnats } from './tmsh-nat.ts';
import { interfacesOf, readTunnels } from './tmsh-network.ts';
import { readTmsh } from './tmsh-text.ts';
import { readVirtuals } from './tmsh-virtuals.ts';
import { at, linesUnder, list, type WordTree } from './tree.ts';

/** Ways that no reader here follows, by their path. */
const NOT_UNDERSTOOD: readonly (readonly string[])[] = [
  ['net', 'packet-filter'],
  ['security', 'nat', 'policy'],
  ['security', 'nat', 'source-translation'],
  ['security', 'nat', 'destination-translation'],
  ['ltm', 'lsn-pool'],
  ['net', 'ipsec', 'traffic-selector'],
  ['net', 'port-mirror'],
];

/** Never throws. A packet that no virtual server, SNAT or NAT listens for is dropped. */
export function readTmos(text: string): RuleSet {
  const tree = readTmsh(text);
  const assembly = assemble();
  readFirewall(tree, assembly);
  const stages = {
    destinationNat: stageOf(assembly, 'destination-nat', 'none'),
    redirect: stageOf(assembly, 'redirect', 'none'),
    filter: stageOf(assembly, 'filter', 'drop'),
    sourceNat: stageOf(assembly, 'source-nat', 'none'),
  };
  readVirtuals(tree, assembly, stages);
  readSnats(tree, assembly, stages);
  readNats(tree, assembly, stages);
  readTunnels(tree, assembly, stages.redirect);
  noteUnread(tree, assembly);
  return assembly.result(interfacesOf(tree));
}

function stageOf(
  assembly: Assembly,
  stage: 'destination-nat' | 'redirect' | 'filter' | 'source-nat',
  otherwise: 'none' | 'drop',
): PolicyBuilder {
  return assembly.policy({
    id: `listeners:${stage}`,
    stage,
    evaluation: 'first-match',
    appliesTo: { ingress: ANY_NAME, egress: ANY_NAME },
    // A listener is chosen by the packet as it arrives.
    ...(stage === 'filter' ? { sees: 'untranslated' as const } : {}),
    otherwise,
  });
}

function noteUnread(tree: WordTree, assembly: Assembly): void {
  for (const path of NOT_UNDERSTOOD)
    for (const node of list(tree, ...path)) assembly.notUnderstood(...linesUnder(node));
  // AFM within a route domain or on a self address: filters that apply to neither all nor one listener.
  for (const domain of list(tree, 'net', 'route-domain'))
    if (at(domain, 'fw-enforced-policy'))
      assembly.notUnderstood(...(at(domain, 'fw-enforced-policy')?.lines ?? []));
}
