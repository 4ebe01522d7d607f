// datagrams or records -> batches of conversations, synchronously: the whole of a collector thread but its sockets

import { type Lookup, openLookup } from '../../enrichment/lookup.ts';
import type { LookupTables } from '../../enrichment/pack.ts';
import { type AddressSet, noAddresses } from '../model/addresses.ts';
import { CATEGORIES } from '../model/enrichment.ts';
import { decodeDatagram } from '../packets/decode.ts';
import { createRecordColumns, originCode, type RecordColumns } from '../packets/records.ts';
import type { StoredSession } from '../packets/stored.ts';
import type { AttemptBatch } from './attempt-batch.ts';
import { type Attempts, createAttempts, keepAttempts, takeAttempts } from './attempts.ts';
import type { ConversationBatch } from './batch.ts';
import { compileClassifier } from './classify.ts';
import { noteLag } from './exporter-signs.ts';
import {
  allowExporters,
  countSessions,
  createExporters,
  type Exporter,
  type ExporterReport,
  endSession,
  findExporter,
  findSession,
  isAllowed,
  judgeSession,
  numberOf,
  reportExporters,
  storeSessions,
  takeUnreported,
} from './exporters.ts';
import { createBlock, type FoldState, foldRecords } from './fold.ts';
import { compileHostFilter, type HostFilter } from './host-filter.ts';
import { createMetering, forgetExporter } from './metering.ts';
import type { Session } from './places.ts';
import type { SamplingRates } from './sampling-rates.ts';
import type { StoredSessions } from './stored-sessions.ts';
import { type ConversationTable, clearTable, copyRows, createConversationTable } from './table.ts';
import type { TranslationBatch } from './translation-batch.ts';
import { createTranslations, keepTranslations, type Translations, takeTranslations } from './translations.ts';

/** A datagram holds fewer records than this, so the columns are folded once a datagram. */
const COLUMN_CAPACITY = 4096;
/** Rows left at which a drain is asked for: a datagram of records that each cover an hour needs about as many. */
const ROOM = 8192;
/** Seconds in headers, delivery and a queue explain less than this. */
const CLOCK_TOLERANCE_MS = 10_000;
const MAX_BATCH_ROWS = 65_536;
/** One exporter may hold so many times the rows that are left: 94% of an empty table, and there is room for others always. */
const SHARE_OF_FREE = 16;
const UNKNOWN_CATEGORY = CATEGORIES.indexOf('unknown');

export interface FolderOptions {
  readonly internal: AddressSet;
  /** Without them every external address is AS 0, 'unknown'. */
  readonly tables?: LookupTables;
  /** Exporters allowed; all where it is missing or empty. */
  readonly allowed?: AddressSet;
  /** Between two drains; beyond it records are dropped and counted. */
  readonly maxConversations?: number;
  readonly maxSessions?: number;
  /** Asked before the table is full: call drain() inside to lose nothing. */
  readonly onFull?: () => void;
  /** Addresses of known hosts, toward which attempts are kept; none where it is missing or empty. */
  readonly hosts?: AddressSet;
  /** Attempts of each sort (in vain, answered) between two calls of takeAttempts; beyond it they are dropped and counted. */
  readonly maxAttempts?: number;
  /** Asked when that many are held: call takeAttempts() inside to lose nothing but what is over a source's share. */
  readonly onAttemptsFull?: () => void;
  /** Between two takeTranslations; beyond it they are dropped and counted. */
  readonly maxTranslations?: number;
  /** Asked when there is no room for a translation: call takeTranslations() inside to lose nothing. */
  readonly onTranslationsFull?: () => void;
  /** What storeSessions gave before a restart. */
  readonly sessions?: StoredSessions;
  /** Instead of what these exporters say of their sampling. */
  readonly rates?: SamplingRates;
}

export interface FolderReport {
  readonly exporters: readonly ExporterReport[];
  /** Datagrams by refused sender since the last report. */
  readonly refused: Readonly<Record<string, number>>;
  readonly sessions: number;
  readonly sessionsEvicted: number;
  /** Counts of exporters that went before they were reported. */
  readonly gone: Readonly<Record<string, number>>;
  /** More exporters wait to be reported. */
  readonly isMore: boolean;
  /** Of connections, since the last report; the thread adds it. */
  readonly streams?: Readonly<Record<string, number>>;
}

