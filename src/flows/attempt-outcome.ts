// protocol, TCP flags, ports and counts of one record -> who began, and what became of the attempt
//
// Each record is judged alone. Exporters that send one record a direction tell the other half in another record, and the
// reader joins them (src/store/clickhouse/attempts.ts).

const FIN = 1;
const SYN = 2;
const RST = 4;
const PSH = 8;
const ACK = 16;
export const ICMP = 1;
export const TCP = 6;
export const UDP = 17;
export const ICMPV6 = 58;

/** Stored by these names. The first two are of the direction toward the host; `established` is it too, or a biflow. */
export const OUTCOMES = ['', 'unanswered', 'established', 'refused', 'answered'] as const;
/** No attempt, or one that this record says nothing of. */
export const NONE = 0;
export const UNANSWERED = 1;
/** Toward the host, and it shows that the host answered. */
export const ESTABLISHED = 2;
/** From the host (or a biflow): RST without data, ICMP unreachable. */
export const REFUSED = 3;
/** From the host: it sent something back. */
export const ANSWERED = 4;

/** Who of the two sides of a record began. */
export const SENDER = 0;
export const RECEIVER = 1;
export const EITHER = 2;

/** Systems take the ports of their own connections from here on (Linux 32768, RFC 6335 49152). */
const FIRST_EPHEMERAL = 32_768;
const FIRST_UNPRIVILEGED = 1024;
/** A knock is a packet or some retries; more in one direction is a stream (syslog, flow exports). */
const MAX_UDP_PACKETS = 5;
const MAX_RST_PACKETS = 10;

/** Which side's port looks like that of a service. */
export function beganByPorts(senderPort: number, receiverPort: number): number {
  for (const bound of [FIRST_UNPRIVILEGED, FIRST_EPHEMERAL]) {
    if (senderPort < bound && receiverPort >= bound) return RECEIVER;
    if (receiverPort < bound && senderPort >= bound) return SENDER;
  }
  return EITHER;
}

/**
 * For TCP and UDP. A biflow is told from the side of who began (RFC 5103 section 2), unless its exporter just takes the lower
 * address first, as softflowd does: so flags and ports come before that.
 */
export function whoBegan(
  protocol: number,
  flags: number,
  packets: number,
  senderPort: number,
  receiverPort: number,
  isBiflow: boolean,
): number {
  if (isBiflow && packets === 0) return RECEIVER;
  const byPorts = beganByPorts(senderPort, receiverPort);
  const orElse = isBiflow && byPorts === EITHER ? SENDER : byPorts;
  if (protocol !== TCP || flags === 0) return orElse;
  // Everything but the first packet and some RST carries ACK (RFC 9293 section 3.1); without it and RST it is crafted.
  if ((flags & (ACK | RST)) === 0 || isFirstSyn(flags)) return SENDER;
  // A client too sends a last RST of its own after its record has ended.
  if (isBareReset(flags))
    return senderPort >= FIRST_EPHEMERAL && receiverPort < FIRST_EPHEMERAL ? SENDER : RECEIVER;
  return orElse === EITHER && isLoneSynAck(flags, packets) ? RECEIVER : orElse;
}

const isBareReset = (flags: number) => (flags & (RST | SYN | PSH | FIN)) === RST;
export const isLoneSynAck = (flags: number, packets: number) =>
  packets === 1 && (flags & (SYN | ACK | RST | PSH | FIN)) === (SYN | ACK);
/** Only who begins sends such a packet. */
export const isFirstSyn = (flags: number) => (flags & (SYN | ACK)) === SYN;
export const hasSyn = (flags: number) => (flags & SYN) !== 0;

/** Of a TCP record toward the host; `reversePackets` is 0 where nothing came back or the record does not tell. */
export function outcomeOfTcp(
  flags: number,
  packets: number,
  bytes: number,
  reversePackets: number,
  reverseBytes: number,
  isV6: boolean,
): number {
  if (reversePackets > 0) return outcomeOfBiflow(flags, packets, reversePackets, reverseBytes, isV6);
  if (flags === 0) return packets <= 3 || bytes <= packets * 64 ? UNANSWERED : ESTABLISHED;
  if ((flags & ACK) === 0) return isBareReset(flags) ? NONE : UNANSWERED;
  if (isBareReset(flags)) return NONE;
  if ((flags & SYN) === 0) return packets >= 2 ? ESTABLISHED : UNANSWERED;
  // To acknowledge, the client must have been answered; one packet with both flags is crafted.
  const hasData = (flags & (PSH | FIN)) !== 0;
  return packets >= 3
    ? hasData || (flags & RST) === 0
      ? ESTABLISHED
      : UNANSWERED
    : twoPackets(flags, packets);
}

