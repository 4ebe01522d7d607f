// the fields of one record -> values by element name, with lists as structures (RFC 6313)

import { namerOf } from './elements/enumerations.ts';
import { type Element, elementByNumber, scopeName } from './elements.ts';
import type { Packet } from './packet.ts';
import { type Template, VARIABLE_LENGTH } from './template.ts';
import { hex, readValue, type ScalarValue } from './values.ts';
import { type Places, walkRecords } from './walk.ts';

/** Of RFC 6313; `bytes` in place of the records where their template is not known. */
export interface ListValue {
  readonly semantic: string;
  readonly element?: string;
  readonly values?: readonly FieldValue[];
  readonly template?: number;
  readonly records?: readonly Fields[];
  readonly bytes?: string;
  readonly lists?: readonly Omit<ListValue, 'semantic'>[];
  /** Values or records beyond the bound on one record. */
  readonly omitted?: number;
}
export type FieldValue = ScalarValue | ListValue;
export type Fields = Readonly<Record<string, FieldValue | readonly FieldValue[]>>;

export interface ReadFields {
  readonly values: Fields;
  /** By element name, of those that have one; elements in lists included. */
  readonly units: Readonly<Record<string, string>>;
  /** What enumerated values mean, by element name, of the record itself. */
  readonly names: Readonly<Record<string, string | readonly string[]>>;
}

/** Lists in lists beyond this are left as hex. */
const MOST_DEPTH = 8;
/** Over all lists of a record. */
const MOST_VALUES = 4_096;

interface Reading {
  readonly packet: Packet;
  readonly templates: ReadonlyMap<number, Template>;
  readonly units: Record<string, string>;
  readonly names: Record<string, string | string[]>;
  valuesLeft: number;
}

/** The fields of a record that lies at `places`; padding and fields of no length are left out. */
export function readFields(template: Template, packet: Packet, places: Places): ReadFields {
  const reading: Reading = {
    packet,
    templates: template.domain.templates,
    units: {},
    names: {},
    valuesLeft: MOST_VALUES,
  };
  const values = readRecord(reading, template, places, 0);
  return { values, units: reading.units, names: reading.names };
}

function readRecord(reading: Reading, template: Template, places: Places, depth: number): Fields {
  const { fields, scopeFields } = template;
  const { version } = reading.packet;
  const values: Record<string, FieldValue | readonly FieldValue[]> = {};
  for (let i = 0, field = 0; i < fields.length; i += 3, field++) {
    const length = places[field * 2 + 1];
    if (fields[i + 1] === 0 || isPadding(fields[i], fields[i + 2])) continue;
    const element =
      version === 9 && field < scopeFields
        ? scopeElement(fields[i], length)
        : elementByNumber(version, fields[i], fields[i + 2]);
    const value = readField(reading, element, places[field * 2], length, depth);
    const name = depth === 0 && typeof value !== 'object' ? namerOf(element.name)?.(value) : undefined;
    if (name !== undefined) reading.names[element.name] = joined(reading.names[element.name], name);
    const earlier = values[element.name];
    // An element may stand in a record more than once (RFC 7011 section 8): in order.
    values[element.name] = joined(earlier, value);
  }
  return values;
}

const joined = <T>(earlier: T | readonly T[] | undefined, value: T): T | T[] =>
  earlier === undefined ? value : Array.isArray(earlier) ? [...earlier, value] : [earlier as T, value];

const isPadding = (id: number, enterprise: number) => id === 210 && enterprise === 0;

const scopeElement = (type: number, length: number): Element => ({
  name: scopeName(type),
  ...(length <= 8 && { type: 'u64' as const }),
});

function readField(
  reading: Reading,
  element: Element,
  offset: number,
  length: number,
  depth: number,
): FieldValue {
  const { bytes } = reading.packet;
  if (element.unit) reading.units[element.name] = element.unit;
  const end = offset + length;
  const list = depth < MOST_DEPTH ? readList(reading, element, offset, end, depth + 1) : undefined;
  return list ?? readValue(element, bytes, offset, length);
}

