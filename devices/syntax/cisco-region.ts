// an access list used as a condition (NAT, route-map, class-map) -> the traffic that it permits, denies taken out
import { normalise } from '../../src/model/ranges.ts';
import type { SourceLine } from '../../src/model/rule.ts';
import { ANY_NAME, intersectTraffic, subtractTraffic, type Traffic } from '../../src/model/traffic.ts';
import type { AccessList } from './cisco-acl.ts';
import { anyOf, type Family, unionOf, unionOfServices } from './cisco-address.ts';
import { MAX_LINES } from './cisco-groups.ts';

export interface Condition {
  readonly boxes: readonly Traffic[];
  /** Not empty: the boxes are a superset. */
  readonly unresolved: readonly string[];
  readonly lines: readonly SourceLine[];
}

const MAX_STEPS = 20_000;
const MAX_BOXES = 1000;

export const everything = (family: Family): Traffic => ({
  ingress: ANY_NAME,
  egress: ANY_NAME,
  sources: anyOf(family),
  destinations: anyOf(family),
  services: [0, 256 * 65_536 - 1],
  sourcePorts: [0, 65_535],
});

/** A list that is not defined matches everything, which is also what IOS makes of it where it filters. */
export function permitted(list: AccessList | undefined, name: string, family: Family): Condition {
  if (!list) {
    return { boxes: [everything(family)], unresolved: [`access list ${name} is not defined`], lines: [] };
  }
  const parts = list.entries
    .filter((entry) => entry.matchesNew)
    .map((entry) => ({ ...entry, permits: entry.action === 'permit' }));
  return firstMatches(parts, `access list ${name}`);
}

/** Parts in order, the first that matches decides -> what is permitted. */
export function firstMatches(
  parts: readonly (Condition & { readonly permits: boolean })[],
  name: string,
): Condition {
  const boxes: Traffic[] = [];
  const denies: Traffic[] = [];
  const unresolved = new Set<string>();
  const lines: SourceLine[] = [];
  let steps = 0;
  for (const part of parts) {
    lines.push(...part.lines.slice(0, Math.max(0, MAX_LINES - lines.length)));
    // A deny under a condition that is not known here may not apply.
    if (!part.permits && part.unresolved.length === 0) for (const box of part.boxes) denies.push(box);
    if (!part.permits) continue;
    for (const reason of part.unresolved) unresolved.add(reason);
    let pieces: Traffic[] = [...part.boxes];
    for (const deny of denies) {
      steps += pieces.length;
      if (steps > MAX_STEPS) break;
      pieces = pieces.flatMap((piece) => subtractTraffic(piece, deny));
    }
    for (const piece of pieces) boxes.push(piece);
  }
  if (steps > MAX_STEPS) unresolved.add(`${name} has too many denies`);
  if (boxes.length <= MAX_BOXES) return { boxes, unresolved: [...unresolved], lines };
  unresolved.add(`${name} is too long`);
  return { boxes: [hull(boxes)], unresolved: [...unresolved], lines };
}

const FAMILY: Family[] = ['ip', 'ip6'];
const TOO_MANY = 'conditions too many to combine';

/** The common part of two conditions. */
export function both(a: Condition, b: Condition): Condition {
  if (a.boxes.length * b.boxes.length > MAX_STEPS) {
    const larger = a.boxes.length > b.boxes.length ? a : b;
    return both(larger === a ? b : a, {
      ...larger,
      boxes: byFamily(larger.boxes),
      unresolved: [...larger.unresolved, TOO_MANY],
    });
  }
  return bounded({
    boxes: a.boxes.flatMap((box) => b.boxes.flatMap((other) => intersectTraffic(box, other) ?? [])),
    unresolved: [...a.unresolved, ...b.unresolved],
    lines: [...a.lines, ...b.lines],
  });
}

export function either(conditions: readonly Condition[]): Condition {
  return bounded({
    boxes: conditions.flatMap((condition) => condition.boxes),
    unresolved: conditions.flatMap((condition) => condition.unresolved),
    lines: conditions.flatMap((condition) => condition.lines),
  });
}

/** Conditions that fall into too many boxes become the hull of these, a superset. */
export function bounded({ boxes, unresolved, lines }: Condition, boxCount = MAX_BOXES): Condition {
  const isLarge = boxes.length > boxCount;
  return {
    boxes: isLarge ? byFamily(boxes) : boxes,
    unresolved: [...new Set(isLarge ? [...unresolved, TOO_MANY] : unresolved)].slice(0, MAX_REASONS),
    lines: lines.slice(0, MAX_LINES),
  };
}

const MAX_REASONS = 20;

const byFamily = (boxes: readonly Traffic[]): Traffic[] =>
  FAMILY.flatMap((family) => intersectTraffic(hull(boxes), everything(family)) ?? []);

/** The smallest box of addresses, services and source ports that holds all of the boxes; nothing for none. */
export function hull(boxes: readonly Traffic[]): Traffic {
  if (boxes.length === 1) return boxes[0];
  const ports: [number, number][] = [];
  for (const box of boxes)
    for (let i = 0; i < box.sourcePorts.length; i += 2)
      ports.push([box.sourcePorts[i], box.sourcePorts[i + 1]]);
  return {
    ingress: boxes[0]?.ingress ?? ANY_NAME,
    egress: boxes[0]?.egress ?? ANY_NAME,
    sources: unionOf(boxes.map((box) => box.sources)),
    destinations: unionOf(boxes.map((box) => box.destinations)),
    services: unionOfServices(boxes.map((box) => box.services)),
    sourcePorts: normalise(ports, (port) => port + 1),
  };
}
