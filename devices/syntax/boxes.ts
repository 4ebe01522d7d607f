// what firewalls compare in a packet -> boxes of traffic: unions, complements and bounded products of them
import * as addresses from '../../src/model/addresses.ts';
import * as ranges from '../../src/model/ranges.ts';
import { service, subtractServices, unionServices } from '../../src/model/services.ts';
import {
  ANY_TRAFFIC,
  intersectTraffic,
  type NameSet,
  subtractNames,
  type Traffic,
} from '../../src/model/traffic.ts';

export type Dimension = keyof Traffic;

/** A comparison in one dimension; `within` is what asking the question already implies (a TCP port is asked of TCP only). */
export interface Comparison {
  readonly dimension: Dimension;
  readonly within: Traffic;
  readonly value: Traffic[Dimension];
}

/** Boxes that one rule may be cut into; beyond, the caller gives the condition up as unresolved. */
export const MAX_BOXES = 20_000;

const next = (value: number) => value + 1;
const previous = (value: number) => value - 1;

/** The comparison as a box; `negated`: what is within and not the value. */
export function boxOf({ dimension, within, value }: Comparison, negated: boolean): Traffic | undefined {
  const set = negated ? without(dimension, within[dimension], value) : value;
  return intersectTraffic(within, { ...ANY_TRAFFIC, [dimension]: set });
}

/** As many sets as are united by one call: arguments go over the stack. */
const CHUNK = 4_096;

/** Values of one dimension together, however many. */
export function unionOf(dimension: Dimension, values: readonly Traffic[Dimension][]): Traffic[Dimension] {
  let rest = values;
  while (rest.length > CHUNK) {
    const united: Traffic[Dimension][] = [];
    for (let i = 0; i < rest.length; i += CHUNK) united.push(unionOfFew(dimension, rest.slice(i, i + CHUNK)));
    rest = united;
  }
  return unionOfFew(dimension, rest);
}

function unionOfFew(dimension: Dimension, values: readonly Traffic[Dimension][]): Traffic[Dimension] {
  switch (dimension) {
    case 'sources':
    case 'destinations':
      return addresses.unionAddresses(...(values as addresses.AddressSet[]));
    case 'services':
      return unionServices(...(values as number[][]));
    case 'sourcePorts':
      return portRanges((values as number[][]).flatMap(pairs));
    case 'ingress':
    case 'egress':
      return nameSet((values as NameSet[]).flatMap((set) => set.names));
  }
}

const nameSet = (list: readonly string[]): NameSet => ({ except: false, names: [...new Set(list)].sort() });

function without(
  dimension: Dimension,
  from: Traffic[Dimension],
  value: Traffic[Dimension],
): Traffic[Dimension] {
  switch (dimension) {
    case 'sources':
    case 'destinations':
      return addresses.subtractAddresses(from as addresses.AddressSet, value as addresses.AddressSet);
    case 'services':
      return subtractServices(from as number[], value as number[]);
    case 'sourcePorts':
      return ranges.subtract(from as number[], value as number[], next, previous);
    case 'ingress':
    case 'egress':
      return subtractNames(from as NameSet, value as NameSet);
  }
}

/** What one text may cost in combinations of boxes and in elements of maps, over all of its rules. */
export interface Allowance {
  left: number;
}

export const newAllowance = (): Allowance => ({ left: 200_000 });

/** Takes from the allowance; false where it is used up. */
export function spend(allowance: Allowance, count: number): boolean {
  allowance.left -= count;
  return allowance.left >= 0;
}

/** Every box of one with every box of the other; undefined where that is more than MAX_BOXES or than is left. */
export function product(
  a: readonly Traffic[],
  b: readonly Traffic[],
  allowance?: Allowance,
): Traffic[] | undefined {
  if (a.length * b.length > MAX_BOXES) return undefined;
  if (allowance && a.length * b.length > 1 && !spend(allowance, a.length * b.length)) return undefined;
  return a.flatMap((box) => b.flatMap((other) => intersectTraffic(box, other) ?? []));
}

/** The smallest box around others, for a rule's listing. */
export function hullOf(boxes: readonly Traffic[]): Traffic {
  if (boxes.length === 0) return NOTHING;
  if (boxes.length === 1) return boxes[0];
  const together = <D extends Dimension>(dimension: D) =>
    unionOf(
      dimension,
      boxes.map((box) => box[dimension]),
    ) as Traffic[D];
  const along = (pick: (box: Traffic) => NameSet): NameSet =>
    boxes.some((box) => pick(box).except)
      ? boxes.every((box) => pick(box) === pick(boxes[0]))
        ? pick(boxes[0])
        : ANY_TRAFFIC.ingress
      : (unionOf('ingress', boxes.map(pick)) as NameSet);
  return {
    ingress: along((box) => box.ingress),
    egress: along((box) => box.egress),
    sources: together('sources'),
    destinations: together('destinations'),
    services: together('services'),
    sourcePorts: together('sourcePorts'),
  };
}

/** The match of a rule that no new connection meets. */
export const NOTHING: Traffic = { ...ANY_TRAFFIC, services: [] };

export const portRanges = (list: readonly (readonly [number, number])[]): ranges.Ranges<number> =>
  ranges.normalise(list, next);

/** All ports of each protocol. */
export const protocols = (...numbers: readonly number[]) => unionServices(...numbers.map((n) => service(n)));

function pairs(flat: readonly number[]): [number, number][] {
  const result: [number, number][] = [];
  for (let i = 0; i < flat.length; i += 2) result.push([flat[i], flat[i + 1]]);
  return result;
}

/** Both ends of a connection have one family: leaves out the half of one end that the other has nothing of. */
export function oneFamily(traffic: Traffic): Traffic {
  const { sources, destinations } = traffic;
  const hasV4 = sources.v4.length > 0 && destinations.v4.length > 0;
  const hasV6 = sources.v6.length > 0 && destinations.v6.length > 0;
  if (!hasV4 && !hasV6) return traffic;
  const only = (set: addresses.AddressSet): addresses.AddressSet =>
    hasV4 && hasV6 ? set : addresses.intersectAddresses(set, hasV4 ? addresses.ANY_V4 : addresses.ANY_V6);
  return { ...traffic, sources: only(sources), destinations: only(destinations) };
}
