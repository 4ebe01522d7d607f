// words of IOS statements -> address sets, ports and protocols; masks, wildcards, operators
import * as addresses from '../../src/model/addresses.ts';
import { PROTOCOLS, type ServiceSet, unionServices } from '../../src/model/services.ts';
import { PORTS } from './cisco-ports.ts';

export type Family = 'ip' | 'ip6';

/** A place in the words of a statement. */
export interface Cursor {
  readonly words: readonly string[];
  at: number;
}

export const anyOf = (family: Family): addresses.AddressSet =>
  family === 'ip' ? addresses.ANY_V4 : addresses.ANY_V6;

/** "10.0.0.1" -> its number; undefined for anything that is not an IPv4 address. */
export function v4(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(text)) return undefined;
  try {
    return addresses.parseAddress(text) as number;
  } catch {
    return undefined;
  }
}

/** A set as addressSet reads it, or undefined where it does not. */
export function setOf(...texts: readonly string[]): addresses.AddressSet | undefined {
  try {
    return addresses.addressSet(...texts);
  } catch {
    return undefined;
  }
}

/** More than this in one call and the arguments no longer fit on the stack. */
const CHUNK = 10_000;

/** The union of any number of sets. */
export function unionOf(sets: readonly addresses.AddressSet[]): addresses.AddressSet {
  if (sets.length <= CHUNK) return addresses.unionAddresses(...sets);
  const parts: addresses.AddressSet[] = [];
  for (let i = 0; i < sets.length; i += CHUNK)
    parts.push(addresses.unionAddresses(...sets.slice(i, i + CHUNK)));
  return unionOf(parts);
}

export function unionOfServices(sets: readonly ServiceSet[]): ServiceSet {
  if (sets.length <= CHUNK) return unionServices(...sets);
  const parts: ServiceSet[] = [];
  for (let i = 0; i < sets.length; i += CHUNK) parts.push(unionServices(...sets.slice(i, i + CHUNK)));
  return unionOfServices(parts);
}

/** Length of a contiguous mask ("255.255.255.0" -> 24, "/24" -> 24); undefined for others. */
export function maskLength(text: string | undefined): number | undefined {
  const slash = /^\/(\d{1,2})$/.exec(text ?? '');
  if (slash) return Number(slash[1]) <= 32 ? Number(slash[1]) : undefined;
  const mask = v4(text);
  if (mask === undefined) return undefined;
  const inverted = 2 ** 32 - 1 - mask;
  return Math.log2(inverted + 1) % 1 === 0 ? 32 - Math.log2(inverted + 1) : undefined;
}

/** "10.0.0.0", "255.255.255.0" or "/24" -> the network as a set. */
export function network(
  address: string | undefined,
  mask: string | undefined,
): addresses.AddressSet | undefined {
  const length = maskLength(mask);
  return v4(address) === undefined || length === undefined ? undefined : setOf(`${address}/${length}`);
}

const MAX_WILDCARD_RANGES = 256;

/** Address and wildcard -> the set; `exact` is false where a scattered wildcard is too large to write out and the set is its hull. */
export function wildcard(
  address: string | undefined,
  bits: string | undefined,
): { set: addresses.AddressSet; exact: boolean } | undefined {
  const base = v4(address);
  const free = v4(bits);
  if (base === undefined || free === undefined) return undefined;
  let low = 0;
  while (low < 32 && (free >>> low) & 1) low++;
  const size = 2 ** low;
  const high: number[] = [];
  for (let bit = low; bit < 32; bit++) if ((free >>> bit) & 1) high.push(2 ** bit);
  const first = ((base & ~free) >>> 0) as number;
  if (2 ** high.length > MAX_WILDCARD_RANGES) {
    return { set: addresses.addressRanges([[first, (first | free) >>> 0]]), exact: false };
  }
  let starts = [first];
  for (const bit of high) starts = starts.flatMap((start) => [start, start + bit]);
  return {
    set: addresses.addressRanges(starts.map((start) => [start, start + size - 1] as const)),
    exact: true,
  };
}

/** A port's number from its number or name; undefined for others. */
export function portOf(word: string | undefined): number | undefined {
  if (word === undefined) return undefined;
  if (/^\d{1,5}$/.test(word)) return Number(word) <= 65_535 ? Number(word) : undefined;
  return Object.hasOwn(PORTS, word) ? PORTS[word] : undefined;
}

/** A protocol's number; undefined for `ip`, `ipv4`, `ipv6` and `any` (all protocols) and null for what is none. */
export function protocolOf(word: string | undefined): number | undefined | null {
  if (word === undefined) return null;
  if (word === 'ip' || word === 'ipv4' || word === 'ipv6' || word === 'any') return undefined;
  if (/^\d{1,3}$/.test(word)) return Number(word) <= 255 ? Number(word) : null;
  return Object.hasOwn(PROTOCOLS, word) ? PROTOCOLS[word] : null;
}

export type PortPairs = (readonly [number, number])[];

/** Reads `eq a b`, `neq`, `gt`, `lt`, `range a b` at the cursor; undefined where no operator stands there, null where it is not valid. */
export function portOperator(cursor: Cursor): PortPairs | undefined | null {
  const operator = cursor.words[cursor.at];
  if (operator === undefined || !/^(?:eq|neq|gt|lt|range)$/.test(operator)) return undefined;
  const ports: number[] = [];
  for (;;) {
    const port = portOf(cursor.words[cursor.at + 1 + ports.length]);
    if (port === undefined) break;
    ports.push(port);
  }
  const [a, b] = ports;
  if (a === undefined || (operator === 'range' && b === undefined)) return null;
  cursor.at += 1 + ports.length;
  if (operator === 'eq') return ports.map((port) => [port, port] as const);
  if (operator === 'gt') return [[a + 1, 65_535]];
  if (operator === 'lt') return [[0, a - 1]];
  if (operator === 'range') return [[Math.min(a, b), Math.max(a, b)]];
  const gaps = [...ports].sort((x, y) => x - y);
  return [-1, ...gaps].map((port, i) => [port + 1, (gaps[i] ?? 65_536) - 1] as const);
}
