// NX-OS running configuration -> RuleSet
import type { RuleSet } from '../../src/model/rule.ts';
import { uniqueKeys } from '../../src/rules/key.ts';
import { plainHead, readAccessLists } from './cisco-acl.ts';
import type { Config } from './cisco-config.ts';
import { buildFilters } from './cisco-filter.ts';
import { readGroups } from './cisco-groups.ts';
import { asDeviceInterface, readInterfaces } from './cisco-interfaces.ts';
import { readStatements } from './cisco-lines.ts';
import { buildMirrors } from './cisco-mirrors.ts';
import { buildNat } from './cisco-nat.ts';
import { readNatStatements } from './cisco-nat-words.ts';
import { buildPolicyRoutes } from './cisco-policy-routes.ts';
import { bindingsOf, readTimeRanges } from './cisco-read.ts';
import { readRouteMaps } from './cisco-route-maps.ts';
import { buildRoutes, isTunnel, readRoutes } from './cisco-routes.ts';
import { buildVlanMaps } from './cisco-vlan-maps.ts';
import { buildWccp } from './cisco-wccp.ts';
import { linesOf, wordsOf } from './indent.ts';
import { NXOS_LINES } from './nxos-interfaces.ts';

/** Never throws; what it does not understand in sections that bear rules is in `unread`. NAT without `feature nat` is not printed. */
export function readNxos(text: string): RuleSet {
  const reading = readStatements(text);
  const groups = readGroups(reading);
  const lists = readAccessLists(reading, groups, readTimeRanges(reading), plainHead);
  const interfaces = readInterfaces(reading, NXOS_LINES);
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
  const parts = [
    buildNat(readNatStatements(reading), config),
    buildPolicyRoutes(config),
    buildWccp(reading, config),
    buildRoutes(readRoutes(reading), config),
    buildMirrors(reading, true),
    buildFilters(config),
    buildVlanMaps(reading, config),
  ];
  for (const block of reading.blocks)
    if (NOT_UNDERSTOOD.test(wordsOf(block.text).join(' ')))
      for (const line of linesOf(block)) reading.notUnderstood(line);
  return {
    rules: parts.flatMap((part) => part.rules),
    policies: parts.flatMap((part) => part.policies),
    interfaces: interfaces.map(asDeviceInterface),
    unread: reading.unread.sort((a, b) => a.number - b.number),
  };
}

/** Sections that open ways which no reader here understands. */
const NOT_UNDERSTOOD = /^(?:itd|epbr|crypto map|ipv6 wccp)\b/;
