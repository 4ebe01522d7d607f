// exporter address and source port -> its number, sessions and counters, all bounded
import { type AddressSet, hasAddress, noAddresses, parseAddress } from '../model/addresses.ts';
import { createSession, type ExporterSession, malformedTotal } from '../packets/session.ts';
import { restoreSession, type StoredSession, storeSession } from '../packets/stored.ts';
import { createFoldCounters, type FoldCounters } from './fold.ts';
import { rateFor, type SamplingRates } from './sampling-rates.ts';
import { type StoredSessions, sessionKey } from './stored-sessions.ts';
import { addressWords } from './words.ts';

/** Addresses of refused senders that are told apart; the rest is counted together. */
const MAX_REFUSED = 1000;
export const OTHER_SENDERS = 'other';

export interface Exporter {
  readonly address: string;
  readonly words: Uint32Array;
  /** Its place in `names`, and in the conversation keys. */
  readonly number: number;
  readonly sessions: Map<number, Session>;
  readonly fold: FoldCounters;
  /** Totals when they were last reported, and what sessions that are gone had counted. */
  reported: Record<string, number>;
  readonly gone: Record<string, number>;
  lastSeenMs: number;
  /** The operator's word on its sampling; 0: what it says itself. */
  readonly ownRate: number;
  /** One packet in so many, of its last record; 0 where nothing states it. */
  samplingRate: number;
  /** The drain during which its last record was folded. */
  lastEpoch: number;
}

export interface Session {
  readonly decoder: ExporterSession;
  lastSeenMs: number;
}

/** What an exporter did since the last report. Counters are differences; times and the clock offset are as they stand. */
export interface ExporterReport {
  readonly address: string;
  readonly versions: readonly string[];
  readonly lastSeenMs: number;
  readonly gauges: ExporterGauges;
  readonly counters: Readonly<Record<string, number>>;
}

/** As they stand: these do not add up. */
export interface ExporterGauges {
  readonly clockOffsetMs: number;
  /** Over all of its sessions. */
  readonly templates: number;
  readonly sessions: number;
  /** 0 where nothing states it: then 1 is assumed. */
  readonly samplingRate: number;
  /** 1 where the operator says so, not the exporter. */
  readonly samplingIsSetHere: number;
}

export interface Exporters {
  readonly maxSessions: number;
  readonly byAddress: Map<string, Exporter>;
  readonly names: string[];
  /** Numbers of exporters that are gone, with the drain that took their last rows. */
  readonly retired: { readonly number: number; readonly epoch: number }[];
  sessionCount: number;
  allowed: AddressSet | undefined;
  /** Datagrams by refused sender since the last report. */
  readonly refused: Map<string, number>;
  sessionsEvicted: number;
  /** The number of the current drain. */
  epoch: number;
  /** The operator's word on sampling, by exporter. */
  readonly rates: SamplingRates;
  /** What sessions knew before a restart, for when they are heard again. */
  readonly stored: StoredSessions;
  /** Changes of templates when the sessions were last stored. */
  storedChanges: number;
}

export function createExporters(
  maxSessions: number,
  allowed?: AddressSet,
  stored: StoredSessions = new Map(),
  rates: SamplingRates = [],
): Exporters {
  return {
    maxSessions,
    byAddress: new Map(),
    names: [],
    retired: [],
    sessionCount: 0,
    allowed,
    refused: new Map(),
    sessionsEvicted: 0,
    epoch: 0,
    rates,
    stored,
    storedChanges: 0,
  };
}

