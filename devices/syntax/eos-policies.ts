// class-maps and policy-maps of type pbr, and next hop groups of EOS -> policies for cisco-pbr.ts

import * as addresses from '../../src/model/addresses.ts';
import type { SourceLine, Translation } from '../../src/model/rule.ts';
import { type Family, setOf } from './cisco-address.ts';
import type { Built, Config } from './cisco-config.ts';
import type { CiscoInterface } from './cisco-interfaces.ts';
import type { Reading } from './cisco-lines.ts';
import type { Way } from './cisco-options.ts';
import { buildPbr, isOfFamily, type PbrPolicy, type PbrStep } from './cisco-pbr.ts';
import { type Condition, either, everything } from './cisco-region.ts';
import { listCondition } from './cisco-route-maps.ts';
import { wayText, wayTranslation } from './cisco-ways.ts';
import type { EosBindings } from './eos-interfaces.ts';
import { type Block, lineOf, linesOf, wordsOf } from './indent.ts';

/** A group that tunnels is like a tunnel interface whose name is `Nexthop-Group N`. */
export function readNextHopGroups(reading: Reading): CiscoInterface[] {
  const found = new Map<string, CiscoInterface>();
  for (const block of reading.blocks) {
    const words = wordsOf(block.text);
    if (words[0] !== 'nexthop-group' || words[1] === undefined) continue;
    const far: string[] = [];
    for (const line of block.children) {
      const entry = /^entry \d+ (?:.{1,60} )?(?:nexthop|tunnel-destination) (\S+)/.exec(
        wordsOf(line.text).join(' '),
      );
      if (entry && setOf(entry[1])) far.push(entry[1]);
      else if (
        !/^(?:size|tunnel-source|ttl|hierarchical|counters|fec|entry)\b/.test(wordsOf(line.text)[0] ?? '')
      )
        reading.notUnderstood(line);
    }
    const type = words[words.indexOf('type') + 1] ?? 'ip';
    found.set(words[1], {
      name: `Nexthop-Group ${words[1]}`,
      head: lineOf(block),
      addresses: addresses.NO_ADDRESSES,
      networks: addresses.NO_ADDRESSES,
      dynamicAddress: false,
      shutdown: false,
      lists: [],
      routeMaps: [],
      tunnel: { destination: far.slice(0, 128).join(' '), mode: type },
      tunnelLines: linesOf(block).slice(1),
    });
  }
  return [...found.values()];
}

/** What a redirection to next hops or to a group of them makes of a packet. */
export function eosTranslation(way: Way, config: Config): Translation {
  const group = way.interfaces[0] === undefined ? undefined : config.byName.get(way.interfaces[0]);
  // A group of type ip hands packets on as they are.
  if (group?.tunnel.mode === 'ip')
    return { kind: 'policy-route', addresses: setOf(...(group.tunnel.destination ?? '').split(' ')) };
  return wayTranslation(way, config);
}

/** `service-policy type pbr input` on interfaces. */
export function buildEosPolicies(reading: Reading, bindings: EosBindings, config: Config): Built {
  const classes = readClasses(reading, config);
  const found: PbrPolicy[] = [];
  const byPolicy = Map.groupBy(bindings.pbr, ({ policy }) => policy);
  for (const block of reading.blocks) {
    const [word, , type, name] = wordsOf(block.text);
    if (word !== 'policy-map' || type !== 'pbr' || name === undefined) continue;
    const bound = (byPolicy.get(name) ?? [])
      .filter(({ face }) => !face.shutdown)
      .map(({ face }) => face.name);
    const steps = block.children.flatMap((line) => readStep(line, classes, reading, config) ?? []);
    found.push({ name, steps, bound: { ip: bound, ip6: bound } });
  }
  return buildPbr(found, config);
}

function readClasses(reading: Reading, config: Config): Map<string, Condition> {
  const classes = new Map<string, Condition>();
  for (const block of reading.blocks) {
    const words = wordsOf(block.text);
    if (words[0] !== 'class-map' || words[2] !== 'pbr' || words.length < 4) continue;
    const parts: Condition[] = [];
    for (const line of block.children) {
      const found = /^(?:\d+ )?match (ip|ipv6) access-group (\S+)$/.exec(wordsOf(line.text).join(' '));
      const family: Family = found?.[1] === 'ipv6' ? 'ip6' : 'ip';
      if (found) parts.push(listCondition(found[2], config.lists, family, config.conditions));
      else reading.notUnderstood(line);
    }
    const any = either(parts);
    classes.set(words.at(-1)!, { ...any, lines: [...linesOf(block), ...any.lines] });
  }
  return classes;
}

const ALL = [everything('ip'), everything('ip6')];

function readStep(
  line: Block,
  classes: ReadonlyMap<string, Condition>,
  reading: Reading,
  config: Config,
): PbrStep | undefined {
  const name = /^(?:\d+ )?class (\S+)$/.exec(wordsOf(line.text).join(' '))?.[1];
  if (name === undefined) {
    for (const each of linesOf(line)) reading.notUnderstood(each);
    return undefined;
  }
  let drops = false;
  let way: Way | undefined;
  for (const inner of line.children) {
    const words = wordsOf(inner.text);
    const action = readAction(words);
    if (action === 'drop') drops = true;
    else if (action) way = action;
    else if (action === undefined) reading.notUnderstood(inner);
  }
  const isDefault = name === 'class-default';
  const condition = classes.get(name) ?? {
    boxes: ALL,
    unresolved: isDefault ? [] : [`class-map ${name} is not defined`],
    lines: [],
  };
  return stepOf(name, condition, drops, way, linesOf(line), config);
}

function stepOf(
  name: string,
  condition: Condition,
  drops: boolean,
  way: Way | undefined,
  lines: readonly SourceLine[],
  config: Config,
): PbrStep {
  const translation = way && eosTranslation(way, config);
  const hops = setOf(...(way?.nextHops ?? [])) ?? addresses.NO_ADDRESSES;
  const family: Family | undefined = hops.v4.length > 0 ? 'ip' : hops.v6.length > 0 ? 'ip6' : undefined;
  return {
    name,
    condition: family ? { ...condition, boxes: condition.boxes.filter(isOfFamily(family)) } : condition,
    drops,
    ...(translation ? { translation } : {}),
    action: way ? `set ${wayText(way)}` : drops ? 'drop' : 'pass',
    lines,
  };
}

/** Undefined: not understood; null: without effect on where a packet goes. */
function readAction(words: readonly string[]): Way | 'drop' | null | undefined {
  if (words[0] === 'drop') return 'drop';
  if (words[0] === 'set' && /^(?:nexthop|next-hop)$/.test(words[1] ?? '')) {
    const vrf = words.indexOf('vrf');
    const hops = words.slice(2, vrf < 0 ? undefined : vrf).filter((word) => setOf(word) !== undefined);
    const vrfs = vrf < 0 ? [] : words.slice(vrf + 1, vrf + 2);
    return hops.length === 0 ? undefined : { nextHops: hops, vrfs, interfaces: [], isDefault: false };
  }
  if (words[0] === 'set' && words[1] === 'nexthop-group' && words[2] !== undefined)
    return { nextHops: [], vrfs: [], interfaces: [`Nexthop-Group ${words[2]}`], isDefault: false };
  return words[0] === 'set' && /^(?:ttl|dscp|traffic-class|cos)$/.test(words[1] ?? '') ? null : undefined;
}
