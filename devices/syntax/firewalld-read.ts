// `firewall-cmd --list-all-zones` and its like, runtime and permanent -> RuleSet
import { type AddressSet, addressSet, unionAddresses } from '../../src/model/addresses.ts';
import type { Policy, Rule, RuleSet } from '../../src/model/rule.ts';
import {
  ANY_TRAFFIC,
  allNamesBut,
  intersectTraffic,
  type NameSet,
  names,
  type Traffic,
} from '../../src/model/traffic.ts';
import { type Assembly, assemble } from './assemble.ts';
import { product } from './boxes.ts';
import type { IpSets } from './firewalld-match.ts';
import { type FirewalldReading, listRule, type Part, type Parts, partsOf } from './firewalld-rules.ts';
import { type Configuration, firstOf, readFirewalldText, type Stanza, valuesOf } from './firewalld-text.ts';
import type { Branch, ChainRule, Outcome } from './flatten.ts';
import { readIptablesSave } from './iptables-save.ts';
import { type BaseChain, type Chain, familyTraffic, netfilterPolicies } from './netfilter.ts';

/** Where packets of a zone come from, and where they leave to. */
interface Zone {
  readonly stanza: Stanza;
  readonly from: readonly Traffic[];
  readonly to: readonly Traffic[];
  readonly parts: Parts;
}

/** Never throws. What runs acts; what is permanent is listed under "permanent". */
export function readFirewalld(text: string): RuleSet {
  const read = readFirewalldText(text);
  const assembly = assemble();
  assembly.notUnderstood(...read.unread);
  const ipsets: IpSets = new Map(read.ipsets.map((stanza) => [stanza.name, setOf(stanza)]));
  const chains = read.runs ? build(read.runtime, read.defaultZone, { assembly, ipsets }) : [];
  build(read.permanent, read.defaultZone, { assembly, ipsets, list: 'permanent' });
  const { policies, unread } = netfilterPolicies(chains);
  assembly.notUnderstood(...unread);
  const direct = directRules(read.runtime, undefined, assembly);
  const later = directRules(read.permanent, 'permanent', assembly);
  const result = assembly.result([]);
  return {
    ...result,
    rules: [...result.rules, ...direct.rules, ...later.rules],
    policies: [...direct.policies, ...policies],
  };
}

function setOf(stanza: Stanza): AddressSet | undefined {
  if (!/^hash:(?:ip|net)$/.test(firstOf(stanza, 'type') ?? '')) return undefined;
  try {
    return unionAddresses(...valuesOf(stanza, 'entries').map(({ text }) => addressSet(text)));
  } catch {
    return undefined;
  }
}

function build(
  { zones, policies }: Configuration,
  defaultZone: string | undefined,
  reading: FirewalldReading,
): Chain[] {
  const bound = zones.flatMap((zone) => valuesOf(zone, 'interfaces').map(({ text }) => text));
  const read = zones.map((stanza): Zone => {
    const own = valuesOf(stanza, 'interfaces').map(({ text }) => text);
    const isDefault = stanza.name === defaultZone;
    // What no zone has is of the default zone.
    const faces = isDefault ? allNamesBut(...bound.filter((name) => !own.includes(name))) : names(...own);
    const hasFaces = isDefault || own.length > 0;
    const sources = valuesOf(stanza, 'sources').map(({ text }) => sourcesOf(text, reading.ipsets));
    const side = (end: 'sources' | 'destinations', face: 'ingress' | 'egress'): Traffic[] => [
      ...sources.map((set) => ({ ...ANY_TRAFFIC, ...(set ? { [end]: set } : {}) })),
      ...(hasFaces ? [{ ...ANY_TRAFFIC, [face]: faces }] : []),
    ];
    const from = side('sources', 'ingress');
    const to = side('destinations', 'egress');
    return { stanza, from, to, parts: partsOf('zone', stanza, from, to, reading) };
  });
  const byName = new Map(read.map((zone) => [zone.stanza.name, zone]));
  const built = policies.map((stanza) => readPolicy(stanza, byName, reading));
  built.sort((a, b) => a.priority - b.priority);
  return [
    ...filterChains(read, built, reading),
    natChain('prerouting', read, built),
    natChain('postrouting', read, built),
  ];
}

function sourcesOf(text: string, ipsets: IpSets): AddressSet | undefined {
  if (text.startsWith('ipset:')) return ipsets.get(text.slice(6));
  try {
    return addressSet(text);
  } catch {
    return undefined;
  }
}

