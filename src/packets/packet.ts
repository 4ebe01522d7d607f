// what the header of one export datagram says, common to all versions

export interface Packet {
  readonly version: number;
  readonly view: DataView;
  readonly bytes: Uint8Array;
  /** Observation domain (IPFIX), source id (v9), engine type and id (v5). */
  readonly domainId: number;
  /** Epoch milliseconds by the exporter's clock. */
  readonly exportMs: number;
  /** Milliseconds since the exporter started, unsigned 32 bits; 0 where the header has none (IPFIX). */
  readonly uptimeMs: number;
  readonly sequence: number;
  readonly receivedAtMs: number;
  /** From the v5 header; 0 where it says nothing. */
  readonly samplingRate: number;
}
