// `name`, `object` and `object-group` of the ASA -> tables of addresses, services, ports and protocols
import * as addresses from '../../src/model/addresses.ts';
import type { SourceLine } from '../../src/model/rule.ts';
import { ANY_SERVICE, type ServiceSet, service } from '../../src/model/services.ts';
import { ANY_SOURCE_PORT } from '../../src/model/traffic.ts';
import { asaIcmp, asaPorts, asaProtocols, isEveryProtocol } from './asa-ports.ts';
import { portRanges, unionOf } from './boxes.ts';
import { type Cursor, maskLength, type PortPairs, setOf } from './cisco-address.ts';
import { type Block, lineOf, linesOf, wordsOf } from './indent.ts';
import {
  addressTable,
  type Definition,
  type Kind,
  type NameTable,
  nameTable,
  type ServiceBox,
  serviceTable,
} from './objects.ts';

export type GroupKind = 'network' | 'service' | 'ports' | 'protocol' | 'icmp-type' | 'other';

export interface AsaObjects {
  /** `name A alias` -> the address as text, other words as they are. */
  readonly alias: (word: string) => string;
  /** Objects and groups share their names. */
  readonly addresses: NameTable<addresses.AddressSet>;
  readonly services: NameTable<readonly ServiceBox[]>;
  /** Ports, or ICMP types and codes. */
  readonly ports: NameTable<readonly PortPairs[number][]>;
  readonly protocols: NameTable<readonly number[]>;
  readonly kindOf: (name: string) => GroupKind | undefined;
  /** `nat` lines inside objects, with the object's name. */
  readonly nats: readonly { readonly name: string; readonly line: SourceLine }[];
}

const flat = <T>(what: string): Kind<readonly T[]> => ({
  what,
  union: (values) => values.flat(),
  size: (value) => value.length,
});

interface Draft<T> {
  readonly own: T[];
  readonly members: string[];
  readonly unresolved: string[];
  readonly lines: SourceLine[];
}

type Drafts<T> = Map<string, Draft<T>>;

const draftIn = <T>(drafts: Drafts<T>, name: string): Draft<T> => {
  const known = drafts.get(name) ?? { own: [], members: [], unresolved: [], lines: [] };
  drafts.set(name, known);
  return known;
};

interface Tables {
  readonly alias: (word: string) => string;
  readonly addresses: Drafts<addresses.AddressSet>;
  readonly services: Drafts<readonly ServiceBox[]>;
  readonly ports: Drafts<PortPairs>;
  readonly protocols: Drafts<readonly number[]>;
  readonly kinds: Map<string, GroupKind>;
  readonly nats: { name: string; line: SourceLine }[];
}

/** An object may stand twice, with its value and later with its `nat`. Lines that are not understood are handed on. */
export function readAsaObjects(
  blocks: readonly Block[],
  notUnderstood: (line: SourceLine) => void,
): AsaObjects {
  const names = namesOf(blocks);
  const tables: Tables = {
    alias: (word) => names.get(word) ?? word,
    addresses: new Map(),
    services: new Map(),
    ports: new Map(),
    protocols: new Map(),
    kinds: new Map(),
    nats: [],
  };
  for (const block of blocks) {
    const words = wordsOf(block.text);
    if (words[0] !== 'object' && words[0] !== 'object-group') continue;
    const unread = words[0] === 'object' ? readObject(tables, block, words) : readGroup(tables, block, words);
    for (const line of unread) notUnderstood(line);
  }
  return {
    alias: tables.alias,
    addresses: addressTable(completed(tables.addresses, [addresses.ANY_ADDRESS])),
    services: serviceTable(completed(tables.services, [[ANY_BOX]])),
    ports: nameTable(flat<PortPairs[number]>('ports'), completed(tables.ports, [[[0, 65_535]]])),
    protocols: nameTable(flat<number>('protocol'), completed(tables.protocols, [asaProtocols('ip')!])),
    kindOf: (name) => tables.kinds.get(name),
    nats: tables.nats,
  };
}

