// `rule name R` blocks of firewall policies (VRP USG, Comware) -> what each matches and does
import * as addresses from '../../src/model/addresses.ts';
import type { SourceLine } from '../../src/model/rule.ts';
import { unionServices } from '../../src/model/services.ts';
import { ANY_NAME, type NameSet, names, type Traffic } from '../../src/model/traffic.ts';
import { type Family, setOf } from './cisco-address.ts';
import type { Reading } from './cisco-lines.ts';
import { bounded, type Condition, everything } from './cisco-region.ts';
import { type Block, linesOf, wordsOf } from './indent.ts';
import { MAX_LINES, type ServiceBox } from './objects.ts';
import { serviceBox, type VrpObjects } from './vrp-objects.ts';
import { maskNetwork, vrpService, wildcardNetwork } from './vrp-words.ts';

export interface ZoneRule {
  readonly name: string;
  readonly enabled: boolean;
  readonly comment?: string;
  readonly condition: Condition;
  /** Words of each `action` line, without `action`. */
  readonly actions: readonly (readonly string[])[];
  readonly lines: readonly SourceLine[];
}

/** What rules are read with; zones stand for their member interfaces, one without members for itself. */
export interface ZoneContext {
  readonly zones: ReadonlyMap<string, readonly string[]>;
  readonly objects: VrpObjects;
  readonly reading: Reading;
  /** Sets of interfaces by the zones they were written as: thousands of rules name the same zones. */
  readonly nameSets: Map<string, NameSet>;
}

interface Draft {
  enabled: boolean;
  comment?: string;
  readonly faces: Record<Side, string[]>;
  readonly sets: Record<Side, addresses.AddressSet[]>;
  readonly excluded: Record<Side, addresses.AddressSet[]>;
  readonly services: ServiceBox[];
  readonly actions: (readonly string[])[];
  readonly unresolved: string[];
  readonly lines: SourceLine[];
}

type Side = 'source' | 'destination';

const IGNORED =
  /^(?:profile|policy|session|traffic|logging|counting|long-link|track|parent-group|tag|statistic|group|hit)\b/;
const CONDITIONS =
  /^(?:user|user-group|application|application-group|app-group|time-range|schedule|url|url-category|vrf|vpn-instance|vlan-id|dscp|device|terminal|source-mac|destination-mac|reputation|source-ip-location|destination-ip-location|domain-set|access-type|vlan|sac)\b/;

/** `rule name R` (VRP), `rule 0 name R` (Comware). */
export function readZoneRule(
  block: Block,
  family: Family | undefined,
  context: ZoneContext,
): ZoneRule | undefined {
  const words = wordsOf(block.text);
  const at = words.indexOf('name');
  if (words[0] !== 'rule' || at < 0 || words[at + 1] === undefined) return undefined;
  const draft: Draft = {
    enabled: true,
    faces: { source: [], destination: [] },
    sets: { source: [], destination: [] },
    excluded: { source: [], destination: [] },
    services: [],
    actions: [],
    unresolved: [],
    lines: linesOf(block),
  };
  for (const line of block.children) {
    const inner = wordsOf(line.text);
    if (line.children.length === 0 && readLine(draft, inner, context)) continue;
    // A condition that is not understood may narrow the rule.
    context.reading.notUnderstood(line);
    draft.unresolved.push(inner.join(' ').slice(0, 100));
  }
  return {
    name: words
      .slice(at + 1)
      .join(' ')
      .replace(/^"|"$/g, ''),
    enabled: draft.enabled,
    ...(draft.comment === undefined ? {} : { comment: draft.comment }),
    condition: conditionOf(draft, family, context),
    actions: draft.actions,
    lines: draft.lines.slice(0, MAX_LINES),
  };
}

