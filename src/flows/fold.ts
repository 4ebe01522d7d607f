// columns of records -> rows of the conversation table; the hot path: nothing here allocates per record
import { FIREWALL_CREATED, FIREWALL_DENIED, HAS, type RecordColumns } from '../packets/records.ts';
import type { Classifier } from './classify.ts';
import { EXPORTER, KEY_WORDS, MINUTE, PORT_PROTOCOL, SAMPLING_RATE } from './key.ts';
import { isMeteredAtIngress, type Metering, noteIngress } from './metering.ts';
import { BOTH_EXTERNAL, BOTH_INTERNAL, IN, LOCAL_SCOPE, NO_ADDRESSES, OUT, orient } from './orient.ts';
import { addCounts, addPort, type ConversationTable, hashOf, portBit, rowOf, touchRows } from './table.ts';

const MINUTE_MS = 60_000;
/** A record may cover this much: most exporters cut flows after 30 minutes or less, softflowd and ASA do not by default. */
const MAX_COVERED_MS = 24 * 60 * MINUTE_MS;
/** One record becomes so many rows and one more; what covers more minutes is spread in steps of some. */
const MOST_STEPS = 60;
/** Exporters look for what is to be cut off every so often: with 60 s, softflowd's records cover up to 65. */
const LONG_MS = 90_000;
/** Ends further ahead of the time of receipt come from a clock that is wrong, not skewed. */
const MAX_FUTURE_MS = 60 * MINUTE_MS;
const MAX_PAST_MS = 24 * 60 * MINUTE_MS;
/** Starts after the end by this much are drift of the uptime clock, seen as 2 to 4 ms in the field. */
const DRIFT_MS = 1000;
const MAX_RATE = 1e9;

/** What became of an exporter's records. */
export interface FoldCounters {
  /** Became part of a conversation. */
  folded: number;
  bothInternal: number;
  bothExternal: number;
  /** A side is multicast, link-local, loopback. */
  localScope: number;
  noAddresses: number;
  /** Egress records of packets that were metered at ingress. */
  duplicates: number;
  /** Tell of a translation or of a connection's begin, not of traffic. */
  events: number;
  /** What a firewall did not let pass. */
  denied: number;
  /** Times that cannot be, so counted at the time of receipt. */
  badTimes: number;
  /** Covered more than one minute. */
  spread: number;
  /** Covered more than an active timeout of a minute makes. */
  longFlows: number;
  /** Not kept because the table was full. */
  overflow: number;
  /** Rows about attempts toward known hosts. */
  attempts: number;
  /** Not kept: a source had its share, or there was no room. */
  attemptsDropped: number;
  /** Rows about translations of addresses. */
  translations: number;
  /** Not kept: there was no room. */
  translationsDropped: number;
}

export function createFoldCounters(): FoldCounters {
  return {
    folded: 0,
    bothInternal: 0,
    bothExternal: 0,
    localScope: 0,
    noAddresses: 0,
    duplicates: 0,
    events: 0,
    denied: 0,
    badTimes: 0,
    spread: 0,
    longFlows: 0,
    overflow: 0,
    attempts: 0,
    attemptsDropped: 0,
    translations: 0,
    translationsDropped: 0,
  };
}

export interface FoldState {
  table: ConversationTable;
  classifier: Classifier;
  readonly metering: Metering;
  readonly block: Block;
}

/**
 * Some records on their way into the table. Rows lie scattered in memory, so each takes a wait for it; a block is oriented
 * first, then its rows are touched one right after the other, and their waits overlap.
 */
interface Block {
  count: number;
  /** Some record since it was last set to false has an event. */
  hasEvents: boolean;
  readonly keys: readonly Uint32Array[];
  readonly hashes: Uint32Array;
  /** Places in the columns. */
  readonly records: Uint32Array;
  readonly ways: Uint8Array;
  /** The bit of the internal side's port. */
  readonly ports: Uint32Array;
  /** First and last minute. */
  readonly firsts: Uint32Array;
  readonly lasts: Uint32Array;
}

const BLOCK_RECORDS = 32;

export function createBlock(): Block {
  const words = () => new Uint32Array(BLOCK_RECORDS);
  return {
    count: 0,
    hasEvents: false,
    keys: Array.from({ length: BLOCK_RECORDS }, () => new Uint32Array(KEY_WORDS)),
    hashes: words(),
    records: words(),
    ways: new Uint8Array(BLOCK_RECORDS),
    ports: words(),
    firsts: words(),
    lasts: words(),
  };
}

