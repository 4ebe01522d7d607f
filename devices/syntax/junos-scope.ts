// one system of a Junos text (the device, a logical system, a tenant) -> its units, zones, routing instances and names
import { type AddressSet, NO_ADDRESSES, unionAddresses } from '../../src/model/addresses.ts';
import type { DeviceInterface, SourceLine, Translation } from '../../src/model/rule.ts';
import { ANY_NAME, allNamesBut, type NameSet, names } from '../../src/model/traffic.ts';
import type { Assembly } from './assemble.ts';
import type { Allowance } from './boxes.ts';
import { setOf } from './cisco-address.ts';
import { type AddressLookup, addressLookup } from './junos-addresses.ts';
import { applicationTable } from './junos-applications.ts';
import type { NameTable, ServiceBox } from './objects.ts';
import { at, linesUnder, list, type WordTree, word, words } from './tree.ts';

export interface Unit {
  /** "ge-0/0/0.0". */
  readonly name: string;
  readonly node: WordTree;
  readonly enabled: boolean;
  readonly addresses: AddressSet;
  readonly networks: AddressSet;
}

export interface Instance {
  readonly name: string;
  readonly node: WordTree;
  readonly interfaces: readonly string[];
}

/** Where policy routing sends the packets of some destinations. */
export interface Lead {
  readonly translation: Translation;
  readonly destinations: AddressSet;
}

export interface Scope {
  readonly tree: WordTree;
  /** In front of keys: "" for the device itself, "LS1:" for a logical system or tenant. */
  readonly prefix: string;
  readonly assembly: Assembly;
  /** Entries that filters and services may have wherever they are bound, over the whole text. */
  readonly allowance: Allowance;
  readonly units: ReadonlyMap<string, Unit>;
  /** The system's own interfaces. */
  readonly ingress: NameSet;
  readonly zones: readonly string[];
  readonly zoneNames: (zones: readonly string[]) => NameSet;
  readonly instances: readonly Instance[];
  readonly instanceNames: (instances: readonly string[]) => NameSet;
  readonly addresses: AddressLookup;
  readonly applications: NameTable<readonly ServiceBox[]>;
  /** Where the routes of an instance lead, once told. */
  readonly instanceLeads: Map<string, readonly Lead[]>;
}

export const unitName = (name: string): string => (name.includes('.') || name === 'all' ? name : `${name}.0`);

export function unitsOf(tree: WordTree): Map<string, Unit> {
  const found = new Map<string, Unit>();
  for (const port of list(tree, 'interfaces')) {
    for (const unit of list(port, 'unit')) {
      const written = ['inet', 'inet6'].flatMap((family) => words(unit, 'family', family, 'address'));
      const sets = written.flatMap((text) => setOf(text.split('/')[0]) ?? []);
      const networks = written.flatMap((text) => setOf(text) ?? []);
      const name = `${port.word}.${unit.word}`;
      found.set(name, {
        name,
        node: unit,
        enabled: ![port, unit].some((one) => one.inactive || at(one, 'disable')),
        addresses: sets.length > 0 ? unionAddresses(...sets) : NO_ADDRESSES,
        networks: networks.length > 0 ? unionAddresses(...networks) : NO_ADDRESSES,
      });
    }
  }
  return found;
}

export function interfacesOf(units: ReadonlyMap<string, Unit>): DeviceInterface[] {
  return [...units.values()].map(({ name, node, addresses }) => {
    const description = word(node, 'description');
    return {
      name,
      addresses,
      ...(description === undefined ? {} : { description: description.slice(0, 1_024) }),
    };
  });
}

