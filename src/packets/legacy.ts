// NetFlow v1 and v7 datagram -> the same records as v5, through the optional node-netflowv9
//
// Why that decoder is used here and nowhere else: it has no IPFIX, a set of length 0 hangs it, one datagram shorter than
// 20 bytes stalls its receive loop for good, and its licence is GPLv2. So v5, v9 and IPFIX are our own, and this one is an
// optional dependency for two versions without templates, whose lengths are checked here first. Its receive loop and its
// sockets are never used. Each record is handed over alone: it steps 48 bytes, where v7 records and many v1 exporters have
// 52, and its v7 function throws on every datagram for that reason. The first 46 bytes of a v7 record are those of v5.
import { createRequire } from 'node:module';
import { parseAddress } from '../model/addresses.ts';
import type { ExporterSession } from './session.ts';

/** Names as node-netflowv9 gives them. */
interface LegacyFlow {
  readonly ipv4_src_addr: string;
  readonly ipv4_dst_addr: string;
  readonly ipv4_next_hop: string;
  readonly input_snmp: number;
  readonly output_snmp: number;
  readonly in_pkts: number;
  readonly in_bytes: number;
  readonly first_switched: number;
  readonly last_switched: number;
  readonly l4_src_port?: number;
  readonly l4_dst_port?: number;
  /** What its v5 function calls them. */
  readonly ipv4_src_port?: number;
  readonly ipv4_dst_port?: number;
  readonly protocol: number;
  readonly src_tos: number;
  readonly tcp_flags: number;
  readonly in_as?: number;
  readonly out_as?: number;
  readonly src_mask?: number;
  readonly dst_mask?: number;
}

type LegacyDecoder = (datagram: Buffer, sender: object) => { readonly flows: readonly LegacyFlow[] };

interface LegacyDecoders {
  readonly 1: LegacyDecoder;
  readonly 7: LegacyDecoder;
}

let decoders: LegacyDecoders | undefined | 'absent';

/** Loaded at the first datagram that needs it. */
function loadDecoders(): LegacyDecoders | undefined {
  if (decoders === undefined) {
    const load = createRequire(import.meta.url);
    try {
      decoders = {
        1: load('node-netflowv9/js/nf1/nf1decode.js'),
        7: load('node-netflowv9/js/nf5/nf5decode.js'),
      };
    } catch {
      decoders = 'absent';
    }
  }
  return decoders === 'absent' ? undefined : decoders;
}

const V5_RECORD_BYTES = 48;
const HEADER_BYTES = { 1: 16, 7: 24 } as const;
/** Cisco, NetFlow Export Datagram Formats, tables B-1 and B-5; softflowd sends 29 records of v1, where Cisco's are 24 at most. */
const MOST_RECORDS = { 1: 30, 7: 30 } as const;

/**
 * The records of a v1 or v7 datagram in v5's layout, 48 bytes each; undefined where the header's count and the length of the
 * datagram do not agree (counted as malformed) or the decoder is not installed (counted as unsupported).
 */
export function readLegacyRecords(
  session: ExporterSession,
  bytes: Uint8Array,
  version: 1 | 7,
): Uint8Array | undefined {
  const count = bytes[2] * 256 + bytes[3];
  const headerBytes = HEADER_BYTES[version];
  const recordBytes = (bytes.length - headerBytes) / count;
  const isWhole = recordBytes === 52 || (version === 1 && recordBytes === 48);
  if (count === 0 || count > MOST_RECORDS[version] || !isWhole) {
    session.counters.malformed['record-count']++;
    return undefined;
  }
  const decode = loadDecoders()?.[version];
  if (!decode) {
    session.counters.unsupported++;
    return undefined;
  }
  const records = new Uint8Array(count * V5_RECORD_BYTES);
  const single = Buffer.alloc(headerBytes + V5_RECORD_BYTES);
  single.set(bytes.subarray(0, headerBytes));
  for (let i = 0; i < count; i++) {
    const start = headerBytes + i * recordBytes;
    single.set(bytes.subarray(start, start + V5_RECORD_BYTES), headerBytes);
    writeRecord(new DataView(records.buffer, i * V5_RECORD_BYTES), decode(single, {}).flows[0]);
  }
  return records;
}

/** Cisco, NetFlow Export Datagram Formats, table B-4. */
function writeRecord(view: DataView, flow: LegacyFlow): void {
  view.setUint32(0, Number(parseAddress(flow.ipv4_src_addr)));
  view.setUint32(4, Number(parseAddress(flow.ipv4_dst_addr)));
  view.setUint32(8, Number(parseAddress(flow.ipv4_next_hop)));
  view.setUint16(12, flow.input_snmp);
  view.setUint16(14, flow.output_snmp);
  view.setUint32(16, flow.in_pkts);
  view.setUint32(20, flow.in_bytes);
  view.setUint32(24, flow.first_switched);
  view.setUint32(28, flow.last_switched);
  view.setUint16(32, flow.l4_src_port ?? flow.ipv4_src_port ?? 0);
  view.setUint16(34, flow.l4_dst_port ?? flow.ipv4_dst_port ?? 0);
  view.setUint8(37, flow.tcp_flags);
  view.setUint8(38, flow.protocol);
  view.setUint8(39, flow.src_tos);
  view.setUint16(40, flow.in_as ?? 0);
  view.setUint16(42, flow.out_as ?? 0);
  view.setUint8(44, flow.src_mask ?? 0);
  view.setUint8(45, flow.dst_mask ?? 0);
}