/** Folds records `from` to `to` (exclusive) of one exporter, received at `receivedAtMs`. */
export function foldRecords(
  state: FoldState,
  exporter: number,
  counters: FoldCounters,
  columns: RecordColumns,
  from: number,
  to: number,
  receivedAtMs: number,
): void {
  for (let start = from; start < to; start += BLOCK_RECORDS) {
    const end = Math.min(to, start + BLOCK_RECORDS);
    fillBlock(state, exporter, counters, columns, start, end, receivedAtMs);
    touchRows(state.table, state.block.hashes, state.block.count);
    addBlock(state, counters, columns);
  }
}

/** Orients records into the block, and counts why others are left out. */
function fillBlock(
  { table, classifier, metering, block }: FoldState,
  exporter: number,
  counters: FoldCounters,
  columns: RecordColumns,
  from: number,
  to: number,
  receivedAtMs: number,
): void {
  const { keys, hashes, records, ways, ports, firsts, lasts } = block;
  const receivedMinute = Math.floor(receivedAtMs / MINUTE_MS);
  let count = 0;
  for (let i = from; i < to; i++) {
    const key = keys[count];
    const present = columns.present[i];
    if ((present & HAS.event) !== 0) {
      block.hasEvents = true;
      if (isNoTraffic(columns, i)) {
        if (columns.event[i] === FIREWALL_DENIED) counters.denied++;
        else counters.events++;
        continue;
      }
    }
    const way = orient(classifier, columns, i, key);
    if (way > IN) {
      countUnoriented(counters, way);
      continue;
    }
    if ((present & HAS.direction) !== 0 && isDuplicate(metering, exporter, columns, i, receivedMinute)) {
      counters.duplicates++;
      continue;
    }
    const rate = columns.samplingRate[i];
    key[SAMPLING_RATE] = rate >= 1 && rate < MAX_RATE ? rate + 0.5 : 1;
    key[PORT_PROTOCOL] |= columns.samplingOrigin[i] << 24;
    key[EXPORTER] = exporter;
    let first = receivedMinute;
    let last = receivedMinute;
    if ((present & HAS.times) !== 0) {
      const startMs = startOf(columns, i);
      const endMs = columns.endMs[i];
      if (areTimesUsable(startMs, endMs, receivedAtMs)) {
        first = Math.floor(startMs / MINUTE_MS);
        last = Math.floor(endMs / MINUTE_MS);
      } else counters.badTimes++;
    }
    key[MINUTE] = first;
    firsts[count] = first;
    lasts[count] = last;
    hashes[count] = hashOf(table, key);
    records[count] = i;
    ports[count] = portBit(way === OUT ? columns.sourcePort[i] : columns.destinationPort[i]);
    ways[count++] = way;
  }
  block.count = count;
}

/**
 * Of a record with an event: whether it is only that. Begins of connections and all about translations state no counts, or
 * zeros; what a firewall denied went nowhere, whatever was counted. Ends and updates of connections are traffic (NSEL).
 */
export function isNoTraffic(columns: RecordColumns, i: number): boolean {
  const event = columns.event[i];
  if (event === FIREWALL_DENIED) return true;
  if (event > FIREWALL_CREATED) return false;
  return (
    columns.bytes[i] === 0 &&
    columns.packets[i] === 0 &&
    ((columns.present[i] & HAS.reverse) === 0 ||
      (columns.reverseBytes[i] === 0 && columns.reversePackets[i] === 0))
  );
}

function addBlock({ table, block }: FoldState, counters: FoldCounters, columns: RecordColumns): void {
  const { keys, hashes, records, ways, ports, firsts, lasts } = block;
  let lost = 0;
  for (let j = 0; j < block.count; j++) {
    const i = records[j];
    if (firsts[j] !== lasts[j]) {
      counters.spread++;
      if (columns.endMs[i] - startOf(columns, i) > LONG_MS) counters.longFlows++;
      if (!spread(table, columns, i, ways[j], keys[j], lasts[j], ports[j])) lost++;
      continue;
    }
    const row = rowOf(table, keys[j], hashes[j]);
    if (row < 0) {
      lost++;
      continue;
    }
    addCounts(table, row, ways[j], columns.bytes[i], columns.packets[i], 1, columns.tcpFlags[i]);
    addPort(table, row, ports[j]);
    if ((columns.present[i] & HAS.reverse) !== 0) addReverse(table, row, ways[j], columns, i, 0, 1, 1);
  }
  counters.overflow += lost;
  counters.folded += block.count - lost;
}

function startOf(columns: RecordColumns, i: number): number {
  const startMs = columns.startMs[i];
  const endMs = columns.endMs[i];
  return startMs > endMs && startMs - endMs <= DRIFT_MS ? endMs : startMs;
}

