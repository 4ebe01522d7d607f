// what a change opens and the inventory of approved forwards -> the entry that covers it
import {
  type AddressSet,
  addressSet,
  intersectAddresses,
  noAddresses,
  subtractAddresses,
  unionAddresses,
} from '../model/addresses.ts';
import type { Opening } from '../model/change.ts';
import { protocolsOf, type ServiceSet, serviceSet, subtractServices, withPorts } from '../model/services.ts';
import type { ApprovedForward } from '../model/ticket.ts';

export interface Approval {
  readonly id: string;
  readonly reason: string;
  /** The rule admits more internal sources than the entry names. */
  readonly widerThanApproved: boolean;
  /** The sources that it names, where the rule admits more. */
  readonly sources?: readonly string[];
}

/** The entry under which every outbound opening goes to approved destinations and services; expired entries do not count. */
export function approvalOf(
  opens: readonly Opening[],
  forwards: readonly ApprovedForward[],
  internal: AddressSet,
  atMs: number,
): Approval | undefined {
  const outbound = outboundOf(opens, internal);
  if (outbound.length === 0) return undefined;
  for (const forward of forwards) {
    if (forward.expiresMs !== undefined && forward.expiresMs <= atMs) continue;
    if (!outbound.every((opening) => goesWhereApproved(opening, forward, internal))) continue;
    const fit = sourcesFit(outbound, forward, internal);
    if (fit === 'none') continue;
    return {
      id: forward.id,
      reason: forward.reason || 'in the inventory',
      widerThanApproved: fit === 'wider',
      ...(fit === 'wider' ? { sources: forward.sources } : {}),
    };
  }
  return undefined;
}

/** The openings through which internal hosts reach something outside; the others (answers, inbound) say nothing about egress. */
export function outboundOf(opens: readonly Opening[], internal: AddressSet): Opening[] {
  return opens.filter(
    (opening) =>
      !noAddresses(intersectAddresses(opening.traffic.sources, internal)) &&
      !noAddresses(subtractAddresses(targetOf(opening), internal)),
  );
}

function goesWhereApproved(opening: Opening, forward: ApprovedForward, internal: AddressSet): boolean {
  const destinations = subtractAddresses(targetOf(opening), internal);
  if (!noAddresses(subtractAddresses(destinations, addressSet(...forward.destinations)))) return false;
  const services = forward.services.length > 0 ? serviceSet(...forward.services) : serviceSet('any');
  return subtractServices(servicesAtTarget(opening), services).length === 0;
}

/** Over all openings together: a rule without a source condition falls into pieces by what happens to them later. */
function sourcesFit(
  outbound: readonly Opening[],
  forward: ApprovedForward,
  internal: AddressSet,
): 'exact' | 'wider' | 'none' {
  const approved = forward.sources.length > 0 ? addressSet(...forward.sources) : addressSet('any');
  const sources = intersectAddresses(
    unionAddresses(...outbound.map((opening) => opening.traffic.sources)),
    internal,
  );
  if (noAddresses(subtractAddresses(sources, approved))) return 'exact';
  return noAddresses(intersectAddresses(sources, approved)) ? 'none' : 'wider';
}

/** Where the packet goes in the end. */
export function targetOf(opening: Opening): AddressSet {
  return opening.destinationTranslation?.addresses ?? opening.traffic.destinations;
}

/** The services at the final destination: ports after translation. */
export function servicesAtTarget(opening: Opening): ServiceSet {
  const ports = opening.destinationTranslation?.ports;
  if (!ports || protocolsOf(opening.traffic.services).length > 8) return opening.traffic.services;
  return withPorts(opening.traffic.services, ports[0], ports[1]);
}