/** undefined where the element is no list, or its bytes are none. */
function readList(
  reading: Reading,
  element: Element,
  offset: number,
  end: number,
  depth: number,
): ListValue | undefined {
  switch (element.type) {
    case 'basicList':
      return readBasicList(reading, offset, end, depth);
    case 'subTemplateList':
      return readSubTemplateList(reading, offset, end, depth);
    case 'subTemplateMultiList':
      return readSubTemplateMultiList(reading, offset, end, depth);
    default:
      return undefined;
  }
}

/** RFC 6313 section 4.4 and iana.org/assignments/ipfix, structured data types semantics. */
const SEMANTICS: Readonly<Record<number, string>> = {
  0: 'noneOf',
  1: 'exactlyOneOf',
  2: 'oneOrMoreOf',
  3: 'allOf',
  4: 'ordered',
  255: 'undefined',
};
const semanticName = (value: number) => SEMANTICS[value] ?? String(value);

/** RFC 6313 section 4.5.1: semantic, one field specifier, the values one after another. */
function readBasicList(reading: Reading, offset: number, end: number, depth: number): ListValue | undefined {
  const { view, bytes, version } = reading.packet;
  if (offset + 5 > end) return undefined;
  const id = view.getUint16(offset + 1);
  const length = view.getUint16(offset + 3);
  const isEnterprise = id >= 0x8000;
  let at = offset + (isEnterprise ? 9 : 5);
  if (at > end || (length === 0 && at < end)) return undefined;
  const element = elementByNumber(version, id & 0x7fff, isEnterprise ? view.getUint32(offset + 5) : 0);
  const values: FieldValue[] = [];
  let omitted = 0;
  while (at < end) {
    let valueBytes = length;
    if (length === VARIABLE_LENGTH) {
      valueBytes = bytes[at++];
      if (valueBytes === 255) {
        if (at + 2 > end) return undefined;
        valueBytes = view.getUint16(at);
        at += 2;
      }
    }
    if (at + valueBytes > end) return undefined;
    if (reading.valuesLeft-- > 0) values.push(readField(reading, element, at, valueBytes, depth));
    else omitted++;
    at += valueBytes;
  }
  const semantic = semanticName(bytes[offset]);
  return { semantic, element: element.name, values, ...(omitted > 0 && { omitted }) };
}

/** RFC 6313 section 4.5.2: semantic, one template, its records. */
function readSubTemplateList(
  reading: Reading,
  offset: number,
  end: number,
  depth: number,
): ListValue | undefined {
  if (offset + 3 > end) return undefined;
  const records = readSubRecords(reading, reading.packet.view.getUint16(offset + 1), offset + 3, end, depth);
  return records && { semantic: semanticName(reading.packet.bytes[offset]), ...records };
}

/** RFC 6313 section 4.5.3: semantic, then blocks of template, length in bytes with these four, records. */
function readSubTemplateMultiList(
  reading: Reading,
  offset: number,
  end: number,
  depth: number,
): ListValue | undefined {
  const { view, bytes } = reading.packet;
  if (offset + 1 > end) return undefined;
  const lists: Omit<ListValue, 'semantic'>[] = [];
  let omitted = 0;
  for (let at = offset + 1; at < end; ) {
    if (at + 4 > end) return undefined;
    const length = view.getUint16(at + 2);
    if (length < 4 || at + length > end) return undefined;
    if (reading.valuesLeft-- > 0) {
      const records = readSubRecords(reading, view.getUint16(at), at + 4, at + length, depth);
      if (!records) return undefined;
      lists.push(records);
    } else omitted++;
    at += length;
  }
  return { semantic: semanticName(bytes[offset]), lists, ...(omitted > 0 && { omitted }) };
}

function readSubRecords(
  reading: Reading,
  id: number,
  start: number,
  end: number,
  depth: number,
): Omit<ListValue, 'semantic'> | undefined {
  const { packet } = reading;
  const template = reading.templates.get(id);
  if (!template) return { template: id, bytes: hex(packet.bytes.subarray(start, end)) };
  const records: Fields[] = [];
  let omitted = 0;
  const count = walkRecords(template, packet, start, end, (places) => {
    if (reading.valuesLeft-- > 0) records.push(readRecord(reading, template, places, depth));
    else omitted++;
  });
  if (count < 0) return undefined;
  return { template: id, records, ...(omitted > 0 && { omitted }) };
}
