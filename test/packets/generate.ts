// plain values -> export datagrams of v1, v5, v7, v9 and IPFIX, written by hand from the RFCs; for tests, benchmarks and the lab
import { formatAddress, mapped, parseAddress } from '../../src/model/addresses.ts';

/** Element id, length in bytes (65535: variable), enterprise number (IPFIX only). */
export type Field = readonly [id: number, length: number, enterprise?: number];

/** A number or bigint is written big-endian in the field's length; text that is an address as one, other text as UTF-8. */
export type Value = number | bigint | string | Uint8Array;

export interface V9Header {
  readonly uptimeMs?: number;
  readonly seconds?: number;
  readonly sequence?: number;
  readonly sourceId?: number;
  readonly count?: number;
}

export interface IpfixHeader {
  readonly seconds?: number;
  readonly sequence?: number;
  readonly domain?: number;
  /** Only to lie about it. */
  readonly length?: number;
}

export const VARIABLE = 65_535;

const concat = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

/** An unsigned integer, big-endian, of 1 to 16 bytes. */
export function integer(value: number | bigint, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let rest = BigInt(value);
  for (let i = length - 1; i >= 0; i--, rest >>= 8n) bytes[i] = Number(rest & 255n);
  return bytes;
}

export const u8 = (value: number) => integer(value, 1);
export const u16 = (value: number) => integer(value, 2);
export const u32 = (value: number) => integer(value, 4);

export function addressBytes(text: string): Uint8Array {
  const address = parseAddress(text);
  return typeof address === 'number' ? u32(address) : integer(address, 16);
}

function valueBytes(value: Value, length: number): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') return textBytes(value, length);
  return integer(value, length);
}

function textBytes(value: string, length: number): Uint8Array {
  if ((length === 4 || length === 16) && /^[0-9a-f.:]+$/i.test(value)) {
    const address = parseAddress(value);
    return length === 4 ? addressBytes(value) : integer(mapped(address), 16);
  }
  const bytes = new TextEncoder().encode(value);
  if (length === VARIABLE) return bytes;
  const padded = new Uint8Array(length);
  padded.set(bytes.subarray(0, length));
  return padded;
}

/** One record; variable-length values get RFC 7011 section 7's short form below 255 bytes, the long one else. */
export function record(fields: readonly Field[], values: readonly Value[]): Uint8Array {
  return concat(
    ...fields.map(([, length], i) => {
      const bytes = valueBytes(values[i], length);
      if (length !== VARIABLE) return bytes;
      return concat(bytes.length < 255 ? u8(bytes.length) : concat(u8(255), u16(bytes.length)), bytes);
    }),
  );
}

/** A set of any id around its content, its length stated truly. */
export const set = (id: number, ...content: readonly Uint8Array[]): Uint8Array => {
  const body = concat(...content);
  return concat(u16(id), u16(body.length + 4), body);
};

export const dataSet = (id: number, fields: readonly Field[], rows: readonly (readonly Value[])[]) =>
  set(id, ...rows.map((row) => record(fields, row)));

const v9Fields = (fields: readonly Field[]) =>
  concat(...fields.map(([id, length]) => concat(u16(id), u16(length))));

const ipfixFields = (fields: readonly Field[]) =>
  concat(
    ...fields.map(([id, length, enterprise]) =>
      enterprise === undefined
        ? concat(u16(id), u16(length))
        : concat(u16(id | 0x8000), u16(length), u32(enterprise)),
    ),
  );

/** RFC 3954 section 5.2. */
export const v9Template = (id: number, fields: readonly Field[]) =>
  set(0, u16(id), u16(fields.length), v9Fields(fields));

/** RFC 3954 section 6.1; the ids of scope fields are scope types. */
export const v9OptionsTemplate = (id: number, scope: readonly Field[], fields: readonly Field[]) =>
  set(1, u16(id), u16(scope.length * 4), u16(fields.length * 4), v9Fields(scope), v9Fields(fields));

/** RFC 7011 section 3.4.1. */
export const ipfixTemplate = (id: number, fields: readonly Field[]) =>
  set(2, u16(id), u16(fields.length), ipfixFields(fields));

/** RFC 7011 section 3.4.2.2. */
export const ipfixOptionsTemplate = (id: number, scope: readonly Field[], fields: readonly Field[]) =>
  set(
    3,
    u16(id),
    u16(scope.length + fields.length),
    u16(scope.length),
    ipfixFields(scope),
    ipfixFields(fields),
  );

/** RFC 7011 section 8.1. */
export const ipfixWithdrawal = (id: number, isOptions = false) => set(isOptions ? 3 : 2, u16(id), u16(0));

/** RFC 3954 section 5.1. */
export function buildV9(header: V9Header, ...sets: readonly Uint8Array[]): Uint8Array {
  return concat(
    u16(9),
    u16(header.count ?? sets.length),
    u32(header.uptimeMs ?? 1_000_000),
    u32(header.seconds ?? 1_700_000_000),
    u32(header.sequence ?? 0),
    u32(header.sourceId ?? 0),
    ...sets,
  );
}

