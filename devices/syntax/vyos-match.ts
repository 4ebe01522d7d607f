// the conditions of a VyOS or EdgeOS rule -> boxes of traffic, and what cannot be one in words
import { type AddressSet, ANY_V4, ANY_V6 } from '../../src/model/addresses.ts';
import type { SourceLine } from '../../src/model/rule.ts';
import { PROTOCOLS, service, unionServices } from '../../src/model/services.ts';
import { ANY_TRAFFIC, type Traffic } from '../../src/model/traffic.ts';
import {
  type Allowance,
  boxOf,
  type Dimension,
  NOTHING,
  portRanges,
  product,
  protocols,
  unionOf,
} from './boxes.ts';
import { ICMP_TYPES, ICMP6_TYPES, icmpRange } from './icmp.ts';
import type { ExpandName } from './interfaces.ts';
import type { Named } from './objects.ts';
import { list, type WordTree, word, words } from './tree.ts';
import { addressOrUndefined, type Groups, type PortRange, portRange } from './vyos-groups.ts';
import { has, leaves } from './vyos-text.ts';

export interface MatchContext {
  readonly groups: Groups;
  readonly expand: ExpandName;
  readonly allowance: Allowance;
  readonly notUnderstood: (node: WordTree) => void;
}

/** Conditions of one rule. `boxes`: none where no new connection is met. */
export interface Conditions {
  readonly boxes: readonly Traffic[];
  readonly unresolved: readonly string[];
  readonly translated?: boolean;
  /** Lines of the groups it names. */
  readonly lines: readonly SourceLine[];
}

interface Matching extends MatchContext {
  readonly family: 'ip' | 'ip6' | 'bridge';
  boxes: readonly Traffic[];
  readonly unresolved: string[];
  readonly lines: SourceLine[];
  translated?: boolean;
}

/** undefined: the condition cannot be said in boxes. */
type Boxes = readonly Traffic[] | undefined;
type Reader = (node: WordTree, matching: Matching) => void;

const PORTS = [6, 17, 33, 132, 136];
const WITH_PORTS: Traffic = { ...ANY_TRAFFIC, services: protocols(...PORTS) };
const NEVER: readonly Traffic[] = [NOTHING];

/** `known`: words that the caller reads itself. Everything else that is not understood goes to `notUnderstood`. */
export function readConditions(
  rule: WordTree,
  family: Matching['family'],
  within: Traffic,
  known: ReadonlySet<string>,
  context: MatchContext,
): Conditions {
  const matching: Matching = { ...context, family, boxes: [within], unresolved: [], lines: [] };
  for (const node of rule.children.values()) {
    if (known.has(node.word) || QUIET.has(node.word)) continue;
    const read = READERS.get(node.word);
    if (read) read(node, matching);
    else context.notUnderstood(node);
  }
  const { boxes, unresolved, translated, lines } = matching;
  return { boxes, unresolved, lines, ...(translated === undefined ? {} : { translated }) };
}

const QUIET = new Set('description log log-options disable default-log enable-default-log'.split(' '));

function narrow(matching: Matching, asked: Boxes, text: string): void {
  const narrowed = asked && product(matching.boxes, asked, matching.allowance);
  if (narrowed) matching.boxes = narrowed;
  else matching.unresolved.push(text.slice(0, 120));
}

/** The words of a node as one text. */
const textOf = (node: WordTree): string => {
  const found = leaves(node);
  return found.length === 0 ? node.word : found.map((path) => `${node.word} ${path}`).join(', ');
};

const unresolvable: Reader = (node, matching) => {
  matching.unresolved.push(textOf(node).slice(0, 120));
};

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['protocol', readProtocol],
  ['source', (node, matching) => readSide(node, 'source', matching)],
  ['destination', (node, matching) => readSide(node, 'destination', matching)],
  ['inbound-interface', (node, matching) => readInterface(node, 'ingress', matching)],
  ['outbound-interface', (node, matching) => readInterface(node, 'egress', matching)],
  ['icmp', (node, matching) => readIcmp(node, 1, matching)],
  ['icmpv6', (node, matching) => readIcmp(node, 58, matching)],
  ['state', readState],
  ['tcp', readTcp],
  ['connection-status', readConnectionStatus],
  ['recent', readRecent],
  ...(
    'limit time fragment ipsec ttl hop-limit dscp dscp-exclude mark fwmark connection-mark packet-length packet-length-exclude ' +
    'packet-type p2p conntrack-helper statistic application vlan ethernet-type gre geoip'
  )
    .split(' ')
    .map((name): [string, Reader] => [name, unresolvable]),
]);

