// exporter address and source port -> its number, sessions and counters, all bounded
import { type AddressSet, hasAddress, noAddresses, parseAddress } from '../model/addresses.ts';
import { changeRoom, createRoom, leaveRoom, type Room } from '../packets/room.ts';
import { createSession } from '../packets/session.ts';
import { restoreSession, type StoredSession, storeSession } from '../packets/stored.ts';
import {
  addSession,
  addUnreported,
  createTotals,
  reportExporter,
  type Totals,
  takeTotals,
} from './exporter-report.ts';
import { createSigns, type Signs } from './exporter-signs.ts';
import { createFoldCounters, type FoldCounters } from './fold.ts';
import { createNumbers, giveBack, type Numbers, takeNumber } from './numbers.ts';
import {
  createPlaces,
  hasProvenPlace,
  judge,
  leavePlace,
  makePlace,
  type Places,
  placeSession,
  type Session,
  sessionCount,
} from './places.ts';
import { rateFor, type SamplingRates } from './sampling-rates.ts';
import { isStoredProven, type StoredSessions, sessionKey } from './stored-sessions.ts';
import { addressWords } from './words.ts';

/** Addresses of refused senders that are told apart; the rest is counted together. */
const MAX_REFUSED = 1000;
export const OTHER_SENDERS = 'other';
/** Templates, rates and waiting data of all that have not proven themselves, and of all that have. */
const STRANGERS_BYTES = 64 * 1024 * 1024;
const PROVEN_BYTES = 512 * 1024 * 1024;
const STRANGERS_READERS = 600;
const PROVEN_READERS = 6000;
/** Ports of connections lie above those of UDP. */
const FIRST_CONNECTION = 65_536;

export interface Exporter {
  readonly address: string;
  readonly words: Uint32Array;
  /** Its place in `names`, and in the conversation keys; -1 until its first record. */
  number: number;
  readonly sessions: Map<number, Session>;
  /** Of those, the one heard last. */
  latest: Session | undefined;
  readonly fold: FoldCounters;
  /** Totals when they were last reported, and what sessions that are gone had counted. */
  reported: Totals | undefined;
  gone: Totals | undefined;
  /** When one of those was last heard. */
  goneMs: number;
  /** The operator's word on its sampling; 0: what it says itself. */
  readonly ownRate: number;
  /** One packet in so many, of its last record; 0 where nothing states it. */
  samplingRate: number;
  /** Place in SAMPLING_ORIGINS; 0: it never stated one. */
  samplingOrigin: number;
  /** The drain during which its last record was folded. */
  lastEpoch: number;
  /** Rows of the conversation table since its drain `lastEpoch` began. */
  rows: number;
  readonly signs: Signs;
  /** One of its sessions handed out records for a minute or longer. */
  isProven: boolean;
  /** It waits to be reported. */
  isHeard: boolean;
  isGone: boolean;
}

/** What an exporter did since the last report. Counters are differences; times and the clock offset are as they stand. */
export interface ExporterReport {
  readonly address: string;
  readonly versions: readonly string[];
  readonly lastSeenMs: number;
  /** Not one of those who came a moment ago, and may be forged. */
  readonly isProven: boolean;
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
  /** Place in SAMPLING_ORIGINS; 0: nothing states it. */
  readonly samplingOrigin: number;
  /** Over a minute or what is longer. */
  readonly datagramsPerSecond?: number;
  readonly recordsPerSecond?: number;
  /** IANA enterprise number of the elements in its templates; 0 where they have none. */
  readonly enterprise?: number;
  /** How long before its receipt (by its header's clock) the latest flow ended; far off where flows tell another time than headers. */
  readonly recordLagMs?: number;
  /** By how much the times of its flows are moved for that. */
  readonly recordZoneMs?: number;
}

export interface Exporters {
  readonly places: Places;
  readonly numbers: Numbers;
  readonly byAddress: Map<string, Exporter>;
  readonly names: string[];
  /** Those that did something since they were last reported. */
  heard: Exporter[];
  /** What is left of those that the report under way began with. */
  reporting: Exporter[];
  allowed: AddressSet | undefined;
  /** Datagrams by refused sender since the last report. */
  readonly refused: Map<string, number>;
  sessionsEvicted: number;
  /** Counts of exporters that went before they were reported. */
  readonly unreported: Totals;
  readonly strangers: Room;
  readonly proven: Room;
  /** The operator's word on sampling, by exporter. */
  readonly rates: SamplingRates;
  /** What sessions knew before a restart, for when they are heard again. */
  readonly stored: Map<string, unknown>;
  /** Changes of templates by sessions that are gone, and over all when they were last stored. */
  goneChanges: number;
  storedChanges: number;
}