/** The exporter of a datagram; undefined (and counted) where it is not allowed or there is no room. `onNumber` is told of reuse. */
export function findExporter(
  exporters: Exporters,
  address: string,
  onNumber: (number: number) => void,
): Exporter | undefined {
  const known = exporters.byAddress.get(address);
  if (known) return known;
  if (!isAllowed(exporters, address)) {
    countRefused(exporters, address);
    return undefined;
  }
  const number = takeNumber(exporters);
  if (number === undefined) {
    countRefused(exporters, address);
    return undefined;
  }
  onNumber(number);
  const exporter: Exporter = {
    address,
    words: wordsOf(address),
    number,
    sessions: new Map(),
    fold: createFoldCounters(),
    reported: {},
    gone: {},
    lastSeenMs: 0,
    ownRate: rateFor(exporters.rates, address),
    samplingRate: 0,
    lastEpoch: -1,
  };
  exporters.names[number] = address;
  exporters.byAddress.set(address, exporter);
  return exporter;
}

/** Records that are folded without a datagram may come from a name; it is no address then. */
function wordsOf(address: string): Uint32Array {
  try {
    return addressWords(parseAddress(address));
  } catch {
    return new Uint32Array(4);
  }
}

export function findSession(exporters: Exporters, exporter: Exporter, port: number): Session {
  const current = exporter.sessions.get(port);
  if (current) return current;
  if (exporters.sessionCount >= exporters.maxSessions) evictSessions(exporters);
  const transport = port > 65_535 ? 'stream' : 'udp';
  const session: Session = { decoder: createSession(exporter.address, {}, transport), lastSeenMs: 0 };
  const known = exporters.stored.get(sessionKey(exporter.address, port));
  if (known) restoreSession(session.decoder, known);
  exporter.sessions.set(port, session);
  exporters.sessionCount++;
  return session;
}

/** What it counted stays with its exporter. */
export function endSession(exporters: Exporters, address: string, port: number): void {
  const exporter = exporters.byAddress.get(address);
  const session = exporter?.sessions.get(port);
  if (!exporter || !session) return;
  addCounts(exporter.gone, sessionCounts(session));
  exporter.sessions.delete(port);
  exporters.sessionCount--;
}

/** What each session should know after a restart; undefined where no template changed since the last call, unless it is due. */
export function storeSessions(exporters: Exporters, isDue: boolean): [string, StoredSession][] | undefined {
  let changes = 0;
  const all: [string, Session][] = [];
  for (const exporter of exporters.byAddress.values())
    for (const [port, session] of exporter.sessions) {
      // A connection and its templates do not outlive us.
      if (port > 65_535) continue;
      const { counters, templates } = session.decoder;
      changes += counters.templatesLearned + counters.templatesRedefined + counters.templatesWithdrawn;
      if (templates.size > 0) all.push([sessionKey(exporter.address, port), session]);
    }
  if (changes === exporters.storedChanges && !isDue) return undefined;
  exporters.storedChanges = changes;
  return all.map(([key, { decoder }]) => [key, storeSession(decoder)]);
}

/** Replaces the allow-list; an empty set allows all. Exporters that are off it lose their sessions. */
export function allowExporters(exporters: Exporters, allowed: AddressSet | undefined): void {
  exporters.allowed = allowed && !noAddresses(allowed) ? allowed : undefined;
  for (const exporter of [...exporters.byAddress.values()])
    if (!isAllowed(exporters, exporter.address)) removeExporter(exporters, exporter);
}

export function isAllowed(exporters: Exporters, address: string): boolean {
  return !exporters.allowed || hasAddress(exporters.allowed, parseAddress(address));
}

function countRefused(exporters: Exporters, address: string): void {
  const { refused } = exporters;
  const name = refused.has(address) || refused.size < MAX_REFUSED ? address : OTHER_SENDERS;
  refused.set(name, (refused.get(name) ?? 0) + 1);
}

/** A number whose rows have all left the tables, so that no conversation is booked on another exporter. */
function takeNumber(exporters: Exporters): number | undefined {
  if (exporters.names.length < exporters.maxSessions) return exporters.names.length;
  const number = reusableNumber(exporters);
  if (number !== undefined) return number;
  evictExporters(exporters);
  return reusableNumber(exporters);
}

