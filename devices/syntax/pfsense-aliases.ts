// aliases of config.xml, of hosts, networks and ports -> what their names stand for
import {
  type AddressSet,
  noAddresses,
  subtractAddresses,
  unionAddresses,
} from '../../src/model/addresses.ts';
import type { SourceLine } from '../../src/model/rule.ts';
import { portRanges, unionOf } from './boxes.ts';
import { addressTable, type Definition, type NameTable, nameTable } from './objects.ts';
import { one, type Places } from './pfsense-interfaces.ts';
import { all, isOn, type SenseText, textAt, wordsOf, type XmlNode } from './pfsense-xml.ts';
import { servicesByName } from './ports.ts';

/** Sorted inclusive port ranges, flat. */
export type Ports = readonly number[];

export interface Aliases {
  readonly addresses: NameTable<AddressSet>;
  readonly ports: NameTable<Ports>;
}

interface Alias {
  readonly name: string;
  readonly type: string;
  readonly entries: readonly string[];
  readonly url: string | undefined;
  readonly lines: readonly SourceLine[];
}

export function readAliases(text: SenseText, places: Places): Aliases {
  const { root, linesOf } = text;
  const aliases: Alias[] = [
    ...all(root, 'aliases', 'alias').map((node) => aliasOf(node, 'address', linesOf(node))),
    ...all(root, 'OPNsense', 'Firewall', 'Alias', 'aliases', 'alias')
      .filter((node) => textAt(node, 'enabled') === undefined || isOn(textAt(node, 'enabled')))
      .map((node) => aliasOf(node, 'content', linesOf(node))),
  ];
  const addresses = new Map<string, Definition<AddressSet>>();
  const ports = new Map<string, Definition<Ports>>();
  // OPNsense has an alias for the networks of every interface.
  for (const { id, network, isDynamic, node } of places.interfaces.values())
    addresses.set(`__${id}_network`, {
      own: [network],
      members: [],
      ...(isDynamic ? { unresolved: [`networks of ${id} are not in the text`] } : {}),
      lines: linesOf(node).slice(0, 1),
    });
  const names = new Set(aliases.map(({ name }) => name));
  for (const alias of aliases)
    if (/port/i.test(alias.type)) ports.set(alias.name, portAlias(alias, names));
    else addresses.set(alias.name, addressAlias(alias, names));
  return { addresses: addressTable(addresses), ports: nameTable(PORTS, ports) };
}

function aliasOf(node: XmlNode, entries: string, lines: readonly SourceLine[]): Alias {
  const url = textAt(node, 'url') ?? textAt(node, 'aliasurl');
  const content = textAt(node, entries);
  return {
    name: textAt(node, 'name') ?? '',
    type: textAt(node, 'type') ?? '',
    entries: wordsOf(content),
    url,
    lines,
  };
}

/** What these hold is in their text; all others (URL tables, countries, MAC addresses, groups of users) the device looks up. */
const WRITTEN = new Set(['host', 'network', 'networkgroup', '']);

function addressAlias(
  { name, type, entries, url, lines }: Alias,
  names: ReadonlySet<string>,
): Definition<AddressSet> {
  const own: AddressSet[] = [];
  const members: string[] = [];
  const excluded: string[] = [];
  const unresolved: string[] = [];
  const taken: AddressSet[] = [];
  if (!WRITTEN.has(type)) {
    const what = url ?? entries.slice(0, 5).join(' ');
    return { own, members, unresolved: [`alias ${name} is ${type} ${what}`.trimEnd().slice(0, 300)], lines };
  }
  for (const entry of entries) {
    const isTaken = entry.startsWith('!');
    const text = isTaken ? entry.slice(1) : entry;
    const set = one(text);
    if (set) (isTaken ? taken : own).push(set);
    else if (names.has(text)) (isTaken ? excluded : members).push(text);
    else unresolved.push(`alias ${name} holds ${text.slice(0, 200)}`);
  }
  return { own: [tableOf(own, taken)], members, excluded, unresolved, lines };
}

/** A pf table: of several networks that hold an address, the smallest decides (pf.conf(5), TABLES). */
function tableOf(own: readonly AddressSet[], taken: readonly AddressSet[]): AddressSet {
  const all = unionAddresses(...own);
  if (taken.length === 0) return all;
  const without = unionAddresses(...taken);
  const smaller = own.filter((set) => noAddresses(subtractAddresses(set, without)));
  return unionAddresses(subtractAddresses(all, without), ...smaller);
}

const PORTS = {
  what: 'alias',
  union: (values: readonly Ports[]): Ports => unionOf('sourcePorts', values as number[][]) as Ports,
  size: (value: Ports) => value.length,
};

function portAlias(
  { name, type, entries, url, lines }: Alias,
  names: ReadonlySet<string>,
): Definition<Ports> {
  const own: Ports[] = [];
  const members: string[] = [];
  const unresolved: string[] = [];
  if (/url/i.test(type))
    return { own, members, unresolved: [`alias ${name} is ${type} ${url ?? ''}`.trimEnd()], lines };
  for (const entry of entries) {
    const range = portsOf(entry);
    if (names.has(entry)) members.push(entry);
    else if (range) own.push(range);
    else unresolved.push(`alias ${name} holds ${entry.slice(0, 200)}`);
  }
  return { own, members, unresolved, lines };
}

/** "443", "1000:2000", "1000-2000", "https"; undefined for others. */
export function portsOf(text: string): Ports | undefined {
  const found = /^(\d{1,5})(?:[:-](\d{1,5}))?$/.exec(text);
  if (found) {
    const [first, last] = [Number(found[1]), Number(found[2] ?? found[1])];
    return last <= 65_535 && first <= last ? portRanges([[first, last]]) : undefined;
  }
  const services = servicesByName(text);
  return services && portRanges([[services[0] & 0xffff, services[0] & 0xffff]]);
}
