// a data set + its template -> where each field of each record lies; for options and printing, not for the fast path
import type { Packet } from './packet.ts';
import { fieldCount, type Template, VARIABLE_LENGTH } from './template.ts';

/** Two numbers a field: offset in packet.bytes, length in bytes. */
export type Places = Uint32Array;

/**
 * Calls onRecord for each whole record of [start, end); what is left behind the last and shorter than a record is padding
 * (RFC 7011 section 3.3.1). Returns the number of records, or minus one minus that number where one ran past the end.
 */
export function walkRecords(
  template: Template,
  packet: Packet,
  start: number,
  end: number,
  onRecord: (places: Places, start: number, end: number) => void,
): number {
  const places = new Uint32Array(fieldCount(template) * 2);
  let offset = start;
  let records = 0;
  while (template.minimumBytes > 0 && offset + template.minimumBytes <= end) {
    const next = placeFields(template, packet, offset, end, places);
    if (next < 0) return -1 - records;
    onRecord(places, offset, next);
    records++;
    offset = next;
  }
  return records;
}

function placeFields(
  template: Template,
  { view }: Packet,
  start: number,
  end: number,
  places: Places,
): number {
  const { fields } = template;
  let offset = start;
  for (let i = 1, place = 0; i < fields.length; i += 3, place += 2) {
    let length = fields[i];
    if (length === VARIABLE_LENGTH) {
      // RFC 7011 section 7: one byte, or 255 and two bytes.
      if (offset + 1 > end) return -1;
      length = view.getUint8(offset++);
      if (length === 255) {
        if (offset + 2 > end) return -1;
        length = view.getUint16(offset);
        offset += 2;
      }
    }
    if (offset + length > end) return -1;
    places[place] = offset;
    places[place + 1] = length;
    offset += length;
  }
  return offset;
}

/** An unsigned big-endian integer of 0 to 8 bytes; longer ones give undefined. */
export function readUnsigned(bytes: Uint8Array, offset: number, length: number): number | undefined {
  if (length > 8) return undefined;
  let value = 0;
  for (let i = 0; i < length; i++) value = value * 256 + bytes[offset + i];
  return value;
}
