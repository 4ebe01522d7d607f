// configuration of Huawei VRP or H3C Comware -> RuleSet
import type { RuleSet } from '../../src/model/rule.ts';
import { uniqueKeys } from '../../src/rules/key.ts';
import type { Config } from './cisco-config.ts';
import { asDeviceInterface, readInterfaces } from './cisco-interfaces.ts';
import { buildRoutes, isTunnel } from './cisco-routes.ts';
import { linesOf, wordsOf } from './indent.ts';
import { readVrpLists } from './vrp-acl.ts';
import { buildVrpCrypto } from './vrp-crypto.ts';
import { buildVrpFilters } from './vrp-filter.ts';
import { newVrpBindings, readZoneMembers, vrpDialect } from './vrp-interfaces.ts';
import { buildVrpMirrors, readObservers } from './vrp-mirrors.ts';
import { buildVrpNat } from './vrp-nat.ts';
import { buildNatPolicies } from './vrp-nat-policy.ts';
import { readAddressGroups } from './vrp-nat-words.ts';
import { readVrpObjects } from './vrp-objects.ts';
import { buildVrpPolicyRoutes, buildZonePolicyRoutes } from './vrp-policy-routes.ts';
import { readVrpRoutes } from './vrp-routes.ts';
import type { ZoneContext } from './vrp-rules.ts';
import { readVrpStatements } from './vrp-text.ts';
import { buildVrpTraffic } from './vrp-traffic.ts';
import { buildSecurityPolicies, buildZonePairs } from './vrp-zones.ts';

/** Never throws; what it does not understand in sections that bear rules is in `unread`. */
export function readVrp(text: string): RuleSet {
  const reading = readVrpStatements(text);
  const objects = readVrpObjects(reading);
  const bindings = newVrpBindings();
  const interfaces = readInterfaces(reading, vrpDialect(bindings));
  const config: Config = {
    interfaces,
    byName: new Map(interfaces.map((face) => [face.name, face])),
    tunnels: interfaces.filter(isTunnel),
    lists: readVrpLists(reading, objects),
    bindings: new Map(),
    routeMaps: new Map(),
    conditions: new Map(),
    unique: uniqueKeys(),
  };
  const context: ZoneContext = {
    zones: readZoneMembers(reading, interfaces),
    objects,
    reading,
    nameSets: new Map(),
  };
  const groups = readAddressGroups(reading);
  const observers = readObservers(reading, bindings);
  const filters = buildVrpFilters(reading, bindings, config);
  const parts = [
    buildVrpNat(reading, bindings, config, { groups, zones: context.zones }),
    buildNatPolicies(context, groups, config),
    buildZonePolicyRoutes(context, config),
    buildVrpPolicyRoutes(reading, bindings, config),
    buildVrpTraffic(reading, bindings, observers, config),
    buildVrpCrypto(reading, bindings, config),
    buildRoutes(readVrpRoutes(reading), config),
    buildVrpMirrors(reading, bindings, observers, config),
    filters,
    buildSecurityPolicies(context, config),
    buildZonePairs(context, config),
  ];
  for (const block of reading.blocks)
    if (NOT_UNDERSTOOD.test(wordsOf(block.text).join(' ')))
      for (const line of linesOf(block)) reading.notUnderstood(line);
  return {
    rules: parts.flatMap((part) => part.rules),
    policies: parts.flatMap((part) => part.policies),
    interfaces: interfaces.map(asDeviceInterface),
    unread: [...new Map(reading.unread.map((line) => [line.number, line])).values()].sort(
      (a, b) => a.number - b.number,
    ),
  };
}

/** Sections that open ways which no reader here understands. */
const NOT_UNDERSTOOD =
  /^(?:nat64|nat (?:instance|ipv6|port-block|dns-map|mapping-behavior aftr|hairpin|server-group|static-mapping|outbound|no-pat)|slb|virtual-server|server-farm|load-balanc\S*|interzone|firewall interzone|policy interzone|nat-policy interzone|sslvpn|xconnect)\b/;