function reusableNumber(exporters: Exporters): number | undefined {
  const place = exporters.retired.findIndex(({ epoch }) => hasLeft(exporters, epoch));
  return place < 0 ? undefined : exporters.retired.splice(place, 1)[0].number;
}

/** Rows of an epoch lie in the table being filled, then in the one being drained, then nowhere. */
const hasLeft = (exporters: Exporters, epoch: number) => epoch < exporters.epoch - 1;

function evictExporters(exporters: Exporters): void {
  const idle = [...exporters.byAddress.values()].filter((one) => hasLeft(exporters, one.lastEpoch));
  idle.sort((a, b) => a.lastSeenMs - b.lastSeenMs);
  for (const exporter of idle.slice(0, tenth(exporters))) removeExporter(exporters, exporter);
}

function removeExporter(exporters: Exporters, exporter: Exporter): void {
  exporters.sessionCount -= exporter.sessions.size;
  exporters.sessionsEvicted += exporter.sessions.size;
  exporters.byAddress.delete(exporter.address);
  exporters.retired.push({ number: exporter.number, epoch: exporter.lastEpoch });
}

/** A tenth at a time, so that a flood of senders does not sort the whole on every datagram. */
function evictSessions(exporters: Exporters): void {
  const all = [...exporters.byAddress.values()].flatMap((exporter) =>
    [...exporter.sessions].map(([port, session]) => ({ exporter, port, session })),
  );
  all.sort((a, b) => a.session.lastSeenMs - b.session.lastSeenMs);
  for (const { exporter, port, session } of all.slice(0, tenth(exporters))) {
    addCounts(exporter.gone, sessionCounts(session));
    exporter.sessions.delete(port);
    exporters.sessionCount--;
    exporters.sessionsEvicted++;
  }
}

const tenth = (exporters: Exporters) => Math.max(1, Math.ceil(exporters.maxSessions / 10));

/** What each exporter did since the last call; exporters that did nothing are left out. */
export function reportExporters(exporters: Exporters): ExporterReport[] {
  return [...exporters.byAddress.values()].flatMap((exporter) => reportExporter(exporter) ?? []);
}

function reportExporter(exporter: Exporter): ExporterReport | undefined {
  const totals: Record<string, number> = { ...exporter.gone };
  addCounts(totals, { ...exporter.fold });
  const versions = new Set<string>();
  let latest: Session | undefined;
  for (const session of exporter.sessions.values()) {
    addCounts(totals, sessionCounts(session));
    if (!latest || session.lastSeenMs > latest.lastSeenMs) latest = session;
    for (const [version, count] of Object.entries(session.decoder.counters.versions))
      if (count > 0) versions.add(version);
  }
  const counters: Record<string, number> = {};
  for (const [name, total] of Object.entries(totals)) counters[name] = total - (exporter.reported[name] ?? 0);
  exporter.reported = totals;
  if (Object.values(counters).every((count) => count === 0)) return undefined;
  return {
    address: exporter.address,
    versions: [...versions],
    lastSeenMs: exporter.lastSeenMs,
    gauges: {
      clockOffsetMs: latest?.decoder.counters.clockOffsetMs ?? 0,
      templates: [...exporter.sessions.values()].reduce(
        (sum, { decoder }) => sum + decoder.templates.size,
        0,
      ),
      sessions: exporter.sessions.size,
      samplingRate: exporter.samplingRate,
      samplingIsSetHere: Number(exporter.ownRate > 0),
    },
    counters,
  };
}

/** Only what adds up over time and sessions: gauges and times are left out. */
function sessionCounts({ decoder: { counters } }: Session): Record<string, number> {
  const {
    malformed: _,
    versions: __,
    buffered: ___,
    lastDatagramAtMs: ____,
    clockOffsetMs: _____,
    ...counts
  } = counters;
  return { ...counts, malformed: malformedTotal(counters) };
}

function addCounts(totals: Record<string, number>, more: Record<string, number>): void {
  for (const [name, count] of Object.entries(more)) totals[name] = (totals[name] ?? 0) + count;
}
