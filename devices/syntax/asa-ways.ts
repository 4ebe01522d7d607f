// routes, VTI tunnels, crypto maps and policy routing of the ASA -> rules and redirect policies
import * as addresses from '../../src/model/addresses.ts';
import type { SourceLine, Translation } from '../../src/model/rule.ts';
import { ANY_NAME, ANY_TRAFFIC, type NameSet, names, type Traffic } from '../../src/model/traffic.ts';
import { ruleKey } from '../../src/rules/key.ts';
import type { AsaList } from './asa-acl.ts';
import type { Bypass } from './asa-filter.ts';
import type { AsaInterface } from './asa-interfaces.ts';
import { subnet } from './asa-objects.ts';
import { type AsaScope, linesOnce, statements } from './asa-scope.ts';
import type { Assembled } from './assemble.ts';
import { setOf, unionOf } from './cisco-address.ts';
import { type Condition, either, firstMatches } from './cisco-region.ts';
import { type Block, lineOf, linesOf, wordsOf } from './indent.ts';

/** What a list permits, its denies taken out; one that is not defined may permit anything. */
export function conditionOf(lists: ReadonlyMap<string, AsaList>, name: string | undefined): Condition {
  const list = lists.get(name ?? '');
  if (!list) return { boxes: [ANY_TRAFFIC], unresolved: [`access list ${name} is not defined`], lines: [] };
  return firstMatches(
    list.entries
      .filter(({ enabled }) => enabled)
      .map((entry) => ({
        ...entry,
        boxes: list.kind === 'standard' ? entry.boxes.map(asSources) : entry.boxes,
      })),
    `access list ${name}`,
  );
}

/** A standard list names networks; where it stands for packets it names their sources. */
const asSources = (box: Traffic): Traffic => ({
  ...box,
  sources: box.destinations,
  destinations: addresses.ANY_V4,
});

interface Route {
  readonly nameif: string;
  readonly prefix: addresses.AddressSet;
  readonly size: number;
  readonly metric: number;
  readonly tracked: boolean;
  readonly made: Assembled;
  readonly line: SourceLine;
}

const tunnelOf = (scope: AsaScope, nameif: string): AsaInterface | undefined => {
  const one = scope.interfaces.byNameif.get(nameif);
  return one?.tunnel && one.isUp ? one : undefined;
};

const tunnelTranslation = ({ tunnel }: AsaInterface): Translation => {
  const far = setOf(tunnel?.destination ?? '');
  return { kind: 'tunnel', ...(far ? { addresses: far } : {}) };
};

const farUnknown = ({ tunnel }: AsaInterface): string[] =>
  setOf(tunnel?.destination ?? '') ? [] : ['far end of the tunnel is not in the configuration'];

/** Static routes, and what they lead into tunnels; a longer prefix that goes elsewhere keeps its packets out. */
export function buildAsaRoutes(scope: AsaScope): void {
  const routes = [...statements(scope, 'route'), ...statements(scope, 'ipv6', 'route')].flatMap(
    ({ block, words }) => {
      const route = routeOf(scope, words[0] === 'ipv6' ? words.slice(1) : words, lineOf(block));
      if (!route) scope.assembly.notUnderstood(block);
      return route ?? [];
    },
  );
  const tunnels = new Map<AsaInterface, Assembled>();
  for (const one of scope.interfaces.all) {
    if (!one.tunnel) continue;
    const into = routes.filter(({ nameif }) => nameif === one.nameif);
    const made = scope.assembly.rule({
      key: scope.own(`tunnel:${one.nameif ?? one.name}`),
      kind: 'tunnel',
      list: scope.own('tunnels'),
      context: scope.ruleContext({ interfaces: [one.name] }),
      enabled: one.isUp,
      matches: into.map(({ prefix }) => ({ ...ANY_TRAFFIC, destinations: prefix })),
      unresolved: farUnknown(one),
      translation: tunnelTranslation(one),
      action: `tunnel ${one.tunnel.mode}`,
      ...(one.description === undefined ? {} : { comment: one.description }),
      lines: linesOnce([...one.lines, ...into.map(({ line }) => line)]),
    });
    tunnels.set(one, made);
  }
  const policy = scope.assembly.policy({
    id: scope.own('tunnels'),
    stage: 'redirect',
    evaluation: 'first-match',
    appliesTo: scope.everywhere,
    otherwise: 'none',
  });
  const tunnelled = unionOf(
    routes.filter(({ nameif }) => tunnelOf(scope, nameif)).map(({ prefix }) => prefix),
  );
  const near = routes.filter(
    ({ prefix }) => !addresses.noAddresses(addresses.intersectAddresses(prefix, tunnelled)),
  );
  near.sort((a, b) => a.size - b.size || a.metric - b.metric);
  // What goes elsewhere matters only in front of what goes into a tunnel.
  for (const route of near.slice(0, near.findLastIndex(({ nameif }) => tunnelOf(scope, nameif)) + 1)) {
    const tunnel = tunnelOf(scope, route.nameif);
    const matches = [{ ...ANY_TRAFFIC, destinations: route.prefix }];
    const unresolved = route.tracked ? ['tracked'] : [];
    if (tunnel)
      policy.entry(tunnels.get(tunnel)!, 'translate', {
        matches,
        unresolved: [...farUnknown(tunnel), ...unresolved],
        translation: tunnelTranslation(tunnel),
      });
    else policy.entry(route.made, 'exempt', { matches, unresolved });
  }
}

