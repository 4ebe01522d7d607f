// named objects and groups of them -> what each name stands for
import * as addresses from '../../src/model/addresses.ts';
import type { SourceLine } from '../../src/model/rule.ts';
import type { ServiceSet } from '../../src/model/services.ts';

/** What a name stands for, and what of it could not be told. */
export interface Named<T> {
  readonly value: T;
  readonly unresolved: readonly string[];
  readonly lines: readonly SourceLine[];
}

export interface Definition<T> {
  readonly own: readonly T[];
  /** Names of others that it contains. */
  readonly members: readonly string[];
  /** Names of others that are taken out of it. */
  readonly excluded?: readonly string[];
  /** Why its value is not all of it (an FQDN, a list that the device fetches). */
  readonly unresolved?: readonly string[];
  readonly lines: readonly SourceLine[];
}

export interface Kind<T> {
  /** For reasons: "address", "service". */
  readonly what: string;
  readonly union: (values: readonly T[]) => T;
  readonly subtract?: (from: T, without: T) => T;
  /** How much copying it costs. */
  readonly size: (value: T) => number;
}

export interface NameTable<T> {
  /** Undefined where nothing has the name. */
  readonly resolve: (name: string) => Named<T> | undefined;
}

const MAX_DEPTH = 32;
/** Sizes of members that are copied into groups, over one configuration. */
const MAX_COPIED = 5_000_000;
export const MAX_LINES = 200;
export const MAX_REASONS = 20;

/** Each name is resolved once; a group that contains itself, is nested too deep or is too large says so in `unresolved`. */
export function nameTable<T>(kind: Kind<T>, definitions: ReadonlyMap<string, Definition<T>>): NameTable<T> {
  const done = new Map<string, Named<T>>();
  const pending = new Set<string>();
  let copied = 0;
  const resolve = (name: string, depth: number): Named<T> | undefined => {
    const known = done.get(name);
    if (known) return known;
    const definition = definitions.get(name);
    if (!definition) return undefined;
    if (pending.has(name)) return nothing(`${kind.what} ${name} contains itself`);
    if (depth > MAX_DEPTH) return nothing(`${kind.what} ${name} is nested too deep`);
    pending.add(name);
    const part = (member: string): Named<T> => {
      const found = resolve(member, depth + 1) ?? nothing(`${kind.what} ${member} is not defined`);
      copied += kind.size(found.value);
      return copied > MAX_COPIED ? nothing(`${kind.what} ${member} is too large`) : found;
    };
    const nested = definition.members.map(part);
    const all = together(kind, [
      { value: kind.union(definition.own), unresolved: definition.unresolved ?? [], lines: definition.lines },
      ...nested,
    ]);
    const result = (definition.excluded ?? [])
      .map(part)
      .reduce((from, without) => cut(kind, from, without), all);
    pending.delete(name);
    done.set(name, result);
    return result;
  };
  const nothing = (reason: string): Named<T> => ({ value: kind.union([]), unresolved: [reason], lines: [] });
  return { resolve: (name) => resolve(name, 0) };
}

/** What is not told of an exclusion must not be taken out, since a match is never too small. */
function cut<T>(kind: Kind<T>, from: Named<T>, without: Named<T>): Named<T> {
  const exact = kind.subtract && without.unresolved.length === 0;
  return {
    value: exact ? kind.subtract!(from.value, without.value) : from.value,
    unresolved: [...from.unresolved, ...without.unresolved].slice(0, MAX_REASONS),
    lines: [...from.lines, ...without.lines].slice(0, MAX_LINES),
  };
}

/** Several as one: the union of values, reasons and lines, each once. */
export function together<T>(kind: Kind<T>, parts: readonly Named<T>[]): Named<T> {
  if (parts.length === 1) return parts[0];
  const lines = new Map<number, SourceLine>();
  for (const part of parts)
    for (const line of part.lines) if (lines.size < MAX_LINES) lines.set(line.number, line);
  const reasons = new Set<string>();
  for (const part of parts)
    for (const reason of part.unresolved) if (reasons.size < MAX_REASONS) reasons.add(reason);
  return {
    value: kind.union(parts.map(({ value }) => value)),
    unresolved: [...reasons],
    lines: [...lines.values()],
  };
}

/** Arguments of a call lie on the stack: many sets are united in steps. */
const CHUNK = 4_096;

export const ADDRESSES: Kind<addresses.AddressSet> = {
  what: 'address',
  union: (values) => {
    let rest = values;
    while (rest.length > CHUNK) {
      const united: addresses.AddressSet[] = [];
      for (let i = 0; i < rest.length; i += CHUNK)
        united.push(addresses.unionAddresses(...rest.slice(i, i + CHUNK)));
      rest = united;
    }
    return addresses.unionAddresses(...rest);
  },
  subtract: addresses.subtractAddresses,
  size: ({ v4, v6 }) => v4.length + v6.length,
};

/** Services with the source ports that go with them: a service object is a list of such boxes. */
export interface ServiceBox {
  readonly services: ServiceSet;
  readonly sourcePorts: readonly number[];
}

export const SERVICES: Kind<readonly ServiceBox[]> = {
  what: 'service',
  union: (values) => values.flat(),
  size: (value) => value.length,
};

export const addressTable = (definitions: ReadonlyMap<string, Definition<addresses.AddressSet>>) =>
  nameTable(ADDRESSES, definitions);
export const serviceTable = (definitions: ReadonlyMap<string, Definition<readonly ServiceBox[]>>) =>
  nameTable(SERVICES, definitions);
