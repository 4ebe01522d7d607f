// a use of a tunnelling tool and the inventory of approved uses -> the entry that covers it
import { addressSet, hasAddress, parseAddress } from '../model/addresses.ts';
import { ANY_SERVICE, hasService, PROTOCOLS, serviceSet } from '../model/services.ts';
import { DEFAULT_INTERNAL } from '../model/site.ts';
import type { ApprovedUse } from '../model/ticket.ts';

interface Place {
  readonly host: string;
  readonly port?: number;
}

/** What TunnelUse says of it; the tickets do not know how command lines are read. */
export interface UsedTool {
  readonly tool: string;
  readonly mode: string;
  readonly runsShell: boolean;
  readonly leadsTo?: Place;
  readonly via?: Place;
}

/** Shells to others are never the business of a forward; no entry covers them by leaving something open. */
const NEVER_BY_DEFAULT = new Set(['reverse-shell', 'bind-shell']);
const TCP = PROTOCOLS.tcp;
const UDP = PROTOCOLS.udp;

/**
 * The first entry whose host, user (one of `users`), tool, destinations and services all cover the use at `atMs`. What leads further
 * than the entry says is not approved. `alsoAt`: addresses by which `via` or `leadsTo` was seen to be reached.
 */
export function approvedUse(
  use: UsedTool,
  host: string,
  users: string | readonly string[],
  uses: readonly ApprovedUse[],
  atMs: number,
  alsoAt: readonly string[] = [],
): ApprovedUse | undefined {
  const names = typeof users === 'string' ? [users] : users;
  return uses.find(
    (entry) =>
      (entry.expiresMs === undefined || entry.expiresMs > atMs) &&
      isListed(entry.hosts, [host]) &&
      isListed(entry.users, names) &&
      isListed(
        entry.tools.map((tool) => tool.toLowerCase()),
        [use.tool],
      ) &&
      !(NEVER_BY_DEFAULT.has(use.mode) && (entry.tools.length === 0 || entry.destinations.length === 0)) &&
      leadsWhereApproved(use, entry, alsoAt),
  );
}

const isListed = (list: readonly string[], values: readonly string[]): boolean =>
  list.length === 0 || values.some((value) => list.includes(value));

/**
 * The far end must be covered by destination and service; so must the server that carries the traffic, by its address alone. An entry
 * that names the server covers what has no far end of its own (-D, -R, -w), and far ends that are no outside address.
 */
function leadsWhereApproved(use: UsedTool, entry: ApprovedUse, alsoAt: readonly string[]): boolean {
  if (entry.destinations.length === 0 && entry.services.length === 0) return true;
  const end = use.mode === 'remote-forward' ? undefined : use.leadsTo;
  const carrier = use.via;
  // Addresses that were seen belong to whom the tool talks to itself.
  const carrierIsNamed = carrier !== undefined && isDestination(carrier.host, alsoAt, entry.destinations);
  const servesCarrier = carrier !== undefined && isService(carrier.port, entry);
  if (end === undefined) return carrierIsNamed && (servesCarrier || entry.services.length === 0);
  const seen = carrier === undefined ? alsoAt : [];
  const isEnd = isDestination(end.host, seen, entry.destinations) && isService(end.port, entry);
  if (carrier === undefined) return isEnd;
  if (isEnd) return carrierIsNamed || [carrier.host, ...alsoAt].every((place) => !isOutside(place));
  if (!carrierIsNamed || entry.destinations.length === 0) return false;
  if (entry.services.length > 0 && !isService(end.port, entry) && !servesCarrier) return false;
  return !isOutside(end.host);
}

function isDestination(host: string, alsoAt: readonly string[], destinations: readonly string[]): boolean {
  if (destinations.length === 0) return true;
  const addresses = [host, ...alsoAt];
  return destinations.some((destination) =>
    addresses.some(
      (address) => address.toLowerCase() === destination.toLowerCase() || isWithin(address, destination),
    ),
  );
}

function isWithin(address: string, range: string): boolean {
  try {
    return hasAddress(addressSet(range), parseAddress(address));
  } catch {
    // One of them is a name.
    return false;
  }
}

function isService(port: number | undefined, { services }: ApprovedUse): boolean {
  if (services.length === 0) return true;
  const allowed = safeServices(services);
  if (allowed === ANY_SERVICE) return true;
  return port !== undefined && (hasService(allowed, TCP, port) || hasService(allowed, UDP, port));
}

/** What is no service covers nothing. */
function safeServices(services: readonly string[]) {
  return serviceSet(
    ...services.filter((text) => {
      try {
        serviceSet(text);
        return true;
      } catch {
        return false;
      }
    }),
  );
}

/** An address that is no internal one; of a name nothing is known. */
function isOutside(host: string): boolean {
  try {
    return !hasAddress(DEFAULT_INTERNAL, parseAddress(host));
  } catch {
    return false;
  }
}
