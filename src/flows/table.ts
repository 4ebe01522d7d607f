// keys and counts -> rows of conversations: an open-addressing hash table over typed arrays
//
// A row is 128 bytes, two cache lines: 17 key words, then the counts. Rows lie in the order in which they were first seen, so
// draining is a walk from the first to the last and does not depend on the hash.
import { randomInt } from 'node:crypto';
import { type ConversationBatch, createBatch } from './batch.ts';
import {
  EXPORTER,
  EXTERNAL_ADDRESS,
  INTERFACE,
  INTERNAL_ADDRESS,
  KEY_WORDS,
  MINUTE,
  PORT_PROTOCOL,
  SAMPLING_RATE,
  TRANSLATED_ADDRESS,
} from './key.ts';

const ROW_WORDS = 32;
const ROW_DOUBLES = ROW_WORDS / 2;
// Places of the counts in a row: doubles from 9, words from 26.
const BYTES_OUT = 9;
const PACKETS_OUT = 10;
const BYTES_IN = 11;
const PACKETS_IN = 12;
const FLOWS_OUT = 26;
const FLOWS_IN = 27;
const FLAGS = 28;
const HASH = 29;
const PORTS = 30;
/** Rows that touchRows takes at once. */
const MAX_TOUCHED = 64;

export interface ConversationTable {
  readonly maxRows: number;
  readonly seed: number;
  count: number;
  /** No row is added beyond it: maxRows, or less where whoever adds had its share. */
  rowLimit: number;
  readonly words: Uint32Array;
  readonly doubles: Float64Array;
  /** Pairs of hash and row + 1; 0 is free. Twice as many as rows at least. */
  readonly slots: Uint32Array;
  readonly slotMask: number;
  /** Scratch of touchRows. */
  readonly touched: Uint32Array;
}

/** All of its memory at once: the system gives it page by page as it is touched, while growing would hold the sockets up. */
export function createConversationTable(maxRows: number): ConversationTable {
  const slotCount = slotCountFor(maxRows);
  const words = new Uint32Array(maxRows * ROW_WORDS);
  return {
    maxRows,
    // A stranger who knows the hash could make all keys collide.
    seed: randomInt(0x1_0000_0000) | 1,
    count: 0,
    rowLimit: maxRows,
    words,
    doubles: new Float64Array(words.buffer),
    slots: new Uint32Array(slotCount * 2),
    slotMask: slotCount - 1,
    touched: new Uint32Array(MAX_TOUCHED),
  };
}

/** The row of `key`, whose hashOf is `hash`, made where it is new; -1 where the table is full. */
export function rowOf(table: ConversationTable, key: Uint32Array, hash: number): number {
  const { slots, slotMask, words } = table;
  let slot = hash & slotMask;
  for (let row = slots[slot * 2 + 1]; row !== 0; row = slots[slot * 2 + 1]) {
    if (slots[slot * 2] === hash && sameKey(words, (row - 1) * ROW_WORDS, key)) return row - 1;
    slot = (slot + 1) & slotMask;
  }
  return addRow(table, key, hash, slot);
}

function sameKey(words: Uint32Array, at: number, key: Uint32Array): boolean {
  for (let word = 0; word < KEY_WORDS; word++) if (words[at + word] !== key[word]) return false;
  return true;
}

function addRow(table: ConversationTable, key: Uint32Array, hash: number, slot: number): number {
  const row = table.count;
  if (row >= table.rowLimit) return -1;
  table.count = row + 1;
  table.slots[slot * 2] = hash;
  table.slots[slot * 2 + 1] = row + 1;
  const at = row * ROW_WORDS;
  const words = table.words;
  for (let word = 0; word < KEY_WORDS; word++) words[at + word] = key[word];
  words.fill(0, at + KEY_WORDS, at + ROW_WORDS);
  words[at + HASH] = hash;
  return row;
}

/**
 * Reads the first slot of each hash, then the row that it names: loads that do not depend on each other, so that the
 * memory answers many at once. What they hold decides nothing.
 */
export function touchRows(table: ConversationTable, hashes: Uint32Array, count: number): void {
  const { slots, slotMask, words, touched } = table;
  for (let i = 0; i < count; i++) touched[i] = slots[(hashes[i] & slotMask) * 2 + 1];
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const at = touched[i] * ROW_WORDS - 1;
    if (at > 0) sum += words[at] + words[at - ROW_WORDS / 2];
  }
  touched[0] = sum;
}

