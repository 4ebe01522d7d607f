// pools, nodes, SNAT pools and lists of TMOS -> the addresses and ports that their names stand for
import { type AddressSet, NO_ADDRESSES, unionAddresses } from '../../src/model/addresses.ts';
import type { SourceLine, Translation } from '../../src/model/rule.ts';
import { ADDRESSES, type Definition, type Named, nameTable } from './objects.ts';
import { addressesOf, endpointOf, plainName, portOf, wordsBelow } from './tmsh-text.ts';
import { at, linesUnder, list, type WordTree, word } from './tree.ts';

export interface Pool {
  readonly addresses: AddressSet;
  /** Where all members have the same; undefined: several, or that of the virtual server. */
  readonly ports?: Translation['ports'];
  readonly unresolved: readonly string[];
  readonly lines: readonly SourceLine[];
}

const MOST_LINES = 60;
/** A member that takes no new connections. */
const isDown = (member: WordTree, node: WordTree | undefined): boolean =>
  [member, node].some(
    (one) => word(one, 'session') === 'user-disabled' || word(one, 'state') === 'user-down',
  );

/** undefined where no pool has the name. */
export function poolOf(tree: WordTree, name: string): Pool | undefined {
  const pool = at(tree, 'ltm', 'pool', name);
  if (!pool) return undefined;
  const sets: AddressSet[] = [];
  const ports = new Set<number | undefined>();
  const unresolved: string[] = [];
  for (const member of list(pool, 'members')) {
    const colon = Math.max(member.word.lastIndexOf(':'), member.word.lastIndexOf('.'));
    const nodeName = member.word.slice(0, colon < 0 ? undefined : member.word.lastIndexOf(':'));
    const node = at(tree, 'ltm', 'node', nodeName);
    if (isDown(member, node)) continue;
    const written = word(member, 'address') ?? word(node, 'address') ?? member.word;
    const known = addressesOf(written) ?? endpointOf(written);
    if (at(node, 'fqdn') || at(member, 'fqdn') || !known)
      unresolved.push(`the address of ${plainName(nodeName)}`);
    else sets.push(known.addresses);
    const port = portOf(member.word.slice(member.word.lastIndexOf(':') + 1));
    ports.add(port ?? undefined);
  }
  const [port] = ports;
  return {
    addresses: unionAddresses(NO_ADDRESSES, ...sets),
    ...(ports.size === 1 && port !== undefined ? { ports: [port, port] as const } : {}),
    unresolved: [...unresolved, ...(ports.size > 1 ? ['the port of the member that is chosen'] : [])],
    lines: linesUnder(pool, MOST_LINES),
  };
}

export interface SourcePool {
  /** undefined: the device's own (automap). */
  readonly addresses?: AddressSet;
  readonly lines: readonly SourceLine[];
}

export function snatPoolOf(tree: WordTree, name: string): SourcePool | undefined {
  const pool = at(tree, 'ltm', 'snatpool', name);
  if (!pool) return undefined;
  const translations = wordsBelow(at(pool, 'members')).map((member) => snatTranslationOf(tree, member));
  return {
    addresses: unionAddresses(NO_ADDRESSES, ...translations.flatMap((one) => one?.addresses ?? [])),
    lines: [...linesUnder(pool, MOST_LINES), ...translations.flatMap((one) => one?.lines ?? [])],
  };
}

/** By name, or an address that is written as one. */
export function snatTranslationOf(tree: WordTree, name: string): SourcePool | undefined {
  const translation = at(tree, 'ltm', 'snat-translation', name);
  const written = word(translation, 'address') ?? name.slice(name.lastIndexOf('/') + 1);
  const known = addressesOf(written);
  return (
    known && { addresses: known.addresses, lines: translation ? linesUnder(translation, MOST_LINES) : [] }
  );
}

/** Address lists of AFM and of traffic matching criteria, nested. */
export function addressLists(tree: WordTree): (name: string) => Named<AddressSet> | undefined {
  const definitions = new Map<string, Definition<AddressSet>>();
  for (const kind of [
    list(tree, 'net', 'address-list'),
    list(tree, 'security', 'firewall', 'address-list'),
    list(tree, 'security', 'shared-objects', 'address-list'),
  ])
    for (const entry of kind) {
      const own: AddressSet[] = [];
      const unresolved: string[] = [];
      for (const written of list(entry, 'addresses')) {
        const known = addressesOf(written.word);
        if (known) own.push(known.addresses);
        else unresolved.push(`${plainName(entry.word)}: ${written.word.slice(0, 64)}`);
      }
      for (const what of ['fqdns', 'geo'])
        for (const { word: name } of list(entry, what)) unresolved.push(`${what.replace(/s$/, '')} ${name}`);
      definitions.set(entry.word, {
        own,
        members: wordsBelow(at(entry, 'address-lists')),
        unresolved,
        lines: linesUnder(entry, MOST_LINES),
      });
    }
  const table = nameTable(ADDRESSES, definitions);
  return (name) => table.resolve(name) ?? table.resolve(`/Common/${name}`);
}

/** Port lists, nested: pairs of first and last. */
export function portLists(
  tree: WordTree,
): (name: string) => Named<readonly (readonly [number, number])[]> | undefined {
  type Pairs = readonly (readonly [number, number])[];
  const definitions = new Map<string, Definition<Pairs>>();
  for (const kind of [
    list(tree, 'net', 'port-list'),
    list(tree, 'security', 'firewall', 'port-list'),
    list(tree, 'security', 'shared-objects', 'port-list'),
  ])
    for (const entry of kind)
      definitions.set(entry.word, {
        own: [list(entry, 'ports').flatMap(({ word: text }) => portPair(text) ?? [])],
        members: wordsBelow(at(entry, 'port-lists')),
        lines: linesUnder(entry, MOST_LINES),
      });
  const table = nameTable<Pairs>(
    { what: 'port list', union: (values) => values.flat(), size: (value) => value.length },
    definitions,
  );
  return (name) => table.resolve(name) ?? table.resolve(`/Common/${name}`);
}

/** "443", "https", "8000-8010"; as a list of one pair. */
export function portPair(text: string): readonly (readonly [number, number])[] | undefined {
  const range = /^(\d{1,5})-(\d{1,5})$/.exec(text);
  if (range) return [[Number(range[1]), Math.min(65_535, Number(range[2]))]];
  const port = portOf(text);
  if (port === null) return undefined;
  return [port === undefined ? [0, 65_535] : [port, port]];
}
