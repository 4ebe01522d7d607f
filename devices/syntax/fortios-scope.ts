// one VDOM of a FortiOS configuration -> the tables that its rules are resolved by
import {
  type AddressSet,
  complementAddresses,
  intersectAddresses,
  sameAddresses,
} from '../../src/model/addresses.ts';
import type { Policy, RuleContext, SourceLine } from '../../src/model/rule.ts';
import { ANY_NAME, allNamesBut, type NameSet, names } from '../../src/model/traffic.ts';
import type { Assembly } from './assemble.ts';
import { type AddressTables, addressTables, anyOf, type Family } from './fortios-addresses.ts';
import type { FortiInterface, FortiTunnel } from './fortios-interfaces.ts';
import { fortiTunnels } from './fortios-interfaces.ts';
import { fortiServices } from './fortios-services.ts';
import {
  entriesOf,
  type FortiEntry,
  isEnabled,
  type Sections,
  settingOf,
  settingsOf,
} from './fortios-tree.ts';
import { ADDRESSES, type Named, type NameTable, type ServiceBox, together } from './objects.ts';

export interface FortiScope {
  /** Undefined where the device has no VDOMs. */
  readonly vdom?: string;
  readonly sections: Sections;
  readonly assembly: Assembly;
  readonly interfaces: ReadonlyMap<string, FortiInterface>;
  readonly tunnels: ReadonlyMap<string, FortiTunnel>;
  readonly addresses: AddressTables;
  readonly services: NameTable<readonly ServiceBox[]>;
  /** All interfaces of the VDOM. */
  readonly everywhere: NameSet;
  /** "any", zones, SD-WAN zones and interfaces as written -> names of interfaces that are not down. */
  readonly namesOf: (written: readonly string[]) => NameSet;
  readonly isCentralNat: boolean;
  readonly isPolicyBased: boolean;
  /** Major * 10000 + minor * 100 + patch; undefined where the text does not say. */
  readonly version?: number;
}

/** `sections`: of the VDOM, and those that all VDOMs share. */
export function fortiScope(
  vdom: string | undefined,
  sections: Sections,
  interfaces: ReadonlyMap<string, FortiInterface>,
  assembly: Assembly,
  version: number | undefined,
): FortiScope {
  const own = [...interfaces.values()].filter((one) => vdom === undefined || one.vdom === vdom);
  const others = [...interfaces.values()].filter((one) => !own.includes(one));
  const tunnels = fortiTunnels(sections, interfaces);
  // A tunnel that no interface stands for is of the VDOM that it is written in.
  const ownTunnels = [...tunnels.keys()].filter((name) => !interfaces.has(name));
  const everywhere =
    vdom === undefined
      ? ANY_NAME
      : own.length > 0
        ? names(...own.map(({ name }) => name), ...ownTunnels)
        : allNamesBut(...others.map(({ name }) => name));
  const networks = new Map(own.map((one): [string, AddressSet] => [one.name, one.network]));
  const settings = sections.get('system settings')?.own;
  const isPolicyBased = settings !== undefined && settingOf(settings, 'ngfw-mode') === 'policy-based';
  return {
    ...(vdom === undefined ? {} : { vdom }),
    sections,
    assembly,
    interfaces,
    tunnels,
    addresses: addressTables(sections, networks),
    services: fortiServices(sections),
    everywhere,
    namesOf: nameResolver(sections, interfaces, everywhere),
    isPolicyBased,
    // Policy-based mode has no other NAT than the central table.
    isCentralNat: isPolicyBased || (settings !== undefined && isEnabled(settings, 'central-nat')),
    ...(version === undefined ? {} : { version }),
  };
}

function nameResolver(
  sections: Sections,
  interfaces: ReadonlyMap<string, FortiInterface>,
  everywhere: NameSet,
): FortiScope['namesOf'] {
  const zones = zonesOf(sections);
  const isUp = (name: string) => !interfaces.get(name)?.isDown;
  return (written) => {
    if (written.length === 0 || written.includes('any')) return everywhere;
    return names(...written.flatMap((name) => zones.get(name) ?? [name]).filter(isUp));
  };
}

/** Zones and SD-WAN zones; the whole of SD-WAN had one name before it had zones. */
function zonesOf(sections: Sections): Map<string, readonly string[]> {
  const zones = new Map<string, string[]>();
  for (const entry of entriesOf(sections, 'system zone'))
    if (settingsOf(entry, 'interface').length > 0) zones.set(entry.name, [...settingsOf(entry, 'interface')]);
  for (const { zone, interface: name } of sdwanMembers(sections)) {
    const known = zones.get(zone);
    if (known) known.push(name);
    else zones.set(zone, [name]);
  }
  return zones;
}

export interface SdwanMember {
  readonly id: string;
  readonly zone: string;
  readonly interface: string;
}

export const sdwanOf = (sections: Sections): FortiEntry | undefined =>
  sections.get('system sdwan')?.own ?? sections.get('system virtual-wan-link')?.own;

export function sdwanMembers(sections: Sections): SdwanMember[] {
  return [...(sdwanOf(sections)?.tables.get('members')?.entries.values() ?? [])].flatMap((entry) => {
    const name = settingOf(entry, 'interface');
    const zone = settingOf(entry, 'zone') ?? 'virtual-wan-link';
    return name === undefined || settingOf(entry, 'status') === 'disable'
      ? []
      : [{ id: entry.name, zone, interface: name }];
  });
}

export const contextOf = ({ vdom }: FortiScope, rest: RuleContext): RuleContext => ({
  ...(vdom === undefined ? {} : { vrf: vdom }),
  ...rest,
});

/** A name that no other VDOM has. */
export const scoped = ({ vdom }: FortiScope, name: string): string =>
  vdom === undefined ? name : `${vdom}/${name}`;

export const appliesTo = ({ everywhere }: FortiScope): Policy['appliesTo'] => ({
  ingress: everywhere,
  egress: ANY_NAME,
});

/** What names of addresses stand for; `known` leaves out what cannot be told, `all` is everything where something cannot. */
export interface Sorted<T> {
  readonly known: T;
  readonly all: T;
  readonly unresolved: readonly string[];
  readonly lines: readonly SourceLine[];
}

/** No name at all means everything. `negated`: all but these. */
export function addressesOf(
  scope: FortiScope,
  family: Family,
  written: readonly string[],
  negated = false,
): Sorted<AddressSet> {
  const any = anyOf(family);
  if (written.length === 0) return { known: any, all: any, unresolved: [], lines: [] };
  const found = together(
    ADDRESSES,
    written.map((name) => addressOf(scope, family, name)),
  );
  const set = negated ? intersectAddresses(any, complementAddresses(found.value)) : found.value;
  const isExact = found.unresolved.length === 0;
  return {
    known: isExact || !negated ? set : ADDRESSES.union([]),
    all: isExact ? set : any,
    unresolved: found.unresolved.map((reason) => (negated ? `not ${reason}` : reason)),
    lines: isWorthTelling(set, any) ? found.lines : [],
  };
}

/** The object "all" stands in every second rule. */
const isWorthTelling = (set: AddressSet, any: AddressSet): boolean => !sameAddresses(set, any);

function addressOf({ addresses }: FortiScope, family: Family, name: string): Named<AddressSet> {
  return (
    addresses[family].resolve(name) ?? {
      value: ADDRESSES.union([]),
      unresolved: [`address ${name} is not defined`],
      lines: [],
    }
  );
}
