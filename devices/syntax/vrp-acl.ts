// access lists of VRP and Comware (basic, advanced, IPv6; by number or name) -> entries with resolved traffic
import * as addresses from '../../src/model/addresses.ts';
import { normalise } from '../../src/model/ranges.ts';
import type { SourceLine } from '../../src/model/rule.ts';
import { ANY_SERVICE, type ServiceSet, service } from '../../src/model/services.ts';
import { ANY_NAME, ANY_SOURCE_PORT, type Traffic } from '../../src/model/traffic.ts';
import type { AccessList, AclEntry } from './cisco-acl.ts';
import { anyOf, type Cursor, type Family, type PortPairs, setOf } from './cisco-address.ts';
import type { Reading } from './cisco-lines.ts';
import { type Block, lineOf, linesOf, wordsOf } from './indent.ts';
import { MAX_LINES } from './objects.ts';
import type { VrpObjects } from './vrp-objects.ts';
import { icmpAt, maskNetwork, vrpPorts, vrpProtocol, wildcardNetwork } from './vrp-words.ts';

interface Head {
  readonly family: Family;
  readonly names: readonly string[];
  readonly basic: boolean;
}

/** Lists by `family name` and `family number`: a list that has both is found under either. */
export function readVrpLists(reading: Reading, objects: VrpObjects): Map<string, AccessList> {
  const ranges = timeRanges(reading);
  const lists = new Map<string, AccessList>();
  for (const block of reading.blocks) {
    const words = wordsOf(block.text);
    if (words[0] !== 'acl' || words.length < 2 || /^(?:logging|copy|threshold|mode)$/.test(words[1]))
      continue;
    const head = headOf(words);
    if (!head) {
      for (const line of linesOf(block)) reading.notUnderstood(line);
      continue;
    }
    const list: AccessList = {
      name: head.names[0],
      family: head.family,
      standard: head.basic,
      head: lineOf(block),
      entries: readEntries(block, head, objects, ranges, reading),
    };
    for (const name of head.names) lists.set(`${head.family} ${name}`, list);
  }
  return lists;
}

/** `acl [ipv6] [number|basic|advanced|name] ...`; undefined for lists of frames (4000-4999) and of users. */
function headOf(words: readonly string[]): Head | undefined {
  const rest = words
    .slice(1)
    .filter((word, i, all) => word !== 'match-order' && all[i - 1] !== 'match-order');
  const family: Family = rest[0] === 'ipv6' ? 'ip6' : 'ip';
  const numbers = rest.filter((word) => /^\d{4,5}$/.test(word));
  const number = Number(numbers[0] ?? Number.NaN);
  const named = rest[rest.indexOf('name') + 1];
  const hasName = rest.includes('name') && named !== undefined;
  if (rest.some((word) => /^(?:mac|link|user-defined|user|ucl|mpls)$/.test(word))) return undefined;
  if (number >= 4000 && number < 10_000 && !(number >= 6000)) return undefined;
  const basic = rest.includes('basic') || (number >= 2000 && number < 3000);
  const own = [...(hasName ? [named] : []), ...numbers];
  return own.length === 0 ? undefined : { family, names: own, basic };
}

function timeRanges(reading: Reading): Map<string, string> {
  const ranges = new Map<string, string[]>();
  for (const block of reading.blocks) {
    const [word, name, ...rest] = wordsOf(block.text);
    if (word === 'time-range' && name !== undefined)
      ranges.set(name, [
        ...(ranges.get(name) ?? []),
        ...(rest.length > 0 ? [rest.join(' ')] : []),
        ...block.children.map((line) => wordsOf(line.text).join(' ')),
      ]);
  }
  return new Map([...ranges].map(([name, texts]) => [name, texts.join(', ')]));
}

/** Entries in the order of their numbers, which is also the order of the text; comments by number. */
function readEntries(
  block: Block,
  head: Head,
  objects: VrpObjects,
  ranges: ReadonlyMap<string, string>,
  reading: Reading,
): AclEntry[] {
  const found: { id: string; entry: AclEntry }[] = [];
  const comments = new Map<string, string>();
  for (const line of block.children) {
    const words = wordsOf(line.text);
    const numbered = /^\d+$/.test(words[1] ?? '');
    const rest = words.slice(numbered ? 2 : 1);
    if (words[0] !== 'rule') {
      if (!/^(?:description|step|undo|statistic|counting|hardware-count)$/.test(words[0] ?? ''))
        reading.notUnderstood(line);
    } else if (rest[0] === 'comment' || rest[0] === 'description')
      comments.set(words[1], rest.slice(1).join(' '));
    else {
      const named = rest[0] === 'name' ? rest.slice(2) : rest;
      const entry = readEntry(line, named, head, objects, ranges);
      if (entry) found.push({ id: words[1], entry });
      else reading.notUnderstood(line);
    }
  }
  return found.map(({ id, entry }) => (comments.has(id) ? { ...entry, comment: comments.get(id) } : entry));
}

interface Parts {
  services: ServiceSet;
  sourcePorts: readonly number[];
  sources: addresses.AddressSet;
  destinations: addresses.AddressSet;
  readonly unresolved: string[];
  readonly lines: SourceLine[];
  matchesNew: boolean;
}

