// a piece and a destination translation -> the pieces that come out of it
import { type AddressSet, noAddresses } from '../model/addresses.ts';
import type { PolicyEntry, Translation } from '../model/rule.ts';
import {
  intersectServices,
  protocolsOf,
  type ServiceSet,
  service,
  subtractServices,
  unionServices,
} from '../model/services.ts';
import { type Decider, type Piece, restrictArriving, shiftAddresses } from './piece.ts';

/** tcp, udp, dccp, sctp, udplite: what a port translation can act on. */
export const PORTED: readonly number[] = [6, 17, 33, 132, 136];
const PORTED_SERVICES = unionServices(...PORTED.map((protocol) => service(protocol)));

/** `translation` acts on what `entry` matches. Addresses that only the device knows make the pieces `unknown`. */
export function translateDestination(piece: Piece, entry: PolicyEntry, translation: Translation): Piece[] {
  const unknown = !translation.addresses || noAddresses(translation.addresses);
  const base: Piece = {
    ...piece,
    destination: translation,
    unknown,
    deciders: [...piece.deciders, entry as Decider],
  };
  const moved = unknown ? base : moveAddresses(base, entry, translation);
  return translation.ports ? movePorts(moved, translation.ports) : [moved];
}

function moveAddresses(piece: Piece, entry: PolicyEntry, translation: Translation): Piece {
  const addresses = translation.addresses as AddressSet;
  const shift = translation.offset ? offsetOf(entry.match.destinations, addresses) : undefined;
  const destinations = shift === undefined ? addresses : shiftAddresses(piece.traffic.destinations, shift);
  return { ...piece, shift, seen: { ...piece.seen, destinations } };
}

/** What is added to each address where one range maps onto another of the same size; undefined where it does not. */
export function offsetOf(from: AddressSet, to: AddressSet): bigint | undefined {
  const [a, b] = [
    [...from.v4, ...from.v6],
    [...to.v4, ...to.v6],
  ];
  if (a.length !== 2 || b.length !== 2 || from.v4.length !== to.v4.length) return undefined;
  const shift = BigInt(b[0]) - BigInt(a[0]);
  return BigInt(b[1]) - BigInt(a[1]) === shift ? shift : undefined;
}

/** What services come out as where a port translation acts on them. */
export const portsTranslated = (services: ServiceSet, ports: readonly [number, number]): ServiceSet =>
  unionServices(
    subtractServices(services, PORTED_SERVICES),
    ...protocolsOf(intersectServices(services, PORTED_SERVICES)).map((protocol) =>
      service(protocol, [ports]),
    ),
  );

function movePorts(piece: Piece, ports: readonly [number, number]): Piece[] {
  const pieces: Piece[] = [];
  const { services } = piece.traffic;
  const without = subtractServices(services, PORTED_SERVICES);
  if (without.length > 0) pieces.push(restrictArriving(piece, { ...piece.traffic, services: without }));
  for (const protocol of protocolsOf(intersectServices(services, PORTED_SERVICES))) {
    const own = intersectServices(services, service(protocol));
    pieces.push({
      ...piece,
      keepsPorts: false,
      traffic: { ...piece.traffic, services: own },
      seen: { ...piece.seen, services: service(protocol, [ports]) },
    });
  }
  return pieces;
}