interface BuiltPolicy {
  readonly priority: number;
  /** Boxes of packets that pass through the device; none where the policy is about the device itself. */
  readonly where: readonly Traffic[];
  readonly parts: Parts;
}

function readPolicy(stanza: Stanza, zones: Map<string, Zone>, reading: FirewalldReading): BuiltPolicy {
  const boxes = (field: string, end: 'from' | 'to'): Traffic[] =>
    valuesOf(stanza, field).flatMap(({ text }) =>
      text === 'ANY' ? [ANY_TRAFFIC] : text === 'HOST' ? [] : [...(zones.get(text)?.[end] ?? [])],
    );
  const ingress = boxes('ingress-zones', 'from');
  const egress = boxes('egress-zones', 'to');
  const where = product(ingress, egress) ?? [];
  return {
    priority: Number(firstOf(stanza, 'priority') ?? 0) || 0,
    where,
    parts: partsOf('policy', stanza, where, where, reading),
  };
}

const base = (hook: BaseChain['hook'], priority: number): BaseChain => ({
  type: hook === 'forward' ? 'filter' : 'nat',
  hook,
  priority,
  policy: 'accept',
  policyKey: '',
});

/** As firewalld lays out nftables: translated packets pass, then the zone of the sender decides, and the rest is rejected. */
function filterChains(
  zones: readonly Zone[],
  policies: readonly BuiltPolicy[],
  reading: FirewalldReading,
): Chain[] {
  if (zones.length === 0) return [];
  const whole = familyTraffic('inet');
  const passes = listRule(
    'forward',
    'dnat',
    'accept',
    { boxes: [whole], unresolved: [] },
    [whole],
    [],
    { action: 'accept what was translated' },
    reading,
  );
  const forwarded = branchOf(passes.rule.key, whole, [], { kind: 'accept' });
  const rules: ChainRule[] = [rule([{ ...forwarded, translated: true }])];
  const chains: Chain[] = [];
  const dispatch = (boxesOf: (zone: Zone) => readonly Traffic[]) => {
    for (const zone of zones)
      for (const match of boxesOf(zone))
        rules.push(
          rule([branchOf(zone.parts.target.made.rule.key, match, [], { kind: 'jump', chain: id(zone) })]),
        );
  };
  // Sources come before interfaces, and the default zone, which has whatever is left, comes last.
  dispatch((zone) => zone.from.filter((box) => isAnyIngress(box)));
  dispatch((zone) => zone.from.filter((box) => !isAnyIngress(box)));
  for (const zone of zones) {
    const before = policies.filter(({ priority }) => priority < 0).flatMap(policyRules);
    const after = policies.filter(({ priority }) => priority >= 0).flatMap(policyRules);
    const target = partRule(zone.parts.target, [whole]);
    chains.push({
      id: id(zone),
      family: 'inet',
      rules: [...before, ...insideZone(zone, reading), ...after, target],
    });
  }
  return [{ id: 'firewalld forward', family: 'inet', base: base('forward', 10), rules }, ...chains];
}

const id = ({ stanza }: Zone): string => `zone ${stanza.name}`;
const isAny = (set: NameSet): boolean => set.except && set.names.length === 0;
const isAnyIngress = ({ ingress }: Traffic): boolean => isAny(ingress);
const rule = (branches: readonly Branch[]): ChainRule => ({ lines: [], branches });
const branchOf = (
  ruleKey: string,
  match: Traffic,
  unresolved: readonly string[],
  outcome: Outcome,
): Branch => ({
  ruleKey,
  match,
  unresolved,
  outcome,
});

/** `forward: yes`: between the interfaces and sources that the zone names, packets pass. */
function insideZone(zone: Zone, reading: FirewalldReading): ChainRule[] {
  const [item] = valuesOf(zone.stanza, 'forward');
  const own = valuesOf(zone.stanza, 'interfaces').map(({ text }) => text);
  const to = zone.to
    .filter(({ egress }) => own.length > 0 || isAny(egress))
    .map((box) => (isAny(box.egress) ? box : { ...box, egress: names(...own) }));
  if (item?.text !== 'yes' || to.length === 0) return [];
  const matched = { boxes: [familyTraffic('inet')], unresolved: [] };
  const where = product(zone.from, to) ?? [];
  const what = { action: 'forward inside the zone' };
  const made = listRule('zone', zone.stanza.name, 'forward', matched, where, [item.line], what, reading);
  return [rule(to.map((match) => branchOf(made.rule.key, match, [], { kind: 'accept' })))];
}

