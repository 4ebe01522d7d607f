// static routes of IOS -> route rules; routes into tunnels -> tunnel rules and what is redirected into them
import * as addresses from '../../src/model/addresses.ts';
import type { Policy, PolicyEntry, Rule, SourceLine, Translation } from '../../src/model/rule.ts';
import { ANY_NAME, allNamesBut, type NameSet, names } from '../../src/model/traffic.ts';
import { ruleKey } from '../../src/rules/key.ts';
import { type Family, network, setOf, unionOf } from './cisco-address.ts';
import type { Built, Config } from './cisco-config.ts';
import { MAX_LINES } from './cisco-groups.ts';
import type { CiscoInterface } from './cisco-interfaces.ts';
import type { Reading } from './cisco-lines.ts';
import { everything } from './cisco-region.ts';
import { lineOf, wordsOf } from './indent.ts';

export interface StaticRoute {
  readonly family: Family;
  readonly vrf?: string;
  readonly prefix: addresses.AddressSet;
  readonly interface?: string;
  readonly nextHop?: addresses.AddressSet;
  readonly distance: number;
  readonly name?: string;
  readonly tracked: boolean;
  /** Prefix, mask and way, without name and tag. */
  readonly text: string;
  readonly via: string;
  readonly line: SourceLine;
}

/** `ip route [vrf V] P M [interface] [next hop] [distance] ...` and `ipv6 route`. */
export function readRoutes(reading: Reading): StaticRoute[] {
  const routes: StaticRoute[] = [];
  const add = (line: SourceLine, words: readonly string[]) => {
    if ((words[0] !== 'ip' && words[0] !== 'ipv6') || words[1] !== 'route' || SETTINGS.test(words[2] ?? ''))
      return;
    const route = readRoute(words, lineOf(line));
    if (route) routes.push(route);
    else reading.notUnderstood(line);
  };
  for (const block of reading.blocks) {
    const words = wordsOf(block.text);
    add(block, words);
    // NX-OS keeps the routes of a VRF in its block.
    if (words[0] !== 'vrf' || words[1] !== 'context' || words[2] === undefined) continue;
    for (const line of block.children) {
      const own = wordsOf(line.text);
      add(line, [...own.slice(0, 2), 'vrf', words[2], ...own.slice(2)]);
    }
  }
  return routes;
}

/** `ip route static bfd ...`, `ip route track ...`: how routes are watched. */
const SETTINGS = /^(?:static|profile|track)$/;

/** Also of prefixes with a length and the tails of NX-OS and EOS; undefined where it is not understood. */
export function readRoute(words: readonly string[], line: SourceLine): StaticRoute | undefined {
  const family: Family = words[0] === 'ip' ? 'ip' : 'ip6';
  let at = 2;
  const vrf = words[at] === 'vrf' ? words[at + 1] : undefined;
  if (vrf !== undefined) at += 2;
  const hasMask = family === 'ip' && !words[at]?.includes('/');
  const prefix = hasMask ? network(words[at], words[at + 1]) : setOf(words[at] ?? '');
  at += hasMask ? 2 : 1;
  if (!prefix || words[at] === undefined) return undefined;
  const prefixEnd = at;
  if (words[at] === 'egress-vrf') at += 2;
  const start = at;
  let way: { interface?: string; nextHop?: addresses.AddressSet } = {};
  const first = setOf(words[at]?.replace(/\/(?:32|128)$/, '') ?? '');
  if (first) way = { nextHop: first };
  else if (/^nexthop-group$/i.test(words[at] ?? '') && words[at + 1] !== undefined)
    way = { interface: `Nexthop-Group ${words[++at]}` };
  else if (/^[A-Za-z]/.test(words[at] ?? ''))
    way = { interface: words[at], nextHop: setOf(words[at + 1] ?? '') };
  else return undefined;
  at += way.interface !== undefined && way.nextHop ? 2 : 1;
  const via = words.slice(start, at).join(' ');
  let distance = 1;
  let name: string | undefined;
  let tracked = false;
  for (; at < words.length; at++) {
    if (/^\d{1,3}$/.test(words[at])) distance = Number(words[at]);
    else if (words[at] === 'name') name = words[++at];
    else if (words[at] === 'tag') at++;
    else if (words[at] === 'metric') at++;
    else if (words[at] === 'vrf' || words[at] === 'nexthop-vrf') at++;
    else if (words[at] === 'track') tracked = ++at > 0;
    else if (!/^(?:permanent|global|multicast|unicast|dhcp)$/.test(words[at])) return undefined;
  }
  const text = `${words.slice(0, prefixEnd).join(' ')} ${via} ${distance}`;
  return { family, vrf, prefix, ...way, distance, name, tracked, text, via, line };
}

/** Far end of the tunnel that an interface or next hop leads into; undefined where it leads into none. */
export function tunnelOf(
  config: Config,
  way: { readonly interface?: string; readonly nextHop?: addresses.AddressSet },
): CiscoInterface | undefined {
  const named = way.interface === undefined ? undefined : config.byName.get(way.interface);
  if (named && isTunnel(named)) return named.shutdown ? undefined : named;
  if (named || !way.nextHop || addresses.noAddresses(way.nextHop)) return undefined;
  const hop = way.nextHop;
  return config.tunnels
    .slice(0, MAX_TUNNELS_SEARCHED)
    .find((face) => !face.shutdown && addresses.noAddresses(addresses.subtractAddresses(hop, face.networks)));
}

const MAX_TUNNELS_SEARCHED = 500;

export const isTunnel = (face: CiscoInterface): boolean => face.tunnelLines.length > 0;

export function tunnelTranslation(face: CiscoInterface): Translation {
  const far = farEnds(face);
  return { kind: 'tunnel', ...(far ? { addresses: far } : {}) };
}

