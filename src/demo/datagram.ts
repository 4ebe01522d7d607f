// records -> a NetFlow v9 datagram (RFC 3954)
import { parseAddress } from '../model/addresses.ts';
import type { TrafficRecord } from './traffic.ts';

export interface Heading {
  readonly exportMs: number;
  /** When the router was started: uptimes count from here. */
  readonly bootMs: number;
  /** Datagrams sent before this one. */
  readonly sequence: number;
  readonly withTemplate: boolean;
}

interface Column {
  /** RFC 3954 section 8. */
  readonly element: number;
  readonly byteLength: 1 | 2 | 4;
  readonly value: (record: TrafficRecord, bootMs: number) => number;
}

const COLUMNS: readonly Column[] = [
  { element: 8, byteLength: 4, value: (record) => Number(parseAddress(record.source)) },
  { element: 12, byteLength: 4, value: (record) => Number(parseAddress(record.destination)) },
  { element: 7, byteLength: 2, value: (record) => record.sourcePort },
  { element: 11, byteLength: 2, value: (record) => record.destinationPort },
  { element: 4, byteLength: 1, value: (record) => record.protocol },
  { element: 61, byteLength: 1, value: (record) => record.direction },
  { element: 10, byteLength: 4, value: (record) => record.inputInterface },
  { element: 14, byteLength: 4, value: (record) => record.outputInterface },
  { element: 2, byteLength: 4, value: (record) => record.packetCount },
  { element: 1, byteLength: 4, value: (record) => record.byteCount },
  { element: 22, byteLength: 4, value: (record, bootMs) => record.startMs - bootMs },
  { element: 21, byteLength: 4, value: (record, bootMs) => record.endMs - bootMs },
];
const RECORD_BYTES = COLUMNS.reduce((sum, { byteLength }) => sum + byteLength, 0);
const TEMPLATE_ID = 256;
/** With the template it stays below the 1,472 bytes that one Ethernet frame takes. */
export const MAX_RECORDS = 30;

/** At most MAX_RECORDS records. */
export function encodeDatagram(records: readonly TrafficRecord[], heading: Heading): Buffer {
  const header = Buffer.alloc(20);
  header.writeUInt16BE(9, 0);
  header.writeUInt16BE(records.length + (heading.withTemplate ? 1 : 0), 2);
  // The seconds below are whole, and the uptime belongs to the same moment.
  const exportSeconds = Math.floor(heading.exportMs / 1000);
  header.writeUInt32BE(exportSeconds * 1000 - heading.bootMs, 4);
  header.writeUInt32BE(exportSeconds, 8);
  header.writeUInt32BE(heading.sequence >>> 0, 12);
  return Buffer.concat([
    header,
    ...(heading.withTemplate ? [templateSet()] : []),
    ...(records.length > 0 ? [dataSet(records, heading.bootMs)] : []),
  ]);
}

function templateSet(): Buffer {
  const set = Buffer.alloc(8 + COLUMNS.length * 4);
  set.writeUInt16BE(0, 0);
  set.writeUInt16BE(set.length, 2);
  set.writeUInt16BE(TEMPLATE_ID, 4);
  set.writeUInt16BE(COLUMNS.length, 6);
  for (const [i, { element, byteLength }] of COLUMNS.entries()) {
    set.writeUInt16BE(element, 8 + i * 4);
    set.writeUInt16BE(byteLength, 10 + i * 4);
  }
  return set;
}

function dataSet(records: readonly TrafficRecord[], bootMs: number): Buffer {
  // Sets end on a multiple of four bytes (RFC 3954 section 5.3).
  const set = Buffer.alloc(Math.ceil((4 + records.length * RECORD_BYTES) / 4) * 4);
  set.writeUInt16BE(TEMPLATE_ID, 0);
  set.writeUInt16BE(set.length, 2);
  let at = 4;
  for (const record of records) {
    for (const { byteLength, value } of COLUMNS) {
      set.writeUIntBE(value(record, bootMs), at, byteLength);
      at += byteLength;
    }
  }
  return set;
}
