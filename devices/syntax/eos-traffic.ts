// `traffic-policies` of EOS: field sets, matches and their actions, bound to interfaces -> filters and redirects
import * as addresses from '../../src/model/addresses.ts';
import { normalise } from '../../src/model/ranges.ts';
import type { Policy, PolicyEntry, Rule, SourceLine } from '../../src/model/rule.ts';
import { service, unionServices } from '../../src/model/services.ts';
import { ANY_NAME, names, type Traffic } from '../../src/model/traffic.ts';
import { anyOf, type Family, type PortPairs, protocolOf, setOf, unionOf } from './cisco-address.ts';
import type { Built, Config } from './cisco-config.ts';
import { MAX_LINES } from './cisco-groups.ts';
import { withoutExemptions } from './cisco-leave.ts';
import type { Reading } from './cisco-lines.ts';
import type { Way } from './cisco-options.ts';
import { both, bounded, type Condition, either, everything, hull } from './cisco-region.ts';
import { wayText } from './cisco-ways.ts';
import type { EosBindings } from './eos-interfaces.ts';
import { eosTranslation } from './eos-policies.ts';
import { type Block, linesOf, wordsOf } from './indent.ts';

interface FieldSets {
  readonly prefixes: ReadonlyMap<string, { set: addresses.AddressSet; lines: readonly SourceLine[] }>;
  readonly ports: ReadonlyMap<string, { ports: PortPairs; lines: readonly SourceLine[] }>;
}

interface Match {
  readonly name: string;
  readonly family: Family;
  readonly condition: Condition;
  readonly drops: boolean;
  readonly way?: Way;
  readonly lines: readonly SourceLine[];
}

/** Matches in order; what none matches passes. A policy that is bound to nothing has rules only. */
export function buildTrafficPolicies(reading: Reading, bindings: EosBindings, config: Config): Built {
  const rules: Rule[] = [];
  const policies: Policy[] = [];
  const byPolicy = Map.groupBy(bindings.traffic, ({ policy }) => policy);
  for (const block of reading.blocks) {
    if (wordsOf(block.text).join(' ') !== 'traffic-policies') continue;
    const sets = readFieldSets(block, reading);
    for (const inner of block.children) {
      const [word, name] = wordsOf(inner.text);
      if (word === 'traffic-policy' && name !== undefined) {
        const built = buildPolicy(name, readMatches(inner, sets, reading), byPolicy.get(name) ?? [], config);
        for (const rule of built.rules) rules.push(rule);
        policies.push(...built.policies);
      } else if (word !== 'field-set' && word !== 'counter')
        for (const line of linesOf(inner)) reading.notUnderstood(line);
    }
  }
  return { rules, policies };
}

function buildPolicy(
  name: string,
  matches: readonly Match[],
  bindings: EosBindings['traffic'],
  config: Config,
): Built {
  const bound = bindings.filter(({ face }) => !face.shutdown);
  const interfaces = [...new Set(bound.map(({ face }) => face.name))];
  const rules = matches.map((match, position): Rule => {
    const translation = match.way && eosTranslation(match.way, config);
    return {
      key: config.unique(`traffic-policy:${name}:${match.name}:${match.family}`),
      kind: translation ? 'policy-route' : 'filter',
      enabled: true,
      position,
      context: { list: name, family: match.family, ...(interfaces.length > 0 ? { interfaces } : {}) },
      match: hull(match.condition.boxes),
      unresolved: match.condition.unresolved,
      ...(translation ? { translation } : {}),
      action: match.way ? `redirect ${wayText(match.way)}` : match.drops ? 'drop' : 'pass',
      lines: [...match.lines, ...match.condition.lines].slice(0, MAX_LINES),
    };
  });
  const policies = (['in', 'out'] as const).flatMap((direction) => {
    const faces = bound.filter((binding) => binding.direction === direction).map(({ face }) => face.name);
    return faces.length === 0 ? [] : policiesOf(name, direction, faces, matches, rules);
  });
  return { rules, policies };
}

