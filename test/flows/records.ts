// makes columns of records from plain objects, for the tests of this stage
import { mapped, parseAddress } from '../../src/model/addresses.ts';
import { createRecordColumns, HAS, originCode, type RecordColumns } from '../../src/packets/records.ts';

export interface TestRecord {
  readonly source?: string;
  readonly destination?: string;
  readonly postNatSource?: string;
  readonly postNatDestination?: string;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly protocol?: number;
  readonly tcpFlags?: number;
  readonly direction?: number;
  readonly input?: number;
  readonly output?: number;
  readonly bytes?: number;
  readonly packets?: number;
  readonly reverseBytes?: number;
  readonly reversePackets?: number;
  readonly startMs?: number;
  readonly endMs?: number;
  readonly samplingRate?: number;
}

export function recordColumns(records: readonly TestRecord[]): RecordColumns {
  const columns = createRecordColumns(Math.max(1, records.length));
  records.forEach((record, i) => {
    setRecord(columns, i, record);
  });
  columns.count = records.length;
  return columns;
}

function setRecord(columns: RecordColumns, i: number, record: TestRecord): void {
  const has = (bit: number, ...values: unknown[]) => (values.some((value) => value !== undefined) ? bit : 0);
  columns.present[i] =
    has(HAS.addresses, record.source, record.destination) |
    has(HAS.reverse, record.reverseBytes, record.reversePackets) |
    has(HAS.postNatSource, record.postNatSource) |
    has(HAS.postNatDestination, record.postNatDestination) |
    has(HAS.times, record.startMs, record.endMs) |
    has(HAS.direction, record.direction);
  setAddress(columns.source, i, record.source);
  setAddress(columns.destination, i, record.destination);
  setAddress(columns.postNatSource, i, record.postNatSource);
  setAddress(columns.postNatDestination, i, record.postNatDestination);
  columns.sourcePort[i] = record.sourcePort ?? 0;
  columns.destinationPort[i] = record.destinationPort ?? 0;
  columns.protocol[i] = record.protocol ?? 6;
  columns.tcpFlags[i] = record.tcpFlags ?? 0;
  columns.direction[i] = record.direction ?? 0;
  columns.inputInterface[i] = record.input ?? 0;
  columns.outputInterface[i] = record.output ?? 0;
  columns.bytes[i] = record.bytes ?? 0;
  columns.packets[i] = record.packets ?? 0;
  columns.reverseBytes[i] = record.reverseBytes ?? 0;
  columns.reversePackets[i] = record.reversePackets ?? 0;
  columns.startMs[i] = record.startMs ?? record.endMs ?? 0;
  columns.endMs[i] = record.endMs ?? record.startMs ?? 0;
  columns.samplingRate[i] = record.samplingRate ?? 1;
  columns.samplingOrigin[i] = originCode(record.samplingRate === undefined ? 'none' : 'record');
}

export function setAddress(column: Uint32Array, i: number, text: string | undefined): void {
  if (text === undefined) return;
  const value = mapped(parseAddress(text));
  for (let word = 0; word < 4; word++)
    column[i * 4 + word] = Number((value >> BigInt(96 - word * 32)) & 0xffff_ffffn);
}