export function createExporters(
  maxSessions: number,
  allowed?: AddressSet,
  stored: StoredSessions = new Map(),
  rates: SamplingRates = [],
): Exporters {
  return {
    places: createPlaces(maxSessions),
    numbers: createNumbers(maxSessions),
    byAddress: new Map(),
    names: [],
    heard: [],
    reporting: [],
    allowed,
    refused: new Map(),
    sessionsEvicted: 0,
    unreported: createTotals(),
    strangers: createRoom(STRANGERS_BYTES, STRANGERS_READERS),
    proven: createRoom(PROVEN_BYTES, PROVEN_READERS),
    rates,
    stored: new Map(stored),
    goneChanges: 0,
    storedChanges: 0,
  };
}

/** The exporter of an address; undefined (and counted) where it is not allowed or there is no room. */
export function findExporter(exporters: Exporters, address: string): Exporter | undefined {
  const known = exporters.byAddress.get(address);
  if (known) {
    if (!known.isHeard) hear(exporters, known);
    return known;
  }
  // Each has a session or is about to have one, but for those whose connections ended, until they are reported.
  if (!isAllowed(exporters, address) || exporters.byAddress.size >= 2 * exporters.places.most) {
    countRefused(exporters, address);
    return undefined;
  }
  const exporter: Exporter = {
    address,
    words: wordsOf(address),
    number: -1,
    sessions: new Map(),
    latest: undefined,
    fold: createFoldCounters(),
    reported: undefined,
    gone: undefined,
    goneMs: 0,
    ownRate: rateFor(exporters.rates, address),
    samplingRate: 0,
    samplingOrigin: 0,
    lastEpoch: -1,
    rows: 0,
    signs: createSigns(),
    isProven: false,
    isHeard: false,
    isGone: false,
  };
  exporters.byAddress.set(address, exporter);
  hear(exporters, exporter);
  return exporter;
}

function hear(exporters: Exporters, exporter: Exporter): void {
  exporter.isHeard = true;
  exporters.heard.push(exporter);
}

/** Records that are folded without a datagram may come from a name; it is no address then. */
function wordsOf(address: string): Uint32Array {
  try {
    return addressWords(parseAddress(address));
  } catch {
    return new Uint32Array(4);
  }
}

/** Its number, given with its first record; -1 where there is none. `onNumber` is told of reuse. */
export function numberOf(
  exporters: Exporters,
  exporter: Exporter,
  onNumber: (number: number) => void,
): number {
  if (exporter.number >= 0) return exporter.number;
  const number = takeNumber(exporters.numbers);
  if (number === undefined) return -1;
  onNumber(number);
  exporters.names[number] = exporter.address;
  exporter.number = number;
  return number;
}

/** The session of a datagram, heard `nowMs`; undefined (and counted) where there is no room for it or its exporter is refused. */
export function findSession(
  exporters: Exporters,
  address: string,
  port: number,
  nowMs: number,
): Session | undefined {
  const heard = exporters.byAddress.get(address);
  // Most exporters have one.
  const known = heard?.latest?.port === port ? heard.latest : heard?.sessions.get(port);
  if (heard && known) {
    if (!heard.isHeard) hear(exporters, heard);
    heard.latest = known;
    known.lastSeenMs = nowMs;
    return known;
  }
  // Connections are bounded where they are accepted, and cannot be taken up again once their templates are gone.
  const isConnection = port >= FIRST_CONNECTION;
  if (!isAllowed(exporters, address) || !(isConnection || hasPlace(exporters, nowMs))) {
    countRefused(exporters, address);
    return undefined;
  }
  const exporter = findExporter(exporters, address);
  if (!exporter) return undefined;
  const stored = takeStored(exporters, address, port);
  const isProven = isStoredProven(stored) && hasProvenPlace(exporters.places);
  const room = isProven ? exporters.proven : exporters.strangers;
  const session: Session = {
    exporter,
    port,
    decoder: createSession(address, undefined, isConnection ? 'stream' : 'udp', room),
    lastSeenMs: nowMs,
    firstRecordMs: 0,
    standing: isConnection ? 'connection' : isProven ? 'proven' : 'silent',
    placedMs: nowMs,
    before: undefined,
    behind: undefined,
  };
  if (isProven) exporter.isProven = true;
  if (stored) restoreSession(session.decoder, stored);
  exporter.sessions.set(port, session);
  placeSession(exporters.places, session);
  return session;
}

function takeStored(exporters: Exporters, address: string, port: number): unknown {
  if (exporters.stored.size === 0) return undefined;
  const key = sessionKey(address, port);
  const stored = exporters.stored.get(key);
  exporters.stored.delete(key);
  return stored;
}

const hasPlace = (exporters: Exporters, nowMs: number) =>
  makePlace(exporters.places, nowMs, (session) => {
    exporters.sessionsEvicted++;
    removeSession(exporters, session);
    if (session.exporter.sessions.size === 0) removeExporter(exporters, session.exporter);
  });