/** RFC 7011 section 3.1. */
export function buildIpfix(header: IpfixHeader, ...sets: readonly Uint8Array[]): Uint8Array {
  const body = concat(...sets);
  return concat(
    u16(10),
    u16(header.length ?? body.length + 16),
    u32(header.seconds ?? 1_700_000_000),
    u32(header.sequence ?? 0),
    u32(header.domain ?? 0),
    body,
  );
}

export interface PlainFlow {
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly protocol: number;
  readonly bytes: number;
  readonly packets: number;
  /** Milliseconds since the exporter started. */
  readonly startUptimeMs?: number;
  readonly endUptimeMs?: number;
  readonly input?: number;
  readonly output?: number;
  readonly tcpFlags?: number;
}

export interface V5Header {
  readonly uptimeMs?: number;
  readonly seconds?: number;
  readonly nanoseconds?: number;
  readonly sequence?: number;
  readonly engine?: number;
  /** The whole field: mode in the upper two bits. */
  readonly sampling?: number;
  /** Only to lie about it. */
  readonly count?: number;
}

function plainBody(flow: PlainFlow): Uint8Array {
  return concat(
    addressBytes(flow.source),
    addressBytes(flow.destination),
    u32(0),
    u16(flow.input ?? 0),
    u16(flow.output ?? 0),
    u32(flow.packets),
    u32(flow.bytes),
    u32(flow.startUptimeMs ?? 0),
    u32(flow.endUptimeMs ?? 0),
    u16(flow.sourcePort),
    u16(flow.destinationPort),
  );
}

function plainHeader(version: number, header: V5Header, count: number): Uint8Array {
  return concat(
    u16(version),
    u16(header.count ?? count),
    u32(header.uptimeMs ?? 1_000_000),
    u32(header.seconds ?? 1_700_000_000),
    u32(header.nanoseconds ?? 0),
  );
}

/** Cisco, NetFlow Export Datagram Formats, tables B-3 and B-4. */
export function buildV5(header: V5Header, flows: readonly PlainFlow[]): Uint8Array {
  const tail = (flow: PlainFlow) =>
    concat(u8(0), u8(flow.tcpFlags ?? 0), u8(flow.protocol), new Uint8Array(9));
  return concat(
    plainHeader(5, header, flows.length),
    u32(header.sequence ?? 0),
    u16(header.engine ?? 0),
    u16(header.sampling ?? 0),
    ...flows.map((flow) => concat(plainBody(flow), tail(flow))),
  );
}

/** The same, tables B-1 and B-2: 52-byte records. */
export function buildV1(header: V5Header, flows: readonly PlainFlow[]): Uint8Array {
  const tail = (flow: PlainFlow) =>
    concat(u16(0), u8(flow.protocol), u8(0), u8(flow.tcpFlags ?? 0), new Uint8Array(11));
  return concat(
    plainHeader(1, header, flows.length),
    ...flows.map((flow) => concat(plainBody(flow), tail(flow))),
  );
}

/** The same, tables B-5 and B-6: 52-byte records. */
export function buildV7(header: V5Header, flows: readonly PlainFlow[]): Uint8Array {
  const tail = (flow: PlainFlow) =>
    concat(u8(0), u8(flow.tcpFlags ?? 0), u8(flow.protocol), new Uint8Array(13));
  return concat(
    plainHeader(7, header, flows.length),
    u32(header.sequence ?? 0),
    u32(0),
    ...flows.map((flow) => concat(plainBody(flow), tail(flow))),
  );
}

/** The usual fields of an IPv4 flow, 54 bytes a record with the interfaces, AS numbers and masks that routers add. */
export const USUAL_FIELDS: readonly Field[] = [
  [8, 4],
  [12, 4],
  [15, 4],
  [10, 4],
  [14, 4],
  [2, 4],
  [1, 4],
  [22, 4],
  [21, 4],
  [7, 2],
  [11, 2],
  [6, 1],
  [4, 1],
  [5, 1],
  [61, 1],
  [16, 4],
  [17, 4],
  [9, 1],
  [13, 1],
];

/** Values of USUAL_FIELDS for the i-th of a made-up run of flows from 10.0.0.0/16 to 198.18.0.0/15. */
export function usualValues(i: number, uptimeMs = 1_000_000): Value[] {
  return [
    formatAddress(0x0a00_0000 + (i & 0xffff)),
    formatAddress(0xc612_0000 + ((i * 7) & 0x1_ffff)),
    '0.0.0.0',
    1,
    2,
    1 + (i % 50),
    60 + i * 13,
    uptimeMs - 5_000 - (i % 1000),
    uptimeMs - (i % 1000),
    1024 + (i % 60_000),
    443,
    0x1b,
    6,
    0,
    0,
    64_500,
    64_501,
    16,
    15,
  ];
}

/** Mulberry32: the same numbers on every run for the same seed, in [0, 1). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