/** `route N network mask hop [metric] [track N|tunneled]`, `ipv6 route N prefix hop [metric]`. */
function routeOf(scope: AsaScope, words: readonly string[], line: SourceLine): Route | undefined {
  const [, nameif, network, second] = words;
  if (second === undefined) return undefined;
  const { alias } = scope.objects;
  const isV6 = network.includes('/');
  const prefix =
    network === '0' ? addresses.ANY_V4 : subnet(alias(network), second === '0' ? '0.0.0.0' : second);
  const hop = alias(words[isV6 ? 3 : 4] ?? '');
  if (!prefix || setOf(hop) === undefined) return undefined;
  const rest = words.slice(isV6 ? 4 : 5);
  const metric = /^\d{1,3}$/.test(rest[0] ?? '') ? Number(rest[0]) : 1;
  const tracked = rest.includes('track');
  const made = scope.assembly.rule({
    key: scope.own(`route:${ruleKey(words.slice(1, isV6 ? 4 : 5).join(' '))}`),
    kind: 'route',
    list: scope.own('routes'),
    context: scope.ruleContext({ interfaces: [...scope.interfaces.namesOf(nameif).names] }),
    matches: [{ ...ANY_TRAFFIC, destinations: prefix }],
    unresolved: [
      ...(tracked ? ['tracked'] : []),
      ...(rest.includes('tunneled') ? ['arrived in a tunnel'] : []),
    ],
    action: `via ${nameif} ${hop}`,
    lines: [line],
  });
  return { nameif, prefix, size: addresses.countAddresses(prefix), metric, tracked, made, line };
}

interface CryptoEntry {
  readonly sequence: number;
  list?: string;
  readonly peers: string[];
  dynamic?: string;
  comment?: string;
  readonly lines: SourceLine[];
}

