// what a change opens and the inventory of approved forwards -> the entry that covers it
import {
  type AddressSet,
  addressSet,
  intersectAddresses,
  noAddresses,
  subtractAddresses,
} from '../model/addresses.ts';
import type { Opening } from '../model/change.ts';
import { protocolsOf, type ServiceSet, serviceSet, subtractServices, withPorts } from '../model/services.ts';
import type { ApprovedForward } from '../model/ticket.ts';

export interface Approval {
  readonly id: string;
  readonly reason: string;
  /** The rule admits more internal sources than the entry names. */
  readonly widerThanApproved: boolean;
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
    const fits = outbound.map((opening) => fit(opening, forward, internal));
    if (fits.every((one) => one !== 'none'))
      return {
        id: forward.id,
        reason: forward.reason || 'in the inventory',
        widerThanApproved: fits.includes('wider'),
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

function fit(opening: Opening, forward: ApprovedForward, internal: AddressSet): 'exact' | 'wider' | 'none' {
  const destinations = subtractAddresses(targetOf(opening), internal);
  if (!noAddresses(subtractAddresses(destinations, addressSet(...forward.destinations)))) return 'none';
  const services = forward.services.length > 0 ? serviceSet(...forward.services) : serviceSet('any');
  if (subtractServices(servicesAtTarget(opening), services).length > 0) return 'none';
  const approved = forward.sources.length > 0 ? addressSet(...forward.sources) : addressSet('any');
  const sources = intersectAddresses(opening.traffic.sources, internal);
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
