// access lists of IOS (numbered, named, IPv6) -> entries with resolved traffic
import * as addresses from '../../src/model/addresses.ts';
import { normalise } from '../../src/model/ranges.ts';
import type { SourceLine } from '../../src/model/rule.ts';
import { ANY_SERVICE, service } from '../../src/model/services.ts';
import { ANY_NAME, ANY_SOURCE_PORT, type Traffic } from '../../src/model/traffic.ts';
import type { Family } from './cisco-address.ts';
import * as address from './cisco-address.ts';
import { type Groups, MAX_LINES, type ServiceBox } from './cisco-groups.ts';
import { icmpService } from './cisco-icmp.ts';
import type { Reading } from './cisco-lines.ts';
import { readOptions, type Way } from './cisco-options.ts';
import { type Block, lineOf, linesOf, wordsOf } from './indent.ts';

export interface AclEntry {
  readonly action: 'permit' | 'deny' | 'evaluate';
  /** The statement without its sequence number, names of ports as numbers: equal for equal statements. */
  readonly text: string;
  /** More than one where a service group ties source ports to destination ports. */
  readonly boxes: readonly Traffic[];
  readonly unresolved: readonly string[];
  /** False for what never matches the first packet of a connection (`established`, `fragments`, `evaluate`). */
  readonly matchesNew: boolean;
  /** Where it sends what it permits (IOS-XR access list based forwarding, NX-OS redirection). */
  readonly way?: Way;
  readonly comment?: string;
  /** Its own line first, then those of the groups that it reaches. */
  readonly lines: readonly SourceLine[];
}

export interface AccessList {
  readonly name: string;
  readonly family: Family;
  readonly standard: boolean;
  /** Where the list begins, for its implicit deny. */
  readonly head: SourceLine;
  readonly entries: AclEntry[];
}

/** What the line that begins a named list says. */
export interface ListHead {
  readonly family: Family;
  readonly name: string;
  readonly standard: boolean;
}

/** `ip access-list extended N`, `ipv6 access-list N`. */
function iosHead(text: string): ListHead | undefined {
  const named = /^(ip|ipv6) access-list (?:(standard|extended) )?(\S+)$/.exec(text);
  if (!named || (named[1] === 'ip') !== (named[2] !== undefined)) return undefined;
  return { family: named[1] === 'ip' ? 'ip' : 'ip6', name: named[3], standard: named[2] === 'standard' };
}

/** `ip access-list N` (NX-OS, EOS), `ip access-list standard N` (EOS), `ipv4 access-list N` (IOS-XR), `ipv6 access-list N`. */
export function plainHead(text: string): ListHead | undefined {
  const named = /^(ip|ipv4|ipv6) access-list (standard )?(\S+)$/.exec(text);
  if (!named) return undefined;
  return { family: named[1] === 'ipv6' ? 'ip6' : 'ip', name: named[3], standard: named[2] !== undefined };
}

/** Lists by `family name`. Statements that are not understood are noted as unread. */
export function readAccessLists(
  reading: Reading,
  groups: Groups,
  timeRanges: TimeRanges,
  headOf: (text: string) => ListHead | undefined = iosHead,
): Map<string, AccessList> {
  const lists = new Map<string, AccessList>();
  const remarks = new Map<string, string>();
  const add = (family: Family, name: string, standard: boolean, head: SourceLine) => {
    const key = `${family} ${name}`;
    const list = lists.get(key) ?? { name, family, standard, head: lineOf(head), entries: [] };
    lists.set(key, list);
    return list;
  };
  const statement = (list: AccessList, line: Block, words: readonly string[]) => {
    const key = `${list.family} ${list.name}`;
    if (words[0] === 'remark') return void remarks.set(key, words.slice(1).join(' '));
    const entry = line.children.length === 0 && readEntry(list, line, words, groups, timeRanges);
    if (entry) list.entries.push({ ...entry, comment: remarks.get(key) });
    else reading.notUnderstood(line);
    remarks.delete(key);
  };
  for (const block of reading.blocks) {
    const words = wordsOf(block.text);
    if (words[0] === 'access-list') {
      const standard = numberedKind(words[1]);
      if (standard === undefined) reading.notUnderstood(block);
      else statement(add('ip', words[1], standard, block), block, words.slice(2));
      continue;
    }
    if (words[1] !== 'access-list') continue;
    const head = headOf(words.join(' '));
    if (!head) {
      if (!IGNORED_LIST_SETTINGS.test(words.join(' ')))
        for (const line of linesOf(block)) reading.notUnderstood(line);
      continue;
    }
    const list = add(head.family, head.name, head.standard, block);
    for (const line of block.children) {
      const statementWords = withoutSequence(wordsOf(line.text));
      if (!IGNORED_STATEMENTS.test(statementWords.join(' '))) statement(list, line, statementWords);
    }
  }
  return lists;
}

