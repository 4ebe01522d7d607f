// `firewall group` -> what each name stands for: addresses, ports, interfaces
import { type AddressSet, addressSet, NO_ADDRESSES } from '../../src/model/addresses.ts';
import { ADDRESSES, type Definition, type Kind, type Named, nameTable } from './objects.ts';
import { PORT_NAMES } from './ports.ts';
import { linesUnder, list, type WordTree, words } from './tree.ts';

export type PortRange = readonly [number, number];

export interface Groups {
  /** `kind`: "address-group", "ipv6-network-group" and so on. */
  readonly addresses: (kind: string, name: string) => Named<AddressSet> | undefined;
  readonly ports: (name: string) => Named<readonly PortRange[]> | undefined;
  readonly interfaces: (name: string) => Named<readonly string[]> | undefined;
}

/** Addresses of an interface, for the groups that EdgeOS keeps by itself (ADDRv4_eth0, NETv4_eth0). */
export type OwnAddresses = (name: string) => { addresses: AddressSet; networks: AddressSet } | undefined;

const listOf = <T>(what: string): Kind<readonly T[]> => ({
  what,
  union: (values) => values.flat(),
  size: (value) => value.length,
});

const ADDRESS_KINDS: Readonly<Record<string, string>> = {
  'address-group': 'address',
  'network-group': 'network',
  'ipv6-address-group': 'address',
  'ipv6-network-group': 'network',
};

export function readGroups(tree: WordTree, own: OwnAddresses): Groups {
  const definitions = new Map<string, Definition<AddressSet>>();
  for (const [kind, element] of Object.entries(ADDRESS_KINDS))
    for (const group of list(tree, 'firewall', 'group', kind)) {
      const { values, unresolved } = parsed(words(group, element), addressOrUndefined);
      definitions.set(`${kind} ${group.word}`, {
        own: values,
        members: words(group, 'include').map((name) => `${kind} ${name}`),
        unresolved,
        lines: linesUnder(group),
      });
    }
  const addresses = nameTable(ADDRESSES, definitions);
  const ports = plain(tree, 'port-group', 'port', portRange);
  const interfaces = plain(tree, 'interface-group', 'interface', (text) => text);
  return {
    addresses: (kind, name) => addresses.resolve(`${kind} ${name}`) ?? ofInterface(name, own),
    ports: ports.resolve,
    interfaces: interfaces.resolve,
  };
}

function plain<T>(tree: WordTree, kind: string, element: string, read: (text: string) => T | undefined) {
  const definitions = new Map<string, Definition<readonly T[]>>();
  for (const group of list(tree, 'firewall', 'group', kind)) {
    const { values, unresolved } = parsed(words(group, element), read);
    definitions.set(group.word, {
      own: [values],
      members: words(group, 'include'),
      unresolved,
      lines: linesUnder(group),
    });
  }
  return nameTable(listOf<T>(kind), definitions);
}

function parsed<T>(texts: readonly string[], read: (text: string) => T | undefined) {
  const values: T[] = [];
  const unresolved: string[] = [];
  for (const text of texts) {
    const value = read(text);
    if (value === undefined) unresolved.push(text.slice(0, 80));
    else values.push(value);
  }
  return { values, unresolved };
}

/** An address, a range or a prefix; undefined for names and for anything else. */
export function addressOrUndefined(text: string): AddressSet | undefined {
  try {
    return addressSet(text);
  } catch {
    return undefined;
  }
}

function ofInterface(name: string, own: OwnAddresses): Named<AddressSet> | undefined {
  const match = /^(ADDR|NET)v([46])_(\S{1,64})$/.exec(name);
  if (!match) return undefined;
  const known = own(match[3]);
  const whole = match[1] === 'ADDR' ? known?.addresses : known?.networks;
  const value: AddressSet =
    match[2] === '4' ? { v4: whole?.v4 ?? [], v6: [] } : { v4: [], v6: whole?.v6 ?? [] };
  const isKnown = value.v4.length + value.v6.length > 0;
  return {
    value: isKnown ? value : NO_ADDRESSES,
    unresolved: isKnown ? [] : [`the address of ${match[3]}`],
    lines: [],
  };
}

/** "80", "1000-2000", "https" */
export function portRange(text: string): PortRange | undefined {
  const name = text.toLowerCase();
  if (Object.hasOwn(PORT_NAMES, name)) return [PORT_NAMES[name], PORT_NAMES[name]];
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  if (!match) return undefined;
  const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])];
  return first <= last && last <= 65_535 ? [first, last] : undefined;
}
