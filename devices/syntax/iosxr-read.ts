// IOS-XR running configuration -> RuleSet
import type { RuleSet } from '../../src/model/rule.ts';
import { uniqueKeys } from '../../src/rules/key.ts';
import { plainHead, readAccessLists } from './cisco-acl.ts';
import type { Config } from './cisco-config.ts';
import { buildFilters, type Chain } from './cisco-filter.ts';
import { readGroups } from './cisco-groups.ts';
import { asDeviceInterface, readInterfaces } from './cisco-interfaces.ts';
import { readStatements } from './cisco-lines.ts';
import { buildRoutes, isTunnel } from './cisco-routes.ts';
import { linesOf, wordsOf } from './indent.ts';
import { buildCgn } from './iosxr-cgn.ts';
import { newBindings, type XrBindings, xrDialect } from './iosxr-interfaces.ts';
import { buildXrMirrors } from './iosxr-mirrors.ts';
import { buildXrPolicies } from './iosxr-policies.ts';
import { readXrRoutes } from './iosxr-routes.ts';

/** Never throws; what it does not understand in sections that bear rules is in `unread`. */
export function readIosXr(text: string): RuleSet {
  const reading = readStatements(text);
  const lists = readAccessLists(reading, readGroups(reading), new Map(), plainHead);
  const bindings = newBindings();
  const interfaces = readInterfaces(reading, xrDialect(bindings));
  const config: Config = {
    interfaces,
    byName: new Map(interfaces.map((face) => [face.name, face])),
    tunnels: interfaces.filter(isTunnel),
    lists,
    bindings: new Map(),
    routeMaps: new Map(),
    conditions: new Map(),
    unique: uniqueKeys(),
  };
  const parts = [
    buildCgn(reading, config),
    buildXrPolicies(reading, config, bindings),
    buildFilters(config, chainsOf(bindings, config)),
    buildRoutes(readXrRoutes(reading), config),
    buildXrMirrors(reading, config, bindings),
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
const NOT_UNDERSTOOD = /^(?:flowspec|nve|crypto map|generic-interface-list)\b/;

/** Bindings of the same lists in the same direction are one chain. A list that is not defined lets everything pass. */
function chainsOf(bindings: XrBindings, config: Config): Chain[] {
  const chains = new Map<string, { chain: Chain; interfaces: string[] }>();
  for (const { face, family, lists, direction } of bindings.acls) {
    const found = lists.flatMap((name) => config.lists.get(`${family} ${name}`) ?? []);
    if (found.length === 0 || face.shutdown) continue;
    const id = `${family} ${found.map((list) => list.name).join(' ')} ${direction}`;
    const known = chains.get(id);
    if (known) known.interfaces.push(face.name);
    else {
      const interfaces = [face.name];
      chains.set(id, { chain: { lists: found, direction, interfaces }, interfaces });
    }
  }
  return [...chains.values()].map(({ chain }) => chain);
}
