// the left side of an nftables comparison -> the dimension of traffic that it asks about
import { ANY_V4, ANY_V6, addressSet } from '../../src/model/addresses.ts';
import { PROTOCOLS, service } from '../../src/model/services.ts';
import { ANY_TRAFFIC, type Traffic } from '../../src/model/traffic.ts';
import { type Dimension, portRanges, protocols } from './boxes.ts';
import { ICMP_TYPES, ICMP6_TYPES, icmpRange } from './icmp.ts';
import type { ExpandName } from './interfaces.ts';
import { isList, isObject, type Json } from './nft-layout.ts';

/** What a field asks; `read` turns one scalar, range or prefix into a value, undefined where it cannot. */
export interface Field {
  readonly name: string;
  readonly dimension: Dimension;
  readonly within: Traffic;
  readonly read: (value: Json) => Traffic[Dimension] | undefined;
}

const ON_V4: Traffic = { ...ANY_TRAFFIC, sources: ANY_V4, destinations: ANY_V4 };
const ON_V6: Traffic = { ...ANY_TRAFFIC, sources: ANY_V6, destinations: ANY_V6 };
const PORT_PROTOCOLS: Readonly<Record<string, readonly number[]>> = {
  tcp: [6],
  udp: [17],
  dccp: [33],
  sctp: [132],
  udplite: [136],
  th: [6, 17, 33, 132, 136],
};
const ICMP = {
  icmp: { number: 1, on: ON_V4, types: ICMP_TYPES },
  icmpv6: { number: 58, on: ON_V6, types: ICMP6_TYPES },
} as const;

/** The field of a payload, meta or raw expression; undefined for what is no address, port, protocol or interface. */
export function fieldOf(left: Json, expand: ExpandName): Field | undefined {
  if (!isObject(left)) return undefined;
  if (isObject(left.payload)) return payloadField(String(left.payload.protocol), String(left.payload.field));
  if (isObject(left.meta)) return metaField(String(left.meta.key), expand);
  return undefined;
}

function payloadField(protocol: string, field: string): Field | undefined {
  const name = `${protocol} ${field}`;
  if (protocol === 'ip' || protocol === 'ip6') {
    const within = protocol === 'ip' ? ON_V4 : ON_V6;
    if (field === 'saddr') return { name, dimension: 'sources', within, read: readAddresses };
    if (field === 'daddr') return { name, dimension: 'destinations', within, read: readAddresses };
    if (field === 'protocol' || field === 'nexthdr')
      return { name, dimension: 'services', within, read: readProtocol };
    return undefined;
  }
  if (name === 'ether type') return familyField(name);
  if (protocol === 'icmp' || protocol === 'icmpv6') return icmpField(protocol, field);
  const numbers = Object.hasOwn(PORT_PROTOCOLS, protocol) ? PORT_PROTOCOLS[protocol] : undefined;
  if (!numbers) return undefined;
  const within = { ...ANY_TRAFFIC, services: protocols(...numbers) };
  if (field === 'dport') return { name, dimension: 'services', within, read: readPorts(numbers) };
  if (field === 'sport') return { name, dimension: 'sourcePorts', within, read: readSourcePorts };
  return undefined;
}

function icmpField(protocol: 'icmp' | 'icmpv6', field: string): Field | undefined {
  const { number, on, types } = ICMP[protocol];
  const within = { ...on, services: service(number) };
  const read = (value: Json) => {
    const range = icmpRange(String(value), types);
    return range && service(number, [range]);
  };
  if (field !== 'type') return undefined;
  return { name: `${protocol} ${field}`, dimension: 'services', within, read };
}

function metaField(key: string, expand: ExpandName): Field | undefined {
  const name = key.startsWith('iif') || key.startsWith('oif') ? key : `meta ${key}`;
  switch (key) {
    case 'iif':
    case 'iifname':
      return { name, dimension: 'ingress', within: ANY_TRAFFIC, read: readName(expand) };
    case 'oif':
    case 'oifname':
      return { name, dimension: 'egress', within: ANY_TRAFFIC, read: readName(expand) };
    case 'l4proto':
      return { name, dimension: 'services', within: ANY_TRAFFIC, read: readProtocol };
    case 'nfproto':
    case 'protocol':
      return familyField(name);
    default:
      return undefined;
  }
}

function familyField(name: string): Field {
  const read = (value: Json) => {
    if (value === 'ipv4' || value === 'ip') return ANY_V4;
    if (value === 'ipv6' || value === 'ip6') return ANY_V6;
    return typeof value === 'string' || typeof value === 'number' ? { v4: [], v6: [] } : undefined;
  };
  return { name, dimension: 'sources', within: ANY_TRAFFIC, read };
}

function readAddresses(value: Json) {
  const text = isObject(value)
    ? isObject(value.prefix)
      ? `${value.prefix.addr}/${value.prefix.len}`
      : isList(value.range)
        ? value.range.join('-')
        : ''
    : String(value);
  try {
    return text === 'any' ? undefined : addressSet(text);
  } catch {
    return undefined;
  }
}

function readProtocol(value: Json) {
  const numbers = numberRange(value);
  if (numbers) return numbers[1] > 255 ? undefined : protocols(...span(numbers));
  const name = String(value);
  return Object.hasOwn(PROTOCOLS, name) ? service(PROTOCOLS[name]) : undefined;
}

const span = ([first, last]: readonly [number, number]) =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i);

function readPorts(numbers: readonly number[]) {
  return (value: Json) => {
    const range = numberRange(value);
    return range && numbers.flatMap((number) => service(number, [range]));
  };
}

function readSourcePorts(value: Json) {
  const range = numberRange(value);
  return range && portRanges([range]);
}

const readName = (expand: ExpandName) => (value: Json) =>
  typeof value === 'string' ? expand(value) : undefined;

/** 80 or {"range":[80,90]}, within 0-65535; also {"prefix"} of an integer is not read. */
export function numberRange(value: Json): readonly [number, number] | undefined {
  const [first, last] = isObject(value) && isList(value.range) ? value.range : [value, value];
  const isPort = (n: Json): n is number =>
    typeof n === 'number' && Number.isInteger(n) && n >= 0 && n <= 65_535;
  return isPort(first) && isPort(last) && first <= last ? [first, last] : undefined;
}
