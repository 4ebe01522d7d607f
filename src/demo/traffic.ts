// a span of time -> the NetFlow records that the played router would export for it

/** One direction of one flow, as metered on the inside interface: before translation, both ways. */
export interface TrafficRecord {
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly protocol: number;
  readonly packetCount: number;
  readonly byteCount: number;
  readonly inputInterface: number;
  readonly outputInterface: number;
  /** IE 61: 0 ingress, 1 egress. */
  readonly direction: 0 | 1;
  readonly startMs: number;
  readonly endMs: number;
}

/** A flow both ways, in packets a second. */
interface Conversation {
  readonly inside: string;
  readonly outside: string;
  readonly insidePort: number;
  readonly outsidePort: number;
  readonly protocol: number;
  readonly outPackets: number;
  readonly outBytesEach: number;
  readonly returnPackets: number;
  readonly returnBytesEach: number;
}

const INSIDE_INTERFACE = 1;
const OUTSIDE_INTERFACE = 2;
const TCP = 6;
const UDP = 17;

/** Browsing: small requests to a content network, large answers. */
const BROWSING: readonly Conversation[] = [10, 11, 12].map((host, i) => ({
  inside: `10.20.0.${host}`,
  outside: `198.51.100.${7 + i}`,
  insidePort: 50_120 + i,
  outsidePort: 443,
  protocol: TCP,
  outPackets: 1.2 + i * 0.4,
  outBytesEach: 110,
  returnPackets: 1.3 + i * 0.5,
  returnBytesEach: 1150,
}));

/** The relay's inside address: the exporter meters before the router translates it. */
const STREAM: readonly Conversation[] = [10, 11].map((host) => ({
  inside: `10.20.0.${host}`,
  outside: '10.20.0.250',
  insidePort: 40_000 + host,
  outsidePort: 8443,
  protocol: UDP,
  outPackets: 420,
  outBytesEach: 1200,
  returnPackets: 4.6,
  returnBytesEach: 80,
}));

export const browsing = (fromMs: number, toMs: number): TrafficRecord[] => recordsOf(BROWSING, fromMs, toMs);
export const streaming = (fromMs: number, toMs: number): TrafficRecord[] => recordsOf(STREAM, fromMs, toMs);

function recordsOf(conversations: readonly Conversation[], fromMs: number, toMs: number): TrafficRecord[] {
  const seconds = ((toMs - fromMs) / 1000) * swell(fromMs);
  return conversations.flatMap((one) => {
    const times = { protocol: one.protocol, startMs: fromMs, endMs: toMs };
    const outPackets = Math.round(one.outPackets * seconds);
    const returnPackets = Math.round(one.returnPackets * seconds);
    const out: TrafficRecord = {
      ...times,
      source: one.inside,
      destination: one.outside,
      sourcePort: one.insidePort,
      destinationPort: one.outsidePort,
      packetCount: outPackets,
      byteCount: outPackets * one.outBytesEach,
      inputInterface: INSIDE_INTERFACE,
      outputInterface: OUTSIDE_INTERFACE,
      direction: 0,
    };
    const back: TrafficRecord = {
      ...times,
      source: one.outside,
      destination: one.inside,
      sourcePort: one.outsidePort,
      destinationPort: one.insidePort,
      packetCount: returnPackets,
      byteCount: returnPackets * one.returnBytesEach,
      inputInterface: OUTSIDE_INTERFACE,
      outputInterface: INSIDE_INTERFACE,
      direction: 1,
    };
    return [out, back].filter((record) => record.packetCount > 0);
  });
}

/** Traffic comes and goes by a fifth, the same in every run at the same time. */
const swell = (atMs: number) => 1 + 0.2 * Math.sin((2 * Math.PI * atMs) / 1_260_000);
