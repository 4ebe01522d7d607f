// AFM of TMOS: firewall policies and rule lists, enforced globally and by virtual servers -> filters
import { type AddressSet, ANY_ADDRESS, noAddresses, unionAddresses } from '../../src/model/addresses.ts';
import {
  ANY_NAME,
  ANY_SOURCE_PORT,
  intersectTraffic,
  names,
  subtractRegion,
  type Traffic,
} from '../../src/model/traffic.ts';
import type { Assembled, Assembly, PolicyBuilder } from './assemble.ts';
import { portRanges } from './boxes.ts';
import { byPrecedence, listenerOf, servicesOf } from './tmsh-listeners.ts';
import { addressLists, portLists, portPair } from './tmsh-pools.ts';
import { addressesOf, plainName, textBelow, wordsBelow } from './tmsh-text.ts';
import { at, linesUnder, list, type WordTree, word } from './tree.ts';

const MOST_LINES = 120;
const MAX_PIECES = 500;
type Pairs = readonly (readonly [number, number])[];

interface Lists {
  readonly addresses: ReturnType<typeof addressLists>;
  readonly ports: ReturnType<typeof portLists>;
}

interface Made {
  readonly rule: Assembled;
  readonly action: string;
}

/** In the order of contexts: global, then the virtual server's own. Each passes on what it accepts. */
export function readFirewall(tree: WordTree, assembly: Assembly): void {
  const policies = new Map<string, Made[]>();
  const lists: Lists = { addresses: addressLists(tree), ports: portLists(tree) };
  for (const policy of list(tree, 'security', 'firewall', 'policy'))
    policies.set(policy.word, rulesOf(tree, policy, `policy:${plainName(policy.word)}`, lists, assembly));
  const globally = word(tree, 'security', 'firewall', 'global-rules', 'enforced-policy');
  const enforce = (id: string, name: string | undefined, within?: readonly Traffic[]) => {
    const made = name === undefined ? undefined : policies.get(name);
    if (!made) return;
    const builder = assembly.policy({
      id,
      stage: 'filter',
      evaluation: 'first-match',
      appliesTo: { ingress: ANY_NAME, egress: ANY_NAME },
      sees: 'untranslated',
      otherwise: 'accept',
    });
    for (const one of made) enter(builder, one, within);
  };
  enforce('firewall:global', globally);
  const listening = list(tree, 'ltm', 'virtual').flatMap((virtual) => {
    const listener = at(virtual, 'disabled') ? undefined : listenerOf(tree, virtual);
    return listener ? [{ virtual, listener }] : [];
  });
  listening.sort((a, b) => byPrecedence(a.listener, b.listener));
  for (const [i, { virtual, listener }] of listening.entries()) {
    const name = word(virtual, 'fw-enforced-policy');
    if (name === undefined) continue;
    const moreSpecific = listening.slice(0, i).map((one) => one.listener.match);
    enforce(`firewall:${plainName(virtual.word)}`, name, takenBy(listener.match, moreSpecific));
  }
}

/** What a listener takes is what no more specific one did; beyond a bound, all that it could take. */
function takenBy(match: Traffic, moreSpecific: readonly Traffic[]): readonly Traffic[] {
  let rest: readonly Traffic[] = [match];
  for (const other of moreSpecific) {
    if (!intersectTraffic(match, other)) continue;
    rest = subtractRegion(rest, [other]);
    if (rest.length > MAX_PIECES) return [match];
  }
  return rest;
}

function enter(builder: PolicyBuilder, { rule, action }: Made, within: readonly Traffic[] | undefined): void {
  const matches = within
    ? rule.matches.flatMap((box) => within.flatMap((other) => intersectTraffic(box, other) ?? []))
    : rule.matches;
  builder.entry(rule, action.startsWith('accept') ? 'accept' : 'drop', { matches });
}

function rulesOf(tree: WordTree, policy: WordTree, prefix: string, lists: Lists, assembly: Assembly): Made[] {
  return list(policy, 'rules').flatMap((node): Made[] => {
    const nested = word(node, 'rule-list');
    if (nested !== undefined) {
      const found = at(tree, 'security', 'firewall', 'rule-list', nested);
      if (found) return rulesOf(tree, found, `${prefix}:${plainName(node.word)}`, lists, assembly);
      assembly.notUnderstood(...linesUnder(node, MOST_LINES));
      return [];
    }
    return [ruleOf(node, `${prefix}:${plainName(node.word)}`, prefix, lists, assembly)];
  });
}

function ruleOf(node: WordTree, key: string, listName: string, lists: Lists, assembly: Assembly): Made {
  const action = word(node, 'action') ?? 'drop';
  const unresolved: string[] = [];
  for (const what of ['schedule', 'irule', 'send-to-virtual'])
    if (word(node, what) !== undefined) unresolved.push(`${what} ${plainName(word(node, what)!)}`);
  const source = endOf(node, 'source', lists, unresolved);
  const destination = endOf(node, 'destination', lists, unresolved);
  const match: Traffic = {
    ingress: source.vlans.length > 0 ? names(...source.vlans) : ANY_NAME,
    egress: ANY_NAME,
    sources: source.addresses,
    destinations: destination.addresses,
    services: servicesOf(word(node, 'ip-protocol'), destination.ports),
    sourcePorts: source.ports ? portRanges(source.ports) : ANY_SOURCE_PORT,
  };
  const description = textBelow(at(node, 'description'));
  const rule = assembly.rule({
    key: `firewall:${key}`,
    kind: 'filter',
    list: listName,
    enabled: word(node, 'status') !== 'disabled',
    context: { list: listName },
    matches: [match],
    unresolved,
    action,
    ...(description === undefined ? {} : { comment: description }),
    lines: linesUnder(node, MOST_LINES),
  });
  return { rule, action };
}

function endOf(node: WordTree, end: 'source' | 'destination', lists: Lists, unresolved: string[]) {
  const side = at(node, end);
  const sets: AddressSet[] = [];
  const take = (text: string, set: AddressSet | undefined, reasons: readonly string[] = []) => {
    if (set) sets.push(set);
    else unresolved.push(`${end} ${text.slice(0, 64)}`);
    unresolved.push(...reasons);
  };
  for (const { word: text } of list(side, 'addresses')) take(text, addressesOf(text)?.addresses);
  for (const name of wordsBelow(at(side, 'address-lists'))) {
    const found = lists.addresses(name);
    take(plainName(name), found?.value, found?.unresolved);
  }
  for (const what of ['fqdns', 'geo', 'zones', 'identity'])
    for (const { word: text } of list(side, what)) unresolved.push(`${end} ${what} ${text.slice(0, 64)}`);
  const ports: Pairs[] = [
    ...list(side, 'ports').flatMap(({ word: text }) => [portPair(text) ?? []]),
    ...wordsBelow(at(side, 'port-lists')).map((name) => lists.ports(name)?.value ?? []),
  ];
  const addresses = sets.length > 0 ? unionAddresses(...sets) : ANY_ADDRESS;
  return {
    addresses: noAddresses(addresses) ? ANY_ADDRESS : addresses,
    ports: ports.length > 0 ? ports.flat() : undefined,
    vlans: wordsBelow(at(side, 'vlans')).map(plainName),
  };
}