/** Text of each `time-range` by name. */
export type TimeRanges = ReadonlyMap<string, string>;

// How lists are logged, compiled or numbered; none changes what matches.
const IGNORED_LIST_SETTINGS =
  /^ip(?:v[46])? access-list (?:log-update|logging|persistent|helper|resequence|match-local-traffic|role-based)\b/;
/** Counting, and what NX-OS makes of later fragments. */
const IGNORED_STATEMENTS =
  /^(?:statistics per-entry|counters per-entry|fragments (?:permit|deny)-all|ignore routable)$/;

/** True for standard, false for extended, undefined for lists of other protocols (MAC, IPX). */
function numberedKind(text: string | undefined): boolean | undefined {
  const number = /^\d{1,4}$/.test(text ?? '') ? Number(text) : 0;
  if ((number >= 1 && number <= 99) || (number >= 1300 && number <= 1999)) return true;
  return (number >= 100 && number <= 199) || (number >= 2000 && number <= 2699) ? false : undefined;
}

function withoutSequence(words: readonly string[]): readonly string[] {
  if (/^\d+$/.test(words[0] ?? '')) return words.slice(1);
  const at = words.indexOf('sequence');
  return at >= 0 && /^\d+$/.test(words[at + 1] ?? '')
    ? [...words.slice(0, at), ...words.slice(at + 2)]
    : words;
}

function readEntry(
  list: AccessList,
  line: SourceLine,
  words: readonly string[],
  groups: Groups,
  timeRanges: TimeRanges,
): AclEntry | undefined {
  const own = lineOf(line);
  if (words[0] === 'evaluate' && words.length === 2) {
    const text = words.join(' ');
    return { action: 'evaluate', text, boxes: [], unresolved: [], matchesNew: false, lines: [own] };
  }
  // Lock-and-key: the entry is a template that a login fills in.
  const dynamic = words[0] === 'dynamic';
  const start = dynamic ? (words[2] === 'timeout' ? 4 : 2) : 0;
  const action = words[start];
  if (action !== 'permit' && action !== 'deny') return undefined;
  const cursor = { words, at: start + 1 };
  const found = list.standard ? standardMatch(cursor) : extendedMatch(cursor, list.family, groups);
  if (!found) return undefined;
  const options = readOptions(cursor, timeRanges);
  if (options === undefined) return undefined;
  const conditions = dynamic ? [...options.unresolved, `dynamic ${words[1]}`] : options.unresolved;
  // Lists run to a million entries: what is the same for most of them is kept once.
  const unresolved = conditions.length === 0 ? found.unresolved : [...found.unresolved, ...conditions];
  return {
    action,
    text: words
      .slice(0, options.logFrom)
      .map((word) => String(address.portOf(word) ?? word))
      .join(' '),
    boxes: found.boxes,
    unresolved,
    matchesNew: options.matchesNew,
    ...(options.way ? { way: options.way } : {}),
    lines: [own, ...found.lines].slice(0, MAX_LINES),
  };
}

interface Match {
  readonly boxes: readonly Traffic[];
  readonly unresolved: readonly string[];
  readonly lines: readonly SourceLine[];
}

interface End {
  readonly set: addresses.AddressSet;
  readonly unresolved: readonly string[];
  readonly lines: readonly SourceLine[];
}

function standardMatch(cursor: address.Cursor): Match | undefined {
  const bare =
    address.v4(cursor.words[cursor.at]) !== undefined &&
    address.v4(cursor.words[cursor.at + 1]) === undefined;
  const end = bare ? endOf(address.setOf(cursor.words[cursor.at++])) : addressAt(cursor, 'ip', undefined);
  if (!end) return undefined;
  const box = { ...EMPTY_BOX, sources: end.set, destinations: addresses.ANY_V4 };
  return { boxes: [box], unresolved: end.unresolved, lines: end.lines };
}

const EMPTY_BOX = {
  ingress: ANY_NAME,
  egress: ANY_NAME,
  services: ANY_SERVICE,
  sourcePorts: ANY_SOURCE_PORT,
};

const NOTHING: readonly never[] = [];

const endOf = (set: addresses.AddressSet | undefined): End | undefined =>
  set && { set, unresolved: NOTHING, lines: NOTHING };

