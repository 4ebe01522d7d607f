// datagrams -> the records of their columns as plain objects
import { formatAddress } from '../../src/model/addresses.ts';
import { decodeDatagram } from '../../src/packets/decode.ts';
import {
  createRecordColumns,
  HAS,
  type RecordColumns,
  SAMPLING_ORIGINS,
  type SamplingOrigin,
} from '../../src/packets/records.ts';
import {
  createSession,
  type ExporterSession,
  type SessionLimits,
  type Transport,
} from '../../src/packets/session.ts';

export const RECEIVED_AT_MS = 1_700_000_000_500;

export interface PlainRecord {
  readonly source?: string;
  readonly destination?: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly protocol: number;
  readonly tcpFlags: number;
  readonly direction?: number;
  readonly input: number;
  readonly output: number;
  readonly bytes: number;
  readonly packets: number;
  readonly reverseBytes?: number;
  readonly reversePackets?: number;
  readonly natSource?: string;
  readonly natSourcePort?: number;
  readonly natDestination?: string;
  readonly natDestinationPort?: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly hasTimes: boolean;
  readonly samplingRate: number;
  readonly samplingOrigin: SamplingOrigin;
}

export interface Decoder {
  readonly session: ExporterSession;
  /** Decodes datagrams and returns the records that came out of them. */
  decode(...datagrams: readonly Uint8Array[]): PlainRecord[];
  decodeAt(receivedAtMs: number, datagram: Uint8Array): PlainRecord[];
}

/** Small capacities make records cross batches. */
export function createDecoder(
  limits: Partial<SessionLimits> = {},
  capacity = 3,
  transport: Transport = 'stream',
): Decoder {
  const session = createSession('192.0.2.1', limits, transport);
  const columns = createRecordColumns(capacity);
  const decodeAt = (receivedAtMs: number, datagram: Uint8Array) => {
    const records: PlainRecord[] = [];
    const take = () => {
      for (let i = 0; i < columns.count; i++) records.push(recordAt(columns, i));
      columns.count = 0;
    };
    decodeDatagram(session, datagram, receivedAtMs, columns, take);
    take();
    return records;
  };
  return {
    session,
    decodeAt,
    decode: (...datagrams) => datagrams.flatMap((datagram) => decodeAt(RECEIVED_AT_MS, datagram)),
  };
}

function addressAt(words: Uint32Array, i: number): string {
  let value = 0n;
  for (let word = 0; word < 4; word++) value = (value << 32n) | BigInt(words[i * 4 + word]);
  return formatAddress(value >> 32n === 0xffffn ? Number(value & 0xffff_ffffn) : value);
}

export function recordAt(columns: RecordColumns, i: number): PlainRecord {
  const present = columns.present[i];
  return {
    ...(present & HAS.addresses && {
      source: addressAt(columns.source, i),
      destination: addressAt(columns.destination, i),
    }),
    sourcePort: columns.sourcePort[i],
    destinationPort: columns.destinationPort[i],
    protocol: columns.protocol[i],
    tcpFlags: columns.tcpFlags[i],
    ...(present & HAS.direction && { direction: columns.direction[i] }),
    input: columns.inputInterface[i],
    output: columns.outputInterface[i],
    bytes: columns.bytes[i],
    packets: columns.packets[i],
    ...(present & HAS.reverse && {
      reverseBytes: columns.reverseBytes[i],
      reversePackets: columns.reversePackets[i],
    }),
    ...(present & HAS.postNatSource && {
      natSource: addressAt(columns.postNatSource, i),
      natSourcePort: columns.postNatSourcePort[i],
    }),
    ...(present & HAS.postNatDestination && {
      natDestination: addressAt(columns.postNatDestination, i),
      natDestinationPort: columns.postNatDestinationPort[i],
    }),
    startMs: columns.startMs[i],
    endMs: columns.endMs[i],
    hasTimes: (present & HAS.times) !== 0,
    samplingRate: columns.samplingRate[i],
    samplingOrigin: SAMPLING_ORIGINS[columns.samplingOrigin[i]],
  };
}