function partRule({ made, boxes, unresolved, verdict }: Part, where: readonly Traffic[]): ChainRule {
  if (!verdict) return rule([]);
  const matches = product(where, boxes) ?? [];
  return {
    lines: made.rule.lines,
    branches: matches.map((match) => branchOf(made.rule.key, match, unresolved, { kind: verdict })),
  };
}

const policyRules = ({ where, parts }: BuiltPolicy): ChainRule[] =>
  where.length === 0 ? [] : [...parts.filter, parts.target].map((part) => partRule(part, where));

/** Port forwards of the sender's zone, masquerading of the zone that packets leave to; policies below 0 first. */
function natChain(
  hook: 'prerouting' | 'postrouting',
  zones: readonly Zone[],
  policies: readonly BuiltPolicy[],
): Chain {
  const isIn = hook === 'prerouting';
  const of = ({ forwards, masquerades }: Parts) => (isIn ? forwards : masquerades);
  // The way out is not known before routing: a policy's forwards act by where packets come from.
  const boxesOf = (where: readonly Traffic[]) =>
    where.map((box) =>
      isIn ? { ...box, egress: ANY_TRAFFIC.egress, destinations: ANY_TRAFFIC.destinations } : box,
    );
  const ofPolicies = (list: readonly BuiltPolicy[]) =>
    list.flatMap(({ where, parts }) => of(parts).map((part) => translationRule(part, boxesOf(where), isIn)));
  const ofZones = zones.flatMap((zone) =>
    of(zone.parts).map((part) => translationRule(part, isIn ? zone.from : zone.to, isIn)),
  );
  const [before, after] = [
    policies.filter(({ priority }) => priority < 0),
    policies.filter(({ priority }) => priority >= 0),
  ];
  return {
    id: `firewalld ${hook}`,
    family: 'inet',
    base: base(hook, isIn ? -90 : 110),
    rules: [...ofPolicies(before), ...ofZones, ...ofPolicies(after)],
  };
}

function translationRule(
  { made, boxes, unresolved, translation }: Part,
  where: readonly Traffic[],
  isIn: boolean,
): ChainRule {
  const stage = isIn ? 'destination-nat' : 'source-nat';
  const outcome: Outcome = { kind: 'translate', stage, translation: translation!, final: true };
  const matches = where.flatMap((box) => boxes.flatMap((other) => intersectTraffic(box, other) ?? []));
  return {
    lines: made.rule.lines,
    branches: matches.map((match) => branchOf(made.rule.key, match, unresolved, outcome)),
  };
}

/** Direct rules are rules of iptables in chains in front of firewalld's own: read as iptables-save prints them. */
function directRules(
  { direct }: Configuration,
  list: string | undefined,
  assembly: Assembly,
): { rules: Rule[]; policies: Policy[] } {
  const rules: Rule[] = [];
  const policies: Policy[] = [];
  for (const family of ['ipv4', 'ipv6']) {
    const own = direct
      .map((line) => ({ line, words: line.text.split(/\s+/) }))
      .filter(({ words }) => words[0] === family);
    const lines = [`# Generated by ${family === 'ipv4' ? 'iptables' : 'ip6tables'}-save`];
    const origin = new Map<number, (typeof own)[number]['line']>();
    for (const table of new Set(own.map(({ words }) => words[1]))) {
      const inTable = own
        .filter(({ words }) => words[1] === table)
        .sort((a, b) => Number(a.words[3]) - Number(b.words[3]));
      lines.push(
        `*${table}`,
        ...[...new Set(inTable.map(({ words }) => words[2]))].map((chain) => `:${chain} ACCEPT`),
      );
      for (const { line, words } of inTable) {
        origin.set(lines.push(`-A ${words[2]} ${words.slice(4).join(' ')}`), line);
      }
      lines.push('COMMIT');
    }
    if (own.length === 0) continue;
    const set = readIptablesSave(lines.join('\n'));
    assembly.notUnderstood(...set.unread.flatMap(({ number }) => origin.get(number) ?? []));
    const prefix = `${list === undefined ? '' : `${list} `}direct `;
    for (const one of set.rules) {
      const at = origin.get(one.lines[0]?.number ?? 0);
      if (!at) continue;
      const context = { ...one.context, ...(list === undefined ? {} : { list }) };
      rules.push({ ...one, key: prefix + one.key, context, lines: [at] });
    }
    if (list === undefined)
      for (const policy of set.policies)
        policies.push({
          ...policy,
          entries: policy.entries.map((entry) => ({ ...entry, ruleKey: prefix + entry.ruleKey })),
        });
  }
  return { rules, policies };
}
