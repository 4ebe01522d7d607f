// address books, prefixes and prefix lists of Junos -> address sets
import {
  type AddressSet,
  ANY_ADDRESS,
  ANY_V4,
  ANY_V6,
  NO_ADDRESSES,
  subtractAddresses,
} from '../../src/model/addresses.ts';
import type { SourceLine } from '../../src/model/rule.ts';
import { setOf, wildcard } from './cisco-address.ts';
import {
  ADDRESSES,
  addressTable,
  type Definition,
  MAX_LINES,
  type Named,
  type NameTable,
  together,
} from './objects.ts';
import { at, linesUnder, list, type WordTree, word, words } from './tree.ts';

/** `sure` is what is known; `possible` all that it may be. */
export interface Side {
  readonly sure: AddressSet;
  readonly possible: AddressSet;
  readonly unresolved: readonly string[];
  readonly lines: readonly SourceLine[];
}

export const EVERY_SIDE: Side = { sure: ANY_ADDRESS, possible: ANY_ADDRESS, unresolved: [], lines: [] };

/** Names as a policy sees them that concerns a zone; undefined: only the global book. */
export type AddressLookup = (name: string, zone: string | undefined) => Named<AddressSet> | undefined;

const ANY: Readonly<Record<string, AddressSet>> = {
  any: ANY_ADDRESS,
  'any-ipv4': ANY_V4,
  'any-ipv6': ANY_V6,
};

/** `security address-book`, attached to zones or global, and books inside of zones. A zone's own books come first. */
export function addressLookup(security: WordTree | undefined): AddressLookup {
  const byZone = new Map<string, NameTable<AddressSet>[]>();
  const add = (zone: string, table: NameTable<AddressSet>) =>
    byZone.set(zone, [...(byZone.get(zone) ?? []), table]);
  let global: NameTable<AddressSet> | undefined;
  for (const book of list(security, 'address-book')) {
    const table = addressTable(definitionsOf(book));
    if (book.word === 'global') global = table;
    for (const zone of words(book, 'attach', 'zone')) add(zone, table);
  }
  for (const zone of list(security, 'zones', 'security-zone')) {
    const book = at(zone, 'address-book');
    if (book) add(zone.word, addressTable(definitionsOf(book)));
  }
  return (name, zone) => {
    if (Object.hasOwn(ANY, name)) return { value: ANY[name], unresolved: [], lines: [] };
    for (const table of zone === undefined ? [] : (byZone.get(zone) ?? [])) {
      const found = table.resolve(name);
      if (found) return found;
    }
    return global?.resolve(name);
  };
}

function definitionsOf(book: WordTree): Map<string, Definition<AddressSet>> {
  const found = new Map<string, Definition<AddressSet>>();
  for (const address of list(book, 'address')) found.set(address.word, addressOf(address));
  for (const set of list(book, 'address-set'))
    found.set(set.word, {
      own: [],
      members: [...words(set, 'address'), ...words(set, 'address-set')],
      lines: linesUnder(set),
    });
  return found;
}

function addressOf(node: WordTree): Definition<AddressSet> {
  const own: AddressSet[] = [];
  const unresolved: string[] = [];
  for (const child of node.children.values()) {
    const [value] = child.children.keys();
    if (child.word === 'description') continue;
    if (child.word === 'dns-name') unresolved.push(`address ${node.word} is ${value ?? ''}`);
    else if (child.word === 'range-address') {
      for (const from of child.children.values())
        take(own, unresolved, setOf(`${from.word}-${word(from, 'to') ?? from.word}`), `range ${from.word}`);
    } else if (child.word === 'wildcard-address') {
      for (const name of child.children.keys()) take(own, unresolved, wildcardSet(name), `wildcard ${name}`);
    } else if (child.word === 'ip-prefix')
      take(own, unresolved, setOf(value ?? ''), `address ${value ?? ''}`);
    else take(own, unresolved, setOf(child.word), `address ${node.word} ${child.word}`);
  }
  return { own, members: [], unresolved, lines: linesUnder(node) };
}