function readLine(draft: Draft, words: readonly string[], context: ZoneContext): boolean {
  const [word, ...rest] = words;
  const text = words.join(' ');
  const side: Side =
    word.startsWith('destination') || /^(?:egress|outbound)-/.test(word) ? 'destination' : 'source';
  if (word === 'description') draft.comment = rest.join(' ');
  else if (word === 'disable') draft.enabled = false;
  else if (word === 'undo' || IGNORED.test(text)) return true;
  else if (word === 'action') draft.actions.push(rest);
  else if (word === 'source-zone' || word === 'destination-zone')
    for (const zone of rest) draft.faces[side].push(`zone ${zone}`);
  else if (/^(?:ingress|egress|outbound|inbound)-interface$/.test(word))
    draft.faces[side].push(`interface ${rest.join(' ')}`);
  else if (/^(?:source|destination)-address(?:-exclude)?$/.test(word))
    return addAddress(draft, side, word.endsWith('exclude'), rest, context);
  else if (/^(?:source|destination)-ip(?:-host|-subnet|-range)?$/.test(word))
    return addComware(draft, side, word.replace(/^\w+-ip-?/, ''), rest, context);
  else if (word === 'service' || word === 'service-port') return addService(draft, word, rest, context);
  else if (CONDITIONS.test(text)) {
    if (rest.at(-1) !== 'any') draft.unresolved.push(text);
  } else return false;
  return rest.length > 0 || word === 'disable';
}

function nameSetOf(written: readonly string[], { zones, nameSets }: ZoneContext): NameSet {
  if (written.length === 0 || written.includes('zone any')) return ANY_NAME;
  const key = written.join('\n');
  const known = nameSets.get(key);
  if (known) return known;
  const list = new Set<string>();
  for (const text of written) {
    const [kind, ...rest] = text.split(' ');
    const name = rest.join(' ');
    const members = kind === 'zone' ? (zones.get(name) ?? []) : [];
    for (const member of members.length > 0 ? members : [name]) list.add(member);
  }
  const set = names(...[...list].slice(0, MAX_NAMES));
  nameSets.set(key, set);
  return set;
}

/** Interfaces that one condition may name; arguments of a call lie on the stack. */
const MAX_NAMES = 20_000;

/** `10.0.0.0 mask 255.255.255.0`, `10.0.0.0 24`, `10.0.0.0 0.0.0.255`, `range A B`, `address-set N ...`, `any`. */
function addAddress(
  draft: Draft,
  side: Side,
  isExcluded: boolean,
  words: readonly string[],
  context: ZoneContext,
): boolean {
  const target = isExcluded ? draft.excluded[side] : draft.sets[side];
  const [a, b, c] = words;
  if (a === 'any') return target.push(addresses.ANY_ADDRESS) > 0;
  if (a === 'address-set' || a === 'domain-set')
    return words.slice(1).every((name) => addNamed(draft, target, name, isExcluded, context));
  const set =
    a === 'range' || b === 'range'
      ? setOf(a === 'range' ? `${b}-${c}` : `${a}-${c}`)
      : b === 'mask'
        ? maskNetwork(a, c)
        : b === undefined
          ? setOf(a ?? '')
          : (maskNetwork(a, b) ?? wildcardNetwork(a, b)?.set);
  if (set) return target.push(set) > 0;
  if (a !== 'geo-location' && a !== 'geo-location-set' && a !== 'isp') return false;
  if (!isExcluded) target.push(addresses.ANY_ADDRESS);
  return draft.unresolved.push(`${side} ${words.join(' ')}`) > 0;
}

function addNamed(
  draft: Draft,
  target: addresses.AddressSet[],
  name: string,
  isExcluded: boolean,
  { objects }: ZoneContext,
): boolean {
  const found = objects.addresses.resolve(name);
  draft.unresolved.push(...(found?.unresolved ?? [`address ${name} is not defined`]));
  for (const line of found?.lines ?? []) draft.lines.push(line);
  const exact = found !== undefined && found.unresolved.length === 0;
  if (exact) target.push(found.value);
  // What is not known of a set may be anything: it widens a match and narrows no exclusion.
  else if (!isExcluded) target.push(addresses.ANY_ADDRESS);
  return true;
}