function policiesOf(
  name: string,
  direction: 'in' | 'out',
  faces: readonly string[],
  matches: readonly Match[],
  rules: readonly Rule[],
): Policy[] {
  const set = names(...faces);
  const appliesTo =
    direction === 'in' ? { ingress: set, egress: ANY_NAME } : { ingress: ANY_NAME, egress: set };
  const entries = (actionOf: (match: Match, rule: Rule) => Pick<PolicyEntry, 'action' | 'translation'>) =>
    matches.flatMap((match, i) =>
      match.condition.boxes.map((box) => ({
        ruleKey: rules[i].key,
        match: box,
        unresolved: match.condition.unresolved,
        ...actionOf(match, rules[i]),
      })),
    );
  const head = { evaluation: 'first-match' as const, appliesTo };
  const filter: Policy = {
    ...head,
    id: `traffic-policy:${name}:${direction}`,
    stage: 'filter',
    sees: direction === 'in' ? 'untranslated' : 'translated',
    otherwise: 'accept',
    entries: entries((match) => ({ action: match.drops ? 'drop' : 'accept' })),
  };
  const redirect: Policy = {
    ...head,
    id: `traffic-policy:${name}:${direction}:redirect`,
    stage: 'redirect',
    otherwise: 'none',
    entries: withoutExemptions(
      entries((_match, { translation }) =>
        translation ? { action: 'translate', translation } : { action: 'exempt' },
      ),
    ),
  };
  return [
    ...(matches.some(({ drops }) => drops) ? [filter] : []),
    ...(direction === 'in' && matches.some(({ way }) => way) ? [redirect] : []),
  ];
}

function readFieldSets(block: Block, reading: Reading): FieldSets {
  const prefixes = new Map<string, { set: addresses.AddressSet; lines: readonly SourceLine[] }>();
  const ports = new Map<string, { ports: PortPairs; lines: readonly SourceLine[] }>();
  for (const inner of block.children) {
    const words = wordsOf(inner.text);
    if (words[0] !== 'field-set') continue;
    const name = words.at(-1)!;
    const lines = linesOf(inner);
    if (words[1] === 'l4-port')
      ports.set(name, { ports: inner.children.flatMap((line) => portsOf(line, reading)), lines });
    else if (/^ipv[46]$/.test(words[1]) && words[2] === 'prefix')
      prefixes.set(name, { set: prefixesOf(inner, reading), lines });
    else for (const line of lines) reading.notUnderstood(line);
  }
  return { prefixes, ports };
}

/** Prefixes, several on a line; `except` takes some out of the others. */
function prefixesOf(block: Block, reading: Reading): addresses.AddressSet {
  const [own, excluded]: [addresses.AddressSet[], addresses.AddressSet[]] = [[], []];
  for (const line of block.children) {
    const words = wordsOf(line.text);
    const isExcept = words[0] === 'except';
    for (const word of isExcept ? words.slice(1) : words) {
      const set = setOf(word);
      if (set) (isExcept ? excluded : own).push(set);
      else reading.notUnderstood(line);
    }
  }
  return addresses.subtractAddresses(unionOf(own), unionOf(excluded));
}

function portsOf(line: SourceLine, reading: Reading): PortPairs {
  const ports = portList(wordsOf(line.text).join(''));
  if (!ports) reading.notUnderstood(line);
  return ports ?? [];
}

/** "80,443,8000-8010". */
function portList(text: string): PortPairs | undefined {
  const pairs: [number, number][] = [];
  for (const part of text.split(',')) {
    const found = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part);
    const [first, last] = found ? [Number(found[1]), Number(found[2] ?? found[1])] : [1, 0];
    if (first > last || last > 65_535) return undefined;
    pairs.push([first, last]);
  }
  return pairs;
}

function readMatches(block: Block, sets: FieldSets, reading: Reading): Match[] {
  const found: Match[] = [];
  for (const line of block.children) {
    const [word, name, kind] = wordsOf(line.text);
    if (word === 'counter') continue;
    if (word !== 'match' || (kind !== 'ipv4' && kind !== 'ipv6')) {
      for (const each of linesOf(line)) reading.notUnderstood(each);
      continue;
    }
    found.push(readMatch(line, name, kind === 'ipv4' ? 'ip' : 'ip6', sets, reading));
  }
  return found;
}

function readMatch(block: Block, name: string, family: Family, sets: FieldSets, reading: Reading): Match {
  const conditions: Condition[] = [];
  const protocols: Condition[] = [];
  let drops = false;
  let way: Way | undefined;
  for (const line of block.children) {
    const words = wordsOf(line.text);
    if (words[0] === 'actions') {
      for (const inner of line.children) {
        const action = readAction(wordsOf(inner.text));
        if (action === 'drop') drops = true;
        else if (action) way = action;
        else if (action === undefined) reading.notUnderstood(inner);
      }
    } else if (words[0] === 'source' || words[0] === 'destination') {
      conditions.push(prefixCondition(words, family, sets));
    } else if (words[0] === 'protocol') protocols.push(protocolCondition(words, family, sets));
    else conditions.push(unknown(family, words.join(' ')));
  }
  // Several lines of protocols are alternatives; all other lines must hold.
  if (protocols.length > 0) conditions.push(either(protocols));
  const all: Condition = { boxes: [everything(family)], unresolved: [], lines: [] };
  const condition = bounded(conditions.reduce((sum, part) => both(sum, part), all));
  return { name, family, condition, drops, ...(way ? { way } : {}), lines: linesOf(block) };
}