export interface Folder {
  /** Whether a sender's datagrams and connections are taken. */
  isAllowed(source: string): boolean;
  /** Whether a sender has proved itself. */
  isKnown(source: string): boolean;
  /** A connection ended, and its templates with it. */
  endSession(source: string, port: number): void;
  /** Something came over a connection that is no message. */
  countBroken(source: string, port: number, receivedAtMs: number): void;
  /** Decodes and folds one datagram. Never throws for what the datagram holds. */
  receive(source: string, sourcePort: number, datagram: Uint8Array, receivedAtMs: number): void;
  /** Folds records that are decoded already. */
  fold(source: string, columns: RecordColumns, receivedAtMs: number): void;
  /** Conversations held now. */
  count(): number;
  /** Sets what is held apart for nextBatch, and starts a new table. False while the last one is not fully taken. */
  beginDrain(): boolean;
  /** At most `maxRows` conversations of what was set apart, enriched; undefined when there are no more. */
  nextBatch(maxRows: number): ConversationBatch | undefined;
  /** Everything held, at once. */
  drain(): ConversationBatch[];
  /** What happened since the last report, of so many exporters; of all where it is missing. */
  report(mostExporters?: number): FolderReport;
  setInternal(internal: AddressSet): void;
  setTables(tables: LookupTables | undefined): void;
  setAllowed(allowed: AddressSet | undefined): void;
  /** Addresses of known hosts; an empty set ends the looking. */
  setHosts(hosts: AddressSet): void;
  /** Attempts toward known hosts since the last call; undefined where there were none. */
  takeAttempts(): AttemptBatch | undefined;
  /** Translations of addresses that exporters told of since the last call; undefined where there were none. */
  takeTranslations(): TranslationBatch | undefined;
  /** Templates by session; undefined where none changed since the last call, unless it is due all the same. */
  storeSessions(isDue: boolean): Generator<[string, StoredSession]> | undefined;
}

interface Folding extends FoldState {
  readonly options: FolderOptions;
  readonly exporters: ReturnType<typeof createExporters>;
  readonly columns: RecordColumns;
  spare: ConversationTable;
  /** Of the table, by all exporters that are not proven. */
  readonly strangers: { rows: number };
  drained: number;
  /** Scratch of nameExporters: place + 1 by exporter number. */
  readonly placeOf: Uint32Array;
  enrichment: { readonly tables: LookupTables; readonly lookup: Lookup } | undefined;
  hosts: HostFilter | undefined;
  /** Made when there are hosts. */
  attempts: Attempts | undefined;
  readonly translations: Translations;
}

export function createFolder(options: FolderOptions): Folder {
  const folding = createFolding(options);
  const { exporters, columns } = folding;
  let currentSession: Session | undefined;
  let currentMs = 0;
  const flush = () => {
    if (currentSession && columns.count > 0) {
      const { signs } = currentSession.exporter;
      const { clockOffsetMs } = currentSession.decoder.counters;
      if (Math.abs(clockOffsetMs) >= CLOCK_TOLERANCE_MS) moveTimes(columns, clockOffsetMs, currentMs);
      noteLag(signs, columns, currentMs);
      if (signs.zoneMs !== 0) moveTimes(columns, signs.zoneMs, currentMs);
      foldInto(folding, currentSession.exporter, columns, currentMs);
    }
    columns.count = 0;
  };
  const receive: Folder['receive'] = (source, sourcePort, datagram, receivedAtMs) => {
    const session = findSession(exporters, source, sourcePort, receivedAtMs);
    if (!session) return;
    currentMs = receivedAtMs;
    currentSession = session;
    const { counters } = session.decoder;
    const before = counters.records;
    decodeDatagram(session.decoder, datagram, receivedAtMs, columns, flush);
    judgeSession(exporters, session, counters.records - before);
    flush();
  };
  return {
    receive,
    isAllowed: (source) => isAllowed(exporters, source),
    isKnown: (source) => exporters.byAddress.get(source)?.isProven ?? false,
    endSession: (source, port) => endSession(exporters, source, port),
    countBroken: (source, port, receivedAtMs) => {
      const session = findSession(exporters, source, port, receivedAtMs);
      if (session) session.decoder.counters.malformed['message-length']++;
    },
    fold: (source, records, receivedAtMs) => {
      const exporter = findExporter(exporters, source);
      if (exporter) foldInto(folding, exporter, records, receivedAtMs);
    },
    count: () => folding.table.count,
    beginDrain: () => beginDrain(folding),
    nextBatch: (maxRows) => nextBatch(folding, maxRows),
    drain: () => drainAll(folding),
    report: (most = Number.POSITIVE_INFINITY) => report(folding, most),
    setInternal: (internal) => {
      folding.classifier = compileClassifier(internal);
    },
    setTables: (tables) => {
      folding.enrichment = tables && { tables, lookup: openLookup(tables) };
    },
    setAllowed: (allowed) => allowExporters(exporters, allowed),
    setHosts: (hosts) => setHosts(folding, hosts),
    takeAttempts: () => folding.attempts && takeAttempts(folding.attempts),
    takeTranslations: () => takeTranslations(folding.translations),
    storeSessions: (isDue) => storeSessions(exporters, isDue),
  };
}