/** After a datagram handed out `records`. */
export function judgeSession(exporters: Exporters, session: Session, records: number): void {
  if (session.decoder.room === exporters.proven || !judge(exporters.places, session, records)) return;
  changeRoom(session.decoder, exporters.proven);
  session.exporter.isProven = true;
}

/** What it counted stays with its exporter. */
export function endSession(exporters: Exporters, address: string, port: number): void {
  const session = exporters.byAddress.get(address)?.sessions.get(port);
  if (session) removeSession(exporters, session);
}

function removeSession(exporters: Exporters, session: Session): void {
  const { exporter, decoder } = session;
  exporter.gone ??= createTotals();
  addSession(exporter.gone, session);
  exporter.goneMs = Math.max(exporter.goneMs, session.lastSeenMs);
  leaveRoom(decoder);
  leavePlace(exporters.places, session);
  exporter.sessions.delete(session.port);
  if (exporter.latest === session) exporter.latest = undefined;
  if (session.port < FIRST_CONNECTION) exporters.goneChanges += changesOf(session);
}

function removeExporter(exporters: Exporters, exporter: Exporter): void {
  if (exporter.isHeard) addUnreported(exporters.unreported, exporter);
  for (const session of exporter.sessions.values()) {
    leaveRoom(session.decoder);
    leavePlace(exporters.places, session);
  }
  exporters.byAddress.delete(exporter.address);
  exporter.isGone = true;
  if (exporter.number >= 0) giveBack(exporters.numbers, exporter.number, exporter.lastEpoch);
}

const changesOf = ({ decoder: { counters } }: Session) =>
  counters.templatesLearned + counters.templatesRedefined + counters.templatesWithdrawn;

/** What each session should know after a restart; undefined where no template changed since the last call, unless it is due. */
export function storeSessions(
  exporters: Exporters,
  isDue: boolean,
): Generator<[string, StoredSession]> | undefined {
  let changes = exporters.goneChanges;
  // A connection and its templates do not outlive us.
  for (const exporter of exporters.byAddress.values())
    for (const session of exporter.sessions.values())
      if (session.standing !== 'connection') changes += changesOf(session);
  if (changes === exporters.storedChanges && !isDue) return undefined;
  exporters.storedChanges = changes;
  return storedSessions(exporters);
}

/** Proven ones first, as there is a bound on what is stored. Sessions that come or go meanwhile may be in it or not. */
function* storedSessions({ places: { lines } }: Exporters): Generator<[string, StoredSession]> {
  for (const line of [lines.proven, lines.new, lines.silent]) {
    const sessions: Session[] = [];
    for (let session = line.first; session; session = session.behind) sessions.push(session);
    for (const { exporter, port, decoder, standing } of sessions) {
      if (decoder.templates.size === 0) continue;
      const isProven = standing === 'proven';
      yield [sessionKey(exporter.address, port), { ...storeSession(decoder), ...(isProven && { isProven }) }];
    }
  }
}

/** Replaces the allow-list; an empty set allows all. Exporters that are off it lose their sessions. */
export function allowExporters(exporters: Exporters, allowed: AddressSet | undefined): void {
  exporters.allowed = allowed && !noAddresses(allowed) ? allowed : undefined;
  for (const exporter of [...exporters.byAddress.values()])
    if (!isAllowed(exporters, exporter.address)) {
      exporters.sessionsEvicted += exporter.sessions.size;
      removeExporter(exporters, exporter);
    }
}

export function isAllowed(exporters: Exporters, address: string): boolean {
  return !exporters.allowed || hasAddress(exporters.allowed, parseAddress(address));
}

function countRefused(exporters: Exporters, address: string): void {
  const { refused } = exporters;
  const name = refused.has(address) || refused.size < MAX_REFUSED ? address : OTHER_SENDERS;
  refused.set(name, (refused.get(name) ?? 0) + 1);
}

export const countSessions = ({ places }: Exporters): number => sessionCount(places);

/** What `most` exporters did since they were last reported; call again while `reporting` holds any. */
export function reportExporters(exporters: Exporters, most: number): ExporterReport[] {
  if (exporters.reporting.length === 0 || most === Number.POSITIVE_INFINITY) {
    exporters.reporting = [...exporters.heard.reverse(), ...exporters.reporting];
    exporters.heard = [];
  }
  const reports: ExporterReport[] = [];
  for (let taken = 0; taken < most; taken++) {
    const exporter = exporters.reporting.pop();
    if (!exporter) break;
    exporter.isHeard = false;
    if (exporter.isGone) continue;
    const report = reportExporter(exporter);
    if (report) reports.push(report);
    // Its connections ended, or it never had one.
    if (exporter.sessions.size === 0 && exporters.byAddress.size > exporters.places.most)
      removeExporter(exporters, exporter);
  }
  return reports;
}

/** Counts of exporters that went before they were reported, since the last call. */
export const takeUnreported = ({ unreported }: Exporters): Record<string, number> => takeTotals(unreported);
