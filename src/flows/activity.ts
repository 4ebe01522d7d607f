// reports of the collector threads -> totals of this process, and what is not written to PostgreSQL yet
import type { ExporterActivity } from '../store/postgres/exporters.ts';
import type { AttemptBatch } from './attempt-batch.ts';
import type { ConversationBatch } from './batch.ts';
import { type ExporterReport, OTHER_SENDERS } from './exporters.ts';
import type { FolderReport } from './folder.ts';

const MAX_REFUSED = 1000;
/** Exporters whose counts wait for PostgreSQL; more than all threads know at once only where senders are forged. */
const MAX_PENDING = 100_000;

/** Since the start of this process. */
export interface FlowActivity {
  /** Sums over all exporters: decoder counters (src/packets) and fold counters (src/flows/fold.ts). */
  readonly counters: Readonly<Record<string, number>>;
  /** Datagrams from senders that are not allowed, or that found no room. */
  readonly refused: Readonly<Record<string, number>>;
  readonly sessionsEvicted: number;
  /** Conversations that the store's queue had no room for. */
  readonly droppedRows: number;
}

export interface Activity {
  totals(): FlowActivity;
  add(report: FolderReport): void;
  dropped(batch: ConversationBatch): void;
  attemptsDropped(batch: AttemptBatch): void;
  /** What happened since the last call, one item an exporter. */
  takePending(): ExporterActivity[];
  /** It could not be written; it comes again. */
  putBack(activities: readonly ExporterActivity[]): void;
}

interface State {
  counters: Record<string, number>;
  readonly refused: Map<string, number>;
  readonly pending: Map<string, ExporterActivity>;
  sessionsEvicted: number;
  droppedRows: number;
}

export function createActivity(): Activity {
  const state: State = {
    counters: {},
    refused: new Map(),
    pending: new Map(),
    sessionsEvicted: 0,
    droppedRows: 0,
  };
  return {
    totals: () => ({
      counters: { ...state.counters },
      refused: Object.fromEntries(state.refused),
      sessionsEvicted: state.sessionsEvicted,
      droppedRows: state.droppedRows,
    }),
    add: (report) => addReport(state, report),
    dropped: (batch) => addDropped(state, batch),
    attemptsDropped: ({ count }) => {
      state.counters = sum(state.counters, { attemptsDropped: count });
    },
    takePending: () => {
      const activities = [...state.pending.values()];
      state.pending.clear();
      return activities;
    },
    putBack: (activities) => {
      for (const activity of activities) addActivity(state.pending, activity);
    },
  };
}

function addReport(state: State, report: FolderReport): void {
  state.sessionsEvicted += report.sessionsEvicted;
  state.counters = sum(state.counters, report.streams ?? {});
  for (const [sender, count] of Object.entries(report.refused)) {
    const isKnown = state.refused.has(sender) || state.refused.size < MAX_REFUSED;
    const name = isKnown ? sender : OTHER_SENDERS;
    state.refused.set(name, (state.refused.get(name) ?? 0) + count);
  }
  for (const exporter of report.exporters) {
    state.counters = sum(state.counters, exporter.counters);
    addActivity(state.pending, activityOf(exporter));
  }
}

function activityOf(report: ExporterReport): ExporterActivity {
  return {
    address: report.address,
    versions: report.versions,
    lastSeenMs: report.lastSeenMs,
    counters: report.counters,
    gauges: { ...report.gauges },
  };
}

/** Rows of the batch by exporter: a conversation that is lost is lost to its exporter's picture. */
function addDropped(state: State, batch: ConversationBatch): void {
  state.droppedRows += batch.count;
  const rows = new Map<string, number>();
  for (let row = 0; row < batch.count; row++) {
    const address = batch.exporters[batch.exporter[row]];
    rows.set(address, (rows.get(address) ?? 0) + 1);
  }
  for (const [address, droppedRows] of rows)
    addActivity(state.pending, {
      address,
      versions: [],
      lastSeenMs: 0,
      counters: { droppedRows },
      gauges: {},
    });
}

function addActivity(pending: Map<string, ExporterActivity>, more: ExporterActivity): void {
  const known = pending.get(more.address);
  if (!known && pending.size >= MAX_PENDING) return;
  pending.set(
    more.address,
    known
      ? {
          address: more.address,
          versions: [...new Set([...known.versions, ...more.versions])],
          lastSeenMs: Math.max(known.lastSeenMs, more.lastSeenMs),
          counters: sum(known.counters, more.counters),
          gauges: { ...known.gauges, ...more.gauges },
        }
      : more,
  );
}

function sum(
  counts: Readonly<Record<string, number>>,
  more: Readonly<Record<string, number>>,
): Record<string, number> {
  const totals = { ...counts };
  for (const [name, count] of Object.entries(more)) totals[name] = (totals[name] ?? 0) + count;
  return totals;
}