function take(own: AddressSet[], unresolved: string[], set: AddressSet | undefined, what: string): void {
  if (set) own.push(set);
  else unresolved.push(what.slice(0, 128));
}

/** "192.168.0.11/255.255.0.255": bits that are set in the mask are compared. */
function wildcardSet(text: string): AddressSet | undefined {
  const [address, mask] = text.split('/');
  const inverse = mask
    ?.split('.')
    .map((octet) => 255 - Number(octet))
    .join('.');
  const found = inverse === undefined ? undefined : wildcard(address, inverse);
  return found?.exact ? found.set : undefined;
}

/** Several names as one side of a match; undefined names make it unknown. */
export function sideOf(
  parts: readonly (Named<AddressSet> | { readonly missing: string })[],
  excluded = false,
): Side {
  if (parts.length === 0) return EVERY_SIDE;
  const named = parts.map((part) =>
    'missing' in part
      ? { value: NO_ADDRESSES, unresolved: [`address ${part.missing} is not defined`], lines: [] }
      : part,
  );
  const { value, unresolved, lines } = together(ADDRESSES, named);
  const isKnown = unresolved.length === 0;
  const rest = subtractAddresses(ANY_ADDRESS, value);
  const sure = excluded ? (isKnown ? rest : NO_ADDRESSES) : value;
  const possible = excluded ? rest : isKnown ? value : ANY_ADDRESS;
  return { sure, possible, unresolved, lines: lines.slice(0, MAX_LINES) };
}

interface Written {
  readonly set: AddressSet;
  readonly size: number;
  readonly isExcept: boolean;
}

/**
 * Addresses and prefix lists of a filter term. The longest prefix decides, whether it is excepted or not (Routing Policies
 * User Guide, "Firewall Filter Match Conditions Based on Address Fields").
 */
export function filterSide(
  addresses: WordTree | undefined,
  lists: WordTree | undefined,
  prefixLists: WordTree | undefined,
  family: AddressSet,
): Side | undefined {
  if (!addresses && !lists) return undefined;
  const written: Written[] = [];
  const unresolved: string[] = [];
  const lines: SourceLine[] = [];
  const add = (text: string, isExcept: boolean) => {
    const set = text === 'any' ? family : setOf(text);
    if (set) written.push({ set, size: Number(text.split('/')[1] ?? 128), isExcept });
    else unresolved.push(`address ${text.slice(0, 64)}`);
  };
  for (const one of addresses?.children.values() ?? []) add(one.word, one.children.has('except'));
  for (const one of lists?.children.values() ?? []) {
    const found = at(prefixLists, one.word);
    if (!found) unresolved.push(`prefix-list ${one.word} is not defined`);
    for (const prefix of found?.children.values() ?? []) {
      if (prefix.word === 'apply-path') unresolved.push(`prefix-list ${one.word} applies a path`);
      else add(prefix.word, one.children.has('except'));
    }
    if (found) lines.push(...linesUnder(found));
  }
  // Only exceptions: everything else.
  const start = written.length > 0 && written.every(({ isExcept }) => isExcept) ? family : NO_ADDRESSES;
  const sure = bySize(written, start);
  const isKnown = unresolved.length === 0;
  return { sure: isKnown ? sure : NO_ADDRESSES, possible: isKnown ? sure : family, unresolved, lines };
}

function bySize(written: readonly Written[], start: AddressSet): AddressSet {
  const sizes = [...Map.groupBy(written, ({ size }) => size)].sort(([a], [b]) => a - b);
  return sizes.reduce((set, [, same]) => {
    const of = (isExcept: boolean) =>
      ADDRESSES.union(same.filter((one) => one.isExcept === isExcept).map((one) => one.set));
    return subtractAddresses(ADDRESSES.union([set, of(false)]), of(true));
  }, start);
}