/** `any`, `host A`, `A wildcard`, `prefix/length`, `object-group N` at the cursor. */
function addressAt(cursor: address.Cursor, family: Family, groups: Groups | undefined): End | undefined {
  const [word, next] = [cursor.words[cursor.at], cursor.words[cursor.at + 1]];
  if (word === 'any' || word === 'any4' || word === 'any6') {
    cursor.at++;
    return endOf(address.anyOf(family));
  }
  if (groups && /^(?:object-group|addrgroup|net-group)$/.test(word ?? '') && next !== undefined) {
    cursor.at += 2;
    const group = groups.network(next, family);
    return { set: addresses.intersectAddresses(group.value, address.anyOf(family)), ...without(group) };
  }
  if (word === 'host') {
    cursor.at += 2;
    return endOf(address.setOf(next ?? ''));
  }
  if (family === 'ip6' || word?.includes('/')) {
    cursor.at++;
    return endOf(word?.includes('/') ? address.setOf(word) : undefined);
  }
  cursor.at += 2;
  const found = address.wildcard(word, next);
  if (!found) return undefined;
  return { set: found.set, unresolved: found.exact ? [] : [`wildcard ${word} ${next}`], lines: [] };
}

const without = (group: { unresolved: readonly string[]; lines: readonly SourceLine[] }) => ({
  unresolved: group.unresolved,
  lines: group.lines,
});

function extendedMatch(cursor: address.Cursor, family: Family, groups: Groups): Match | undefined {
  const word = cursor.words[cursor.at++];
  const group = word === 'object-group' ? groups.service(cursor.words[cursor.at++] ?? '') : undefined;
  const protocol = group ? undefined : protocolIn(word, family);
  if (protocol === null) return undefined;
  const source = addressAt(cursor, family, groups);
  const from = group || !source ? NO_PORTS : portsAt(cursor, groups);
  const destination = source && addressAt(cursor, family, groups);
  const to = group || !destination ? NO_PORTS : portsAt(cursor, groups);
  if (!source || !destination || from.ports === null || to.ports === null) return undefined;
  const icmp = icmpService(protocol, cursor);
  const plain: ServiceBox = {
    services: icmp ?? (protocol === undefined ? ANY_SERVICE : service(protocol, to.ports)),
    sourcePorts: from.ports ? normalise(from.ports, (port) => port + 1) : ANY_SOURCE_PORT,
  };
  const boxes = mergeServices(group?.value ?? [plain]).map((box) => ({
    ...EMPTY_BOX,
    ...box,
    sources: source.set,
    destinations: destination.set,
  }));
  return {
    boxes,
    unresolved: joined(
      group?.unresolved ?? NOTHING,
      source.unresolved,
      from.unresolved,
      destination.unresolved,
      to.unresolved,
    ),
    lines: joined(group?.lines ?? NOTHING, source.lines, from.lines, destination.lines, to.lines),
  };
}

interface Ports {
  /** undefined: no condition; null: not valid. */
  readonly ports: address.PortPairs | undefined | null;
  readonly unresolved: readonly string[];
  readonly lines: readonly SourceLine[];
}

const NO_PORTS: Ports = { ports: undefined, unresolved: [], lines: [] };

/** `eq 443` and its like, or the name of a group of ports. */
function portsAt(cursor: address.Cursor, groups: Groups): Ports {
  const [word, name] = cursor.words.slice(cursor.at, cursor.at + 2);
  if ((word !== 'portgroup' && word !== 'port-group') || name === undefined)
    return { ...NO_PORTS, ports: address.portOperator(cursor) };
  cursor.at += 2;
  const { value, unresolved, lines } = groups.ports(name);
  return { ports: value, unresolved, lines };
}

const joined = <T>(...parts: readonly (readonly T[])[]): readonly T[] =>
  parts.every((part) => part.length === 0) ? NOTHING : parts.flat();

// `icmp` in an IPv6 list is ICMPv6.
function protocolIn(word: string | undefined, family: Family): number | undefined | null {
  return word === 'icmp' && family === 'ip6' ? 58 : address.protocolOf(word);
}

/** One box for each set of source ports. */
function mergeServices(boxes: readonly ServiceBox[]): ServiceBox[] {
  const byPorts = new Map<string, ServiceBox[]>();
  for (const box of boxes) {
    const key = box.sourcePorts.join();
    const same = byPorts.get(key);
    if (same) same.push(box);
    else byPorts.set(key, [box]);
  }
  return [...byPorts.values()].map((same) => ({
    sourcePorts: same[0].sourcePorts,
    services: address.unionOfServices(same.map((box) => box.services)),
  }));
}
