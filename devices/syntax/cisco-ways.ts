// next hops of access list entries and traffic policies -> translations, with tunnels followed to their far ends
import * as addresses from '../../src/model/addresses.ts';
import type { Translation } from '../../src/model/rule.ts';
import { setOf, unionOf } from './cisco-address.ts';
import type { Config } from './cisco-config.ts';
import type { Way } from './cisco-options.ts';
import { tunnelOf, tunnelTranslation } from './cisco-routes.ts';

/** Where a way leads: into a tunnel, to next hops, or to an address that only the device knows. */
export function wayTranslation(way: Way, config: Config): Translation {
  const hops = unionOf(way.nextHops.flatMap((hop) => setOf(hop) ?? []));
  const tunnel = [...way.interfaces.map((name) => ({ interface: name })), { nextHop: hops }]
    .map((candidate) => tunnelOf(config, candidate))
    .find((face) => face !== undefined);
  if (tunnel) return tunnelTranslation(tunnel);
  return { kind: 'policy-route', ...(addresses.noAddresses(hops) ? {} : { addresses: hops }) };
}

/** "nexthop 10.0.0.1, vrf BLUE": the same for the same way, whatever the spelling. */
export function wayText(way: Way): string {
  const parts = [
    ...way.nextHops.map((hop) => `nexthop ${hop}`),
    ...way.vrfs.map((vrf) => `vrf ${vrf}`),
    ...way.interfaces.map((name) => (name.startsWith('Nexthop-Group ') ? name : `redirect ${name}`)),
  ];
  return `${way.isDefault ? 'default ' : ''}${parts.join(', ')}`;
}
