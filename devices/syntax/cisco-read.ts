// IOS and IOS-XE running configuration -> RuleSet
import type { RuleSet } from '../../src/model/rule.ts';
import { uniqueKeys } from '../../src/rules/key.ts';
import { readAccessLists } from './cisco-acl.ts';
import type { Config } from './cisco-config.ts';
import { buildCryptoMaps } from './cisco-crypto-maps.ts';
import { buildFilters } from './cisco-filter.ts';
import { readGroups } from './cisco-groups.ts';
import { asDeviceInterface, type CiscoInterface, readInterfaces } from './cisco-interfaces.ts';
import { type Reading, readStatements } from './cisco-lines.ts';
import { buildMirrors } from './cisco-mirrors.ts';
import { buildNat } from './cisco-nat.ts';
import { readNatStatements } from './cisco-nat-words.ts';
import { buildPolicyRoutes } from './cisco-policy-routes.ts';
import { readRouteMaps } from './cisco-route-maps.ts';
import { buildRoutes, isTunnel, readRoutes } from './cisco-routes.ts';
import { buildVlanMaps } from './cisco-vlan-maps.ts';
import { buildWccp } from './cisco-wccp.ts';
import { buildZones, readZones } from './cisco-zones.ts';
import { linesOf, wordsOf } from './indent.ts';

/**
 * Never throws; what it does not understand in sections that bear rules is in `unread`. Interfaces that are shut down
 * take no part in any policy; a tunnel that is shut down is a rule with `enabled` false.
 */
export function readCisco(text: string): RuleSet {
  const reading = readStatements(text);
  const groups = readGroups(reading);
  const lists = readAccessLists(reading, groups, readTimeRanges(reading));
  const interfaces = readInterfaces(reading);
  const config: Config = {
    interfaces,
    byName: new Map(interfaces.map((face) => [face.name, face])),
    tunnels: interfaces.filter(isTunnel),
    lists,
    bindings: bindingsOf(interfaces),
    routeMaps: readRouteMaps(reading),
    conditions: new Map(),
    unique: uniqueKeys(),
  };
  const zones = readZones(reading);
  const parts = [
    buildNat(readNatStatements(reading), config),
    buildPolicyRoutes(config),
    buildWccp(reading, config),
    buildCryptoMaps(reading, config),
    buildRoutes(readRoutes(reading), config),
    buildMirrors(reading),
    buildFilters(config),
    buildVlanMaps(reading, config),
    buildZones(zones, config),
  ];
  noteUnread(reading);
  return {
    rules: parts.flatMap((part) => part.rules),
    policies: parts.flatMap((part) => part.policies),
    interfaces: interfaces.map(asDeviceInterface),
    unread: reading.unread.sort((a, b) => a.number - b.number),
  };
}

/** Sections that open ways which no reader here understands, and statements that change what others mean. */
const NOT_UNDERSTOOD =
  /^(?:ipv6 wccp|ip port-map|object-group security|l2tp-class|xconnect|ip local policy (?!route-map \S+$)|(?:policy|class)-map type (?:pbr|epbr|access-control|stack)|parameter-map type epbr|load protocol)\b/;

function noteUnread(reading: Reading): void {
  for (const block of reading.blocks) {
    const text = wordsOf(block.text).join(' ');
    if (NOT_UNDERSTOOD.test(text)) for (const line of linesOf(block)) reading.notUnderstood(line);
    // Policies of quality of service (by lists, by NBAR) may drop what they class.
    if (/^policy-map \S+$/.test(text))
      for (const line of linesOf(block)) if (/^\s+drop\s*$/.test(line.text)) reading.notUnderstood(line);
  }
}

export function readTimeRanges(reading: Reading): Map<string, string> {
  const ranges = new Map<string, string>();
  for (const block of reading.blocks) {
    const [word, name] = wordsOf(block.text);
    if (word !== 'time-range' || name === undefined) continue;
    ranges.set(name, block.children.map((line) => withoutNumber(wordsOf(line.text))).join(', '));
  }
  return ranges;
}

const withoutNumber = (words: readonly string[]): string =>
  (/^\d+$/.test(words[0] ?? '') ? words.slice(1) : words).join(' ');

/** Names of interfaces that are up, by what is bound to them. */
export function bindingsOf(interfaces: readonly CiscoInterface[]): Map<string, string[]> {
  const bindings = new Map<string, string[]>();
  const bind = (key: string, name: string) => {
    const known = bindings.get(key);
    if (known) known.push(name);
    else bindings.set(key, [name]);
  };
  for (const face of interfaces) {
    if (face.shutdown) continue;
    for (const { list, direction, family } of face.lists) bind(`${family} ${list} ${direction}`, face.name);
    for (const { name, family } of face.routeMaps) bind(`${family} ${name} policy`, face.name);
    if (face.side) bind(`${face.side} ${face.vrf ?? ''}`, face.name);
    if (face.zone) bind(`zone ${face.zone}`, face.name);
  }
  return bindings;
}
