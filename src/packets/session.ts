// exporter address + source port -> what is remembered between its datagrams: templates, samplers, sequence, counters
import type { Domain } from './domain.ts';
import { createRoom, type Room } from './room.ts';
import type { Template } from './template.ts';
import { createWaitingRoom, type WaitingRoom } from './waiting.ts';

/** Bounds of what one exporter can make us hold. */
export interface SessionLimits {
  /** Templates over all domains; the one longest not refreshed goes first. */
  readonly templates: number;
  /** A template with more fields is counted and not kept. */
  readonly fieldsPerTemplate: number;
  /** Bytes over all templates. */
  readonly templateBytes: number;
  /** Observation domains (IPFIX), source ids (v9) and engines (v5); the oldest goes first. */
  readonly domains: number;
  /** Sampler and interface rates in one domain. */
  readonly samplersPerDomain: number;
  /** Data sets that wait for their template. */
  readonly waitingSets: number;
  readonly waitingBytes: number;
  readonly waitingMs: number;
  /** Over UDP a template that was not sent again for this long is forgotten. */
  readonly templateLifetimeMs: number;
  /** New reader functions made in one minute, so that a template flood does not become a compiler flood. */
  readonly readersPerMinute: number;
  /** Templates that push out others or are redefined, in one minute; more are refused before they cost anything. */
  readonly changesPerMinute: number;
}

const DEFAULT_LIMITS: SessionLimits = {
  templates: 4_096,
  fieldsPerTemplate: 512,
  templateBytes: 4 * 1024 * 1024,
  domains: 1_024,
  samplersPerDomain: 4_096,
  waitingSets: 512,
  waitingBytes: 512 * 1024,
  waitingMs: 10 * 60_000,
  templateLifetimeMs: 86_400_000,
  readersPerMinute: 600,
  changesPerMinute: 8_192,
};

const NO_LIMITS: Partial<SessionLimits> = {};

/** Why something of a datagram could not be read; each is counted, none stops the other sets of the datagram. */
export type MalformedReason =
  | 'short-datagram'
  | 'unknown-version'
  | 'record-count'
  | 'message-length'
  | 'set-length'
  | 'reserved-set'
  | 'template'
  | 'template-too-large'
  | 'record-overrun'
  | 'short-set';

export interface SessionCounters {
  datagrams: number;
  bytes: number;
  /** Flow records handed out. */
  records: number;
  /** Records that describe the exporter, not traffic (options data). */
  optionsRecords: number;
  /** Of sFlow: what interfaces counted, which is not traffic between addresses. */
  counterSamples: number;
  /** Of sFlow: samples without an IP packet, and of kinds that are not known. */
  otherSamples: number;
  /** Of sFlow: packets that the agent should have sampled and had no resources to. */
  droppedSamples: number;
  malformed: Record<MalformedReason, number>;
  /** Data sets that came before their template. */
  missedTemplates: number;
  /** Sets that wait now. */
  buffered: number;
  /** Sets that waited and were decoded when their template came. */
  decodedLate: number;
  /** Sets given up: waiting room full, too old, or over the reader bound. */
  dropped: number;
  templatesLearned: number;
  /** Same id with other fields. */
  templatesRedefined: number;
  templatesWithdrawn: number;
  /** Over UDP, or of templates that are not there. */
  withdrawalsIgnored: number;
  /** Not sent again within their lifetime. */
  templatesExpired: number;
  /** Pushed out by the bounds. */
  templatesEvicted: number;
  /** Over the changes of a minute. */
  templatesRefused: number;
  /** Units lost on the way: flows for v5 and v7, packets for v9, data records for IPFIX. */
  sequenceGaps: number;
  reordered: number;
  /** Whose sequence number was there already: the network doubled them, and their records count twice. */
  repeatedDatagrams: number;
  restarts: number;
  /** Datagrams of a version that needs the optional decoder, which is not installed. */
  unsupported: number;
  /** Receive time minus the header's export time at the last datagram: positive where the exporter's clock is behind. */
  clockOffsetMs: number;
}

/** `stream`: TCP and TLS, whose session ends with the connection. */
export type Transport = 'udp' | 'stream';

export interface ExporterSession {
  readonly exporter: string;
  readonly transport: Transport;
  readonly limits: SessionLimits;
  readonly counters: SessionCounters;
  /** By version and domain number. */
  readonly domains: Map<number, Domain>;
  /** All templates, the longest not refreshed first. */
  readonly templates: Set<Template>;
  templateBytes: number;
  readonly waiting: WaitingRoom;
  lastDomain: Domain | undefined;
  /** Options told of a rate; without it nobody looks for one in all the places where it may be. */
  hasRates: boolean;
  /** Domain 0 by version: it speaks for the whole exporter (RFC 7011 section 3.1). */
  readonly wholeExporter: (Domain | undefined)[];
  /** What it holds of `room`. */
  heldBytes: number;
  room: Room;
  readerMinute: number;
  readersInMinute: number;
  changeMinute: number;
  changesInMinute: number;
}

/** One session per exporter address and source port (RFC 7011 section 8: templates belong to the transport session). */
export function createSession(
  exporter: string,
  limits: Partial<SessionLimits> = NO_LIMITS,
  transport: Transport = 'udp',
  room: Room = createRoom(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY),
): ExporterSession {
  return {
    exporter,
    transport,
    // One object for all, where nobody asks for another: what thousands of sessions share stays near at hand.
    limits: limits === NO_LIMITS ? DEFAULT_LIMITS : { ...DEFAULT_LIMITS, ...limits },
    counters: createCounters(),
    domains: new Map(),
    templates: new Set(),
    templateBytes: 0,
    waiting: createWaitingRoom(),
    lastDomain: undefined,
    hasRates: false,
    wholeExporter: new Array<Domain | undefined>(12).fill(undefined),
    heldBytes: 0,
    room,
    readerMinute: 0,
    readersInMinute: 0,
    changeMinute: 0,
    changesInMinute: 0,
  };
}

function createCounters(): SessionCounters {
  return {
    datagrams: 0,
    bytes: 0,
    records: 0,
    optionsRecords: 0,
    counterSamples: 0,
    otherSamples: 0,
    droppedSamples: 0,
    malformed: {
      'short-datagram': 0,
      'unknown-version': 0,
      'record-count': 0,
      'message-length': 0,
      'set-length': 0,
      'reserved-set': 0,
      template: 0,
      'template-too-large': 0,
      'record-overrun': 0,
      'short-set': 0,
    },
    missedTemplates: 0,
    buffered: 0,
    decodedLate: 0,
    dropped: 0,
    templatesLearned: 0,
    templatesRedefined: 0,
    templatesWithdrawn: 0,
    withdrawalsIgnored: 0,
    templatesExpired: 0,
    templatesEvicted: 0,
    templatesRefused: 0,
    sequenceGaps: 0,
    reordered: 0,
    repeatedDatagrams: 0,
    restarts: 0,
    unsupported: 0,
    clockOffsetMs: 0,
  };
}

/** Sum over all reasons. */
export function malformedTotal(counters: SessionCounters): number {
  return Object.values(counters.malformed).reduce((sum, count) => sum + count, 0);
}