/** `source-ip NAME`, `source-ip-host A`, `source-ip-subnet A M`, `source-ip-range A B`; `source-ip host A` and its like. */
function addComware(
  draft: Draft,
  side: Side,
  kind: string,
  words: readonly string[],
  context: ZoneContext,
): boolean {
  const isWord = kind === '' && /^(?:host|subnet|range)$/.test(words[0] ?? '');
  const [form, [a, b]] = isWord ? [words[0], words.slice(1)] : [kind, words];
  if (form === '') return words.every((name) => addNamed(draft, draft.sets[side], name, false, context));
  const set =
    form === 'host'
      ? setOf(a ?? '')
      : form === 'range'
        ? setOf(`${a}-${b}`)
        : a?.includes('/')
          ? setOf(a)
          : maskNetwork(a, b);
  return set !== undefined && draft.sets[side].push(set) > 0;
}

function addService(draft: Draft, word: string, words: readonly string[], { objects }: ZoneContext): boolean {
  if (word === 'service-port' || words[0] === 'protocol') {
    const box = serviceBox(word === 'service-port' ? words : words.slice(1));
    if (box) draft.services.push(box);
    return box !== undefined;
  }
  for (const name of words) {
    const found = objects.services.resolve(name);
    const own = found ? undefined : vrpService(name);
    draft.unresolved.push(...(found?.unresolved ?? []), ...(found || own ? [] : [`service ${name}`]));
    for (const line of found?.lines ?? []) draft.lines.push(line);
    for (const box of found?.value ?? []) draft.services.push(box);
    if (own) draft.services.push({ services: own, sourcePorts: everything('ip').sourcePorts });
    if (!found && !own)
      draft.services.push({ services: everything('ip').services, sourcePorts: everything('ip').sourcePorts });
  }
  return true;
}

function conditionOf(draft: Draft, family: Family | undefined, context: ZoneContext): Condition {
  const of = (side: Side): addresses.AddressSet => {
    const within = family === undefined ? addresses.ANY_ADDRESS : everything(family).sources;
    const own = draft.sets[side].length === 0 ? within : addresses.unionAddresses(...draft.sets[side]);
    const left = addresses.subtractAddresses(own, addresses.unionAddresses(...draft.excluded[side]));
    return addresses.intersectAddresses(left, within);
  };
  const [sources, destinations] = [of('source'), of('destination')];
  const [ingress, egress] = [
    nameSetOf(draft.faces.source, context),
    nameSetOf(draft.faces.destination, context),
  ];
  const any = everything('ip');
  const services =
    draft.services.length === 0 ? [{ services: any.services, sourcePorts: any.sourcePorts }] : draft.services;
  const boxes = services.flatMap((box): Traffic[] =>
    (['v4', 'v6'] as const).flatMap((half) => {
      const only = (set: addresses.AddressSet) => ({
        v4: half === 'v4' ? set.v4 : [],
        v6: half === 'v6' ? set.v6 : [],
      });
      const [from, to] = [only(sources), only(destinations)];
      if (addresses.noAddresses(from) || addresses.noAddresses(to)) return [];
      return [
        {
          ingress,
          egress,
          sources: from,
          destinations: to,
          ...box,
        },
      ];
    }),
  );
  return bounded({ boxes: merged(boxes), unresolved: draft.unresolved, lines: [] });
}

/** Boxes that differ in services only become one. */
function merged(boxes: readonly Traffic[]): Traffic[] {
  const groups = Map.groupBy(boxes, (box) => `${box.sources.v4.length > 0} ${box.sourcePorts.join()}`);
  return [...groups.values()].map((group) => ({
    ...group[0],
    services: unionServices(...group.map((box) => box.services)),
  }));
}