export function scopeOf(
  tree: WordTree,
  prefix: string,
  { ingress, units }: Pick<Scope, 'ingress' | 'units'>,
  { assembly, allowance }: Pick<Scope, 'assembly' | 'allowance'>,
): Scope {
  const security = at(tree, 'security');
  const zones = membersOf(security, units);
  const instances = list(tree, 'routing-instances').map((node) => ({
    name: node.word,
    node,
    interfaces: words(node, 'interface').map(unitName),
  }));
  const known = new Map<string, NameSet>();
  const zoneNames = (asked: readonly string[]): NameSet => {
    if (asked.length === 0 || asked.includes('any')) return ANY_NAME;
    const id = asked.join(' ');
    const found = known.get(id) ?? names(...asked.flatMap((zone) => zones.get(zone) ?? [`${prefix}${zone}`]));
    known.set(id, found);
    return found;
  };
  const inInstances = instances.flatMap(({ interfaces }) => interfaces);
  return {
    tree,
    prefix,
    assembly,
    allowance,
    units,
    ingress,
    zones: [...zones.keys()],
    zoneNames,
    instances,
    instanceNames: (asked) =>
      asked.includes('default')
        ? allNamesBut(...inInstances)
        : names(...asked.flatMap((name) => instances.find((one) => one.name === name)?.interfaces ?? [name])),
    addresses: addressLookup(security),
    applications: applicationTable(at(tree, 'applications')),
    instanceLeads: new Map(),
  };
}

/** The units that a logical system or tenant has, wherever they are configured. */
export const ownUnits = (part: WordTree): string[] => [
  ...unitsOf(part).keys(),
  ...list(part, 'routing-instances').flatMap((one) => words(one, 'interface').map(unitName)),
  ...list(part, 'security', 'zones', 'security-zone').flatMap((one) =>
    words(one, 'interfaces').map(unitName),
  ),
];

/** Interfaces of zones; `all` stands for those that are in no other zone. A zone without any stands under its own name. */
function membersOf(
  security: WordTree | undefined,
  units: ReadonlyMap<string, Unit>,
): Map<string, readonly string[]> {
  const zones = list(security, 'zones', 'security-zone');
  const written = new Map(zones.map((zone) => [zone.word, words(zone, 'interfaces').map(unitName)]));
  const taken = new Set([...written.values()].flat());
  const result = new Map<string, readonly string[]>();
  for (const [zone, own] of written) {
    const members = own.flatMap((name) =>
      name === 'all' ? [...units.keys()].filter((unit) => !taken.has(unit)) : [name],
    );
    if (members.length > 0) result.set(zone, members);
    else result.set(zone, [zone]);
  }
  return result;
}

/** The addresses that interfaces of a context have; undefined where one is not known. */
export function addressesAt(scope: Scope, where: NameSet): AddressSet | undefined {
  if (where.except) return undefined;
  const sets = where.names.map((name) => scope.units.get(name)?.addresses);
  if (sets.length === 0 || sets.some((set) => !set || set.v4.length + set.v6.length === 0)) return undefined;
  return unionAddresses(...(sets as AddressSet[]));
}

/** "10.0.0.1" "10.0.0.1/24" or a range from one to the other. */
export function rangeOf(from: string, to?: string): AddressSet | undefined {
  if (to === undefined) return setOf(from);
  return setOf(`${from.split('/')[0]}-${to.split('/')[0]}`);
}

/** Lists what of a statement is in none of the words that its reader knows, and says so in words. */
export function reportUnknown(
  assembly: Assembly,
  node: WordTree | undefined,
  known: ReadonlySet<string>,
): string[] {
  const unknown = [...(node?.children.values() ?? [])].filter((child) => !known.has(child.word));
  for (const child of unknown) assembly.notUnderstood(...linesUnder(child));
  return unknown.map((child) => `${child.word.slice(0, 64)} is not understood`);
}

export const commentOf = (node: WordTree): { comment?: string } => {
  const text = word(node, 'description');
  return text === undefined ? {} : { comment: text.slice(0, 1_024) };
};

export function someLines(...parts: readonly (readonly SourceLine[])[]): SourceLine[] {
  const found = new Map<number, SourceLine>();
  for (const lines of parts) for (const line of lines) if (found.size < 200) found.set(line.number, line);
  return [...found.values()];
}
