// config.xml of pfSense or OPNsense -> rules
import type { RuleSet } from '../../src/model/rule.ts';
import { assemble } from './assemble.ts';
import { readAliases } from './pfsense-aliases.ts';
import { readFilter } from './pfsense-filter.ts';
import { readPlaces } from './pfsense-interfaces.ts';
import type { SenseReader } from './pfsense-match.ts';
import { readNat } from './pfsense-nat.ts';
import { readOutbound } from './pfsense-outbound.ts';
import { readProxies } from './pfsense-proxies.ts';
import { readTunnels, tunnelsOf } from './pfsense-tunnels.ts';
import { all, child, readSenseText, type Sense, textAt, type XmlNode } from './pfsense-xml.ts';

/** Never throws. */
export function readSense(text: string, sense: Sense): RuleSet {
  const senseText = readSenseText(text, sense);
  const { root } = senseText;
  const assembly = assemble();
  const places = readPlaces(senseText);
  const reader: SenseReader = {
    text: senseText,
    places,
    aliases: readAliases(senseText, places),
    assembly,
    trackers: countIds(root),
  };
  assembly.notUnderstood(...senseText.broken);
  const { passing, pairs } = readNat(reader);
  const tunnels = tunnelsOf(reader);
  readTunnels(tunnels, reader);
  readProxies(reader);
  readFilter(reader, passing, tunnels);
  readOutbound(reader, pairs);
  reportSections(reader);
  return assembly.result(places.forResult);
}

/** How many rules bear a tracker, or are linked to one forward. */
function countIds(root: XmlNode | undefined): Map<string, number> {
  const found = new Map<string, number>();
  const count = (id: string | undefined) => id !== undefined && found.set(id, (found.get(id) ?? 0) + 1);
  for (const rule of all(root, 'filter', 'rule')) count(textAt(rule, 'tracker'));
  for (const rule of all(root, 'nat', 'rule')) count(textAt(rule, 'associated-rule-id'));
  return found;
}

/** What the sections that hold rules have besides; values left empty say nothing. */
const SECTIONS: readonly (readonly [path: readonly string[], known: string])[] = [
  [['filter'], 'rule separator bypassstaticroutes'],
  [['nat'], 'rule outbound onetoone npt separator natreflection'],
  [['nat', 'outbound'], 'rule mode separator'],
  [['OPNsense', 'Firewall', 'Filter'], 'rules snatrules npt onetoone'],
];

function reportSections({ text, assembly }: SenseReader): void {
  for (const [path, known] of SECTIONS) {
    const names = new Set(known.split(' '));
    for (const node of child(text.root, ...path)?.children ?? [])
      if (!names.has(node.name) && (node.text !== '' || node.children.length > 0))
        assembly.notUnderstood(...text.linesOf(node));
  }
}
