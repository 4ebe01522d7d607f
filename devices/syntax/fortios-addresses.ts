// `config firewall address`, `address6`, `addrgrp`, `addrgrp6`, `multicast-address` of FortiOS -> what their names stand for
import { type AddressSet, ANY_V4, ANY_V6, NO_ADDRESSES } from '../../src/model/addresses.ts';
import { network, setOf, wildcard } from './cisco-address.ts';
import {
  entriesOf,
  type FortiEntry,
  isEnabled,
  type Sections,
  settingOf,
  settingsOf,
} from './fortios-tree.ts';
import { addressTable, type Definition, type NameTable } from './objects.ts';

export type Family = 'ip' | 'ip6';
export const anyOf = (family: Family): AddressSet => (family === 'ip' ? ANY_V4 : ANY_V6);

/** Networks of interfaces by name, for objects that follow an interface's address. */
export type Networks = ReadonlyMap<string, AddressSet>;

type Found = Pick<Definition<AddressSet>, 'own' | 'unresolved'>;
const exactly = (set: AddressSet | undefined, what: string): Found =>
  set ? { own: [set] } : { own: [], unresolved: [what] };
const unknown = (what: string): Found => ({ own: [], unresolved: [what] });

/** Objects that every device has, also where its text does not list them. */
const PREDEFINED: Readonly<Record<string, AddressSet>> = { all: ANY_V4, none: NO_ADDRESSES };
const PREDEFINED6: Readonly<Record<string, AddressSet>> = { all: ANY_V6, none: NO_ADDRESSES };

export interface AddressTables {
  readonly ip: NameTable<AddressSet>;
  readonly ip6: NameTable<AddressSet>;
  readonly multicast: NameTable<AddressSet>;
}

export function addressTables(sections: Sections, networks: Networks): AddressTables {
  const ip = groups(sections, 'firewall addrgrp', predefined(PREDEFINED));
  for (const entry of entriesOf(sections, 'firewall address')) ip.set(entry.name, define(entry, networks));
  const ip6 = groups(sections, 'firewall addrgrp6', predefined(PREDEFINED6));
  for (const entry of entriesOf(sections, 'firewall address6')) ip6.set(entry.name, define6(entry));
  const multicast = predefined(PREDEFINED);
  for (const name of ['firewall multicast-address', 'firewall multicast-address6'])
    for (const entry of entriesOf(sections, name))
      multicast.set(entry.name, { ...fixed(entry, networks), members: [], lines: entry.lines });
  return { ip: addressTable(ip), ip6: addressTable(ip6), multicast: addressTable(multicast) };
}

const predefined = (table: Readonly<Record<string, AddressSet>>) =>
  new Map(
    Object.entries(table).map(([name, set]): [string, Definition<AddressSet>] => [
      name,
      { own: [set], members: [], lines: [] },
    ]),
  );

function groups(sections: Sections, name: string, into: Map<string, Definition<AddressSet>>) {
  for (const entry of entriesOf(sections, name))
    into.set(entry.name, {
      own: [],
      members: settingsOf(entry, 'member'),
      ...(isEnabled(entry, 'exclude') ? { excluded: settingsOf(entry, 'exclude-member') } : {}),
      lines: entry.lines,
    });
  return into;
}

function define(entry: FortiEntry, networks: Networks): Definition<AddressSet> {
  return { ...fixed(entry, networks), members: [], lines: entry.lines };
}

/** The default type is ipmask, the default subnet everything. */
function fixed(entry: FortiEntry, networks: Networks): Found {
  const name = `address ${entry.name}`;
  const type = settingOf(entry, 'type') ?? 'ipmask';
  switch (type) {
    case 'ipmask':
    case 'broadcastmask':
      return exactly(subnetOf(settingsOf(entry, 'subnet')), `${name} has no readable subnet`);
    case 'iprange':
    case 'multicastrange':
      return exactly(rangeOf(entry), `${name} has no readable range`);
    case 'wildcard': {
      const [address, mask] = settingsOf(entry, 'wildcard');
      const found = wildcard(address, inverted(mask));
      return found?.exact ? { own: [found.set] } : unknown(`${name} is a wildcard ${address} ${mask}`);
    }
    case 'interface-subnet': {
      const set = networks.get(settingOf(entry, 'interface') ?? '') ?? subnetOf(settingsOf(entry, 'subnet'));
      return exactly(set, `${name} is the subnet of ${settingOf(entry, 'interface') ?? 'an interface'}`);
    }
    default:
      return unknown(`${name} is ${type} ${detailOf(entry)}`.trimEnd());
  }
}

function define6(entry: FortiEntry): Definition<AddressSet> {
  const type = settingOf(entry, 'type') ?? 'ipprefix';
  const found =
    type === 'ipprefix'
      ? exactly(setOf(settingOf(entry, 'ip6') ?? '::/0'), `address ${entry.name} has no readable prefix`)
      : type === 'iprange'
        ? exactly(rangeOf(entry), `address ${entry.name} has no readable range`)
        : unknown(`address ${entry.name} is ${type} ${detailOf(entry)}`.trimEnd());
  return { ...found, members: [], lines: entry.lines };
}

/** What tells one object from another that only the device can look up. */
const detailOf = (entry: FortiEntry): string =>
  [
    'fqdn',
    'wildcard-fqdn',
    'country',
    'sdn',
    'filter',
    'sub-type',
    'macaddr',
    'obj-tag',
    'route-tag',
    'template',
  ]
    .flatMap((name) => settingsOf(entry, name))
    .join(' ')
    .slice(0, 200);

/** "10.0.0.0 255.0.0.0" or "10.0.0.0/8"; nothing written is everything. */
export function subnetOf(values: readonly string[]): AddressSet | undefined {
  if (values.length === 0) return ANY_V4;
  return values.length > 1 ? network(values[0], values[1]) : prefixOf(values[0]);
}

/** "10.0.0.0/8", "10.0.0.0/255.0.0.0" or one address. */
export function prefixOf(text: string): AddressSet | undefined {
  const [address, mask] = text.split('/');
  return mask?.includes('.') ? network(address, mask) : setOf(text);
}

function rangeOf(entry: FortiEntry): AddressSet | undefined {
  const first = settingOf(entry, 'start-ip');
  return first === undefined ? undefined : setOf(`${first}-${settingOf(entry, 'end-ip') ?? first}`);
}

/** A mask whose ones must match -> a wildcard whose ones may be anything. */
const inverted = (mask: string | undefined): string | undefined =>
  mask
    ?.split('.')
    .map((octet) => 255 - Number(octet))
    .join('.');
