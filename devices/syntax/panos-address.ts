// addresses, groups, lists and regions of PAN-OS -> what their names stand for in one scope
import { type AddressSet, addressSet } from '../../src/model/addresses.ts';
import type { SourceLine } from '../../src/model/rule.ts';
import { wildcard } from './cisco-address.ts';
import { ADDRESSES, addressTable, type Definition, MAX_REASONS, type NameTable } from './objects.ts';
import { last, linesUnder, words } from './panos-config.ts';
import { tagFilter } from './panos-tags.ts';
import { list, type WordTree } from './tree.ts';

/** What a list of names stands for. Where it is not all known, `sure` is the part that is, and reasons say what is not. */
export interface Addresses {
  readonly sure: AddressSet;
  readonly unresolved: readonly string[];
  readonly lines: readonly SourceLine[];
}

/** Where objects of a scope stand, nearest first: virtual system or device group, its parents, what is pushed, shared. */
export type Layers = readonly WordTree[];

/** "10.0.0.0/8", "10.0.0.1", "10.0.0.1-10.0.0.9", IPv6 likewise, or "10.0.1.0/0.0.6.255"; undefined for others. */
export function literal(text: string): AddressSet | undefined {
  if (!/^[\da-fA-F.:/%-]+$/.test(text) || !/[.:]/.test(text)) return undefined;
  const [address, mask] = text.split('/');
  if (mask?.includes('.')) {
    const found = wildcard(address, mask);
    return found?.exact ? found.set : undefined;
  }
  try {
    return addressSet(text);
  } catch {
    return undefined;
  }
}

export function addressNames(layers: Layers): NameTable<AddressSet> {
  const definitions = new Map<string, Definition<AddressSet>>();
  const tags = tagsOf(layers);
  for (const layer of layers.toReversed()) {
    for (const node of list(layer, 'region'))
      if (node.children.has('address')) definitions.set(node.word, region(node));
    for (const node of list(layer, 'external-list'))
      definitions.set(node.word, unknown(node, `external list ${node.word}`));
    for (const node of list(layer, 'address')) definitions.set(node.word, address(node));
    for (const node of list(layer, 'address-group')) definitions.set(node.word, group(node, tags));
  }
  return addressTable(definitions);
}

const unknown = (node: WordTree, reason: string): Definition<AddressSet> => ({
  own: [],
  members: [],
  unresolved: [reason],
  lines: linesUnder(node),
});

function address(node: WordTree): Definition<AddressSet> {
  const text = last(node, 'ip-netmask') ?? last(node, 'ip-range') ?? last(node, 'ip-wildcard');
  if (text === undefined) {
    const fqdn = last(node, 'fqdn');
    return unknown(
      node,
      fqdn === undefined ? `address ${node.word} has no value` : `address ${node.word} is ${fqdn}`,
    );
  }
  const set = literal(text);
  return set
    ? { own: [set], members: [], lines: linesUnder(node) }
    : unknown(node, `address ${node.word} is ${text.slice(0, 100)}`);
}

function region(node: WordTree): Definition<AddressSet> {
  const sets = words(node, 'address').map(literal);
  return sets.some((set) => !set)
    ? unknown(node, `region ${node.word}`)
    : { own: sets as AddressSet[], members: [], lines: linesUnder(node) };
}

function group(node: WordTree, tags: ReadonlyMap<string, readonly string[]>): Definition<AddressSet> {
  const filter = last(node, 'dynamic', 'filter');
  if (filter === undefined) {
    // Before PAN-OS 6.1 the members stood in the group itself.
    const members = node.children.has('static') ? words(node, 'static') : [];
    return { own: [], members, lines: linesUnder(node) };
  }
  const accepts = tagFilter(filter);
  const members = accepts ? [...tags].filter(([name, own]) => name !== node.word && accepts(own)) : [];
  return members.length > 0
    ? { own: [], members: members.map(([name]) => name), lines: linesUnder(node) }
    : unknown(node, `dynamic group ${node.word}: ${filter.slice(0, 200)}`);
}

/** Objects by name, with the tags that they carry. */
function tagsOf(layers: Layers): Map<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const layer of layers.toReversed())
    for (const section of ['address', 'address-group'])
      for (const node of list(layer, section))
        if (node.children.has('tag')) found.set(node.word, words(node, 'tag'));
  return found;
}

/** Names and literal addresses as one set; undefined for "any". */
export function addressesOf(names: readonly string[], table: NameTable<AddressSet>): Addresses | undefined {
  if (names.length === 0 || names.includes('any')) return undefined;
  const sets: AddressSet[] = [];
  const unresolved = new Set<string>();
  const lines: SourceLine[] = [];
  for (const name of names) {
    const found = table.resolve(name);
    const set = found ? found.value : literal(name);
    if (set) sets.push(set);
    else unresolved.add(/^[A-Z]{2}$/.test(name) ? `region ${name}` : `address ${name} is not in the text`);
    for (const reason of found?.unresolved ?? []) if (unresolved.size < MAX_REASONS) unresolved.add(reason);
    if (found) lines.push(...found.lines);
  }
  return { sure: ADDRESSES.union(sets), unresolved: [...unresolved], lines };
}
