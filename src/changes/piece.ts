// a box of packets as they arrive, with what becomes of them; and the algebra over such pieces
import type { AddressSet } from '../model/addresses.ts';
import * as addresses from '../model/addresses.ts';
import type { Policy, PolicyEntry, Translation } from '../model/rule.ts';
import { service } from '../model/services.ts';
import { intersectTraffic, subtractTraffic, type Traffic } from '../model/traffic.ts';

/** What decided at a stage: an entry, or a policy by its default. */
export type Decider = PolicyEntry | Policy;

/**
 * `traffic` is the packet as it arrives, `seen` the same packet after destination translation. Only destinations and services
 * can differ. A pool leaves the choice to the device: then every destination of `seen` goes with every one of `traffic`.
 */
export interface Piece {
  readonly traffic: Traffic;
  readonly seen: Traffic;
  /** The seen destination is the arriving one plus this; undefined: any of `seen`, whatever the arriving one is. */
  readonly shift: bigint | undefined;
  /** The seen port is the arriving one; otherwise any of `seen`, and `traffic` then holds one protocol. */
  readonly keepsPorts: boolean;
  /** Goes to an address that only the device knows, usually the device itself: not forwarded, so no filter sees it. */
  readonly unknown: boolean;
  readonly destination?: Translation;
  readonly redirect?: Translation;
  readonly source?: Translation;
  /** The translated source is the arriving one plus this; undefined: not translated one to one. */
  readonly sourceShift?: bigint;
  /** Some filter lets it through only under a condition that is not resolved. */
  readonly conditional: boolean;
  /** Unresolved accepts that it met in the filter it is in. */
  readonly maybe?: readonly Decider[];
  readonly deciders: readonly Decider[];
}

/** Above so many addresses or ports a pool is not compared one by one with a mapping that keeps them. */
const ENUMERATED = 256;

export function arriving(traffic: Traffic): Piece {
  return {
    traffic,
    seen: traffic,
    shift: 0n,
    keepsPorts: true,
    unknown: false,
    conditional: false,
    deciders: [],
  };
}

function rangesOverlap<T extends number | bigint>(a: readonly T[], b: readonly T[]): boolean {
  if (a.length === 0 || b.length === 0 || a[a.length - 1] < b[0] || b[b.length - 1] < a[0]) return false;
  if (a.length === 2 && b.length === 2) return true;
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  for (let i = 0; i < short.length; i += 2) {
    let low = 0;
    let high = long.length / 2;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (long[2 * middle + 1] < short[i]) low = middle + 1;
      else high = middle;
    }
    if (2 * low < long.length && long[2 * low] <= short[i + 1]) return true;
  }
  return false;
}

export function addressesOverlap(a: AddressSet, b: AddressSet): boolean {
  return rangesOverlap(a.v4, b.v4) || rangesOverlap(a.v6, b.v6);
}

/** False where the boxes surely share no packet; allocates nothing. Interface names are not looked at. */
export function mayOverlap(a: Traffic, b: Traffic): boolean {
  return (
    rangesOverlap(a.services, b.services) &&
    addressesOverlap(a.destinations, b.destinations) &&
    addressesOverlap(a.sources, b.sources) &&
    rangesOverlap(a.sourcePorts, b.sourcePorts)
  );
}

export function shiftAddresses(set: AddressSet, by: bigint): AddressSet {
  if (by === 0n) return set;
  const small = Number(by);
  return { v4: set.v4.map((value) => value + small), v6: set.v6.map((value) => value + by) };
}

/** The part of a piece that is seen as `seen`, a part of piece.seen. */
export function restrictSeen(piece: Piece, seen: Traffic): Piece {
  const destinations =
    piece.shift === undefined ? piece.traffic.destinations : shiftAddresses(seen.destinations, -piece.shift);
  const services = piece.keepsPorts ? seen.services : piece.traffic.services;
  return { ...piece, seen, traffic: { ...seen, destinations, services } };
}

/** The part of a piece that arrives as `traffic`, a part of piece.traffic. */
export function restrictArriving(piece: Piece, traffic: Traffic): Piece {
  const destinations =
    piece.shift === undefined ? piece.seen.destinations : shiftAddresses(traffic.destinations, piece.shift);
  const services = piece.keepsPorts ? traffic.services : piece.seen.services;
  return { ...piece, traffic, seen: { ...traffic, destinations, services } };
}