const unknown = (family: Family, text: string): Condition => ({
  boxes: [everything(family)],
  unresolved: [`match ${text}`],
  lines: [],
});

/** `source prefix 10.0.0.0/8 10.9.0.0/16`, `destination prefix field-set F`. */
function prefixCondition(words: readonly string[], family: Family, sets: FieldSets): Condition {
  const side = words[0] === 'source' ? 'sources' : 'destinations';
  const named = words[2] === 'field-set' ? words.slice(3).map((name) => sets.prefixes.get(name)) : undefined;
  const own = named ? [] : words.slice(2).map((word) => setOf(word));
  if (words[1] !== 'prefix' || words.length < 3 || [...(named ?? []), ...own].includes(undefined))
    return unknown(family, words.join(' '));
  const set = unionOf([...(named ?? []).map((each) => each!.set), ...own.map((each) => each!)]);
  const part = addresses.intersectAddresses(set, anyOf(family));
  return {
    boxes: addresses.noAddresses(part) ? [] : [{ ...everything(family), [side]: part }],
    unresolved: [],
    lines: (named ?? []).flatMap((each) => each!.lines),
  };
}

/** `protocol tcp source port 1024-65535 destination port field-set WEB`, `protocol udp`, `protocol 47`. */
function protocolCondition(words: readonly string[], family: Family, sets: FieldSets): Condition {
  const numbers = words[1]
    ?.split(',')
    .map((word) => (word === 'icmp' && family === 'ip6' ? 58 : protocolOf(word)));
  if (!numbers?.every((number) => typeof number === 'number')) return unknown(family, words.join(' '));
  let box: Traffic = {
    ...everything(family),
    services: unionServices(...numbers.map((number) => service(number))),
  };
  const lines: SourceLine[] = [];
  const unresolved: string[] = [];
  for (const [, side, value] of words.slice(2).join(' ').matchAll(PORT_CLAUSE)) {
    const named = value.startsWith('field-set ') ? sets.ports.get(value.slice(10)) : undefined;
    const ports = named?.ports ?? portList(value.replaceAll(' ', ''));
    lines.push(...(named?.lines ?? []));
    if (value === 'all') continue;
    if (!ports) unresolved.push(`match ${side} port ${value}`);
    else if (side === 'source') box = { ...box, sourcePorts: normalise(ports, (number) => number + 1) };
    else box = { ...box, services: unionServices(...numbers.map((number) => service(number, ports))) };
  }
  // Flags, types of ICMP and the like.
  const rest = words.slice(2).join(' ').replace(PORT_CLAUSE, '').trim();
  if (rest !== '') unresolved.push(`match ${rest}`);
  return { boxes: [box], unresolved, lines };
}

/** `source port 1024-65535`, `destination port 80, 443`, `destination port field-set WEB`. */
const PORT_CLAUSE = /(source|destination) port (field-set \S+|all|[\d-]+(?: ?, ?[\d-]+)*)/g;

/** Undefined: not understood; null: without effect on where a packet goes. */
function readAction(words: readonly string[]): Way | 'drop' | null | undefined {
  const text = words.join(' ');
  if (text === 'drop' || text === 'drop count' || /^drop /.test(text)) return 'drop';
  const group = /^redirect (?:next-hop|nexthop) group (\S+)/.exec(text);
  if (group) return { nextHops: [], vrfs: [], interfaces: [`Nexthop-Group ${group[1]}`], isDefault: false };
  if (/^redirect (?:next-hop|nexthop) /.test(text)) {
    const hops = words.slice(2).filter((word) => setOf(word) !== undefined);
    const vrf = words.indexOf('vrf');
    const vrfs = vrf < 0 ? [] : words.slice(vrf + 1, vrf + 2);
    return hops.length === 0 ? undefined : { nextHops: hops, vrfs, interfaces: [], isDefault: false };
  }
  return /^(?:count|log|set (?:dscp|traffic class|traffic-class)|police|pass|sample)\b/.test(text)
    ? null
    : undefined;
}
