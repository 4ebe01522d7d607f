// the columns into which every export datagram is decoded, and out of which flows are folded

/** Bits of `present`. */
export const HAS = {
  addresses: 1,
  reverse: 2,
  postNatSource: 4,
  postNatDestination: 8,
  times: 16,
  direction: 32,
  event: 128,
} as const;

/** Values of column `event` from here on are a firewall's: this plus firewallEvent; below it, natEvent. */
export const FIREWALL_EVENT = 128;
export const FIREWALL_CREATED = FIREWALL_EVENT + 1;
export const FIREWALL_DELETED = FIREWALL_EVENT + 2;
export const FIREWALL_DENIED = FIREWALL_EVENT + 3;
export const FIREWALL_UPDATED = FIREWALL_EVENT + 5;

/**
 * Where a sampling rate comes from, as column `samplingOrigin` holds it by place:
 * none: nobody states one, so it is taken as 1; header: of the datagram (v5); record: the record states it (elements 34, 50,
 * 305 and 306; every sFlow sample); sampler: options by sampler or selector id; interface: options scoped to an
 * interface or line card;
 * exporter: options for the whole of its observation domain; setting: the operator's word.
 */
export const SAMPLING_ORIGINS = [
  'none',
  'header',
  'record',
  'sampler',
  'interface',
  'exporter',
  'setting',
] as const;
export type SamplingOrigin = (typeof SAMPLING_ORIGINS)[number];

export const originCode = (origin: SamplingOrigin): number => SAMPLING_ORIGINS.indexOf(origin);

/**
 * Columns whose bit is not set in `present` hold leftovers of earlier records and must not be read: reverse*, postNat*,
 * direction, event, portRangeEnd; addresses without HAS.addresses. With HAS.event they are all zero where the record has none. Without HAS.times both times are the export time; with samplingOrigin 0 the
 * rate is 1. Absent ports, protocol, flags, interfaces and counters are 0.
 *
 * A fixed-capacity batch of flow records as columns; `count` records are valid. Addresses take four 32-bit words a record in
 * network order of significance; IPv4 is stored IPv4-mapped (words 0, 0, 0xffff, address; RFC 4291 section 2.5.5.2).
 * Byte and packet counts are as exported, not scaled. Times are epoch milliseconds.
 */
export interface RecordColumns {
  readonly capacity: number;
  count: number;
  /**
   * Rows before this one hold the prefix of IPv4 in source and destination from earlier records, so that readers of IPv4 alone,
   * nearly all there are, need not write it again. Readers of anything else lower it.
   */
  mapped: number;
  readonly present: Uint8Array;
  readonly source: Uint32Array;
  readonly destination: Uint32Array;
  readonly postNatSource: Uint32Array;
  readonly postNatDestination: Uint32Array;
  /** Meaningful where HAS.postNatSource; 0 where the exporter does not say. */
  readonly postNatSourcePort: Uint16Array;
  /** Meaningful where HAS.postNatDestination; 0 where the exporter does not say. */
  readonly postNatDestinationPort: Uint16Array;
  readonly sourcePort: Uint16Array;
  readonly destinationPort: Uint16Array;
  readonly protocol: Uint8Array;
  readonly tcpFlags: Uint8Array;
  /** 0 ingress, 1 egress (IE 61); meaningful where HAS.direction. */
  readonly direction: Uint8Array;
  /**
   * What the record tells of instead of traffic, or besides it, where HAS.event: natEvent (IE 230; RFC 8158), or
   * FIREWALL_EVENT plus firewallEvent (IE 233, 40005). Never 0 or FIREWALL_EVENT itself.
   */
  readonly event: Uint8Array;
  /** Meaningful where HAS.event: the last port of a block that begins with postNatSourcePort; 0: no block. */
  readonly portRangeEnd: Uint16Array;
  readonly inputInterface: Uint32Array;
  readonly outputInterface: Uint32Array;
  readonly bytes: Float64Array;
  readonly packets: Float64Array;
  readonly reverseBytes: Float64Array;
  readonly reversePackets: Float64Array;
  readonly startMs: Float64Array;
  readonly endMs: Float64Array;
  /** One packet in so many. */
  readonly samplingRate: Float64Array;
  /** Places in SAMPLING_ORIGINS. */
  readonly samplingOrigin: Uint8Array;
}

export function createRecordColumns(capacity: number): RecordColumns {
  const words = () => new Uint32Array(capacity * 4);
  const doubles = () => new Float64Array(capacity);
  return {
    capacity,
    count: 0,
    mapped: 0,
    present: new Uint8Array(capacity),
    source: words(),
    destination: words(),
    postNatSource: words(),
    postNatDestination: words(),
    postNatSourcePort: new Uint16Array(capacity),
    postNatDestinationPort: new Uint16Array(capacity),
    sourcePort: new Uint16Array(capacity),
    destinationPort: new Uint16Array(capacity),
    protocol: new Uint8Array(capacity),
    tcpFlags: new Uint8Array(capacity),
    direction: new Uint8Array(capacity),
    event: new Uint8Array(capacity),
    portRangeEnd: new Uint16Array(capacity),
    inputInterface: new Uint32Array(capacity),
    outputInterface: new Uint32Array(capacity),
    bytes: doubles(),
    packets: doubles(),
    reverseBytes: doubles(),
    reversePackets: doubles(),
    startMs: doubles(),
    endMs: doubles(),
    samplingRate: doubles(),
    samplingOrigin: new Uint8Array(capacity),
  };
}

/** Makes rows `from` to `until` (exclusive) ready for IPv4 addresses in word 3; rows before `from` are left as they are. */
export function mapRows(columns: RecordColumns, from: number, until: number): void {
  const { source, destination, mapped } = columns;
  for (let at = Math.max(from, mapped) * 4; at < until * 4; at += 4) {
    source[at] = source[at + 1] = destination[at] = destination[at + 1] = 0;
    source[at + 2] = destination[at + 2] = 0xffff;
  }
  if (mapped >= from) columns.mapped = Math.max(mapped, until);
}