const ANY_BOX: ServiceBox = { services: ANY_SERVICE, sourcePorts: ANY_SOURCE_PORT };

function namesOf(blocks: readonly Block[]): Map<string, string> {
  const names = new Map<string, string>();
  for (const { text } of blocks) {
    const [word, address, alias] = wordsOf(text);
    if (word === 'name' && alias !== undefined) names.set(alias, address);
  }
  return names;
}

/** A name that nothing defines may stand for anything: a match is never too small. */
function completed<T>(drafts: Drafts<T>, everything: readonly T[]): ReadonlyMap<string, Definition<T>> {
  const all = new Map<string, Definition<T>>(drafts);
  for (const { members } of drafts.values())
    for (const member of members)
      if (!all.has(member))
        all.set(member, {
          own: everything,
          members: [],
          unresolved: [`${member} is not defined`],
          lines: [],
        });
  return all;
}

const SETTINGS = /^(?:description|no|nat)$/;

function readObject(tables: Tables, block: Block, [, kind, name]: readonly string[]): SourceLine[] {
  if (name === undefined || (kind !== 'network' && kind !== 'service')) return linesOf(block);
  const draft: Draft<unknown> = draftIn<never>(
    (kind === 'network' ? tables.addresses : tables.services) as Drafts<never>,
    name,
  );
  const unread: SourceLine[] = [];
  draft.lines.push(lineOf(block));
  for (const child of block.children) {
    const words = wordsOf(child.text);
    if (words[0] === 'nat' && kind === 'network') tables.nats.push({ name, line: lineOf(child) });
    if (SETTINGS.test(words[0])) continue;
    draft.lines.push(lineOf(child));
    if (words[0] === 'fqdn') {
      const value =
        words[1] === 'v4' ? addresses.ANY_V4 : words[1] === 'v6' ? addresses.ANY_V6 : addresses.ANY_ADDRESS;
      draft.own.push(value);
      draft.unresolved.push(`fqdn ${words.at(-1)}`);
      continue;
    }
    const value =
      kind === 'network'
        ? objectAddress(words, tables.alias)
        : words[0] === 'service'
          ? serviceBoxes({ words, at: 1 })
          : undefined;
    if (value) draft.own.push(value);
    else {
      unread.push(lineOf(child));
      draft.unresolved.push(`${name} was not understood`);
      draft.own.push(kind === 'network' ? addresses.ANY_ADDRESS : [ANY_BOX]);
    }
  }
  return unread;
}

function objectAddress(
  words: readonly string[],
  alias: (word: string) => string,
): addresses.AddressSet | undefined {
  const [first, second] = words.slice(1).map(alias);
  if (first === undefined) return undefined;
  if (words[0] === 'host') return setOf(first);
  if (words[0] === 'range') return setOf(`${first}-${second}`);
  return words[0] === 'subnet' ? subnet(first, second) : undefined;
}

/** "10.0.0.0" and "255.0.0.0", or "2001:db8::/32". */
export function subnet(first: string, second: string | undefined): addresses.AddressSet | undefined {
  if (first.includes('/')) return setOf(first);
  const length = maskLength(second);
  return length === undefined || first.includes(':') ? undefined : setOf(`${first}/${length}`);
}

/** `tcp source eq 1 destination eq 2`, `tcp eq 2`, `icmp echo`, `47` at the cursor; undefined where it is not understood. */
export function serviceBoxes(cursor: Cursor): readonly ServiceBox[] | undefined {
  const protocols = asaProtocols(cursor.words[cursor.at++]);
  if (!protocols) return undefined;
  let source: PortPairs | undefined | null;
  let destination: PortPairs | undefined | null;
  if (protocols[0] === 1 || protocols[0] === 58) destination = asaIcmp(protocols[0], cursor);
  else {
    if (cursor.words[cursor.at] === 'source') {
      cursor.at++;
      source = asaPorts(cursor) ?? null;
    }
    if (cursor.words[cursor.at] === 'destination') cursor.at++;
    destination = asaPorts(cursor);
  }
  if (source === null || destination === null || cursor.at < cursor.words.length) return undefined;
  return [serviceBox(protocols, source, destination)];
}