/** Crypto maps act on what leaves the interfaces that name them; what comes back in passes access lists by. */
export function buildAsaCrypto(scope: AsaScope, lists: ReadonlyMap<string, AsaList>): Bypass[] {
  const dynamicLists = new Map(
    statements(scope, 'crypto', 'dynamic-map').flatMap(({ words }) =>
      words[4] === 'match' && words[5] === 'address' ? [[words[2], words[6]] as const] : [],
    ),
  );
  const maps = new Map<string, Map<number, CryptoEntry>>();
  const bound = new Map<string, string[]>();
  for (const { block, words } of statements(scope, 'crypto', 'map')) {
    const name = words[2];
    if (words[3] === 'interface') bound.set(name, [...(bound.get(name) ?? []), words[4]]);
    if (!/^\d{1,5}$/.test(words[3] ?? '')) continue;
    const entries = maps.get(name) ?? new Map<number, CryptoEntry>();
    maps.set(name, entries);
    const sequence = Number(words[3]);
    const entry = entries.get(sequence) ?? { sequence, peers: [], lines: [] };
    entries.set(sequence, entry);
    entry.lines.push(lineOf(block));
    if (words[4] === 'match' && words[5] === 'address') entry.list = words[6];
    else if (words[4] === 'set' && words[5] === 'peer')
      entry.peers.push(...words.slice(6).map(scope.objects.alias));
    else if (words[4] === 'ipsec-isakmp' && words[5] === 'dynamic') entry.dynamic = words[6];
    else if (words[4] === 'annotation' || words[4] === 'description')
      entry.comment = words.slice(5).join(' ');
  }
  const permitsVpn = statements(scope, 'no', 'sysopt', 'connection', 'permit-vpn').length === 0;
  return [...maps].flatMap(([name, entries]) => {
    const egress = names(
      ...(bound.get(name) ?? []).flatMap((nameif) => scope.interfaces.namesOf(nameif).names),
    );
    const steps = [...entries.values()]
      .sort((a, b) => a.sequence - b.sequence)
      .map((entry) => cryptoRule(scope, lists, dynamicLists, name, entry, egress));
    if (egress.names.length === 0) return [];
    const policy = scope.assembly.policy({
      id: scope.own(`crypto:${name}`),
      stage: 'redirect',
      evaluation: 'first-match',
      appliesTo: { ingress: ANY_NAME, egress },
      otherwise: 'none',
    });
    // What the clients of a dynamic map propose is not known: it must not seem to take all that leaves.
    for (const { made, hasList } of steps)
      if (hasList) policy.entry(made, 'translate', { translation: made.rule.translation });
    return permitsVpn
      ? steps
          .filter(({ isFixed }) => isFixed)
          .map(({ made, boxes }) => ({
            rule: made,
            ingress: egress,
            matches: boxes.map((box) => returning(box, egress)),
          }))
      : [];
  });
}

const returning = (box: Traffic, ingress: NameSet): Traffic => ({
  ...ANY_TRAFFIC,
  ingress,
  sources: box.destinations,
  destinations: box.sources,
});

function cryptoRule(
  scope: AsaScope,
  lists: ReadonlyMap<string, AsaList>,
  dynamicLists: ReadonlyMap<string, string>,
  map: string,
  entry: CryptoEntry,
  egress: NameSet,
) {
  const list = entry.list ?? (entry.dynamic === undefined ? undefined : dynamicLists.get(entry.dynamic));
  const condition: Condition =
    list !== undefined
      ? conditionOf(lists, list)
      : {
          boxes: entry.dynamic === undefined ? [] : [ANY_TRAFFIC],
          unresolved: entry.dynamic === undefined ? [] : ['what the peer proposes'],
          lines: [],
        };
  const peers = entry.peers.map((peer) => setOf(peer));
  const known = peers.flatMap((peer) => peer ?? []);
  const isKnown = known.length > 0 && known.length === peers.length;
  const made = scope.assembly.rule({
    key: scope.own(`crypto:${map}:${ruleKey(list ?? '', entry.dynamic ?? '', ...entry.peers)}`),
    kind: 'tunnel',
    list: scope.own(`crypto ${map}`),
    context: scope.ruleContext({
      list: map,
      ...(egress.names.length > 0 ? { interfaces: egress.names } : {}),
    }),
    matches: condition.boxes,
    unresolved: [
      ...condition.unresolved,
      ...(isKnown ? [] : ['far end of the tunnel is not in the configuration']),
    ],
    translation: { kind: 'tunnel', ...(isKnown ? { addresses: unionOf(known) } : {}) },
    action: entry.dynamic === undefined ? 'tunnel ipsec' : `tunnel ipsec dynamic ${entry.dynamic}`,
    ...(entry.comment === undefined ? {} : { comment: entry.comment }),
    lines: linesOnce([...entry.lines, ...condition.lines]),
  });
  return {
    made,
    boxes: condition.boxes,
    hasList: list !== undefined,
    isFixed: list !== undefined && condition.unresolved.length === 0 && entry.dynamic === undefined,
  };
}

