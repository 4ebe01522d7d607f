// "tcp/443" <-> service sets: (protocol, destination port) as one integer, in sorted ranges
import * as ranges from './ranges.ts';

/**
 * Ranges over protocol * 65536 + destination port. Protocols without ports cover all 65536 values;
 * for ICMP and ICMPv6 the "port" is type * 256 + code.
 */
export type ServiceSet = ranges.Ranges<number>;

const SPAN = 65_536;
const LAST = 256 * SPAN - 1;
const next = (value: number) => value + 1;
const previous = (value: number) => value - 1;

export const ANY_SERVICE: ServiceSet = [0, LAST];
/** IANA protocol numbers of the names that configurations and people use. */
export const PROTOCOLS: Readonly<Record<string, number>> = {
  hopopt: 0,
  icmp: 1,
  igmp: 2,
  ipip: 4,
  ipinip: 4,
  tcp: 6,
  egp: 8,
  igrp: 9,
  udp: 17,
  rdp: 27,
  dccp: 33,
  ipv6: 41,
  gre: 47,
  esp: 50,
  ah: 51,
  ahp: 51,
  skip: 57,
  icmp6: 58,
  icmpv6: 58,
  'ipv6-icmp': 58,
  eigrp: 88,
  ospf: 89,
  nos: 94,
  pim: 103,
  pcp: 108,
  vrrp: 112,
  l2tp: 115,
  sctp: 132,
  udplite: 136,
};
const NAMES = new Map([
  [1, 'icmp'],
  [6, 'tcp'],
  [17, 'udp'],
  [33, 'dccp'],
  [47, 'gre'],
  [50, 'esp'],
  [51, 'ah'],
  [58, 'icmpv6'],
  [132, 'sctp'],
  [136, 'udplite'],
]);

/** One protocol (number 0-255) with inclusive destination port ranges; all ports when none are given. */
export function service(
  protocol: number,
  ports: readonly (readonly [number, number])[] = [[0, SPAN - 1]],
): ServiceSet {
  return ranges.normalise(
    ports.map(([first, last]) => [protocol * SPAN + first, protocol * SPAN + last] as const),
    next,
  );
}

/** "any", "tcp", "tcp/443", "udp/5000-5010", "47" -> a set; throws TypeError otherwise. */
export function serviceSet(...texts: readonly string[]): ServiceSet {
  return unionServices(...texts.map(parseService));
}

function parseService(text: string): ServiceSet {
  if (text === 'any') return ANY_SERVICE;
  const match = /^([a-z0-9-]+)(?:\/(\d{1,5})(?:-(\d{1,5}))?)?$/i.exec(text);
  const protocol =
    match && (/^\d{1,3}$/.test(match[1]) ? Number(match[1]) : PROTOCOLS[match[1].toLowerCase()]);
  if (!match || protocol === undefined || protocol === null || protocol > 255)
    throw new TypeError(`not a service: ${JSON.stringify(text.slice(0, 64))}`);
  if (match[2] === undefined) return service(protocol);
  const first = Number(match[2]);
  const last = Number(match[3] ?? match[2]);
  if (first > last || last >= SPAN) throw new TypeError(`not a port range: ${text.slice(0, 64)}`);
  return service(protocol, [[first, last]]);
}

export function unionServices(...sets: readonly ServiceSet[]): ServiceSet {
  return ranges.normalise(sets.flatMap(pairs), next);
}

export const intersectServices = (a: ServiceSet, b: ServiceSet): ServiceSet => ranges.intersect(a, b);
export const subtractServices = (a: ServiceSet, b: ServiceSet): ServiceSet =>
  ranges.subtract(a, b, next, previous);
export const sameServices = (a: ServiceSet, b: ServiceSet): boolean => ranges.equal(a, b);
export const hasService = (set: ServiceSet, protocol: number, port: number): boolean =>
  ranges.contains(set, protocol * SPAN + port);
/** The same set with every destination port turned to `port`, as a destination translation does. */
export function withPorts(set: ServiceSet, first: number, last: number): ServiceSet {
  return unionServices(...protocolsOf(set).map((protocol) => service(protocol, [[first, last]])));
}

export function protocolsOf(set: ServiceSet): number[] {
  const found = new Set<number>();
  for (const [first, last] of pairs(set))
    for (let p = Math.floor(first / SPAN); p <= Math.floor(last / SPAN); p++) found.add(p);
  return [...found];
}

/** As serviceSet reads it: ["tcp/443", "udp/5000-5010", "gre"]. */
export function formatServices(set: ServiceSet): string[] {
  if (sameServices(set, ANY_SERVICE)) return ['any'];
  const texts: string[] = [];
  for (const [first, last] of pairs(set)) {
    for (let protocol = Math.floor(first / SPAN); protocol <= Math.floor(last / SPAN); protocol++) {
      const from = Math.max(first - protocol * SPAN, 0);
      const to = Math.min(last - protocol * SPAN, SPAN - 1);
      const name = NAMES.get(protocol) ?? String(protocol);
      texts.push(
        from === 0 && to === SPAN - 1 ? name : from === to ? `${name}/${from}` : `${name}/${from}-${to}`,
      );
    }
  }
  return texts;
}

function pairs(flat: ServiceSet): [number, number][] {
  const result: [number, number][] = [];
  for (let i = 0; i < flat.length; i += 2) result.push([flat[i], flat[i + 1]]);
  return result;
}
