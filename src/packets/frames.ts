// a captured frame of one link type -> the UDP datagram or TCP segment in it
import { addressText } from './address-text.ts';
import type { Fragments } from './fragments.ts';
import type { TcpSegment } from './tcp-streams.ts';

export interface UdpDatagram {
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
  readonly payload: Uint8Array;
}

/** Why a frame gave no datagram: of no interest, part of a datagram still to come, or cut off by the capture's snap length. */
export type Unread = 'other' | 'fragment' | 'snapped';
type Read = UdpDatagram | TcpSegment | Unread;

const IPV4 = 0x0800;
const IPV6 = 0x86dd;
const UDP = 17;
const TCP = 6;
/** Of IPFIX over TCP: other streams that are cut off are no loss. */
const IPFIX_PORT = 4739;
const VLAN_TYPES = new Set([0x8100, 0x88a8, 0x9100, 0x9200]);
const MOST_VLAN_TAGS = 4;
const MOST_EXTENSION_HEADERS = 8;

/** Link types by number (tcpdump.org/linktypes.html). */
export function readFrame(linkType: number, frame: Uint8Array, atMs: number, fragments: Fragments): Read {
  switch (linkType) {
    case 0: // NULL: address family in the capturing host's byte order
    case 108: // LOOP: the same in network order
      return readIp(frame.subarray(4), atMs, fragments);
    case 1:
      return readEtherType(frame, 12, atMs, fragments);
    case 12:
    case 14:
    case 101:
    case 228:
    case 229:
      return readIp(frame, atMs, fragments);
    case 113: // LINUX_SLL: 16 bytes, protocol last
      return readEtherType(frame, 14, atMs, fragments);
    case 276: // LINUX_SLL2: 20 bytes, protocol first
      return readProtocol(frame, word(frame, 0), 20, atMs, fragments);
    default:
      return 'other';
  }
}

const word = (bytes: Uint8Array, offset: number) => ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0);

/** The EtherType stands at `offset`. */
function readEtherType(frame: Uint8Array, offset: number, atMs: number, fragments: Fragments) {
  return readProtocol(frame, word(frame, offset), offset + 2, atMs, fragments);
}

/** IEEE 802.1Q and 802.1ad: a tag and another EtherType for each VLAN. */
function readProtocol(frame: Uint8Array, type: number, offset: number, atMs: number, fragments: Fragments) {
  let etherType = type;
  let start = offset;
  for (let tags = 0; tags < MOST_VLAN_TAGS && VLAN_TYPES.has(etherType); tags++) {
    etherType = word(frame, start + 2);
    start += 4;
  }
  return etherType === IPV4 || etherType === IPV6 ? readIp(frame.subarray(start), atMs, fragments) : 'other';
}

function readIp(packet: Uint8Array, atMs: number, fragments: Fragments): Read {
  const version = packet.length > 0 ? packet[0] >> 4 : 0;
  if (version === 4) return readIpv4(packet, atMs, fragments);
  return version === 6 ? readIpv6(packet, atMs, fragments) : 'other';
}

/** RFC 791 section 3.1. */
function readIpv4(packet: Uint8Array, atMs: number, fragments: Fragments): Read {
  const headerBytes = (packet[0] & 15) * 4;
  const protocol = packet[9];
  if (headerBytes < 20 || packet.length < headerBytes || (protocol !== UDP && protocol !== TCP))
    return 'other';
  const length = word(packet, 2);
  if (length < headerBytes) return 'other';
  if (length > packet.length) return snapped(protocol, packet, headerBytes);
  const source = addressText(packet, 12, 4);
  const destination = addressText(packet, 16, 4);
  const body = packet.subarray(headerBytes, length);
  const flags = word(packet, 6);
  const hasMore = (flags & 0x2000) !== 0;
  const offset = (flags & 0x1fff) * 8;
  if (!hasMore && offset === 0)
    return protocol === TCP ? readTcp(source, destination, body) : readUdp(source, destination, body);
  if (protocol === TCP) return 'other';
  const whole = fragments.add(`${source} ${destination} ${word(packet, 4)}`, offset, hasMore, body, atMs);
  return whole ? readUdp(source, destination, whole) : 'fragment';
}

/** RFC 8200 sections 3 and 4. */
function readIpv6(packet: Uint8Array, atMs: number, fragments: Fragments): Read {
  if (packet.length < 40) return 'other';
  const end = 40 + word(packet, 4);
  if (end > packet.length) return snapped(packet[6], packet, 40);
  const source = addressText(packet, 8, 16);
  const destination = addressText(packet, 24, 16);
  let next = packet[6];
  let offset = 40;
  for (let headers = 0; headers < MOST_EXTENSION_HEADERS && offset + 8 <= end; headers++) {
    if (next === UDP) return readUdp(source, destination, packet.subarray(offset, end));
    if (next === TCP) return readTcp(source, destination, packet.subarray(offset, end));
    if (next === 44) {
      if (packet[offset] !== UDP) return 'other';
      const id = `${source} ${destination} ${word(packet, offset + 4)}.${word(packet, offset + 6)}`;
      const place = word(packet, offset + 2);
      const body = packet.subarray(offset + 8, end);
      const whole = fragments.add(id, place & 0xfff8, (place & 1) !== 0, body, atMs);
      return whole ? readUdp(source, destination, whole) : 'fragment';
    }
    // Hop-by-hop, routing and destination options.
    if (next !== 0 && next !== 43 && next !== 60) return 'other';
    next = packet[offset];
    offset += (packet[offset + 1] + 1) * 8;
  }
  return 'other';
}

/** Cut off by the capture; only what may have been flow export is told. */
function snapped(protocol: number, packet: Uint8Array, headerBytes: number): Unread {
  const isExport = word(packet, headerBytes) === IPFIX_PORT || word(packet, headerBytes + 2) === IPFIX_PORT;
  return protocol === TCP && !isExport ? 'other' : 'snapped';
}

/** RFC 9293 section 3.1. */
function readTcp(source: string, destination: string, body: Uint8Array): Read {
  const headerBytes = ((body[12] ?? 0) >> 4) * 4;
  if (headerBytes < 20 || headerBytes > body.length) return 'other';
  return {
    source,
    sourcePort: word(body, 0),
    destination,
    destinationPort: word(body, 2),
    sequence: ((word(body, 4) << 16) | word(body, 6)) >>> 0,
    isSyn: (body[13] & 0x02) !== 0,
    isEnd: (body[13] & 0x05) !== 0,
    segment: body.subarray(headerBytes),
  };
}

/** RFC 768. */
function readUdp(source: string, destination: string, body: Uint8Array): Read {
  if (body.length < 8) return 'other';
  const length = word(body, 4);
  if (length < 8) return 'other';
  if (length > body.length) return 'snapped';
  return {
    source,
    sourcePort: word(body, 0),
    destination,
    destinationPort: word(body, 2),
    payload: body.subarray(8, length),
  };
}