function readEntry(
  line: SourceLine,
  words: readonly string[],
  head: Head,
  objects: VrpObjects,
  ranges: ReadonlyMap<string, string>,
): AclEntry | undefined {
  const action = words[0];
  if (action !== 'permit' && action !== 'deny') return undefined;
  const cursor: Cursor = { words, at: 1 };
  const any = anyOf(head.family);
  const isKeyword = /^(?:source|destination|vpn-instance|fragment|logging|counting|time-range|object-group)$/;
  const hasProtocol = !head.basic && words[1] !== undefined && !isKeyword.test(words[1]);
  const protocol = hasProtocol ? vrpProtocol(words[cursor.at++]) : undefined;
  if (protocol === null) return undefined;
  const parts: Parts = {
    services: protocol === undefined ? ANY_SERVICE : service(protocol),
    sourcePorts: ANY_SOURCE_PORT,
    sources: any,
    destinations: any,
    unresolved: [],
    lines: [],
    matchesNew: true,
  };
  while (cursor.at < words.length)
    if (!readPart(cursor, parts, protocol, head.family, objects, ranges)) return undefined;
  const box: Traffic = {
    ingress: ANY_NAME,
    egress: ANY_NAME,
    services: parts.services,
    sourcePorts: parts.sourcePorts,
    sources: addresses.intersectAddresses(parts.sources, any),
    destinations: addresses.intersectAddresses(parts.destinations, any),
  };
  return {
    action,
    text: words.filter((word) => !/^(?:logging|counting)$/.test(word)).join(' '),
    boxes: [box],
    unresolved: parts.unresolved,
    matchesNew: parts.matchesNew,
    lines: [lineOf(line), ...parts.lines].slice(0, MAX_LINES),
  };
}

const WITH_VALUE =
  /^(?:precedence|tos|dscp|ttl-expired|igmp-type|flow-label|user-group|vni|traffic-class|qos-local-id)$/;

function readPart(
  cursor: Cursor,
  parts: Parts,
  protocol: number | undefined,
  family: Family,
  objects: VrpObjects,
  ranges: ReadonlyMap<string, string>,
): boolean {
  const word = cursor.words[cursor.at++];
  const value = cursor.words[cursor.at];
  if (word === 'source' || word === 'destination') {
    const set = addressAt(cursor, family, objects, parts);
    if (!set) return false;
    if (word === 'source') parts.sources = set;
    else parts.destinations = set;
    return true;
  }
  if (word === 'source-port' || word === 'destination-port') {
    const ports: PortPairs | null = vrpPorts(cursor);
    if (!ports || protocol === undefined) return false;
    if (word === 'source-port') parts.sourcePorts = normalise(ports, (port) => port + 1);
    else parts.services = service(protocol, ports);
    return true;
  }
  if (/^icmp(?:v?6)?-type$/.test(word)) {
    const found = icmpAt(protocol === 58 ? 58 : 1, cursor);
    if (found) parts.services = found;
    return found !== undefined;
  }
  if (word === 'time-range' && value !== undefined) {
    cursor.at++;
    parts.unresolved.push(`time-range ${value}${ranges.has(value) ? `: ${ranges.get(value)}` : ''}`);
  } else if (word === 'vpn-instance' && value !== undefined) {
    cursor.at++;
    parts.unresolved.push(`vpn-instance ${value}`);
  } else if (WITH_VALUE.test(word) && value !== undefined) {
    cursor.at++;
    parts.unresolved.push(`${word} ${value}`);
  } else if (word === 'tcp-flag' || word === 'tcp-flags') {
    while (/^(?:ack|established|fin|psh|rst|syn|urg|\d+|mask)$/.test(cursor.words[cursor.at] ?? '')) {
      if (/^(?:ack|established|fin|psh|rst|urg)$/.test(cursor.words[cursor.at])) parts.matchesNew = false;
      cursor.at++;
    }
  } else if (/^(?:ack|fin|psh|rst|urg|syn)$/.test(word) && /^[01]$/.test(value ?? '')) {
    // Comware: `ack 1`, `syn 1 ack 0`.
    cursor.at++;
    if ((value === '1') !== (word === 'syn')) parts.matchesNew = false;
  } else if (word === 'established' || word === 'fragment' || word === 'fragment-type') {
    parts.matchesNew = false;
    if (word === 'fragment-type') cursor.at++;
  } else if (word === 'none-first-fragment' || word === 'fragment-subseq') parts.matchesNew = false;
  else return word === 'logging' || word === 'counting' || word === 'vpn-instance-any';
  return true;
}

/** `any`, `10.0.0.0 0.0.0.255`, `10.0.0.1 0`, `2001:db8:: 32`, `2001:db8::/32`, `object-group N`, `address-set N`. */
function addressAt(
  cursor: Cursor,
  family: Family,
  objects: VrpObjects,
  parts: Parts,
): addresses.AddressSet | undefined {
  const [word, next] = [cursor.words[cursor.at++], cursor.words[cursor.at]];
  if (word === 'any') return anyOf(family);
  if (word === 'object-group' || word === 'address-set' || word === 'ip-pool') {
    cursor.at++;
    const found = objects.addresses.resolve(next ?? '');
    parts.unresolved.push(...(found?.unresolved ?? [`${word} ${next} is not defined`]));
    parts.lines.push(...(found?.lines ?? []));
    // What is not known of a group may be anything.
    return found && found.unresolved.length === 0 ? found.value : anyOf(family);
  }
  if (word?.includes('/')) return setOf(word);
  cursor.at++;
  if (family === 'ip6') return maskNetwork(word, next);
  const found = wildcardNetwork(word, next);
  if (found && !found.exact) parts.unresolved.push(`wildcard ${word} ${next}`);
  return found?.set;
}
