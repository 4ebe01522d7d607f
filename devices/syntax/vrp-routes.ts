// `ip route-static` and `ipv6 route-static` of VRP and Comware -> static routes as IOS has them
import type { SourceLine } from '../../src/model/rule.ts';
import { type Family, setOf } from './cisco-address.ts';
import type { Reading } from './cisco-lines.ts';
import type { StaticRoute } from './cisco-routes.ts';
import { lineOf, wordsOf } from './indent.ts';
import { maskNetwork } from './vrp-words.ts';

export function readVrpRoutes(reading: Reading): StaticRoute[] {
  const routes: StaticRoute[] = [];
  for (const block of reading.blocks) {
    const words = wordsOf(block.text);
    if ((words[0] !== 'ip' && words[0] !== 'ipv6') || words[1] !== 'route-static') continue;
    if (
      /^(?:default-preference|bfd|selection-rule|frr|inter-protocol|recursive-lookup|fast-reroute)$/.test(
        words[2] ?? '',
      )
    )
      continue;
    const route = readRoute(words, lineOf(block));
    if (route) routes.push(route);
    else reading.notUnderstood(block);
  }
  return routes;
}

const OPTIONS =
  /^(?:preference|tag|description|track|bfd|permanent|inherit-cost|cost|route-tag|dhcp|no-advertise|no-install|ldp-sync|enable|nqa|weight|public|vpn-instance)$/;

/** `ip route-static [vpn-instance V] D mask [vpn-instance W] [interface] [next hop] [preference N] ...`. */
function readRoute(words: readonly string[], line: SourceLine): StaticRoute | undefined {
  const family: Family = words[0] === 'ip' ? 'ip' : 'ip6';
  let at = 2;
  const vrf = words[at] === 'vpn-instance' ? words[at + 1] : undefined;
  if (vrf !== undefined) at += 2;
  const withSlash = words[at]?.includes('/');
  const prefix = withSlash ? setOf(words[at] ?? '') : maskNetwork(words[at], words[at + 1]);
  at += withSlash ? 1 : 2;
  if (!prefix) return undefined;
  const prefixEnd = at;
  if (words[at] === 'vpn-instance') at += 2;
  else if (words[at] === 'public') at++;
  const start = at;
  // Comware may part an interface's type from its number.
  while (at < words.length && !OPTIONS.test(words[at])) at++;
  const way = words.slice(start, at);
  if (way.length === 0) return undefined;
  const hop = setOf(way.at(-1) ?? '');
  const name = (hop ? way.slice(0, -1) : way).join(' ');
  const preference = words[words.indexOf('preference', at) + 1];
  const description = words.indexOf('description', at);
  const distance = words.includes('preference') && /^\d{1,3}$/.test(preference) ? Number(preference) : 60;
  const via = way.join(' ');
  return {
    family,
    vrf,
    prefix,
    ...(name === '' ? {} : { interface: name }),
    ...(hop ? { nextHop: hop } : {}),
    distance,
    ...(description < 0 ? {} : { name: words.slice(description + 1).join(' ') }),
    tracked: words.includes('track') || words.includes('bfd') || words.includes('nqa'),
    text: `${words.slice(0, prefixEnd).join(' ')} ${via} ${distance}`,
    via,
    line,
  };
}
