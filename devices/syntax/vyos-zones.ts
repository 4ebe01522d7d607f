// `firewall zone` or `zone-policy zone` -> rules, and the chains that packets between zones meet after the other filters
import { type NameSet, names, subtractNames, type Traffic } from '../../src/model/traffic.ts';
import { unionOf } from './boxes.ts';
import { type Chain, familyTraffic } from './netfilter.ts';
import { at, list, type WordTree, word, words } from './tree.ts';
import { boundChain } from './vyos-bound.ts';
import { plainRule, type Vyos } from './vyos-config.ts';
import { has, linesOf } from './vyos-text.ts';

type Family = 'ip' | 'ip6';
const LIST_WORD: Readonly<Record<Family, string>> = { ip: 'name', ip6: 'ipv6-name' };

interface Zone {
  readonly name: string;
  readonly node: WordTree;
  readonly interfaces: NameSet;
  readonly isLocal: boolean;
}

/** Chains for packets that leave by an interface of a zone; what goes to or comes from the device itself is listed only. */
export function zoneChains(named: ReadonlyMap<string, Chain>, vyos: Vyos): Chain[] {
  const { tree } = vyos;
  const zones = [...list(tree, 'zone-policy', 'zone'), ...list(tree, 'firewall', 'zone')].map((node) =>
    readZone(node, vyos),
  );
  const byName = new Map(zones.map((zone) => [zone.name, zone]));
  for (const { node } of zones)
    for (const child of node.children.values()) if (!ZONE_WORDS.has(child.word)) vyos.notUnderstood(child);
  return (['ip', 'ip6'] as const).flatMap((family) =>
    zones.flatMap((zone) => [
      ...insideChains(zone, family, named, vyos),
      ...zoneRules(zone, byName, family, named, vyos),
    ]),
  );
}

const ZONE_WORDS = new Set(
  'default-action default-log enable-default-log default-firewall description from interface member intra-zone-filtering local-zone'.split(
    ' ',
  ),
);
function readZone(node: WordTree, { faces, expand }: Vyos): Zone {
  const vrfs = words(node, 'member', 'vrf');
  const written = [
    ...words(node, 'interface'),
    ...words(node, 'member', 'interface'),
    ...faces.filter(({ vrf }) => vrf !== undefined && vrfs.includes(vrf)).map(({ name }) => name),
  ];
  const interfaces =
    written.length === 0 ? names(node.word) : (unionOf('ingress', written.map(expand)) as NameSet);
  return { name: node.word, node, interfaces, isLocal: has(node, 'local-zone') };
}

/** From each zone that it names through a list; what any other interface sends to it meets the default. */
function zoneRules(
  zone: Zone,
  byName: Map<string, Zone>,
  family: Family,
  named: ReadonlyMap<string, Chain>,
  vyos: Vyos,
): Chain[] {
  const chains: Chain[] = [];
  const whole = familyTraffic(family);
  const egress = zone.isLocal ? whole.egress : zone.interfaces;
  let others = zone.isLocal ? whole.ingress : subtractNames(whole.ingress, zone.interfaces);
  for (const from of list(zone.node, 'from')) {
    const target = word(from, 'firewall', LIST_WORD[family]);
    if (target === undefined) continue;
    const sender = byName.get(from.word);
    const isFromDevice = sender?.isLocal === true;
    const ingress = isFromDevice ? whole.ingress : (sender?.interfaces ?? names(from.word));
    const where = { ...whole, ingress, egress };
    vyos.assembly.rule({
      key: `zone ${zone.name} from ${from.word} ${family}`,
      kind: 'filter',
      list: `zone ${family}`,
      context: { family, list: `zone ${zone.name} from ${from.word}` },
      matches: [where],
      unresolved: zone.isLocal ? [TO_DEVICE] : isFromDevice ? ['from the device itself'] : [],
      action: `jump ${target}`,
      lines: linesOf(at(from, 'firewall', LIST_WORD[family])!),
    });
    const listed = named.get(`${family} name ${target}`);
    if (isFromDevice || zone.isLocal) continue;
    others = subtractNames(others, ingress);
    if (listed) chains.push(boundChain(`${family} zone ${from.word} to ${zone.name}`, listed, where));
  }
  return [...chains, ...defaultChain(zone, { ...whole, ingress: others, egress }, family, named, vyos)];
}

const TO_DEVICE = 'to the device itself';

/** 1.5: `default-firewall` is asked before the default action. */
function defaultChain(
  zone: Zone,
  where: Traffic,
  family: Family,
  named: ReadonlyMap<string, Chain>,
  vyos: Vyos,
): Chain[] {
  const fallback = word(zone.node, 'default-firewall', LIST_WORD[family]);
  const own = at(zone.node, 'default-action');
  const action = word(zone.node, 'default-action') ?? 'drop';
  const assembled = vyos.assembly.rule({
    key: `zone ${zone.name} default ${family}`,
    kind: 'filter',
    list: `zone ${family}`,
    context: { family, list: `zone ${zone.name}` },
    matches: [where],
    unresolved: zone.isLocal ? [TO_DEVICE] : [],
    action: `default ${fallback === undefined ? '' : `${fallback}, `}${action}`,
    lines: own ? linesOf(own) : zone.node.lines.slice(0, 1),
  });
  if (zone.isLocal) return [];
  const last = plainRule(assembled, { kind: action === 'accept' ? 'return' : 'drop' });
  const id = `${family} zone ${zone.name}`;
  const listed = fallback === undefined ? undefined : named.get(`${family} name ${fallback}`);
  const enter = listed ? [plainRule(assembled, { kind: 'jump', chain: listed.id })] : [];
  return [boundChain(id, { id, family, rules: [...enter, last] }, where)];
}

/** Between interfaces of one zone everything passes, unless `intra-zone-filtering` says otherwise. */
function insideChains(zone: Zone, family: Family, named: ReadonlyMap<string, Chain>, vyos: Vyos): Chain[] {
  const filtering = at(zone.node, 'intra-zone-filtering');
  const target = word(filtering, 'firewall', LIST_WORD[family]);
  const action = word(filtering, 'action');
  if (!filtering || zone.isLocal || (target === undefined && action === undefined)) return [];
  const where = { ...familyTraffic(family), ingress: zone.interfaces, egress: zone.interfaces };
  const assembled = vyos.assembly.rule({
    key: `zone ${zone.name} inside ${family}`,
    kind: 'filter',
    list: `zone ${family}`,
    context: { family, list: `zone ${zone.name} inside` },
    matches: [where],
    action: action ?? `jump ${target}`,
    lines: linesOf(filtering),
  });
  const id = `${family} zone ${zone.name} inside`;
  const listed = target === undefined ? undefined : named.get(`${family} name ${target}`);
  if (action === undefined) return listed ? [boundChain(id, listed, where)] : [];
  const decides = plainRule(assembled, { kind: action === 'accept' ? 'return' : 'drop' });
  return [boundChain(id, { id, family, rules: [decides] }, where)];
}