/** Adds counts of the out (`way` 0) or in (`way` 1) direction to a row. */
export function addCounts(
  table: ConversationTable,
  row: number,
  way: number,
  bytes: number,
  packets: number,
  flows: number,
  tcpFlags: number,
): void {
  const doubles = table.doubles;
  const words = table.words;
  const at = row * ROW_DOUBLES + way * 2;
  doubles[at + BYTES_OUT] += bytes;
  doubles[at + PACKETS_OUT] += packets;
  words[row * ROW_WORDS + FLOWS_OUT + way] += flows;
  words[row * ROW_WORDS + FLAGS] |= tcpFlags;
}

/** One of 32 bits for a port, evenly: systems take their ports in order, or only the even ones. */
export function portBit(port: number): number {
  return 1 << (Math.imul(port, 0x9e37_79b1) >>> 27);
}

/** Notes that the internal side used the port of `bit`. */
export function addPort(table: ConversationTable, row: number, bit: number): void {
  table.words[row * ROW_WORDS + PORTS] |= bit;
}

export function hashOf(table: ConversationTable, key: Uint32Array): number {
  // The words that differ between IPv4 conversations go in always, the rest only where there is any.
  let h = Math.imul(table.seed ^ key[INTERNAL_ADDRESS + 3], 0x9e37_79b1);
  h = Math.imul((h ^ (h >>> 15)) + key[EXTERNAL_ADDRESS + 3], 0x85eb_ca6b);
  h = Math.imul((h ^ (h >>> 13)) + key[PORT_PROTOCOL], 0xc2b2_ae35);
  h = Math.imul((h ^ (h >>> 16)) + key[MINUTE] + (key[EXPORTER] << 12), 0x27d4_eb2f);
  h = Math.imul((h ^ (h >>> 15)) + key[INTERFACE], 0x1656_67b1);
  if (key[INTERNAL_ADDRESS] !== 0 || key[EXTERNAL_ADDRESS] !== 0) h = mixPrefixes(key, h);
  h = Math.imul((h ^ (h >>> 13)) + key[TRANSLATED_ADDRESS + 3], 0x85eb_ca6b);
  return (h ^ (h >>> 16)) >>> 0;
}

function mixPrefixes(key: Uint32Array, hash: number): number {
  let h = hash;
  for (let word = 0; word < 3; word++) {
    h = Math.imul((h ^ (h >>> 15)) + key[INTERNAL_ADDRESS + word], 0x9e37_79b1);
    h = Math.imul((h ^ (h >>> 13)) + key[EXTERNAL_ADDRESS + word], 0xc2b2_ae35);
  }
  return h;
}

/** A power of two at least twice the rows, so that probes stay short. */
function slotCountFor(rows: number): number {
  return 2 ** Math.ceil(Math.log2(rows * 2));
}

/** Empties the table; its memory stays for the next minute. */
export function clearTable(table: ConversationTable): void {
  if (table.count === 0) return;
  table.count = 0;
  table.slots.fill(0);
}

/** Rows `from` to `to` (exclusive) as a batch of their own, not enriched; exporter numbers as in the keys. */
export function copyRows(
  table: ConversationTable,
  from: number,
  to: number,
  exporters: readonly string[],
): ConversationBatch {
  const batch = createBatch(to - from, exporters);
  const { words, doubles } = table;
  for (let i = 0; i < batch.count; i++) {
    const at = (from + i) * ROW_WORDS;
    const counts = (from + i) * ROW_DOUBLES;
    batch.minute[i] = words[at + MINUTE];
    batch.exporter[i] = words[at + EXPORTER];
    batch.interface[i] = words[at + INTERFACE];
    batch.externalPort[i] = words[at + PORT_PROTOCOL] & 0xffff;
    batch.protocol[i] = (words[at + PORT_PROTOCOL] >>> 16) & 0xff;
    batch.samplingOrigin[i] = words[at + PORT_PROTOCOL] >>> 24;
    for (let word = 0; word < 4; word++) {
      batch.internal[i * 4 + word] = words[at + INTERNAL_ADDRESS + word];
      batch.external[i * 4 + word] = words[at + EXTERNAL_ADDRESS + word];
      batch.translated[i * 4 + word] = words[at + TRANSLATED_ADDRESS + word];
    }
    batch.samplingRate[i] = words[at + SAMPLING_RATE];
    batch.outBytes[i] = doubles[counts + BYTES_OUT];
    batch.outPackets[i] = doubles[counts + PACKETS_OUT];
    batch.inBytes[i] = doubles[counts + BYTES_IN];
    batch.inPackets[i] = doubles[counts + PACKETS_IN];
    batch.outFlows[i] = words[at + FLOWS_OUT];
    batch.inFlows[i] = words[at + FLOWS_IN];
    batch.tcpFlags[i] = words[at + FLAGS];
    batch.internalPorts[i] = words[at + PORTS];
  }
  return batch;
}