const twoPackets = (flags: number, packets: number) =>
  packets === 2 && (flags & RST) === 0 ? ESTABLISHED : UNANSWERED;

/** Flags are of one direction, or of both where an exporter does not tell them apart. */
function outcomeOfBiflow(
  flags: number,
  packets: number,
  reversePackets: number,
  reverseBytes: number,
  isV6: boolean,
): number {
  const isUnacknowledged = isFirstSyn(flags) && (flags & RST) === 0;
  if (isUnacknowledged && isResetSize(reverseBytes, reversePackets, isV6)) return REFUSED;
  const isOnce = packets <= reversePackets && packets <= 3;
  if (
    isOnce &&
    (flags & RST) !== 0 &&
    (flags & (PSH | FIN)) === 0 &&
    isResetSize(reverseBytes, reversePackets, isV6)
  )
    return REFUSED;
  if (flags === 0 && isOnce && isResetSize(reverseBytes, reversePackets, isV6)) return REFUSED;
  return ESTABLISHED;
}

/** A RST is bare headers, padded to 46 bytes on Ethernet at the most; an answer to SYN carries options besides. */
const isResetSize = (bytes: number, packets: number, isV6: boolean) => bytes <= packets * (isV6 ? 60 : 46);
/** As isResetSize, where no flags are there to confirm it: an answer with the one usual option has 44 bytes. */
const isBareSize = (bytes: number, packets: number, isV6: boolean) =>
  bytes > 0 && bytes <= packets * (isV6 ? 60 : 40);

/** Of a TCP record that the host sent; in a biflow that begins with the host, `reversePackets` are the client's. */
export function outcomeOfTcpAnswer(
  flags: number,
  packets: number,
  bytes: number,
  reversePackets: number,
  isV6: boolean,
): number {
  if (packets === 0) return reversePackets > 0 ? UNANSWERED : NONE;
  if (flags === 0 && packets <= 3 && isBareSize(bytes, packets, isV6)) return REFUSED;
  if (isBareReset(flags) && packets <= MAX_RST_PACKETS) return REFUSED;
  // Flags of both directions as one.
  const isReset = (flags & RST) !== 0 && (flags & (PSH | FIN)) === 0;
  if (reversePackets > 0 && packets <= 3 && isReset && isBareSize(bytes, packets, isV6)) return REFUSED;
  return reversePackets > 0 ? ESTABLISHED : ANSWERED;
}

export function outcomeOfUdpAnswer(packets: number, reversePackets: number): number {
  if (packets === 0) return reversePackets > 0 ? outcomeOfUdp(reversePackets, 0) : NONE;
  return reversePackets > 0 ? ESTABLISHED : ANSWERED;
}

export function outcomeOfUdp(packets: number, reversePackets: number): number {
  if (reversePackets > 0) return ESTABLISHED;
  return packets <= MAX_UDP_PACKETS ? UNANSWERED : NONE;
}

/** Toward the host. `typeAndCode` as exporters put it into the destination port: type * 256 + code. */
export function outcomeOfIcmp(protocol: number, typeAndCode: number, reversePackets: number): number {
  const type = typeAndCode >>> 8;
  // Echo, timestamp, information, address mask (RFC 792, RFC 950); echo (RFC 4443 section 4.1).
  const isRequest =
    protocol === ICMP ? type === 8 || type === 13 || type === 15 || type === 17 : type === 128;
  if (!isRequest) return NONE;
  return reversePackets > 0 ? ESTABLISHED : UNANSWERED;
}

/** From the host. An exporter that does not tell types says 0, which is the echo reply as well. */
export function outcomeOfIcmpAnswer(protocol: number, typeAndCode: number, packets: number): number {
  if (packets === 0) return NONE;
  const type = typeAndCode >>> 8;
  const code = typeAndCode & 0xff;
  if (protocol === ICMPV6) {
    // RFC 4443 section 3.1: unreachable; 4.2: echo reply.
    if (type === 1) return REFUSED;
    return type === 129 ? ANSWERED : NONE;
  }
  // RFC 1122 section 3.2.2.1: port unreachable, and administratively prohibited in three forms.
  if (type === 3) return code === 3 || code === 9 || code === 10 || code === 13 ? REFUSED : NONE;
  return type === 0 || type === 14 || type === 16 || type === 18 ? ANSWERED : NONE;
}