function createFolding(options: FolderOptions): Folding {
  const maxRows = options.maxConversations ?? 500_000;
  const allowed = options.allowed && !noAddresses(options.allowed) ? options.allowed : undefined;
  const folding: Folding = {
    options,
    exporters: createExporters(options.maxSessions ?? 20_000, allowed, options.sessions, options.rates),
    columns: createRecordColumns(COLUMN_CAPACITY),
    table: createConversationTable(maxRows),
    spare: createConversationTable(maxRows),
    strangers: { rows: 0 },
    drained: 0,
    placeOf: new Uint32Array(65_536),
    classifier: compileClassifier(options.internal),
    metering: createMetering(),
    block: createBlock(),
    enrichment: options.tables && { tables: options.tables, lookup: openLookup(options.tables) },
    hosts: undefined,
    attempts: undefined,
    translations: createTranslations(options.maxTranslations, options.onTranslationsFull),
  };
  if (options.hosts) setHosts(folding, options.hosts);
  return folding;
}

function setHosts(folding: Folding, hosts: AddressSet): void {
  folding.hosts = compileHostFilter(hosts);
  if (folding.hosts)
    folding.attempts ??= createAttempts(folding.options.maxAttempts, folding.options.onAttemptsFull);
}

function foldInto(folding: Folding, exporter: Exporter, columns: RecordColumns, receivedAtMs: number): void {
  const { exporters, hosts, attempts } = folding;
  setSampling(exporter, columns);
  const number =
    exporter.number >= 0
      ? exporter.number
      : numberOf(exporters, exporter, (given) => forgetExporter(folding.metering, given));
  if (number < 0) exporter.fold.overflow += columns.count;
  else {
    if (roomFor(folding, exporter) < Math.min(ROOM, folding.table.maxRows / 4)) folding.options.onFull?.();
    const room = roomFor(folding, exporter);
    const { table } = folding;
    const { count } = table;
    table.rowLimit = count + room;
    folding.block.hasEvents = false;
    foldRecords(folding, number, exporter.fold, columns, 0, columns.count, receivedAtMs);
    holderOf(folding, exporter).rows += table.count - count;
    if (folding.block.hasEvents) foldEvents(folding, exporter, columns, receivedAtMs);
  }
  if (hosts && attempts) {
    const origin = { exporter: exporter.words, counters: exporter.fold, receivedAtMs };
    keepAttempts(attempts, hosts, columns, columns.count, origin);
  }
}

function foldEvents(
  { translations, classifier }: Folding,
  { words, isProven, fold }: Exporter,
  columns: RecordColumns,
  receivedAtMs: number,
): void {
  const origin = { exporter: words, isProven, counters: fold, receivedAtMs };
  keepTranslations(translations, classifier, columns, columns.count, origin);
}

/** Rows that may be added for an exporter. Strangers share one share, as anybody can be many of them. */
function roomFor(folding: Folding, exporter: Exporter): number {
  const { maxRows, count } = folding.table;
  const free = maxRows - count;
  return Math.max(0, Math.min(free, free * SHARE_OF_FREE - holderOf(folding, exporter).rows));
}

function holderOf({ exporters, strangers }: Folding, exporter: Exporter): { rows: number } {
  const { epoch } = exporters.numbers;
  if (exporter.lastEpoch !== epoch) {
    exporter.lastEpoch = epoch;
    exporter.rows = 0;
  }
  return exporter.isProven ? exporter : strangers;
}

