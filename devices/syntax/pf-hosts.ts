// hosts, interfaces and tables as pf.conf(5) names them -> addresses and interface names
import * as addresses from '../../src/model/addresses.ts';
import type { SourceLine } from '../../src/model/rule.ts';
import { ANY_NAME, type NameSet, names, subtractNames } from '../../src/model/traffic.ts';
import { ADDRESSES } from './objects.ts';
import type { PfInterface } from './pf-ifconfig.ts';

export interface PfTable {
  /** Undefined where a part of it stands in a file or is filled at run time. */
  readonly addresses?: addresses.AddressSet;
  readonly lines: readonly SourceLine[];
}

export interface PfNames {
  readonly interfaces: readonly PfInterface[];
  readonly tables: ReadonlyMap<string, PfTable>;
  /** Interface names that the rules speak of, where ifconfig does not tell. */
  readonly seen: readonly string[];
}

export interface Host {
  readonly text: string;
  readonly negated: boolean;
}

/** undefined: only the device knows. */
export interface Hosts {
  readonly set: addresses.AddressSet | undefined;
  readonly unresolved: readonly string[];
  readonly lines: readonly SourceLine[];
}

/** A list means any of its items: `{ !a !b }` is everything. */
export function hostsOf(hosts: readonly Host[], known: PfNames, within: addresses.AddressSet): Hosts {
  const sets: addresses.AddressSet[] = [];
  const unresolved: string[] = [];
  const lines: SourceLine[] = [];
  for (const { text, negated } of hosts) {
    const one = hostOf(text, known, within);
    lines.push(...one.lines);
    if (one.set) sets.push(negated ? addresses.subtractAddresses(within, one.set) : one.set);
    else unresolved.push(...one.unresolved.map((reason) => (negated ? `not ${reason}` : reason)));
  }
  const set = unresolved.length > 0 ? undefined : addresses.intersectAddresses(ADDRESSES.union(sets), within);
  return { set, unresolved, lines };
}

function hostOf(text: string, known: PfNames, within = addresses.ANY_ADDRESS): Hosts {
  const plain = (set: addresses.AddressSet | undefined, reason = text): Hosts => ({
    set,
    unresolved: set ? [] : [reason],
    lines: [],
  });
  if (text === 'any' || text === 'all') return plain(addresses.ANY_ADDRESS);
  if (text.startsWith('<')) {
    const table = known.tables.get(text.slice(1, -1));
    return {
      set: table?.addresses,
      unresolved: table?.addresses ? [] : [`table ${text}`],
      lines: table?.lines ?? [],
    };
  }
  const written = networkOf(text);
  if (written) return plain(written);
  const bare = text.replace(/^\((.*)\)$/, '$1');
  const [name, ...modifiers] = bare.split(':');
  if (
    /^[A-Za-z][\w.-]*$/.test(name) &&
    (isInterface(name, known) || text.startsWith('(') || modifiers.length > 0)
  )
    return plain(ofInterface(name, modifiers, known, within), `the address of ${bare}`);
  return plain(undefined);
}

function ofInterface(
  name: string,
  modifiers: readonly string[],
  known: PfNames,
  within: addresses.AddressSet,
): addresses.AddressSet | undefined {
  const own = name === 'self' ? known.interfaces : facesOf(name, known);
  if (own.length === 0) return undefined;
  const part = modifiers.includes('network')
    ? 'networks'
    : modifiers.includes('peer')
      ? 'peers'
      : 'addresses';
  if (modifiers.includes('broadcast')) return undefined;
  const set = addresses.intersectAddresses(
    addresses.unionAddresses(...own.map((face) => face[part])),
    within,
  );
  return addresses.noAddresses(set) ? undefined : set;
}

/** The interface of that name, or all of the group (`egress`, `em`, `wg`). */
function facesOf(name: string, { interfaces }: PfNames): PfInterface[] {
  const own = interfaces.filter((face) => face.name === name);
  return own.length > 0 ? own : interfaces.filter((face) => isOfGroup(face, name));
}

/** Every interface is in the group of its driver (ifconfig(8)). */
const isOfGroup = (face: PfInterface, group: string): boolean =>
  face.groups.includes(group) || face.name.replace(/\d+$/, '') === group;

const isInterface = (name: string, known: PfNames): boolean =>
  name === 'self' || name === 'egress' || known.seen.includes(name) || facesOf(name, known).length > 0;

/** "10.0.0.1", "10/8", "192.168/16", "2001:db8::/32", "10.0.0.1-10.0.0.9" */
export function networkOf(text: string): addresses.AddressSet | undefined {
  const short = /^(\d{1,3}(?:\.\d{1,3}){0,2})\/(\d{1,2})$/.exec(text);
  const whole = short ? `${short[1]}${'.0'.repeat(4 - short[1].split('.').length)}/${short[2]}` : text;
  try {
    return whole === 'any' ? undefined : addresses.addressSet(whole.replace(/%[\w.]+/, ''));
  } catch {
    return undefined;
  }
}

/** `on em0`, `on egress`, `on ! em0`, lists of them. A group without known members stands for itself. */
export function namesOf(hosts: readonly Host[], known: PfNames): NameSet {
  const sets = hosts.map(({ text, negated }) => {
    const own = text === 'any' ? ANY_NAME : names(...membersOf(text, known));
    return negated ? subtractNames(ANY_NAME, own) : own;
  });
  const open = sets.filter((set) => set.except);
  if (open.length === 0) return names(...sets.flatMap((set) => set.names));
  // Any of several sets that leave something out: what all of them leave out.
  const out = open[0].names.filter(
    (name) =>
      open.every((set) => set.names.includes(name)) &&
      !sets.some((set) => !set.except && set.names.includes(name)),
  );
  return { except: true, names: out };
}

function membersOf(name: string, known: PfNames): string[] {
  const faces = facesOf(name, known).map((face) => face.name);
  if (faces.length > 0) return faces;
  const seen = known.seen.filter((one) => one !== name && one.replace(/\d+$/, '') === name);
  return /\d$/.test(name) ? [name] : [name, ...seen];
}

/** An entry of a table with "!" takes out of the shorter prefixes around it (pf.conf(5), TABLES). */
export function tableAddresses(hosts: readonly Host[], known: PfNames): addresses.AddressSet | undefined {
  const items: { set: addresses.AddressSet; negated: boolean; size: number }[] = [];
  for (const { text, negated } of hosts) {
    const { set } = hostOf(text, known);
    if (!set) return undefined;
    items.push({ set, negated, size: addresses.countAddresses(set) });
  }
  if (!items.some(({ negated }) => negated)) return ADDRESSES.union(items.map(({ set }) => set));
  let result = addresses.NO_ADDRESSES;
  for (const { set, negated } of items.sort((a, b) => b.size - a.size))
    result = negated ? addresses.subtractAddresses(result, set) : addresses.unionAddresses(result, set);
  return result;
}
