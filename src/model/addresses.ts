// text <-> address sets: IPv4 as unsigned 32-bit numbers, IPv6 as 128-bit bigints, both as sorted ranges
import ipaddr from 'ipaddr.js';
import * as ranges from './ranges.ts';

/** IPv4 and IPv6 addresses as sorted disjoint inclusive ranges. */
export interface AddressSet {
  readonly v4: ranges.Ranges<number>;
  readonly v6: ranges.Ranges<bigint>;
}

const V4_LAST = 0xffff_ffff;
const V6_LAST = (1n << 128n) - 1n;
const V4_MAPPED = 0xffff_0000_0000n;

export const NO_ADDRESSES: AddressSet = { v4: [], v6: [] };
export const ANY_V4: AddressSet = { v4: [0, V4_LAST], v6: [] };
export const ANY_V6: AddressSet = { v4: [], v6: [0n, V6_LAST] };
export const ANY_ADDRESS: AddressSet = { v4: [0, V4_LAST], v6: [0n, V6_LAST] };

const next4 = (value: number) => value + 1;
const previous4 = (value: number) => value - 1;
const next6 = (value: bigint) => value + 1n;
const previous6 = (value: bigint) => value - 1n;

/** "10.0.0.1" -> 167772161; throws TypeError on anything but dotted decimal or an IPv6 address. IPv4-mapped IPv6 becomes IPv4. */
export function parseAddress(text: string): number | bigint {
  const four = parseV4(text);
  if (four !== undefined) return four;
  if (!ipaddr.IPv6.isValid(text))
    throw new TypeError(`not an IP address: ${JSON.stringify(text.slice(0, 64))}`);
  let value = 0n;
  for (const byte of ipaddr.IPv6.parse(text.replace(/%.*$/, '')).toByteArray())
    value = (value << 8n) | BigInt(byte);
  return value >> 32n === 0xffffn ? Number(value & 0xffff_ffffn) : value;
}

function parseV4(text: string): number | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (!match) return undefined;
  let value = 0;
  for (let i = 1; i <= 4; i++) {
    const octet = Number(match[i]);
    if (octet > 255) return undefined;
    value = value * 256 + octet;
  }
  return value;
}

/** The inverse of parseAddress; IPv6 in RFC 5952 form. */
export function formatAddress(address: number | bigint): string {
  if (typeof address === 'number') {
    return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
  }
  const bytes: number[] = [];
  for (let shift = 120n; shift >= 0n; shift -= 8n) bytes.push(Number((address >> shift) & 0xffn));
  return new ipaddr.IPv6(bytes).toRFC5952String();
}

/** "10.0.0.0/8", "10.0.0.1", "10.0.0.1-10.0.0.9", "any", IPv6 likewise -> a set; throws TypeError otherwise. */
export function addressSet(...texts: readonly string[]): AddressSet {
  const v4: [number, number][] = [];
  const v6: [bigint, bigint][] = [];
  for (const text of texts) {
    const [first, last] = text === 'any' ? [undefined, undefined] : parseRange(text);
    if (first === undefined) {
      v4.push([0, V4_LAST]);
      v6.push([0n, V6_LAST]);
    } else if (typeof first === 'number') v4.push([first, last as number]);
    else v6.push([first, last as bigint]);
  }
  return { v4: ranges.normalise(v4, next4), v6: ranges.normalise(v6, next6) };
}

function parseRange(text: string): [number | bigint, number | bigint] {
  const slash = text.indexOf('/');
  if (slash >= 0) return prefixRange(text.slice(0, slash), text.slice(slash + 1));
  const dash = text.indexOf('-');
  if (dash < 0) {
    const address = parseAddress(text);
    return [address, address];
  }
  const first = parseAddress(text.slice(0, dash));
  const last = parseAddress(text.slice(dash + 1));
  if (typeof first !== typeof last || last < first)
    throw new TypeError(`not an address range: ${text.slice(0, 100)}`);
  return [first, last];
}

function prefixRange(addressText: string, lengthText: string): [number | bigint, number | bigint] {
  const address = parseAddress(addressText);
  const length = Number(lengthText);
  const bits = typeof address === 'number' ? 32 : 128;
  if (!/^\d{1,3}$/.test(lengthText) || length > bits)
    throw new TypeError(`not a prefix length: ${lengthText.slice(0, 20)}`);
  if (typeof address === 'number') {
    const size = 2 ** (32 - length);
    const first = Math.floor(address / size) * size;
    return [first, first + size - 1];
  }
  const mask = (1n << BigInt(128 - length)) - 1n;
  return [address & ~mask, address | mask];
}

