// address lists and interface lists of RouterOS -> what their names stand for
import { type AddressSet, NO_ADDRESSES } from '../../src/model/addresses.ts';
import type { SourceLine } from '../../src/model/rule.ts';
import { ANY_NAME, allNamesBut, type NameSet, names } from '../../src/model/traffic.ts';
import { setOf } from './cisco-address.ts';
import { ADDRESSES, MAX_LINES, type Named } from './objects.ts';
import { fieldOf, isDisabled, type RouterosConfig } from './routeros-config.ts';

export type Family = 'ip' | 'ip6';
const MENU: Readonly<Record<Family, string>> = { ip: 'ip firewall', ip6: 'ipv6 firewall' };
export const menuOf = (family: Family, menu: string): string => `${MENU[family]} ${menu}`;

/** By name; names of hosts are looked up by the device, and rules may add addresses: such a list holds more than is known. */
export function addressLists(
  config: RouterosConfig,
  family: Family,
  notUnderstood: (...lines: readonly SourceLine[]) => void,
): (name: string) => Named<AddressSet> {
  const lists = new Map<string, { sets: AddressSet[]; unresolved: Set<string>; lines: SourceLine[] }>();
  const listOf = (name: string) => {
    const known = lists.get(name) ?? { sets: [], unresolved: new Set(), lines: [] };
    lists.set(name, known);
    return known;
  };
  for (const item of config.items(menuOf(family, 'address-list'))) {
    const [name, address] = [fieldOf(item, 'list'), fieldOf(item, 'address')];
    if (name === undefined || address === undefined) {
      notUnderstood(...item.lines);
      continue;
    }
    if (isDisabled(item)) continue;
    const list = listOf(name);
    // Mapped addresses (RFC 4291 section 2.5.5.2) are not on the wire.
    const set = family === 'ip6' && /^::ffff:/i.test(address) ? NO_ADDRESSES : setOf(address);
    if (set) list.sets.push(set);
    else list.unresolved.add(`address list ${name} has ${address}`);
    list.lines.push(...item.lines);
  }
  for (const menu of ['filter', 'nat', 'mangle', 'raw'])
    for (const item of config.items(menuOf(family, menu))) {
      const list = fieldOf(item, 'address-list');
      if (list !== undefined && !isDisabled(item) && /^add-/.test(fieldOf(item, 'action') ?? ''))
        listOf(list).unresolved.add(`rules add to address list ${list}`);
    }
  const done = new Map<string, Named<AddressSet>>();
  return (name) => {
    let found = done.get(name);
    if (!found) {
      const list = lists.get(name);
      found = list
        ? {
            value: ADDRESSES.union(list.sets),
            unresolved: [...list.unresolved].slice(0, 20),
            lines: list.lines.slice(0, MAX_LINES),
          }
        : { value: NO_ADDRESSES, unresolved: [`address list ${name} has no entries here`], lines: [] };
      done.set(name, found);
    }
    return found;
  };
}

export interface InterfaceNames {
  /** "ether1", "!ether1". */
  readonly one: (written: string) => Named<NameSet>;
  /** "LAN", "!WAN". */
  readonly list: (written: string) => Named<NameSet>;
}

const MAX_DEPTH = 16;

/** A list without members stands for itself under its own name. Interfaces that are disabled carry nothing. */
export function interfaceNames(config: RouterosConfig, isDown: (name: string) => boolean): InterfaceNames {
  const members = new Map<string, Set<string>>();
  const lines = new Map<string, SourceLine[]>();
  for (const item of config.items('interface list member')) {
    const [list, name] = [fieldOf(item, 'list'), fieldOf(item, 'interface')];
    if (list === undefined || name === undefined || isDisabled(item)) continue;
    members.set(list, (members.get(list) ?? new Set()).add(name));
    const known = lines.get(list);
    if (known) known.push(...item.lines);
    else lines.set(list, [...item.lines]);
  }
  const nested = new Map(
    config.items('interface list').map((item) => {
      const of = (name: string) => (fieldOf(item, name) ?? '').split(',').filter(Boolean);
      return [fieldOf(item, 'name') ?? '', { include: of('include'), exclude: of('exclude') }] as const;
    }),
  );
  const done = new Map<string, ReadonlySet<string>>();
  const membersOf = (list: string, depth: number): ReadonlySet<string> => {
    const known = done.get(list);
    if (known || depth > MAX_DEPTH) return known ?? new Set();
    const all = new Set(members.get(list));
    const { include = [], exclude = [] } = nested.get(list) ?? {};
    for (const other of include) for (const name of membersOf(other, depth + 1)) all.add(name);
    for (const other of exclude) for (const name of membersOf(other, depth + 1)) all.delete(name);
    done.set(list, all);
    return all;
  };
  const listed = (list: string): Named<NameSet> => {
    if (list === 'all') return plain(ANY_NAME);
    if (list === 'none') return plain(names());
    if (list === 'dynamic' || list === 'static')
      return { ...plain(ANY_NAME), unresolved: [`${list} interfaces`] };
    const all = [...membersOf(list, 0)];
    return {
      ...plain(names(...(all.length > 0 ? all.filter((name) => !isDown(name)) : [list]))),
      lines: lines.get(list) ?? [],
    };
  };
  const single = (name: string): Named<NameSet> => {
    if (name === 'all') return plain(ANY_NAME);
    if (/^all-(?:ethernet|ppp|vlan|wireless)$/.test(name))
      return { ...plain(ANY_NAME), unresolved: [`interface ${name}`] };
    return plain(isDown(name) ? names() : names(name));
  };
  const signed = (written: string, of: (name: string) => Named<NameSet>): Named<NameSet> => {
    if (!written.startsWith('!')) return of(written);
    const found = of(written.slice(1));
    if (found.unresolved.length > 0)
      return { ...found, value: ANY_NAME, unresolved: found.unresolved.map((reason) => `not ${reason}`) };
    const { except, names: list } = found.value;
    return { ...found, value: except ? names(...list) : allNamesBut(...list) };
  };
  return { one: (written) => signed(written, single), list: (written) => signed(written, listed) };
}

const plain = (value: NameSet): Named<NameSet> => ({ value, unresolved: [], lines: [] });