/** Route-maps that interfaces name with `policy-route`; the first entry that matches decides, also where it leaves the packet to routing. */
export function buildAsaPolicyRoutes(scope: AsaScope, lists: ReadonlyMap<string, AsaList>): void {
  const bound = Map.groupBy(
    scope.interfaces.all.filter(({ routeMap }) => routeMap !== undefined),
    ({ routeMap }) => routeMap!,
  );
  const maps = Map.groupBy(statements(scope, 'route-map'), ({ words }) => words[1]);
  for (const [name, entries] of maps) {
    // Others are for routing protocols.
    const interfaces = bound.get(name) ?? [];
    if (interfaces.length === 0) continue;
    const up = interfaces.filter(({ isUp }) => isUp).map((one) => one.name);
    const policy = scope.assembly.policy({
      id: scope.own(`policy-route:${name}`),
      stage: 'redirect',
      evaluation: 'first-match',
      appliesTo: { ingress: names(...up), egress: ANY_NAME },
      otherwise: 'none',
    });
    const ordered = entries
      .map((entry) => ({ ...entry, sequence: Number(entry.words[3] ?? 10) || 0 }))
      .sort((a, b) => a.sequence - b.sequence);
    for (const { block, words } of ordered) {
      const { condition, translation, action, unresolved } = clauses(scope, lists, block);
      const denies = words[2] === 'deny';
      const made = scope.assembly.rule({
        key: scope.own(`policy-route:${name}:${words[3] ?? 10}`),
        kind: 'policy-route',
        list: scope.own(`route-map ${name}`),
        context: scope.ruleContext({
          list: name,
          interfaces: interfaces.map((one) => one.name),
          direction: 'in',
        }),
        matches: condition.boxes,
        unresolved: [...condition.unresolved, ...unresolved],
        ...(translation && !denies ? { translation } : {}),
        action: denies ? 'deny' : action,
        lines: linesOnce([...linesOf(block), ...condition.lines]),
      });
      if (up.length === 0) continue;
      if (denies || action === 'routing') policy.entry(made, 'exempt');
      else if (translation) policy.entry(made, 'translate', { translation });
      else policy.entry(made, 'drop');
    }
  }
}

const QUIET_SET =
  /^set (?:ip|ipv6) (?:dscp|precedence|df)\b|^set (?:metric|local-preference|community|tag|weight|as-path|origin|automatic-tag)\b/;

function clauses(scope: AsaScope, lists: ReadonlyMap<string, AsaList>, block: Block) {
  let condition: Condition = { boxes: [ANY_TRAFFIC], unresolved: [], lines: [] };
  const hops: addresses.AddressSet[] = [];
  const unresolved: string[] = [];
  let [action, isDrop] = ['routing', false];
  let tunnel: AsaInterface | undefined;
  for (const child of block.children) {
    const words = wordsOf(child.text);
    const text = words.join(' ');
    const set = /^set (?:ip|ipv6) (default )?next-hop (?:(?:verify-availability|recursive) )?(\S.*)$/.exec(
      text,
    );
    if (/^match (?:ip|ipv6) address \S/.test(text) && words[3] !== 'prefix-list')
      condition = either(words.slice(3).map((name) => conditionOf(lists, name)));
    else if (set) {
      const list = set[2].split(' ').filter((word) => setOf(word));
      hops.push(...list.map((word) => setOf(word)!));
      if (set[1]) unresolved.push('only where no route leads there');
      if (words.includes('track')) unresolved.push('only while its hop answers');
      action = text.slice('set '.length);
    } else if (/^set (?:default )?interface /.test(text) || text.startsWith('set adaptive-interface')) {
      const last = words.at(-1) ?? '';
      isDrop = /^Null0$/i.test(last);
      tunnel = tunnelOf(scope, last);
      action = text.slice('set '.length);
    } else if (words[0] !== 'description' && !QUIET_SET.test(text))
      scope.assembly.notUnderstood(lineOf(child));
  }
  const far = unionOf(hops);
  tunnel ??= scope.interfaces.all.find(
    (one) =>
      one.tunnel &&
      one.isUp &&
      hops.length > 0 &&
      addresses.noAddresses(addresses.subtractAddresses(far, one.networks)),
  );
  const translation: Translation | undefined = tunnel
    ? tunnelTranslation(tunnel)
    : isDrop || action === 'routing'
      ? undefined
      : { kind: 'policy-route', ...(hops.length > 0 ? { addresses: far } : {}) };
  return { condition, translation, action, unresolved };
}

/** Statements that send packets elsewhere and are not understood: redirection to web caches, old aliases. */
export function listUnreadWays(scope: AsaScope): void {
  for (const start of ['wccp', 'alias'])
    for (const { block } of statements(scope, start)) scope.assembly.notUnderstood(...linesOf(block));
}