/** When the flow of record `i` began; the time of receipt where the record does not tell, or tells what cannot be. */
export function startMsOf(columns: RecordColumns, i: number, receivedAtMs: number): number {
  if ((columns.present[i] & HAS.times) === 0) return receivedAtMs;
  const startMs = startOf(columns, i);
  return areTimesUsable(startMs, columns.endMs[i], receivedAtMs) ? startMs : receivedAtMs;
}

/** When the event of record `i` happened: at its begin, or at its end; the time of receipt as in startMsOf. */
export function momentMsOf(columns: RecordColumns, i: number, isEnd: boolean, receivedAtMs: number): number {
  const startMs = startMsOf(columns, i, receivedAtMs);
  if (!isEnd || (columns.present[i] & HAS.times) === 0) return startMs;
  // A connection of days has an end that can be, and a begin too long ago for its bytes to be spread.
  const endMs = columns.endMs[i];
  return areTimesUsable(endMs, endMs, receivedAtMs) ? endMs : receivedAtMs;
}

function countUnoriented(counters: FoldCounters, result: number): void {
  if (result === BOTH_INTERNAL) counters.bothInternal++;
  else if (result === BOTH_EXTERNAL) counters.bothExternal++;
  else if (result === LOCAL_SCOPE) counters.localScope++;
  else if (result === NO_ADDRESSES) counters.noAddresses++;
}

function isDuplicate(
  metering: Metering,
  exporter: number,
  columns: RecordColumns,
  i: number,
  minute: number,
): boolean {
  const input = columns.inputInterface[i];
  // An unknown interface, and a probe that taps one link and states it for both sides, say nothing of a second sight.
  if (input === 0 || input === columns.outputInterface[i]) return false;
  const isSix = columns.source[i * 4 + 2] !== 0xffff;
  if (columns.direction[i] === 1) return isMeteredAtIngress(metering, exporter, input, isSix, minute);
  // IANA has 0 and 1; other values say nothing.
  if (columns.direction[i] === 0) noteIngress(metering, exporter, input, isSix, minute);
  return false;
}

function areTimesUsable(startMs: number, endMs: number, receivedAtMs: number): boolean {
  return (
    startMs <= endMs &&
    endMs - startMs <= MAX_COVERED_MS &&
    endMs <= receivedAtMs + MAX_FUTURE_MS &&
    endMs >= receivedAtMs - MAX_PAST_MS
  );
}

/**
 * Gives each minute its share of the counts by the time covered in it, beyond an hour each so many minutes that an hour's
 * rows do; the flow itself counts in its first minute only.
 * Shares are differences of rounded running totals, so they are whole and add up to what was exported. False where a
 * minute found no room.
 */
function spread(
  table: ConversationTable,
  columns: RecordColumns,
  i: number,
  way: number,
  key: Uint32Array,
  last: number,
  port: number,
): boolean {
  const bytes = columns.bytes[i];
  const packets = columns.packets[i];
  const startMs = startOf(columns, i);
  const coveredMs = columns.endMs[i] - startMs;
  const hasReverse = (columns.present[i] & HAS.reverse) !== 0;
  const first = key[MINUTE];
  let isComplete = true;
  let before = 0;
  const step = Math.max(1, Math.ceil((last - first) / MOST_STEPS));
  for (let minute = first; minute <= last; minute += step) {
    const after = minute + step > last ? 1 : ((minute + step) * MINUTE_MS - startMs) / coveredMs;
    const flows = minute === first ? 1 : 0;
    key[MINUTE] = minute;
    const row = rowOf(table, key, hashOf(table, key));
    if (row < 0) isComplete = false;
    else {
      const byteShare = share(bytes, before, after);
      addCounts(table, row, way, byteShare, share(packets, before, after), flows, columns.tcpFlags[i]);
      addPort(table, row, port);
      if (hasReverse) addReverse(table, row, way, columns, i, before, after, flows);
    }
    before = after;
  }
  return isComplete;
}

function share(total: number, before: number, after: number): number {
  return Math.round(total * after) - Math.round(total * before);
}

/** A biflow (RFC 5103, or initiator and responder counts) carries the other direction in the same record. */
function addReverse(
  table: ConversationTable,
  row: number,
  way: number,
  columns: RecordColumns,
  i: number,
  before: number,
  after: number,
  flows: number,
): void {
  const packets = columns.reversePackets[i];
  const bytes = columns.reverseBytes[i];
  if (packets === 0 && bytes === 0) return;
  addCounts(table, row, 1 - way, share(bytes, before, after), share(packets, before, after), flows, 0);
}
