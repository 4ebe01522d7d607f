// the noun of traffic: one minute between an internal and an external address

/** Addresses are text. Packet and byte counts are as exported; multiply by samplingRate to scale. */
export interface Conversation {
  /** Start of the minute. */
  readonly minuteMs: number;
  readonly exporter: string;
  /** The external side's SNMP interface index; 0 unknown. */
  readonly interface: number;
  readonly internal: string;
  readonly external: string;
  readonly externalPort: number;
  readonly protocol: number;
  readonly outBytes: number;
  readonly outPackets: number;
  readonly outFlows: number;
  readonly inBytes: number;
  readonly inPackets: number;
  readonly inFlows: number;
  /** 1 is unsampled. */
  readonly samplingRate: number;
  /** Who states the rate, as SAMPLING_ORIGINS of src/packets/records.ts; 'unknown' for what was stored before it was kept. */
  readonly samplingOrigin: string;
  /** A bit of 32 for each port of the internal side: equal ones in two exporters are the same flows, disjoint ones are not. */
  readonly internalPorts: number;
  readonly tcpFlags: number;
  /** The internal address after source translation, or the address that the internal side addressed before destination translation. */
  readonly translated?: string;
  /** Enrichment of the external address at the time. */
  readonly asn: number;
  readonly category: string;
}
