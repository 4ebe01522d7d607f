// UDP payloads -> pcap and pcapng files in memory, written by hand from their specifications
import { addressBytes, integer } from './generate.ts';

const concat = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
const big = (value: number, length: number) => integer(value, length);
const little = (value: number | bigint, length: number) => integer(value, length).reverse();

export interface Endpoints {
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

export const EXPORTER: Endpoints = {
  source: '192.0.2.1',
  destination: '192.0.2.9',
  sourcePort: 40_000,
  destinationPort: 2055,
};
export const EXPORTER_V6: Endpoints = { ...EXPORTER, source: '2001:db8::1', destination: '2001:db8::9' };

/** RFC 768, checksum left out. */
export const udp = ({ sourcePort, destinationPort }: Endpoints, payload: Uint8Array) =>
  concat(big(sourcePort, 2), big(destinationPort, 2), big(payload.length + 8, 2), big(0, 2), payload);

/** RFC 791; `fragment` is the whole flags and offset field. */
export function ipv4(ends: Endpoints, body: Uint8Array, fragment = 0, id = 1, protocol = 17): Uint8Array {
  return concat(
    Uint8Array.of(0x45, 0),
    big(body.length + 20, 2),
    big(id, 2),
    big(fragment, 2),
    Uint8Array.of(64, protocol, 0, 0),
    addressBytes(ends.source),
    addressBytes(ends.destination),
    body,
  );
}

/** RFC 8200; `next` is the first header's number. */
export function ipv6(ends: Endpoints, body: Uint8Array, next = 17): Uint8Array {
  return concat(
    Uint8Array.of(0x60, 0, 0, 0),
    big(body.length, 2),
    Uint8Array.of(next, 64),
    addressBytes(ends.source),
    addressBytes(ends.destination),
    body,
  );
}

/** RFC 8200 section 4.5. */
export const fragmentHeader = (offset: number, hasMore: boolean, id: number, next = 17) =>
  concat(Uint8Array.of(next, 0), big(offset | (hasMore ? 1 : 0), 2), big(id, 4));

export const ethernet = (type: number, body: Uint8Array, tags: readonly number[] = []) =>
  concat(
    new Uint8Array(12).fill(2),
    ...tags.map((tag) => concat(big(tag, 2), big(100, 2))),
    big(type, 2),
    body,
  );

export interface Frame {
  readonly bytes: Uint8Array;
  readonly seconds: number;
  /** Behind the second, in the file's resolution. */
  readonly fraction: number;
  /** Length on the wire, where the capture cut it. */
  readonly wireBytes?: number;
}

export const frameOf = (bytes: Uint8Array, seconds = 1_700_000_000, fraction = 0): Frame => ({
  bytes,
  seconds,
  fraction,
});

export interface PcapOptions {
  readonly linkType?: number;
  readonly isNano?: boolean;
  readonly isBig?: boolean;
}

export function pcap(
  frames: readonly Frame[],
  { linkType = 1, isNano = false, isBig = false }: PcapOptions = {},
) {
  const n = isBig ? big : little;
  return concat(
    n(isNano ? 0xa1b23c4d : 0xa1b2c3d4, 4),
    n(2, 2),
    n(4, 2),
    n(0, 4),
    n(0, 4),
    n(262_144, 4),
    n(linkType, 4),
    ...frames.map(({ bytes, seconds, fraction, wireBytes }) =>
      concat(n(seconds, 4), n(fraction, 4), n(bytes.length, 4), n(wireBytes ?? bytes.length, 4), bytes),
    ),
  );
}

const padded = (bytes: Uint8Array) => concat(bytes, new Uint8Array((4 - (bytes.length % 4)) % 4));

export function block(type: number, body: Uint8Array, isBig = false): Uint8Array {
  const n = isBig ? big : little;
  const length = padded(body).length + 12;
  return concat(n(type, 4), n(length, 4), padded(body), n(length, 4));
}

export const section = (isBig = false) => {
  const n = isBig ? big : little;
  const body = concat(n(0x1a2b3c4d, 4), n(1, 2), n(0, 2), new Uint8Array(8).fill(255));
  return block(0x0a0d0d0a, body, isBig);
};

export interface InterfaceOptions {
  readonly isBig?: boolean;
  readonly snapBytes?: number;
  /** if_tsoffset. */
  readonly offsetSeconds?: number;
}

/** `resolution` is if_tsresol. */
export function interfaceBlock(linkType: number, resolution = 6, options: InterfaceOptions = {}): Uint8Array {
  const { isBig = false, snapBytes = 0, offsetSeconds } = options;
  const n = isBig ? big : little;
  const offset =
    offsetSeconds === undefined
      ? new Uint8Array(0)
      : concat(n(14, 2), n(8, 2), isBig ? integer(offsetSeconds, 8) : integer(offsetSeconds, 8).reverse());
  return block(
    1,
    concat(
      n(linkType, 2),
      n(0, 2),
      n(snapBytes, 4),
      n(9, 2),
      n(1, 2),
      Uint8Array.of(resolution, 0, 0, 0),
      offset,
      n(0, 4),
    ),
    isBig,
  );
}

/** `units` since 1970 in the interface's resolution. */
export function packetBlock(interfaceId: number, units: bigint, bytes: Uint8Array, isBig = false) {
  const n = isBig ? big : little;
  const time = concat(n(Number(units >> 32n), 4), n(Number(units & 0xffff_ffffn), 4));
  return block(6, concat(n(interfaceId, 4), time, n(bytes.length, 4), n(bytes.length, 4), bytes), isBig);
}

/** The obsolete packet block. */
export function oldPacketBlock(interfaceId: number, units: bigint, bytes: Uint8Array): Uint8Array {
  const time = concat(little(units >> 32n, 4), little(units & 0xffff_ffffn, 4));
  const length = little(bytes.length, 4);
  return block(2, concat(little(interfaceId, 2), little(0, 2), time, length, length, bytes));
}

/** `wireBytes` is all that a simple packet block states. */
export const simplePacketBlock = (bytes: Uint8Array, wireBytes = bytes.length) =>
  block(3, concat(little(wireBytes, 4), bytes));

/** RFC 9293 section 3.1, checksum left out. */
export const tcp = (ends: Endpoints, sequence: number, payload: Uint8Array, flags = 0x10) =>
  concat(
    big(ends.sourcePort, 2),
    big(ends.destinationPort, 2),
    big(sequence >>> 0, 4),
    big(0, 4),
    Uint8Array.of(0x50, flags),
    big(65_535, 2),
    big(0, 4),
    payload,
  );
