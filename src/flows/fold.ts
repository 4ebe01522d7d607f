// columns of records -> rows of the conversation table; the hot path: nothing here allocates per record
import { HAS, type RecordColumns } from '../packets/records.ts';
import type { Classifier } from './classify.ts';
import { EXPORTER, MINUTE, SAMPLING_RATE } from './key.ts';
import { isMeteredAtIngress, type Metering, noteIngress } from './metering.ts';
import { BOTH_EXTERNAL, BOTH_INTERNAL, IN, LOCAL_SCOPE, NO_ADDRESSES, orient } from './orient.ts';
import { addCounts, type ConversationTable, rowOf } from './table.ts';

const MINUTE_MS = 60_000;
/** A record may cover this much; exporters cut long flows at an active timeout of 30 minutes at the most. */
const MAX_COVERED_MS = 60 * MINUTE_MS;
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
  /** Times that cannot be, so counted at the time of receipt. */
  badTimes: number;
  /** Covered more than one minute. */
  spread: number;
  /** Not kept because the table was full. */
  overflow: number;
}

export function createFoldCounters(): FoldCounters {
  return {
    folded: 0,
    bothInternal: 0,
    bothExternal: 0,
    localScope: 0,
    noAddresses: 0,
    duplicates: 0,
    badTimes: 0,
    spread: 0,
    overflow: 0,
  };
}

export interface FoldState {
  table: ConversationTable;
  classifier: Classifier;
  readonly metering: Metering;
  /** Scratch: the key of the record at hand, KEY_WORDS long. */
  readonly key: Uint32Array;
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
  const key = state.key;
  const receivedMinute = Math.floor(receivedAtMs / MINUTE_MS);
  let folded = 0;
  for (let i = from; i < to; i++) {
    const way = orient(state.classifier, columns, i, key);
    if (way > IN) {
      countUnoriented(counters, way);
      continue;
    }
    const present = columns.present[i];
    if (
      (present & HAS.direction) !== 0 &&
      isDuplicate(state.metering, exporter, columns, i, receivedMinute)
    ) {
      counters.duplicates++;
      continue;
    }
    const rate = (present & HAS.sampling) !== 0 ? columns.samplingRate[i] : 1;
    key[SAMPLING_RATE] = rate >= 1 && rate < MAX_RATE ? rate + 0.5 : 1;
    key[EXPORTER] = exporter;
    const hasTimes = (present & HAS.times) !== 0;
    const endMs = columns.endMs[i];
    const startMs =
      columns.startMs[i] > endMs && columns.startMs[i] - endMs <= DRIFT_MS ? endMs : columns.startMs[i];
    const isUsable = hasTimes && areTimesUsable(startMs, endMs, receivedAtMs);
    if (hasTimes && !isUsable) counters.badTimes++;
    const first = isUsable ? Math.floor(startMs / MINUTE_MS) : receivedMinute;
    const last = isUsable ? Math.floor(endMs / MINUTE_MS) : receivedMinute;
    if (first === last) {
      key[MINUTE] = first;
      const row = rowOf(state.table, key);
      if (row < 0) {
        counters.overflow++;
        continue;
      }
      addCounts(state.table, row, way, columns.bytes[i], columns.packets[i], 1, columns.tcpFlags[i]);
      if ((present & HAS.reverse) !== 0) addReverse(state.table, row, way, columns, i, 0, 1, 1);
    } else {
      counters.spread++;
      if (!spread(state, columns, i, way, first, last, startMs, endMs)) counters.overflow++;
    }
    folded++;
  }
  counters.folded += folded;
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
  if (columns.direction[i] === 1)
    return isMeteredAtIngress(metering, exporter, columns.inputInterface[i], minute);
  noteIngress(metering, exporter, columns.inputInterface[i], minute);
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
 * Gives each minute its share of the counts by the time covered in it; the flow itself counts in its first minute only.
 * Shares are differences of rounded running totals, so they are whole and add up to what was exported. False where a
 * minute found no room.
 */
function spread(
  state: FoldState,
  columns: RecordColumns,
  i: number,
  way: number,
  first: number,
  last: number,
  startMs: number,
  endMs: number,
): boolean {
  const { table, key } = state;
  const bytes = columns.bytes[i];
  const packets = columns.packets[i];
  const hasReverse = (columns.present[i] & HAS.reverse) !== 0;
  let isComplete = true;
  let before = 0;
  for (let minute = first; minute <= last; minute++) {
    const after = minute === last ? 1 : ((minute + 1) * MINUTE_MS - startMs) / (endMs - startMs);
    const flows = minute === first ? 1 : 0;
    key[MINUTE] = minute;
    const row = rowOf(table, key);
    if (row < 0) isComplete = false;
    else {
      addCounts(
        table,
        row,
        way,
        share(bytes, before, after),
        share(packets, before, after),
        flows,
        columns.tcpFlags[i],
      );
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