/** Ports undefined: all of them. */
export function serviceBox(
  protocols: readonly number[],
  source: PortPairs | undefined,
  destination: PortPairs | undefined,
): ServiceBox {
  const services =
    isEveryProtocol(protocols) && !destination
      ? ANY_SERVICE
      : (unionOf(
          'services',
          protocols.map((protocol) => service(protocol, destination)),
        ) as ServiceSet);
  return { services, sourcePorts: source ? portRanges(source) : ANY_SOURCE_PORT };
}

function readGroup(tables: Tables, block: Block, [, kind, name, type]: readonly string[]): SourceLine[] {
  if (name === undefined) return linesOf(block);
  const groupKind = groupKindOf(kind, type);
  tables.kinds.set(name, groupKind);
  if (groupKind === 'other') return [];
  const drafts = {
    network: tables.addresses,
    service: tables.services,
    ports: tables.ports,
    protocol: tables.protocols,
    'icmp-type': tables.ports,
  }[groupKind] as Drafts<unknown>;
  const draft = draftIn(drafts, name);
  draft.lines.push(lineOf(block));
  const unread: SourceLine[] = [];
  for (const child of block.children) {
    const words = wordsOf(child.text);
    if (SETTINGS.test(words[0])) continue;
    draft.lines.push(lineOf(child));
    const member = memberName(words, groupKind);
    if (member !== undefined) {
      draft.members.push(member);
      const known = predefined(member);
      if (groupKind === 'service' && known && !drafts.has(member))
        drafts.set(member, { own: [known], members: [], unresolved: [], lines: [] });
      continue;
    }
    const value = memberValue(words, tables.alias);
    if (value !== undefined) draft.own.push(value);
    else {
      unread.push(lineOf(child));
      draft.unresolved.push(`a member of ${name} was not understood`);
    }
  }
  return unread;
}

function groupKindOf(kind: string, type: string | undefined): GroupKind {
  if (kind === 'service') return type === undefined ? 'service' : 'ports';
  return kind === 'network' || kind === 'protocol' || kind === 'icmp-type' ? kind : 'other';
}

/** `group-object N`, `network-object object N`, `service-object object N`. */
function memberName([word, kind, name]: readonly string[], groupKind: GroupKind): string | undefined {
  if (word === 'group-object') return kind;
  const nests = groupKind === 'network' ? 'network-object' : 'service-object';
  return word === nests && kind === 'object' ? name : undefined;
}

function memberValue(words: readonly string[], alias: (word: string) => string): unknown {
  const [first, second] = words.slice(1).map(alias);
  if (first === undefined) return undefined;
  switch (words[0]) {
    case 'network-object':
      return first === 'host' ? setOf(second ?? '') : subnet(first, second);
    case 'service-object':
      return serviceBoxes({ words, at: 1 });
    case 'port-object':
      return asaPorts({ words, at: 1 }) ?? undefined;
    case 'protocol-object':
      return asaProtocols(words[1]);
    case 'icmp-object':
      return asaIcmp(1, { words, at: 1 });
  }
  return undefined;
}

/** Services that need no definition: `icmp-echo`, `ospf`. */
export function predefined(name: string): readonly ServiceBox[] | undefined {
  if (name.startsWith('icmp-')) return serviceBoxes({ words: ['icmp', name.slice('icmp-'.length)], at: 0 });
  if (name.startsWith('icmp6-'))
    return serviceBoxes({ words: ['icmp6', name.slice('icmp6-'.length)], at: 0 });
  const protocols = asaProtocols(name);
  return protocols && /^[a-z]/.test(name) ? [serviceBox(protocols, undefined, undefined)] : undefined;
}
