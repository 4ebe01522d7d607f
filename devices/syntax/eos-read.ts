// EOS running configuration -> RuleSet
import type { RuleSet } from '../../src/model/rule.ts';
import { uniqueKeys } from '../../src/rules/key.ts';
import { plainHead, readAccessLists } from './cisco-acl.ts';
import type { Config } from './cisco-config.ts';
import { buildFilters } from './cisco-filter.ts';
import { readGroups } from './cisco-groups.ts';
import { asDeviceInterface, readInterfaces } from './cisco-interfaces.ts';
import { readStatements } from './cisco-lines.ts';
import { buildMirrors } from './cisco-mirrors.ts';
import { bindingsOf, readTimeRanges } from './cisco-read.ts';
import { buildRoutes, isTunnel, readRoutes } from './cisco-routes.ts';
import { eosDialect, newEosBindings } from './eos-interfaces.ts';
import { buildEosNat } from './eos-nat.ts';
import { buildEosPolicies, readNextHopGroups } from './eos-policies.ts';
import { buildTrafficPolicies } from './eos-traffic.ts';
import { linesOf, wordsOf } from './indent.ts';

/** Never throws; what it does not understand in sections that bear rules is in `unread`. */
export function readEos(text: string): RuleSet {
  const reading = readStatements(text);
  const lists = readAccessLists(reading, readGroups(reading), readTimeRanges(reading), plainHead);
  const bindings = newEosBindings();
  const interfaces = readInterfaces(reading, eosDialect(bindings));
  const groups = readNextHopGroups(reading);
  const faces = [...interfaces, ...groups];
  const config: Config = {
    interfaces,
    byName: new Map(faces.map((face) => [face.name, face])),
    tunnels: faces.filter((face) => isTunnel(face) && face.tunnel.mode !== 'ip'),
    lists,
    bindings: bindingsOf(interfaces),
    routeMaps: new Map(),
    conditions: new Map(),
    unique: uniqueKeys(),
  };
  const parts = [
    buildEosNat(reading, bindings, config),
    buildEosPolicies(reading, bindings, config),
    buildTrafficPolicies(reading, bindings, config),
    buildRoutes(readRoutes(reading), config),
    buildMirrors(reading),
    buildFilters(config),
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
const NOT_UNDERSTOOD =
  /^(?:router (?:internet-exit|path-selection|segment-security|service-insertion)|ipv6 nat)\b/;
