// a batch of conversations -> one block of ClickHouse's Native format: columns as they lie in memory, nothing to parse
// (https://clickhouse.com/docs/interfaces/formats/Native)
import type { ConversationBatch } from '../../flows/batch.ts';
import { mapped, parseAddress } from '../../model/addresses.ts';
import { CATEGORIES } from '../../model/enrichment.ts';
import { SAMPLING_ORIGINS } from '../../packets/records.ts';

const ORIGIN_TYPE = `Enum8(${SAMPLING_ORIGINS.map((origin, code) => `'${origin}' = ${code}`).join(', ')})`;
const TWO_32 = 2 ** 32;
const TWO_64 = 2 ** 64;

/** Rows `from` to `to` (exclusive), with the columns of the table `conversations` by name. */
export function conversationBlock(batch: ConversationBatch, from: number, to: number): Buffer {
  const columns: [name: string, type: string, data: Uint8Array][] = [
    ['minute', "DateTime('UTC')", bytesOf(batch.minute.subarray(from, to).map((minute) => minute * 60))],
    ['exporter', 'IPv6', exporterBytes(batch, from, to)],
    ['interface', 'UInt32', bytesOf(batch.interface.subarray(from, to))],
    ['internal', 'IPv6', addressBytes(batch.internal, from, to)],
    ['external', 'IPv6', addressBytes(batch.external, from, to)],
    ['external_port', 'UInt16', bytesOf(batch.externalPort.subarray(from, to))],
    ['protocol', 'UInt8', batch.protocol.subarray(from, to)],
    ['out_bytes', 'UInt64', countBytes(batch.outBytes, from, to)],
    ['out_packets', 'UInt64', countBytes(batch.outPackets, from, to)],
    ['out_flows', 'UInt32', bytesOf(batch.outFlows.subarray(from, to))],
    ['in_bytes', 'UInt64', countBytes(batch.inBytes, from, to)],
    ['in_packets', 'UInt64', countBytes(batch.inPackets, from, to)],
    ['in_flows', 'UInt32', bytesOf(batch.inFlows.subarray(from, to))],
    ['sampling_rate', 'UInt32', bytesOf(batch.samplingRate.subarray(from, to))],
    ['sampling_origin', ORIGIN_TYPE, batch.samplingOrigin.subarray(from, to)],
    ['tcp_flags', 'UInt8', batch.tcpFlags.subarray(from, to)],
    ['translated', 'IPv6', addressBytes(batch.translated, from, to)],
    ['asn', 'UInt32', bytesOf(batch.asn.subarray(from, to))],
    ['category', 'String', categoryBytes(batch.category, from, to)],
    ['internal_ports', 'UInt32', bytesOf(batch.internalPorts.subarray(from, to))],
  ];
  const parts: Uint8Array[] = [varint(columns.length), varint(to - from)];
  for (const [name, type, data] of columns) parts.push(text(name), text(type), data);
  return Buffer.concat(parts);
}

/** Numbers are little-endian, as on every platform that the engine runs on. */
export function bytesOf(column: Uint32Array | Uint16Array): Uint8Array {
  return new Uint8Array(column.buffer, column.byteOffset, column.byteLength);
}

export function countBytes(column: Float64Array, from: number, to: number): Uint8Array {
  const words = new Uint32Array((to - from) * 2);
  for (let row = from; row < to; row++) {
    const at = (row - from) * 2;
    const value = column[row];
    // A stranger's counters may be anything: below zero and no number are zero, beyond 64 bits is the largest.
    if (!(value > 0)) continue;
    const isTooLarge = value >= TWO_64;
    words[at] = isTooLarge ? 0xffff_ffff : value % TWO_32;
    words[at + 1] = isTooLarge ? 0xffff_ffff : value / TWO_32;
  }
  return bytesOf(words);
}

/** Words in network order of significance -> bytes in network order. */
export function addressBytes(column: Uint32Array, from: number, to: number): Uint8Array {
  return Buffer.from(column.slice(from * 4, to * 4).buffer).swap32();
}

function exporterBytes(batch: ConversationBatch, from: number, to: number): Uint8Array {
  const known = batch.exporters.map((address) =>
    Buffer.from(mapped(parseAddress(address)).toString(16).padStart(32, '0'), 'hex'),
  );
  const bytes = Buffer.allocUnsafe((to - from) * 16);
  for (let row = from; row < to; row++) known[batch.exporter[row]].copy(bytes, (row - from) * 16);
  return bytes;
}

function categoryBytes(column: Uint8Array, from: number, to: number): Uint8Array {
  const known = CATEGORIES.map(text);
  return Buffer.concat(Array.from(column.subarray(from, to), (category) => known[category]));
}

export function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([varint(bytes.length), bytes]);
}

/** LEB128. */
export function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}
