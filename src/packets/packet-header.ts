// the first bytes of a sampled packet -> addresses, ports and lengths of the IP packet in it

/** Fields of the packet as far as its header goes; addresses and MACs are views of the datagram. */
export interface PacketHeader {
  source: Uint8Array | undefined;
  destination: Uint8Array | undefined;
  sourcePort: number;
  /** For ICMP type * 256 + code. */
  destinationPort: number;
  protocol: number;
  tcpFlags: number;
  tos: number;
  /** Of the outermost tag; 0 without one. */
  vlan: number;
  /** Of the IP packet, as NetFlow counts: without its frame. */
  byteCount: number;
  sourceMac: Uint8Array | undefined;
  destinationMac: Uint8Array | undefined;
}

const VLAN_TYPES: ReadonlySet<number> = new Set([0x8100, 0x88a8, 0x9100, 0x9200]);
const MPLS_TYPES: ReadonlySet<number> = new Set([0x8847, 0x8848]);
const PPPOE_SESSION = 0x8864;
const PPP_IPV4 = 0x0021;
const PPP_IPV6 = 0x0057;
const MOST_TAGS = 4;
const MOST_LABELS = 8;
const MOST_EXTENSION_HEADERS = 8;
const ICMP = 1;
const TCP = 6;
const ICMPV6 = 58;
/** Protocols whose header begins with two ports: TCP, UDP, DCCP, SCTP, UDP-Lite. */
const WITH_PORTS: ReadonlySet<number> = new Set([TCP, 17, 33, 132, 136]);

const word = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);

/** IEEE 802.3 with 802.1Q tags, MPLS labels (RFC 3032) or PPPoE (RFC 2516) before the IP packet. Bytes that are missing stay 0. */
export function readEthernet(bytes: Uint8Array, into: PacketHeader): void {
  if (bytes.length < 14) return;
  into.destinationMac = bytes.subarray(0, 6);
  into.sourceMac = bytes.subarray(6, 12);
  let type = word(bytes, 12);
  let at = 14;
  for (let tags = 0; tags < MOST_TAGS && VLAN_TYPES.has(type); tags++) {
    if (tags === 0) into.vlan = word(bytes, at) & 0xfff;
    type = word(bytes, at + 2);
    at += 4;
  }
  if (MPLS_TYPES.has(type)) {
    for (let labels = 0; labels < MOST_LABELS && at + 4 <= bytes.length; labels++) {
      at += 4;
      // The bottom of the stack.
      if ((bytes[at - 2] & 1) === 1) break;
    }
    readIp(bytes, at, into);
  } else if (type === PPPOE_SESSION) {
    const protocol = word(bytes, at + 6);
    if (protocol === PPP_IPV4 || protocol === PPP_IPV6) readIp(bytes, at + 8, into);
  } else if (type === 0x0800 || type === 0x86dd) readIp(bytes, at, into);
}

export function readIp(bytes: Uint8Array, at: number, into: PacketHeader): void {
  const version = (bytes[at] ?? 0) >> 4;
  if (version === 4) readIpv4(bytes, at, into);
  else if (version === 6) readIpv6(bytes, at, into);
}

/** RFC 791 section 3.1. */
function readIpv4(bytes: Uint8Array, at: number, into: PacketHeader): void {
  const headerBytes = (bytes[at] & 15) * 4;
  if (headerBytes < 20 || at + 20 > bytes.length) return;
  into.tos = bytes[at + 1];
  into.byteCount = word(bytes, at + 2);
  into.protocol = bytes[at + 9];
  into.source = bytes.subarray(at + 12, at + 16);
  into.destination = bytes.subarray(at + 16, at + 20);
  // A later fragment has no ports.
  if ((word(bytes, at + 6) & 0x1fff) === 0) readTransport(bytes, at + headerBytes, into);
}

/** RFC 8200 sections 3 and 4. */
function readIpv6(bytes: Uint8Array, at: number, into: PacketHeader): void {
  if (at + 40 > bytes.length) return;
  into.tos = (word(bytes, at) >> 4) & 0xff;
  into.byteCount = word(bytes, at + 4) + 40;
  into.source = bytes.subarray(at + 8, at + 24);
  into.destination = bytes.subarray(at + 24, at + 40);
  let next = bytes[at + 6];
  let body = at + 40;
  for (let headers = 0; headers < MOST_EXTENSION_HEADERS && body + 8 <= bytes.length; headers++) {
    if (next === 44) {
      const isLater = (word(bytes, body + 2) & 0xfff8) !== 0;
      next = bytes[body];
      body += 8;
      if (isLater) {
        into.protocol = next;
        return;
      }
    } else if (next === 0 || next === 43 || next === 60 || next === 135) {
      next = bytes[body];
      body += (bytes[body + 1] + 1) * 8;
    } else break;
  }
  into.protocol = next;
  readTransport(bytes, body, into);
}

function readTransport(bytes: Uint8Array, at: number, into: PacketHeader): void {
  if (at + 4 > bytes.length) return;
  if (into.protocol === ICMP || into.protocol === ICMPV6) into.destinationPort = word(bytes, at);
  else if (WITH_PORTS.has(into.protocol)) {
    into.sourcePort = word(bytes, at);
    into.destinationPort = word(bytes, at + 2);
    if (into.protocol === TCP && at + 14 <= bytes.length) into.tcpFlags = bytes[at + 13];
  }
}
