// makes NetFlow v9 datagrams (RFC 3954) with records of 54 bytes, for the tests and the benchmark of this stage
import { parseAddress } from '../../src/model/addresses.ts';

export interface V9Record {
  readonly source: string;
  readonly destination: string;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly protocol?: number;
  readonly tcpFlags?: number;
  readonly bytes?: number;
  readonly packets?: number;
  readonly input?: number;
  readonly output?: number;
  readonly startMs?: number;
  readonly endMs?: number;
  /** IE 61; 0 ingress, 1 egress. */
  readonly direction?: number;
}

/** Field type, length; 54 bytes a record. */
const FIELDS = [
  [8, 4],
  [12, 4],
  [7, 2],
  [11, 2],
  [4, 1],
  [6, 1],
  [1, 4],
  [2, 4],
  [22, 4],
  [21, 4],
  [10, 4],
  [14, 4],
  [5, 1],
  [15, 4],
  [9, 1],
  [13, 1],
  [16, 4],
  [17, 4],
  [61, 1],
] as const;
export const RECORD_BYTES = FIELDS.reduce((sum, [, length]) => sum + length, 0);
const TEMPLATE_ID = 256;
const UPTIME_MS = 3_600_000;

/** A datagram of an exporter that started an hour before `exportMs`. */
export function v9Datagram(
  records: readonly V9Record[],
  options: {
    readonly exportMs: number;
    readonly sequence?: number;
    readonly sourceId?: number;
    readonly withTemplate?: boolean;
  },
): Buffer {
  const sets = [...(options.withTemplate === false ? [] : [templateSet()])];
  if (records.length > 0) sets.push(dataSet(records, options.exportMs));
  const header = Buffer.alloc(20);
  header.writeUInt16BE(9, 0);
  header.writeUInt16BE(records.length + (options.withTemplate === false ? 0 : 1), 2);
  header.writeUInt32BE(UPTIME_MS + (options.exportMs % 1000), 4);
  header.writeUInt32BE(Math.floor(options.exportMs / 1000), 8);
  header.writeUInt32BE((options.sequence ?? 0) >>> 0, 12);
  header.writeUInt32BE(options.sourceId ?? 0, 16);
  return Buffer.concat([header, ...sets]);
}

function templateSet(): Buffer {
  const set = Buffer.alloc(8 + FIELDS.length * 4);
  set.writeUInt16BE(0, 0);
  set.writeUInt16BE(set.length, 2);
  set.writeUInt16BE(TEMPLATE_ID, 4);
  set.writeUInt16BE(FIELDS.length, 6);
  FIELDS.forEach(([type, length], i) => {
    set.writeUInt16BE(type, 8 + i * 4);
    set.writeUInt16BE(length, 10 + i * 4);
  });
  return set;
}

function dataSet(records: readonly V9Record[], exportMs: number): Buffer {
  const set = Buffer.alloc(Math.ceil((4 + records.length * RECORD_BYTES) / 4) * 4);
  set.writeUInt16BE(TEMPLATE_ID, 0);
  set.writeUInt16BE(set.length, 2);
  // Uptime at export is UPTIME_MS plus the milliseconds that the header's whole seconds leave out.
  const uptime = (atMs: number) => UPTIME_MS + (exportMs % 1000) - (exportMs - atMs);
  records.forEach((record, i) => {
    const at = 4 + i * RECORD_BYTES;
    set.writeUInt32BE(Number(parseAddress(record.source)), at);
    set.writeUInt32BE(Number(parseAddress(record.destination)), at + 4);
    set.writeUInt16BE(record.sourcePort ?? 0, at + 8);
    set.writeUInt16BE(record.destinationPort ?? 0, at + 10);
    set.writeUInt8(record.protocol ?? 6, at + 12);
    set.writeUInt8(record.tcpFlags ?? 0, at + 13);
    set.writeUInt32BE(record.bytes ?? 0, at + 14);
    set.writeUInt32BE(record.packets ?? 0, at + 18);
    set.writeUInt32BE(uptime(record.startMs ?? exportMs), at + 22);
    set.writeUInt32BE(uptime(record.endMs ?? exportMs), at + 26);
    set.writeUInt32BE(record.input ?? 0, at + 30);
    set.writeUInt32BE(record.output ?? 0, at + 34);
    set.writeUInt8(record.direction ?? 0, at + 53);
  });
  return set;
}