/** A set from numeric ranges, in any order. */
export function addressRanges(
  v4: readonly (readonly [number, number])[],
  v6: readonly (readonly [bigint, bigint])[] = [],
): AddressSet {
  return { v4: ranges.normalise(v4, next4), v6: ranges.normalise(v6, next6) };
}

export function unionAddresses(...sets: readonly AddressSet[]): AddressSet {
  return {
    v4: ranges.normalise(
      sets.flatMap((set) => pairs(set.v4)),
      next4,
    ),
    v6: ranges.normalise(
      sets.flatMap((set) => pairs(set.v6)),
      next6,
    ),
  };
}

export function intersectAddresses(a: AddressSet, b: AddressSet): AddressSet {
  return reuse(ranges.intersect(a.v4, b.v4), ranges.intersect(a.v6, b.v6), a, b);
}

export function subtractAddresses(a: AddressSet, b: AddressSet): AddressSet {
  return reuse(
    ranges.subtract(a.v4, b.v4, next4, previous4),
    ranges.subtract(a.v6, b.v6, next6, previous6),
    a,
    NO_ADDRESSES,
  );
}

/** The same sets again where nothing was left out: large rule sets are cut millions of times. */
function reuse(v4: AddressSet['v4'], v6: AddressSet['v6'], a: AddressSet, b: AddressSet): AddressSet {
  if ((v4 === a.v4 || v4.length + a.v4.length === 0) && (v6 === a.v6 || v6.length + a.v6.length === 0))
    return a;
  if ((v4 === b.v4 || v4.length + b.v4.length === 0) && (v6 === b.v6 || v6.length + b.v6.length === 0))
    return b;
  return { v4, v6 };
}

export function complementAddresses(set: AddressSet): AddressSet {
  return subtractAddresses(ANY_ADDRESS, set);
}

export function hasAddress(set: AddressSet, address: number | bigint): boolean {
  return typeof address === 'number' ? ranges.contains(set.v4, address) : ranges.contains(set.v6, address);
}

export function noAddresses(set: AddressSet): boolean {
  return set.v4.length === 0 && set.v6.length === 0;
}

export function sameAddresses(a: AddressSet, b: AddressSet): boolean {
  return ranges.equal(a.v4, b.v4) && ranges.equal(a.v6, b.v6);
}

/** How many addresses are in the set; above 2^53 an approximation. */
export function countAddresses(set: AddressSet): number {
  let count = 0;
  for (let i = 0; i < set.v4.length; i += 2) count += set.v4[i + 1] - set.v4[i] + 1;
  for (let i = 0; i < set.v6.length; i += 2) count += Number(set.v6[i + 1] - set.v6[i] + 1n);
  return count;
}

/** Prefixes where a range is one prefix, else first-last; "any" for the whole of both families. */
export function formatAddresses(set: AddressSet): string[] {
  if (sameAddresses(set, ANY_ADDRESS)) return ['any'];
  return [
    ...pairs(set.v4).map(([first, last]) => formatRange(BigInt(first), BigInt(last), 32)),
    ...pairs(set.v6).map(([first, last]) => formatRange(first, last, 128)),
  ];
}

function formatRange(first: bigint, last: bigint, bits: 32 | 128): string {
  const text = (value: bigint) => formatAddress(bits === 32 ? Number(value) : value);
  if (first === last) return text(first);
  const size = last - first + 1n;
  const isPrefix = (size & (size - 1n)) === 0n && (first & (size - 1n)) === 0n;
  return isPrefix ? `${text(first)}/${bits - (size.toString(2).length - 1)}` : `${text(first)}-${text(last)}`;
}

/** The 128-bit value under which an address of either family sorts and is stored (RFC 4291 section 2.5.5.2 for IPv4). */
export function mapped(address: number | bigint): bigint {
  return typeof address === 'number' ? V4_MAPPED | BigInt(address) : address;
}

function pairs<T>(flat: readonly T[]): [T, T][] {
  const result: [T, T][] = [];
  for (let i = 0; i < flat.length; i += 2) result.push([flat[i], flat[i + 1]]);
  return result;
}
