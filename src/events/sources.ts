// lines by where they came from -> whose they are, by whose clock, and what became of them
import type { Event } from '../model/event.ts';
import { type Clock, createClock, type StampKind, stampKind } from './clock.ts';
import { type Arrival, type Origin, type OriginRegistry, originOf, speaksForOthers } from './origin.ts';

/** A sender, or one of the names that it states where it may speak for others. Counts are since the last report. */
export interface SourceReport {
  readonly sender: string;
  /** '' where all lines of the sender are one source. */
  readonly host: string;
  readonly identity: string;
  readonly origin: string;
  readonly originBasis: string;
  readonly lines: number;
  readonly unread: number;
  /** Of UDP, over the sender's share. */
  readonly dropped: number;
  /** The allow-list leaves the sender out. */
  readonly refused: number;
  readonly lastAtMs: number;
  /** As measured for lines that state a zone, and for those that do not. */
  readonly zonedOffsetMs: number;
  readonly zonelessOffsetMs: number;
  readonly zoneMinutes: number;
}

/** What was measured before a restart. */
export type KnownClock = Pick<
  SourceReport,
  'sender' | 'host' | 'identity' | 'zonedOffsetMs' | 'zonelessOffsetMs'
>;

export interface Sources {
  /** Counts a line and tells what is known of its origin and clock. */
  line(event: Event, isUnread: boolean): Pick<Event, 'origin' | 'originBasis' | 'clockOffsetMs'>;
  dropped(sender: string, nowMs: number): void;
  refused(sender: string, nowMs: number): void;
  setRegistry(registry: OriginRegistry): void;
  /** What was counted since the report before; sources silent for a day are forgotten. */
  report(nowMs: number): SourceReport[];
  /** Puts back what could not be stored. */
  putBack(reports: readonly SourceReport[]): void;
  /** Lines of names over the bounds: they have an origin, and no clock. */
  readonly crowdedLines: number;
}

interface Counts {
  lines: number;
  unread: number;
  dropped: number;
  refused: number;
}

interface Source extends Counts {
  readonly arrival: Arrival;
  /** As the report has it. */
  readonly host: string;
  readonly clocks: Partial<Record<StampKind, Clock>>;
  origin: Origin | undefined;
  lastAtMs: number;
}

interface Sender {
  readonly address: string;
  readonly identity: string | undefined;
  readonly speaksForOthers: boolean;
  readonly sources: Map<string, Source>;
  firstAtMs: number;
  lastAtMs: number;
}

const MAX_SETTLED = 10_000;
const MAX_YOUNG = 5000;
const MAX_SOURCES = 20_000;
const SETTLES_AFTER_MS = 60_000;
const FORGOTTEN_AFTER_MS = 86_400_000;
const NOTHING = {};