/** "!x" -> negated, "x" */
function negation(text: string): { readonly negated: boolean; readonly text: string } {
  return text.startsWith('!') ? { negated: true, text: text.slice(1).trim() } : { negated: false, text };
}

function compare(
  dimension: Dimension,
  value: Traffic[Dimension] | undefined,
  within: Traffic,
  negated: boolean,
): Boxes {
  if (value === undefined) return undefined;
  const box = boxOf({ dimension, within, value }, negated);
  return box ? [box] : NEVER;
}

function readProtocol(node: WordTree, matching: Matching): void {
  for (const written of words(node)) {
    const { negated, text } = negation(written);
    narrow(matching, compare('services', protocolOf(text), ANY_TRAFFIC, negated), `protocol ${written}`);
  }
}

function protocolOf(text: string) {
  const name = text.toLowerCase();
  if (name === 'all' || name === 'any') return ANY_TRAFFIC.services;
  if (name === 'tcp_udp') return protocols(6, 17);
  if (/^\d{1,3}$/.test(name)) return Number(name) > 255 ? undefined : service(Number(name));
  return Object.hasOwn(PROTOCOLS, name) ? service(PROTOCOLS[name]) : undefined;
}

type SideName = 'source' | 'destination';

function readSide(side: WordTree, name: SideName, matching: Matching): void {
  const dimension: Dimension = name === 'source' ? 'sources' : 'destinations';
  const hasMask = has(side, 'address-mask');
  for (const node of side.children.values()) {
    const text = `${name} ${textOf(node)}`;
    switch (node.word) {
      case 'address':
      case 'prefix':
        for (const written of words(node))
          narrow(matching, hasMask ? undefined : addressBoxes(written, dimension), text);
        break;
      case 'port':
        for (const written of words(node)) narrow(matching, portBoxes(written, name), text);
        break;
      case 'group':
        for (const kind of node.children.values()) readGroup(kind, name, hasMask, matching);
        break;
      case 'fqdn':
      case 'geoip':
      case 'mac-address':
        matching.unresolved.push(text.slice(0, 120));
        break;
      case 'address-mask':
        break;
      default:
        matching.notUnderstood(node);
    }
  }
}

const familyOf = (value: AddressSet): Traffic => {
  const family = value.v6.length > 0 ? ANY_V6 : ANY_V4;
  return { ...ANY_TRAFFIC, sources: family, destinations: family };
};

function addressBoxes(written: string, dimension: Dimension): Boxes {
  const { negated, text } = negation(written);
  const value = text === 'any' ? undefined : addressOrUndefined(text);
  return value && compare(dimension, value, familyOf(value), negated);
}

/** "80,443", "https,8000-8100", "!22": items after "!" are excluded, the others alternatives. */
function portBoxes(written: string, side: SideName): Boxes {
  const items = written.split(',').map(negation);
  const wanted = items.filter(({ negated }) => !negated).map(({ text }) => portRange(text));
  const excluded = items.filter(({ negated }) => negated).map(({ text }) => portRange(text));
  if ([...wanted, ...excluded].includes(undefined)) return undefined;
  const inside = wanted.length > 0 ? portBox(wanted as PortRange[], side, false) : [WITH_PORTS];
  return excluded.length === 0
    ? inside
    : product(inside ?? [], portBox(excluded as PortRange[], side, true) ?? []);
}

function portBox(ranges: readonly PortRange[], side: SideName, negated: boolean): Boxes {
  if (side === 'source') return compare('sourcePorts', portRanges(ranges), WITH_PORTS, negated);
  const value = unionServices(...PORTS.map((number) => service(number, ranges)));
  return compare('services', value, WITH_PORTS, negated);
}

function readGroup(kind: WordTree, side: SideName, hasMask: boolean, matching: Matching): void {
  const dimension: Dimension = side === 'source' ? 'sources' : 'destinations';
  for (const written of words(kind)) {
    const { negated, text: name } = negation(written);
    const text = `${side} ${kind.word} ${written}`;
    if (kind.word === 'port-group') {
      const ports = exact(matching.groups.ports(name), text, matching);
      if (ports) narrow(matching, portBox(ports, side, negated), text);
      continue;
    }
    const bare = kind.word.replace(/^ipv[46]-/, '');
    if (bare !== 'address-group' && bare !== 'network-group') {
      matching.unresolved.push(text.slice(0, 120));
      continue;
    }
    const isSix = kind.word.startsWith('ipv6-') || matching.family === 'ip6';
    const named = matching.groups.addresses(isSix ? `ipv6-${bare}` : bare, name);
    const value = exact(named, text, matching);
    if (!value) continue;
    const family = isSix ? ANY_V6 : ANY_V4;
    const within = { ...ANY_TRAFFIC, sources: family, destinations: family };
    narrow(matching, hasMask ? undefined : compare(dimension, value, within, negated), text);
  }
}