const SETTING = originCode('setting');

function setSampling(exporter: Exporter, { samplingRate, samplingOrigin, count }: RecordColumns): void {
  if (exporter.ownRate > 0) {
    samplingRate.fill(exporter.ownRate, 0, count);
    samplingOrigin.fill(SETTING, 0, count);
  }
  const last = count - 1;
  if (last < 0 || samplingOrigin[last] === 0) return;
  exporter.samplingRate = samplingRate[last];
  exporter.samplingOrigin = samplingOrigin[last];
}

/**
 * An exporter whose clock is wrong tells wrong times, but how long before its own export time a flow ended it tells rightly.
 * Times move by the difference of the clocks where that brings them nearer to the time of receipt; a header can be wrong too.
 * The same for flows that tell local time under a header that is right (settleZone).
 */
function moveTimes(columns: RecordColumns, offsetMs: number, receivedAtMs: number): void {
  for (let i = 0; i < columns.count; i++) {
    if (Math.abs(columns.endMs[i] + offsetMs - receivedAtMs) >= Math.abs(columns.endMs[i] - receivedAtMs))
      continue;
    columns.startMs[i] += offsetMs;
    columns.endMs[i] += offsetMs;
  }
}

function beginDrain(folding: Folding): boolean {
  if (folding.spare.count > 0) return false;
  const full = folding.table;
  folding.table = folding.spare;
  folding.spare = full;
  folding.drained = 0;
  folding.strangers.rows = 0;
  folding.exporters.numbers.epoch++;
  return true;
}

function nextBatch(folding: Folding, maxRows: number): ConversationBatch | undefined {
  const { spare, drained } = folding;
  if (drained >= spare.count) return undefined;
  const to = Math.min(spare.count, drained + maxRows);
  const batch = nameExporters(folding, spare, drained, to);
  enrichBatch(folding, batch);
  folding.drained = to;
  if (to === spare.count) {
    clearTable(spare);
    folding.drained = 0;
  }
  return batch;
}

/** Only those that have rows in it: a batch goes to another thread, and there may be thousands. */
function nameExporters(
  { exporters: { names, byAddress }, placeOf }: Folding,
  table: ConversationTable,
  from: number,
  to: number,
): ConversationBatch {
  const own: string[] = [];
  const batch = copyRows(table, from, to, own);
  const numbers: number[] = [];
  for (let row = 0; row < batch.count; row++) {
    const number = batch.exporter[row];
    if (placeOf[number] === 0) {
      own.push(names[number]);
      placeOf[number] = numbers.push(number);
    }
    batch.exporter[row] = placeOf[number] - 1;
  }
  for (const number of numbers) placeOf[number] = 0;
  return { ...batch, strangers: Uint8Array.from(own, (name) => Number(!byAddress.get(name)?.isProven)) };
}

function enrichBatch({ enrichment }: Folding, batch: ConversationBatch): void {
  batch.category.fill(UNKNOWN_CATEGORY);
  if (!enrichment) return;
  const { tables, lookup } = enrichment;
  const words = batch.external;
  for (let row = 0; row < batch.count; row++) {
    const at = row * 4;
    const entry = lookup.find(words[at], words[at + 1], words[at + 2], words[at + 3]);
    batch.asn[row] = tables.entryAsns[entry];
    batch.category[row] = tables.entryCategories[entry];
  }
}

function drainAll(folding: Folding): ConversationBatch[] {
  const batches: ConversationBatch[] = [];
  // What an earlier beginDrain set apart comes first.
  for (let round = 0; round < 2; round++) {
    for (let batch = nextBatch(folding, MAX_BATCH_ROWS); batch; batch = nextBatch(folding, MAX_BATCH_ROWS))
      batches.push(batch);
    if (round === 0) beginDrain(folding);
  }
  return batches;
}

function report({ exporters }: Folding, most: number): FolderReport {
  const refused = Object.fromEntries(exporters.refused);
  exporters.refused.clear();
  const sessionsEvicted = exporters.sessionsEvicted;
  exporters.sessionsEvicted = 0;
  return {
    exporters: reportExporters(exporters, most),
    refused,
    sessions: countSessions(exporters),
    sessionsEvicted,
    gone: takeUnreported(exporters),
    isMore: exporters.reporting.length > 0,
  };
}