/** Memory is bounded: a flood of senders or names that never were costs only newcomers, not those heard for a minute. */
export function createSources(first: OriginRegistry, known: readonly KnownClock[] = []): Sources {
  let registry = first;
  const settled = new Map<string, Sender>();
  const young = new Map<string, Sender>();
  const knownClocks = new Map(known.map((one) => [clockKey(one), one]));
  const waiting = new Map<string, SourceReport>();
  let sourceCount = 0;
  let crowdedLines = 0;

  const senderOf = (sender: string, identity: string | undefined, nowMs: number): Sender => {
    const key = identity === undefined ? sender : `${sender} ${identity}`;
    let one = settled.get(key) ?? young.get(key);
    if (one) return one;
    if (young.size >= MAX_YOUNG) {
      const [oldest, { sources }] = young.entries().next().value!;
      young.delete(oldest);
      sourceCount -= sources.size;
    }
    one = {
      address: sender,
      identity,
      speaksForOthers: speaksForOthers(sender, identity, registry),
      sources: new Map(),
      firstAtMs: nowMs,
      lastAtMs: nowMs,
    };
    young.set(key, one);
    return one;
  };
  const sourceOf = (event: Pick<Event, 'sender' | 'identity' | 'node' | 'host' | 'receivedAtMs'>) => {
    const sender = senderOf(event.sender, event.identity, event.receivedAtMs);
    sender.lastAtMs = event.receivedAtMs;
    const stated = sender.speaksForOthers ? statedName(event) : '';
    const found = sender.sources.get(stated);
    if (found) return found;
    // One sender may have as many names as are left: others find room.
    if (sender.sources.size > 0 && sender.sources.size >= MAX_SOURCES - sourceCount) return undefined;
    const made = newSource(event, stated, registry, knownClocks);
    sender.sources.set(stated, made);
    sourceCount++;
    return made;
  };
  const counted = (sender: string, nowMs: number) => sourceOf({ sender, receivedAtMs: nowMs });
  const settle = (nowMs: number) => {
    for (const [key, sender] of young) {
      if (sender.lastAtMs - sender.firstAtMs < SETTLES_AFTER_MS || settled.size >= MAX_SETTLED) continue;
      young.delete(key);
      settled.set(key, sender);
    }
    for (const senders of [young, settled])
      for (const [key, sender] of senders) {
        for (const [stated, { lastAtMs }] of sender.sources)
          if (nowMs - lastAtMs > FORGOTTEN_AFTER_MS && sender.sources.delete(stated)) sourceCount--;
        if (sender.sources.size === 0) senders.delete(key);
      }
  };
  return {
    line: (event, isUnread) => {
      const source = sourceOf(event);
      if (!source) {
        crowdedLines++;
        return originOf(event, registry) ?? NOTHING;
      }
      source.lines++;
      if (isUnread) source.unread++;
      source.lastAtMs = event.receivedAtMs;
      const clockOffsetMs = measure(source, event);
      if (source.origin === undefined) return clockOffsetMs === undefined ? NOTHING : { clockOffsetMs };
      return clockOffsetMs === undefined ? source.origin : { ...source.origin, clockOffsetMs };
    },
    dropped: (sender, nowMs) => {
      const source = counted(sender, nowMs);
      if (source) source.dropped++;
    },
    refused: (sender, nowMs) => {
      const source = counted(sender, nowMs);
      if (!source) return;
      source.refused++;
      source.lastAtMs = nowMs;
    },
    setRegistry: (next) => {
      registry = next;
      for (const senders of [settled, young])
        for (const [key, sender] of senders) {
          // A sender that was registered meanwhile, or is no longer, is looked at anew; its clocks are measured again.
          if (speaksForOthers(sender.address, sender.identity, next) !== sender.speaksForOthers) {
            report(sender);
            sourceCount -= sender.sources.size;
            senders.delete(key);
          } else for (const source of sender.sources.values()) source.origin = originOf(source.arrival, next);
        }
    },
    report: (nowMs) => {
      for (const senders of [settled, young]) for (const sender of senders.values()) report(sender);
      settle(nowMs);
      const reports = [...waiting.values()];
      waiting.clear();
      return reports;
    },
    putBack: (reports) => {
      for (const one of reports) merge(one);
    },
    get crowdedLines() {
      return crowdedLines;
    },
  };

  function report({ sources }: Sender): void {
    for (const source of sources.values()) {
      if (source.lines + source.dropped + source.refused === 0) continue;
      merge(reportOf(source));
      source.lines = source.unread = source.dropped = source.refused = 0;
    }
  }

  function merge(one: SourceReport): void {
    const key = clockKey(one);
    const before = waiting.get(key);
    if (!before && waiting.size >= 2 * MAX_SOURCES) return;
    const latest = before && before.lastAtMs > one.lastAtMs ? before : one;
    waiting.set(key, {
      ...latest,
      lines: one.lines + (before?.lines ?? 0),
      unread: one.unread + (before?.unread ?? 0),
      dropped: one.dropped + (before?.dropped ?? 0),
      refused: one.refused + (before?.refused ?? 0),
    });
  }
}

const clockKey = ({ sender, host, identity }: { sender: string; host: string; identity: string }) =>
  `${sender}\n${identity}\n${host}`;

const LONGEST_NAME = 255;

/** As a key and for people: the node before the host name, both where they differ. */
function statedName({ node, host = '' }: Pick<Event, 'node' | 'host'>): string {
  const name = node === undefined || node === host ? host : host === '' ? node : `${node} ${host}`;
  return name.length > LONGEST_NAME ? name.slice(0, LONGEST_NAME) : name;
}

function newSource(
  event: Pick<Event, 'sender' | 'identity' | 'node' | 'host' | 'receivedAtMs'>,
  host: string,
  registry: OriginRegistry,
  known: ReadonlyMap<string, KnownClock>,
): Source {
  const { sender, identity = '' } = event;
  const before = known.get(clockKey({ sender, host, identity }));
  return {
    arrival: { sender, identity: event.identity, node: event.node, host: event.host },
    host,
    origin: originOf(event, registry),
    clocks: before
      ? {
          zoned: createClock('zoned', before.zonedOffsetMs),
          zoneless: createClock('zoneless', before.zonelessOffsetMs),
        }
      : {},
    lastAtMs: event.receivedAtMs,
    lines: 0,
    unread: 0,
    dropped: 0,
    refused: 0,
  };
}

/** The difference that was known before this line: a line does not judge itself. */
function measure(source: Source, event: Event): number | undefined {
  const kind = stampKind(event);
  if (kind === undefined) return undefined;
  source.clocks[kind] ??= createClock(kind);
  const clock = source.clocks[kind];
  clock.add(event.observedAtMs, event.receivedAtMs);
  return clock.estimate?.offsetMs;
}

function reportOf(source: Source): SourceReport {
  const { arrival, clocks, origin } = source;
  const zoneless = clocks.zoneless?.estimate;
  return {
    sender: arrival.sender,
    identity: arrival.identity ?? '',
    host: source.host,
    origin: origin?.origin ?? '',
    originBasis: origin?.originBasis ?? '',
    lines: source.lines,
    unread: source.unread,
    dropped: source.dropped,
    refused: source.refused,
    lastAtMs: source.lastAtMs,
    zonedOffsetMs: Math.round(clocks.zoned?.estimate?.offsetMs ?? 0),
    zonelessOffsetMs: Math.round(zoneless?.offsetMs ?? 0),
    zoneMinutes: zoneless?.zoneMinutes ?? 0,
  };
}