/** The value of a group of which everything is known; else the reasons are noted. */
function exact<T>(named: Named<T> | undefined, text: string, matching: Matching): T | undefined {
  if (!named) {
    matching.unresolved.push(`${text.slice(0, 80)} is not defined`);
    return undefined;
  }
  matching.lines.push(...named.lines);
  if (named.unresolved.length > 0) for (const reason of named.unresolved) matching.unresolved.push(reason);
  return named.unresolved.length === 0 ? named.value : undefined;
}

function readInterface(node: WordTree, dimension: 'ingress' | 'egress', matching: Matching): void {
  for (const child of node.children.values()) {
    const isGroup = child.word === 'group' || child.word === 'interface-group';
    const isName = child.word === 'name' || child.word === 'interface-name';
    const written = isGroup || isName ? words(child) : [child.word];
    const parts = written.map(negation);
    if (parts.some(({ text }) => text === 'any')) continue;
    const text = `${node.word} ${textOf(child)}`;
    const sets = parts.map((part) =>
      isGroup ? exact(matching.groups.interfaces(part.text), text, matching) : [part.text],
    );
    if (!sets.every((set) => set !== undefined)) continue;
    const value = unionOf(
      dimension,
      sets.flatMap((set) => set.map((name) => matching.expand(name))),
    );
    const negated = parts.some((part) => part.negated);
    narrow(matching, compare(dimension, value, ANY_TRAFFIC, negated), text);
  }
}

function readIcmp(node: WordTree, protocol: 1 | 58, matching: Matching): void {
  const table = protocol === 1 ? ICMP_TYPES : ICMP6_TYPES;
  const [type, code, name] = [word(node, 'type'), word(node, 'code'), word(node, 'type-name')];
  const within: Traffic = { ...ANY_TRAFFIC, services: service(protocol) };
  if (name === 'any' && type === undefined) {
    narrow(matching, [within], 'icmp');
    return;
  }
  const asked =
    name ?? (type !== undefined && code !== undefined && !type.includes('/') ? `${type}/${code}` : type);
  const range = asked === undefined ? undefined : icmpRange(asked, table);
  narrow(matching, range && compare('services', service(protocol, [range]), within, false), textOf(node));
}

/** Rules are asked about the first packet of a connection: what does not meet the state "new" meets nothing. */
function readState(node: WordTree, matching: Matching): void {
  const wanted = [...node.children.values()].filter((state) => !has(state, 'disable'));
  if (wanted.length > 0 && !wanted.some((state) => state.word === 'new')) narrow(matching, NEVER, 'state');
}

/** The first packet of a TCP connection has SYN alone (RFC 9293 section 3.5). */
function readTcp(node: WordTree, matching: Matching): void {
  for (const child of node.children.values()) {
    if (child.word !== 'flags') {
      matching.unresolved.push(`tcp ${textOf(child)}`);
      continue;
    }
    const split = words(child)
      .filter((flag) => flag !== 'not')
      .flatMap((flag) => flag.toLowerCase().split(','));
    const set = split.filter((flag) => !flag.startsWith('!'));
    const unset = [
      ...split.filter((flag) => flag.startsWith('!')).map((flag) => flag.slice(1)),
      ...words(child, 'not').map((flag) => flag.toLowerCase()),
    ];
    const meets = set.every((flag) => flag === 'syn') && !unset.includes('syn');
    const isTcp = [{ ...ANY_TRAFFIC, services: protocols(6) }];
    narrow(matching, meets ? isTcp : NEVER, 'tcp flags');
  }
}

function readConnectionStatus(node: WordTree, matching: Matching): void {
  for (const kind of list(node, 'nat')) {
    if (kind.word === 'destination') matching.translated = true;
    else matching.unresolved.push(`connection-status nat ${kind.word}`);
  }
}

/** VyOS 1.4 counts by the second, minute or hour where earlier versions gave seconds (migration firewall 6 to 7). */
function readRecent(node: WordTree, matching: Matching): void {
  const time = word(node, 'time') ?? '';
  const seconds = Number(time);
  const unit = !/^\d+$/.test(time) ? time : seconds > 600 ? 'hour' : seconds < 10 ? 'second' : 'minute';
  matching.unresolved.push(`recent count ${word(node, 'count') ?? ''} time ${unit}`);
}
