// events of single audit records -> one event for all records of a time and serial; a batch -> one a row; others pass through
import type { Event } from '../model/event.ts';
import { type AuditRecord, readRecord, standsAlone } from './audit-record.ts';
import { readAuditEvent } from './readers/audit.ts';
import { withoutSecrets } from './redact.ts';
import { rowsOf } from './rows.ts';

export interface JoinLimits {
  /** Events that wait for more of their records, of all senders and of one. */
  readonly maxOpen: number;
  readonly maxOpenOfSender: number;
  /** Of lines that wait. */
  readonly maxBytes: number;
  /** Of the lines of one event. */
  readonly maxEventBytes: number;
  readonly timeoutMs: number;
}

export interface AuditJoiner {
  /** `nowMs` never goes back as far as the joiner is concerned. `isHeld` is handed on with the event. */
  push(event: Event, nowMs: number, isHeld?: boolean): void;
  /** Closes what waited for longer than the timeout. */
  expire(nowMs: number): void;
  /** Closes all. */
  end(): void;
  readonly openCount: number;
  readonly counters: Readonly<JoinCounters>;
}

export interface JoinCounters {
  /** Joined from more than one record. */
  joinedEvents: number;
  /** Closed early because a bound was reached. */
  crowdedEvents: number;
  /** EOE of events that were closed before: it says nothing more and is let go of. */
  lateEnds: number;
}

const DEFAULTS: JoinLimits = {
  maxOpen: 8192,
  maxOpenOfSender: 1024,
  maxBytes: 32 << 20,
  maxEventBytes: 65_536,
  timeoutMs: 2000,
};
const LONGEST_MESSAGE = 16_384;
/** Closed events that are remembered for their EOE. */
const MAX_CLOSED = 4096;

interface Open {
  readonly key: string;
  readonly sender: string;
  readonly sinceMs: number;
  readonly events: Event[];
  readonly records: AuditRecord[];
  readonly isHeld: boolean;
  byteCount: number;
}

/** What is emitted keeps every line in `raw`. An event closes by EOE, by PROCTITLE once its SYSCALL is there, or by time. */
export function createAuditJoiner(
  emit: (event: Event, isHeld: boolean) => void,
  limits: Partial<JoinLimits> = {},
): AuditJoiner {
  const { maxOpen, maxOpenOfSender, maxBytes, maxEventBytes, timeoutMs } = { ...DEFAULTS, ...limits };
  /** In the order in which they were opened. */
  const open = new Map<string, Open>();
  const ofSender = new Map<string, number>();
  const closed = new Set<string>();
  const counters: JoinCounters = { joinedEvents: 0, crowdedEvents: 0, lateEnds: 0 };
  let byteCount = 0;
  let latestMs = Number.NEGATIVE_INFINITY;

  const close = (one: Open): void => {
    open.delete(one.key);
    byteCount -= one.byteCount;
    const left = (ofSender.get(one.sender) ?? 1) - 1;
    if (left > 0) ofSender.set(one.sender, left);
    else ofSender.delete(one.sender);
    if (one.events.length > 1) counters.joinedEvents++;
    // Sets keep their order: the first is the oldest.
    if (closed.size >= MAX_CLOSED) for (const first of closed) if (closed.delete(first)) break;
    closed.add(one.key);
    emit(joined(one), one.isHeld);
  };
  const closeOldest = (sender?: string): void => {
    for (const one of open.values()) {
      if (sender !== undefined && one.sender !== sender) continue;
      counters.crowdedEvents++;
      close(one);
      return;
    }
  };
  const expire = (nowMs: number): void => {
    latestMs = Math.max(latestMs, nowMs);
    for (const one of open.values()) {
      if (latestMs - one.sinceMs < timeoutMs) return;
      close(one);
    }
  };
  const add = (event: Event, record: AuditRecord, isHeld: boolean): void => {
    const key = `${event.sender}\n${record.node || (event.host ?? '')}\n${record.observedAtMs}:${record.serial}`;
    let one = open.get(key);
    if (!one) {
      if (record.type === 'EOE') {
        if (closed.delete(key)) counters.lateEnds++;
        else emit(event, isHeld);
        return;
      }
      const { sender } = event;
      if ((ofSender.get(sender) ?? 0) >= maxOpenOfSender) closeOldest(sender);
      if (open.size >= maxOpen) closeOldest();
      one = { key, sender, sinceMs: latestMs, events: [], records: [], isHeld, byteCount: 0 };
      open.set(key, one);
      ofSender.set(sender, (ofSender.get(sender) ?? 0) + 1);
    }
    const size = 2 * (event.raw.length + event.message.length) + 300;
    one.events.push(event);
    one.records.push(record);
    one.byteCount += size;
    byteCount += size;
    if (isComplete(one.records)) close(one);
    else if (one.byteCount > 4 * maxEventBytes) {
      counters.crowdedEvents++;
      close(one);
    }
    while (byteCount > maxBytes) closeOldest();
  };
  return {
    push: (event, nowMs, isHeld = false) => {
      expire(nowMs);
      const record = readRecord(event.message);
      if (record && !standsAlone(record.type)) add(event, record, isHeld);
      else if (record || event.program !== 'osqueryd') emit(event, isHeld);
      else for (const one of rowsOf(event)) emit(one, isHeld);
    },
    expire,
    end: () => {
      for (const one of open.values()) close(one);
    },
    get openCount() {
      return open.size;
    },
    counters,
  };
}

/** ausearch prints PROCTITLE first, the kernel last. */
function isComplete(records: readonly AuditRecord[]): boolean {
  const { type } = records[records.length - 1];
  return type === 'EOE' || (type === 'PROCTITLE' && records.some((record) => record.type === 'SYSCALL'));
}

function joined({ events, records }: Open): Event {
  const [first] = events;
  if (events.length === 1) return first;
  const told = Object.entries(readAuditEvent(records)).filter(([, value]) => value !== undefined);
  return withoutSecrets({
    ...first,
    ...Object.fromEntries(told),
    host: first.host ?? (records[0].node || undefined),
    node: records[0].node || undefined,
    message: events
      .map((event) => event.message)
      .join('\n')
      .slice(0, LONGEST_MESSAGE),
    raw: events.map((event) => event.raw).join('\n'),
  });
}
