// a batch of conversations -> tab-separated rows, written as bytes: this runs once for every row that is ever stored
import { addressText, type ConversationBatch } from '../../flows/batch.ts';
import { CATEGORIES } from '../../model/enrichment.ts';
import { SAMPLING_ORIGINS } from '../../packets/records.ts';

/** In the order in which conversationRows writes them. */
export const CONVERSATION_COLUMNS = [
  'minute',
  'exporter',
  'interface',
  'internal',
  'external',
  'external_port',
  'protocol',
  'out_bytes',
  'out_packets',
  'out_flows',
  'in_bytes',
  'in_packets',
  'in_flows',
  'sampling_rate',
  'sampling_origin',
  'tcp_flags',
  'translated',
  'asn',
  'category',
  'internal_ports',
] as const;

/** 4 addresses of 39, 4 counts of 20, and the rest of at most 12 digits or letters each, with their tabs. */
const MAX_ROW_BYTES = 512;
const ORIGINS = SAMPLING_ORIGINS.map((origin) => Buffer.from(origin));
const TAB = 9;
const NEWLINE = 10;
const DIGIT_ZERO = 48;
const DOT = 46;
const COLON = 58;
const HEX = Buffer.from('0123456789abcdef');
const MAPPED_PREFIX = Buffer.from('::ffff:');
const NO_ADDRESS = Buffer.from('::');

/** Rows `from` to `to` (exclusive), each ending in a newline; no text in them needs escaping. */
export function conversationRows(batch: ConversationBatch, from: number, to: number): string {
  const bytes = Buffer.allocUnsafe((to - from) * MAX_ROW_BYTES);
  const exporters = batch.exporters.map((text) => Buffer.from(text));
  const categories = CATEGORIES.map((text) => Buffer.from(text));
  let at = 0;
  for (let row = from; row < to; row++) {
    at = tab(bytes, number(bytes, at, batch.minute[row] * 60));
    at = tab(bytes, text(bytes, at, exporters[batch.exporter[row]]));
    at = tab(bytes, number(bytes, at, batch.interface[row]));
    at = tab(bytes, address(bytes, at, batch.internal, row));
    at = tab(bytes, address(bytes, at, batch.external, row));
    at = tab(bytes, number(bytes, at, batch.externalPort[row]));
    at = tab(bytes, number(bytes, at, batch.protocol[row]));
    at = tab(bytes, number(bytes, at, batch.outBytes[row]));
    at = tab(bytes, number(bytes, at, batch.outPackets[row]));
    at = tab(bytes, number(bytes, at, batch.outFlows[row]));
    at = tab(bytes, number(bytes, at, batch.inBytes[row]));
    at = tab(bytes, number(bytes, at, batch.inPackets[row]));
    at = tab(bytes, number(bytes, at, batch.inFlows[row]));
    at = tab(bytes, number(bytes, at, batch.samplingRate[row]));
    at = tab(bytes, text(bytes, at, ORIGINS[batch.samplingOrigin[row]]));
    at = tab(bytes, number(bytes, at, batch.tcpFlags[row]));
    at = tab(bytes, address(bytes, at, batch.translated, row));
    at = tab(bytes, number(bytes, at, batch.asn[row]));
    at = tab(bytes, text(bytes, at, categories[batch.category[row]]));
    at = number(bytes, at, batch.internalPorts[row]);
    bytes[at++] = NEWLINE;
  }
  return bytes.toString('latin1', 0, at);
}

function tab(bytes: Buffer, at: number): number {
  bytes[at] = TAB;
  return at + 1;
}

function text(bytes: Buffer, at: number, source: Buffer): number {
  for (let i = 0; i < source.length; i++) bytes[at + i] = source[i];
  return at + source.length;
}

/** A whole number from 0 to 2^64; a stranger's counters may be anything, so the rest is clamped. */
function number(bytes: Buffer, at: number, value: number): number {
  if (!(value > 0)) {
    bytes[at] = DIGIT_ZERO;
    return at + 1;
  }
  if (value > 0x7fff_ffff) return large(bytes, at, value);
  let rest = value | 0;
  let end = at + digits(rest);
  const after = end;
  do {
    const next = (rest / 10) | 0;
    bytes[--end] = DIGIT_ZERO + rest - next * 10;
    rest = next;
  } while (rest > 0);
  return after;
}

function digits(value: number): number {
  let count = 1;
  for (let bound = 10; bound <= value; bound *= 10) count++;
  return count;
}

function large(bytes: Buffer, at: number, value: number): number {
  const whole = BigInt(Math.round(Math.min(value, 2 ** 64)));
  return at + bytes.write((whole > MAX_UINT64 ? MAX_UINT64 : whole).toString(), at, 'latin1');
}

const MAX_UINT64 = 0xffff_ffff_ffff_ffffn;

function address(bytes: Buffer, start: number, column: Uint32Array, row: number): number {
  const word = row * 4;
  if (column[word] !== 0 || column[word + 1] !== 0) return groups(bytes, start, column, word);
  if (column[word + 2] === 0xffff) {
    const four = column[word + 3];
    let at = text(bytes, start, MAPPED_PREFIX);
    for (let shift = 24; shift >= 0; shift -= 8) {
      at = number(bytes, at, (four >>> shift) & 255);
      bytes[at++] = DOT;
    }
    return at - 1;
  }
  if (column[word + 2] === 0 && column[word + 3] === 0) return text(bytes, start, NO_ADDRESS);
  return start + bytes.write(addressText(column, row), start, 'latin1');
}

/** Eight groups in full: nobody reads them, and ClickHouse takes them. */
function groups(bytes: Buffer, start: number, column: Uint32Array, word: number): number {
  let at = start;
  for (let i = 0; i < 8; i++) {
    const group = (column[word + (i >> 1)] >>> (i % 2 === 0 ? 16 : 0)) & 0xffff;
    for (let shift = 12; shift >= 0; shift -= 4) bytes[at++] = HEX[(group >>> shift) & 15];
    bytes[at++] = COLON;
  }
  return at - 1;
}