/** Cuts a piece by a box of the packet as a filter sees it. */
export function splitSeen(piece: Piece, box: Traffic): { hit?: Piece; rest: readonly Piece[] } {
  const common = mayOverlap(piece.seen, box) ? intersectTraffic(piece.seen, box) : undefined;
  if (!common) return { rest: [piece] };
  return {
    hit: restrictSeen(piece, common),
    rest: subtractTraffic(piece.seen, box, common).map((part) => restrictSeen(piece, part)),
  };
}

/** The part of a piece that arrives inside a box. */
export function insideArriving(piece: Piece, box: Traffic): Piece | undefined {
  const common = mayOverlap(piece.traffic, box) ? intersectTraffic(piece.traffic, box) : undefined;
  return common && restrictArriving(piece, common);
}

export function outsideArriving(piece: Piece, box: Traffic): Piece[] {
  if (!mayOverlap(piece.traffic, box)) return [piece];
  return subtractTraffic(piece.traffic, box).map((part) => restrictArriving(piece, part));
}

/** Pieces of `a` whose arriving packet becomes the same seen packet as in `b`, and the rest of `a`. */
export function splitPiece(a: Piece, b: Piece): { common: Piece[]; rest: Piece[] } {
  const disjoint = { common: [], rest: [a] };
  if (a.unknown !== b.unknown || (a.unknown && a.destination?.kind !== b.destination?.kind)) return disjoint;
  if (!mayOverlap(a.traffic, b.traffic) || !mayOverlap(a.seen, b.seen)) return disjoint;
  if (a.shift !== undefined && b.shift !== undefined && a.shift !== b.shift) return disjoint;
  if (a.shift === undefined && b.shift !== undefined) return splitPool(a, b, b.shift);
  if (!a.keepsPorts && b.keepsPorts) return splitPorts(a, b);
  const inside = intersectTraffic(a.traffic, b.traffic);
  if (!inside) return disjoint;
  const rest = subtractTraffic(a.traffic, b.traffic).map((part) => restrictArriving(a, part));
  const { hit, rest: other } = splitSeen(restrictArriving(a, inside), b.seen);
  return { common: hit ? [hit] : [], rest: [...rest, ...other] };
}

type Split = { common: Piece[]; rest: Piece[] };

function join(parts: readonly Split[]): Split {
  return { common: parts.flatMap((part) => part.common), rest: parts.flatMap((part) => part.rest) };
}

/** `b` maps each destination to one address: compare address by address. */
function splitPool(a: Piece, b: Piece, shift: bigint): Split {
  const choices = addresses.intersectAddresses(a.seen.destinations, b.seen.destinations);
  if (addresses.countAddresses(choices) > ENUMERATED) return { common: [], rest: [a] };
  const others = addresses.subtractAddresses(a.seen.destinations, choices);
  const parts: Split[] = singles(choices).map((choice) => {
    const from = addresses.intersectAddresses(b.traffic.destinations, shiftAddresses(choice, -shift));
    const narrowed: Piece = {
      ...b,
      shift: undefined,
      traffic: { ...b.traffic, destinations: from },
      seen: { ...b.seen, destinations: choice },
    };
    return splitPiece({ ...a, seen: { ...a.seen, destinations: choice } }, narrowed);
  });
  const rest = addresses.noAddresses(others) ? [] : [{ ...a, seen: { ...a.seen, destinations: others } }];
  return join([...parts, { common: [], rest }]);
}

/** `b` keeps each port: compare port by port. */
function splitPorts(a: Piece, b: Piece): Split {
  const protocol = a.seen.services[0] >> 16;
  const first = a.seen.services[0] & 0xffff;
  const last = a.seen.services[a.seen.services.length - 1] & 0xffff;
  if (last - first >= ENUMERATED) return { common: [], rest: [a] };
  const parts: Split[] = [];
  for (let port = first; port <= last; port++) {
    const services = service(protocol, [[port, port]]);
    const one = splitSeen(a, { ...a.seen, services }).hit;
    if (!one) continue;
    const same = intersectTraffic(b.traffic, { ...b.traffic, services });
    if (!same) parts.push({ common: [], rest: [one] });
    else parts.push(splitPiece(one, { ...restrictArriving(b, same), keepsPorts: false }));
  }
  return join(parts);
}

function singles(set: AddressSet): AddressSet[] {
  const result: AddressSet[] = [];
  for (let i = 0; i < set.v4.length; i += 2)
    for (let value = set.v4[i]; value <= set.v4[i + 1]; value++) result.push({ v4: [value, value], v6: [] });
  for (let i = 0; i < set.v6.length; i += 2)
    for (let value = set.v6[i]; value <= set.v6[i + 1]; value++) result.push({ v4: [], v6: [value, value] });
  return result;
}
