// object-group blocks -> resolved address and service sets, nested groups included
import * as addresses from '../../src/model/addresses.ts';
import { normalise, type Ranges } from '../../src/model/ranges.ts';
import type { SourceLine } from '../../src/model/rule.ts';
import { ANY_SERVICE, type ServiceSet, service } from '../../src/model/services.ts';
import { ANY_SOURCE_PORT } from '../../src/model/traffic.ts';
import * as address from './cisco-address.ts';
import { icmpService } from './cisco-icmp.ts';
import type { Reading } from './cisco-lines.ts';
import { type Block, linesOf, wordsOf } from './indent.ts';
import { addTo } from './multimap.ts';

/** A service with the source ports that go with it. */
export interface ServiceBox {
  readonly services: ServiceSet;
  readonly sourcePorts: Ranges<number>;
}

export interface Resolved<T> {
  readonly value: T;
  readonly unresolved: readonly string[];
  /** The lines of the group and of those it names. */
  readonly lines: readonly SourceLine[];
}

export interface Groups {
  readonly network: (name: string, family: address.Family) => Resolved<addresses.AddressSet>;
  readonly service: (name: string) => Resolved<readonly ServiceBox[]>;
  /** Ports alone, as NX-OS (`portgroup`) and IOS-XR (`port-group`) name them. */
  readonly ports: (name: string) => Resolved<address.PortPairs>;
}

const MAX_DEPTH = 16;
const MAX_REASONS = 10;
/** Lines a rule shows of what it reaches. */
export const MAX_LINES = 100;

/** Reads every `object-group` block; lines that are no member are noted as unread. */
export function readGroups(reading: Reading): Groups {
  const blocks = new Map<string, Block[]>();
  for (const block of reading.blocks) {
    const words = wordsOf(block.text);
    if (words[0] !== 'object-group') continue;
    const head = headOf(words);
    if (head === undefined) {
      for (const line of linesOf(block)) reading.notUnderstood(line);
      continue;
    }
    const key = `${head.kind} ${head.name}`;
    addTo(blocks, key, block);
  }
  const networks = resolver(blocks, 'network', (block) => networkMembers(block, reading));
  const services = resolver(blocks, 'service', (block) => serviceMembers(block, reading));
  const ports = resolver(blocks, 'port', (block) => portMembers(block, reading));
  for (const key of blocks.keys()) {
    const name = key.slice(key.indexOf(' ') + 1);
    if (key.startsWith('network ')) networks(name, 0);
    else if (key.startsWith('service ')) services(name, 0);
    else ports(name, 0);
  }
  const unions = new Map<string, Resolved<addresses.AddressSet>>();
  return {
    network: (name, family) => {
      const found = networks(name, 0);
      if (found === undefined) return missing(name, address.anyOf(family));
      const known = unions.get(name) ?? { ...found, value: address.unionOf(found.value) };
      unions.set(name, known);
      return known;
    },
    service: (name) =>
      services(name, 0) ?? missing(name, [{ services: ANY_SERVICE, sourcePorts: ANY_SOURCE_PORT }]),
    ports: (name) => {
      const found = ports(name, 0);
      return found ? { ...found, value: [...found.value] } : missing(name, [[0, 65_535]]);
    },
  };
}

type GroupKind = 'network' | 'service' | 'port';

/** IOS `network N`, `service N`; NX-OS `ip address N`, `ip port N`; IOS-XR `network ipv4 N`, `port N`. */
function headOf(words: readonly string[]): { kind: GroupKind; name: string } | undefined {
  const text = words.slice(1).join(' ');
  const found =
    /^(?:(ip port|port)|(network ipv[46]|ip address|ipv6 address|network|v6-network)|(service|v6-service)) (\S+)$/.exec(
      text,
    );
  if (!found) return undefined;
  return { kind: found[1] ? 'port' : found[2] ? 'network' : 'service', name: found[4] };
}

const missing = <T>(name: string, value: T): Resolved<T> => ({
  value,
  unresolved: [`object-group ${name} is not defined`],
  lines: [],
});

interface Members<T> {
  readonly own: readonly T[];
  readonly groups: readonly string[];
}

