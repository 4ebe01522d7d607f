// routes of one table -> what is taken into tunnels: longest prefix first, then by distance
import {
  type AddressSet,
  countAddresses,
  formatAddresses,
  intersectAddresses,
  noAddresses,
  subtractAddresses,
  unionAddresses,
} from '../../src/model/addresses.ts';
import type { Translation } from '../../src/model/rule.ts';
import type { Assembled, PolicyBuilder } from './assemble.ts';

export interface TableRoute {
  readonly rule: Assembled;
  readonly prefix: AddressSet;
  /** The smaller one is preferred. */
  readonly distance: number;
  /** Undefined where the route leads into no tunnel. */
  readonly tunnel?: { readonly translation: Translation; readonly unresolved: readonly string[] };
  readonly via: string;
}

/**
 * A longer prefix that goes elsewhere keeps its packets out of a tunnel; of the same prefix only the nearest is certain.
 * What is `connected` is not routed.
 */
export function tunnelEntries(
  routes: readonly TableRoute[],
  connected: AddressSet,
  policy: PolicyBuilder,
): void {
  const sized = routes
    .filter(({ rule }) => rule.rule.enabled)
    .map((route) => ({ ...route, size: countAddresses(route.prefix) }))
    .sort((a, b) => a.size - b.size || a.distance - b.distance);
  const tunnelled = unionAddresses(...sized.filter(({ tunnel }) => tunnel).map(({ prefix }) => prefix));
  const last = sized.findLastIndex(({ tunnel }) => tunnel);
  const preferred = new Map<string, TableRoute>();
  for (const route of sized.slice(0, last + 1)) {
    if (noAddresses(intersectAddresses(route.prefix, tunnelled))) continue;
    const id = formatAddresses(route.prefix).join();
    const better = preferred.get(id);
    if (!better) preferred.set(id, route);
    const isBackup = better !== undefined && better.distance < route.distance;
    const doubts = isBackup ? [`only while the route via ${better.via} is down`] : [];
    if (route.tunnel) {
      const destinations = subtractAddresses(route.prefix, connected);
      if (!noAddresses(destinations))
        policy.entry(route.rule, 'translate', {
          matches: route.rule.matches.map((match) => ({ ...match, destinations })),
          unresolved: [...doubts, ...route.tunnel.unresolved],
          translation: route.tunnel.translation,
        });
    } else if (!isBackup) policy.entry(route.rule, 'exempt');
  }
}
