// boxes of traffic (interfaces x addresses x services) -> set algebra over unions of boxes

import type { AddressSet } from './addresses.ts';
import * as addresses from './addresses.ts';
import * as ranges from './ranges.ts';
import { ANY_SERVICE, intersectServices, type ServiceSet, subtractServices } from './services.ts';

/** A set of interface (or zone) names, or all names but those. */
export interface NameSet {
  readonly except: boolean;
  readonly names: readonly string[];
}

/** The product of its dimensions: every packet whose each field lies in the matching set. New connections only. */
export interface Traffic {
  readonly ingress: NameSet;
  readonly egress: NameSet;
  readonly sources: AddressSet;
  readonly destinations: AddressSet;
  readonly services: ServiceSet;
  /** Source port ranges 0-65535; full for protocols without ports. */
  readonly sourcePorts: ranges.Ranges<number>;
}

/** A union of boxes; not necessarily disjoint unless a function says so. */
export type Region = readonly Traffic[];

export const ANY_NAME: NameSet = { except: true, names: [] };
export const ANY_SOURCE_PORT: ranges.Ranges<number> = [0, 65_535];
export const ANY_TRAFFIC: Traffic = {
  ingress: ANY_NAME,
  egress: ANY_NAME,
  sources: addresses.ANY_ADDRESS,
  destinations: addresses.ANY_ADDRESS,
  services: ANY_SERVICE,
  sourcePorts: ANY_SOURCE_PORT,
};

export const names = (...list: readonly string[]): NameSet => ({
  except: false,
  names: [...new Set(list)].sort(),
});
export const allNamesBut = (...list: readonly string[]): NameSet => ({
  except: true,
  names: [...new Set(list)].sort(),
});

export function intersectNames(a: NameSet, b: NameSet): NameSet {
  if (a === b || isEvery(b)) return a;
  if (isEvery(a)) return b;
  if (a.except && b.except) return allNamesBut(...a.names, ...b.names);
  if (a.except) return names(...b.names.filter((name) => !a.names.includes(name)));
  return names(...a.names.filter((name) => b.names.includes(name) !== b.except));
}

const isEvery = (set: NameSet): boolean => set.except && set.names.length === 0;

export function subtractNames(a: NameSet, b: NameSet): NameSet {
  return intersectNames(a, { except: !b.except, names: b.names });
}

export const noNames = (set: NameSet): boolean => !set.except && set.names.length === 0;
export const hasName = (set: NameSet, name: string): boolean => set.names.includes(name) !== set.except;

/** The common part of two boxes, or undefined where there is none. */
export function intersectTraffic(a: Traffic, b: Traffic): Traffic | undefined {
  const services = intersectServices(a.services, b.services);
  if (services.length === 0) return undefined;
  const destinations = addresses.intersectAddresses(a.destinations, b.destinations);
  if (addresses.noAddresses(destinations)) return undefined;
  const sources = addresses.intersectAddresses(a.sources, b.sources);
  if (addresses.noAddresses(sources)) return undefined;
  const sourcePorts = ranges.intersect(a.sourcePorts, b.sourcePorts);
  if (sourcePorts.length === 0) return undefined;
  const ingress = intersectNames(a.ingress, b.ingress);
  const egress = intersectNames(a.egress, b.egress);
  return noNames(ingress) || noNames(egress)
    ? undefined
    : { ingress, egress, sources, destinations, services, sourcePorts };
}

/** a without b, as disjoint boxes: at most one for each dimension. `common`: their intersection, where it is known. */
export function subtractTraffic(a: Traffic, b: Traffic, common = intersectTraffic(a, b)): Traffic[] {
  if (!common) return [a];
  const rest: Traffic[] = [];
  let core = a;
  const cut = (outside: Partial<Traffic>, inside: Partial<Traffic>, isEmpty: boolean) => {
    if (isEmpty) return;
    rest.push({ ...core, ...outside });
    core = { ...core, ...inside };
  };
  const services = subtractServices(a.services, b.services);
  cut({ services }, { services: common.services }, services.length === 0);
  const destinations = addresses.subtractAddresses(a.destinations, b.destinations);
  cut({ destinations }, { destinations: common.destinations }, addresses.noAddresses(destinations));
  const sources = addresses.subtractAddresses(a.sources, b.sources);
  cut({ sources }, { sources: common.sources }, addresses.noAddresses(sources));
  const sourcePorts = ranges.subtract(
    a.sourcePorts,
    b.sourcePorts,
    (v) => v + 1,
    (v) => v - 1,
  );
  cut({ sourcePorts }, { sourcePorts: common.sourcePorts }, sourcePorts.length === 0);
  const ingress = subtractNames(a.ingress, b.ingress);
  cut({ ingress }, { ingress: common.ingress }, noNames(ingress));
  const egress = subtractNames(a.egress, b.egress);
  cut({ egress }, { egress: common.egress }, noNames(egress));
  return rest;
}

export function subtractRegion(from: Region, without: Region): Traffic[] {
  let rest: Traffic[] = [...from];
  for (const box of without) {
    if (rest.length === 0) return rest;
    rest = rest.flatMap((piece) => subtractTraffic(piece, box));
  }
  return rest;
}

export function intersectRegion(a: Region, b: Region): Traffic[] {
  return a.flatMap((box) => b.flatMap((other) => intersectTraffic(box, other) ?? []));
}