/** Resolves names to the members of a group and of its nested groups; each group once, cycles and depth bounded. */
function resolver<T>(
  blocks: ReadonlyMap<string, readonly Block[]>,
  kind: GroupKind,
  read: (block: Block) => Members<T>,
): (name: string, depth: number) => Resolved<readonly T[]> | undefined {
  const done = new Map<string, Resolved<readonly T[]>>();
  let copied = 0;
  const resolve = (name: string, depth: number): Resolved<readonly T[]> | undefined => {
    const known = done.get(name);
    if (known) return known;
    const own = blocks.get(`${kind} ${name}`);
    if (own === undefined) return undefined;
    done.set(name, { value: [], unresolved: [`object-group ${name} contains itself`], lines: [] });
    const values: T[] = [];
    const unresolved: string[] = [];
    const lines: SourceLine[] = [];
    for (const block of own) {
      const members = read(block);
      for (const member of members.own) values.push(member);
      for (const line of linesOf(block)) if (lines.length < MAX_LINES) lines.push(line);
      for (const group of members.groups) {
        const nested = depth < MAX_DEPTH ? resolve(group, depth + 1) : undefined;
        if (nested === undefined) unresolved.push(`object-group ${group} is not resolved`);
        copied += nested?.value.length ?? 0;
        if (copied > MAX_NESTED) unresolved.push(`object-group ${group} is too large`);
        else for (const value of nested?.value ?? []) values.push(value);
        unresolved.push(...(nested?.unresolved ?? []).slice(0, MAX_REASONS));
        lines.push(...(nested?.lines ?? []).slice(0, MAX_LINES - lines.length));
      }
    }
    const result = { value: values, unresolved: [...new Set(unresolved)], lines };
    done.set(name, result);
    return result;
  };
  return resolve;
}

/** Members of nested groups that are copied into those that name them, over the whole configuration. */
const MAX_NESTED = 2_000_000;

function networkMembers(block: Block, reading: Reading): Members<addresses.AddressSet> {
  const own: addresses.AddressSet[] = [];
  const groups: string[] = [];
  for (const line of block.children) {
    const words = wordsOf(line.text);
    // NX-OS numbers the members, and writes wildcards where IOS writes masks.
    const isNumbered = words.length > 1 && /^\d+$/.test(words[0]);
    const [a, b, c] = isNumbered ? words.slice(1) : words;
    if (a === 'description') continue;
    if (isNested(a) && b !== undefined) {
      groups.push(b);
      continue;
    }
    const set =
      a === 'any'
        ? addresses.ANY_ADDRESS
        : a === 'host' && b !== undefined
          ? address.setOf(b)
          : a === 'range' && c !== undefined
            ? address.setOf(`${b}-${c}`)
            : b === undefined
              ? address.setOf(a ?? '')
              : isNumbered
                ? address.wildcard(a, b)?.set
                : address.network(a, b);
    if (set === undefined || line.children.length > 0) reading.notUnderstood(line);
    if (set !== undefined) own.push(set);
  }
  return { own, groups };
}

const isNested = (word: string | undefined): boolean => word === 'group-object' || word === 'object-group';

function portMembers(block: Block, reading: Reading): Members<readonly [number, number]> {
  const own: (readonly [number, number])[] = [];
  const groups: string[] = [];
  for (const line of block.children) {
    const words = wordsOf(line.text);
    const cursor = { words, at: words.length > 1 && /^\d+$/.test(words[0]) ? 1 : 0 };
    if (words[0] === 'description') continue;
    if (isNested(words[cursor.at]) && words[cursor.at + 1] !== undefined) {
      groups.push(words[cursor.at + 1]);
      continue;
    }
    const ports = address.portOperator(cursor);
    if (!ports || cursor.at < words.length) reading.notUnderstood(line);
    else own.push(...ports);
  }
  return { own, groups };
}

function serviceMembers(block: Block, reading: Reading): Members<ServiceBox> {
  const own: ServiceBox[] = [];
  const groups: string[] = [];
  for (const line of block.children) {
    const words = wordsOf(line.text);
    if (words[0] === 'description') continue;
    if (words[0] === 'group-object' && words[1] !== undefined) {
      groups.push(words[1]);
      continue;
    }
    const box = serviceMember(words);
    if (box === undefined) reading.notUnderstood(line);
    else own.push(box);
  }
  return { own, groups };
}

/** `tcp-udp source gt 1023 eq 443`, `icmp echo`, `ospf`, `ip`. */
function serviceMember(words: readonly string[]): ServiceBox | undefined {
  const cursor = { words, at: 1 };
  const protocols = words[0] === 'tcp-udp' ? [6, 17] : [address.protocolOf(words[0])];
  let sourcePorts: address.PortPairs | undefined | null;
  if (words[cursor.at] === 'source') {
    cursor.at++;
    sourcePorts = address.portOperator(cursor);
    if (sourcePorts === undefined) return undefined;
  }
  // `tcp 443` is short for `tcp eq 443`.
  const bare = address.portOf(words[cursor.at]);
  const ports = protocols[0] === 1 || protocols[0] === 58 ? undefined : address.portOperator(cursor);
  if (ports === undefined && bare !== undefined && protocols[0] !== 1) cursor.at++;
  const icmp = icmpService(protocols[0], cursor);
  if (cursor.at < words.length || ports === null || sourcePorts === null || protocols.includes(null))
    return undefined;
  const chosen = ports ?? (bare !== undefined && protocols[0] !== 1 ? [[bare, bare] as const] : undefined);
  const services =
    icmp ??
    (protocols[0] === undefined
      ? ANY_SERVICE
      : protocols.flatMap((protocol) => [...service(protocol as number, chosen)]));
  const from = sourcePorts ? normalise(sourcePorts, (port) => port + 1) : ANY_SOURCE_PORT;
  return { services, sourcePorts: from };
}