/** More than one in next hop groups of EOS. */
function farEnds({ tunnel }: CiscoInterface): addresses.AddressSet | undefined {
  const ends = tunnel.destination?.split(' ') ?? tunnel.nbma;
  return ends && setOf(...ends);
}

function tunnelUnresolved(face: CiscoInterface): string[] {
  if (!farEnds(face)) return ['far end of the tunnel is not in the configuration'];
  return face.tunnel.destination === undefined ? ['further far ends are learned (NHRP)'] : [];
}

export function buildRoutes(routes: readonly StaticRoute[], config: Config): Built {
  const keys = routes.map((route) => config.unique(`route:${ruleKey(route.text)}`));
  const rules = routes.map((route, position) => routeRule(route, keys[position], position));
  const into = new Map<CiscoInterface, StaticRoute[]>();
  const tunnels = routes.map((route) => tunnelOf(config, route));
  routes.forEach((route, i) => {
    const face = tunnels[i];
    if (!face) return;
    const known = into.get(face);
    if (known) known.push(route);
    else into.set(face, [route]);
  });
  const tunnelRules = config.tunnels.map((face, position) =>
    tunnelRule(face, into.get(face) ?? [], position),
  );
  const policies: Policy[] = [];
  for (const vrf of new Set(routes.filter((_, i) => tunnels[i]).map((route) => route.vrf))) {
    const table = routes.flatMap((route, i) =>
      route.vrf === vrf ? [{ route, key: keys[i], tunnel: tunnels[i] }] : [],
    );
    policies.push({
      id: vrf === undefined ? 'tunnels' : `tunnels:${vrf}`,
      stage: 'redirect',
      evaluation: 'first-match',
      appliesTo: { ingress: interfacesOf(vrf, config), egress: ANY_NAME },
      otherwise: 'none',
      entries: routedEntries(table),
    });
  }
  return { rules: [...tunnelRules, ...rules], policies };
}

function interfacesOf(vrf: string | undefined, config: Config): NameSet {
  const list = config.interfaces.filter((face) =>
    vrf === undefined ? face.vrf !== undefined : face.vrf === vrf,
  );
  return vrf === undefined
    ? allNamesBut(...list.map((face) => face.name))
    : names(...list.map((face) => face.name));
}

interface TableRow {
  readonly route: StaticRoute;
  readonly key: string;
  readonly tunnel: CiscoInterface | undefined;
}

/** Longest prefix first; a longer prefix that goes elsewhere keeps its packets out of the tunnel. */
function routedEntries(table: readonly TableRow[]): PolicyEntry[] {
  const sized = table.map((row) => ({ ...row, size: addresses.countAddresses(row.route.prefix) }));
  sized.sort((a, b) => a.size - b.size || a.route.distance - b.route.distance);
  const tunnelled = unionOf(sized.filter((row) => row.tunnel).map((row) => row.route.prefix));
  const best = new Map<string, TableRow>();
  const entries: PolicyEntry[] = [];
  for (const row of sized) {
    const { route, tunnel, key } = row;
    if (addresses.noAddresses(addresses.intersectAddresses(route.prefix, tunnelled))) continue;
    const match = { ...everything(route.family), destinations: route.prefix };
    const id = `${route.prefix.v4.join()}/${route.prefix.v6.join()}`;
    const preferred = best.get(id);
    if (!preferred) best.set(id, row);
    const isBackup = preferred !== undefined && preferred.route.distance < route.distance;
    const reasons = isBackup ? [`only while the route via ${preferred.route.via} is down`] : [];
    if (tunnel) {
      const unresolved = [...reasons, ...tunnelUnresolved(tunnel)];
      const translation = tunnelTranslation(tunnel);
      entries.push({ ruleKey: tunnelKey(tunnel), match, unresolved, action: 'translate', translation });
    } else if (!isBackup) {
      // A tracked route may be gone; what it keeps out of the tunnel then is not certain.
      entries.push({ ruleKey: key, match, unresolved: route.tracked ? ['tracked'] : [], action: 'exempt' });
    }
  }
  while (entries.length > 0 && entries[entries.length - 1].action === 'exempt') entries.pop();
  return entries;
}

const tunnelKey = (face: CiscoInterface): string => `tunnel:${face.name}`;

function tunnelRule(face: CiscoInterface, routes: readonly StaticRoute[], position: number): Rule {
  const any = everything('ip');
  const routed = unionOf(routes.map((route) => route.prefix));
  return {
    key: tunnelKey(face),
    kind: 'tunnel',
    enabled: !face.shutdown,
    position,
    context: { ...(face.vrf === undefined ? {} : { vrf: face.vrf }), interfaces: [face.name] },
    match: { ...any, sources: addresses.ANY_ADDRESS, destinations: routed },
    unresolved: tunnelUnresolved(face),
    translation: tunnelTranslation(face),
    action: `tunnel ${face.tunnel.mode ?? 'gre ip'}`,
    ...(face.description === undefined ? {} : { comment: face.description }),
    lines: [face.head, ...face.tunnelLines, ...routes.map((route) => route.line)].slice(0, MAX_LINES),
  };
}

function routeRule(route: StaticRoute, key: string, position: number): Rule {
  return {
    key,
    kind: 'route',
    enabled: true,
    position,
    context: { ...(route.vrf === undefined ? {} : { vrf: route.vrf }), family: route.family },
    match: { ...everything(route.family), destinations: route.prefix },
    unresolved: route.tracked ? ['tracked'] : [],
    action: `via ${route.via}`,
    ...(route.name === undefined ? {} : { comment: route.name }),
    lines: [route.line],
  };
}
