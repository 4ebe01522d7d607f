// reports of the collector threads -> totals of this process, and what is not written to PostgreSQL yet
import type { ExporterActivity } from '../store/postgres/exporters.ts';
import type { AttemptBatch } from './attempt-batch.ts';
import type { ConversationBatch } from './batch.ts';
import { type ExporterReport, OTHER_SENDERS } from './exporters.ts';
import type { FolderReport } from './folder.ts';
import type { TranslationBatch } from './translation-batch.ts';

const MAX_REFUSED = 1000;
/** Exporters whose counts wait for PostgreSQL; more than all threads know at once only where senders are forged. */
const MAX_PENDING = 100_000;
/** Of those, that came a moment ago: a flood of forged senders is counted in the totals, not each by its name. */
const MAX_STRANGERS = 10_000;

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
  translationsDropped(batch: TranslationBatch): void;
  /** What happened since the last call, one item an exporter. */
  takePending(): ExporterActivity[];
  /** It could not be written; it comes again. */
  putBack(activities: readonly ExporterActivity[]): void;
  /** So many exporters found no room in PostgreSQL. */
  notRecorded(count: number): void;
}

interface State {
  readonly counters: Record<string, number>;
  readonly refused: Map<string, number>;
  readonly pending: Map<string, ExporterActivity>;
  /** Of `pending`, that are not proven. */
  strangers: number;
  sessionsEvicted: number;
  droppedRows: number;
}

export function createActivity(): Activity {
  const state: State = {
    counters: {},
    refused: new Map(),
    pending: new Map(),
    strangers: 0,
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
      addTo(state.counters, { attemptsDropped: count });
    },
    translationsDropped: ({ count }) => {
      addTo(state.counters, { translationsDropped: count });
    },
    takePending: () => {
      const activities = [...state.pending.values()];
      state.pending.clear();
      state.strangers = 0;
      return activities;
    },
    putBack: (activities) => {
      for (const activity of activities) addActivity(state, activity);
    },
    notRecorded: (count) => {
      if (count > 0) addTo(state.counters, { exportersNotRecorded: count });
    },
  };
}

function addReport(state: State, report: FolderReport): void {
  state.sessionsEvicted += report.sessionsEvicted;
  addTo(state.counters, report.streams ?? {});
  addTo(state.counters, report.gone);
  for (const [sender, count] of Object.entries(report.refused)) {
    const isKnown = state.refused.has(sender) || state.refused.size < MAX_REFUSED;
    const name = isKnown ? sender : OTHER_SENDERS;
    state.refused.set(name, (state.refused.get(name) ?? 0) + count);
  }
  for (const exporter of report.exporters) {
    addTo(state.counters, exporter.counters);
    addActivity(state, activityOf(exporter));
  }
}

function activityOf(report: ExporterReport): ExporterActivity {
  return {
    address: report.address,
    versions: report.versions,
    isProven: report.isProven,
    lastSeenMs: report.lastSeenMs,
    counters: report.counters,
    gauges: { ...report.gauges },
  };
}

/** Rows of the batch by exporter: a conversation that is lost is lost to its exporter's picture. */
function addDropped(state: State, batch: ConversationBatch): void {
  state.droppedRows += batch.count;
  const rows = new Uint32Array(batch.exporters.length);
  for (let row = 0; row < batch.count; row++) rows[batch.exporter[row]]++;
  for (const [place, droppedRows] of rows.entries())
    if (droppedRows > 0)
      addActivity(state, {
        address: batch.exporters[place],
        versions: [],
        isProven: batch.strangers?.[place] !== 1,
        lastSeenMs: 0,
        counters: { droppedRows },
        gauges: {},
      });
}

function addActivity(state: State, more: ExporterActivity): void {
  const { pending } = state;
  const known = pending.get(more.address);
  if (!known) {
    const isStranger = more.isProven === false;
    if (pending.size >= MAX_PENDING || (isStranger && state.strangers >= MAX_STRANGERS)) {
      addTo(state.counters, { exportersNotRecorded: 1 });
      return;
    }
    if (isStranger) state.strangers++;
    pending.set(more.address, more);
    return;
  }
  const counters = { ...known.counters };
  addTo(counters, more.counters);
  pending.set(more.address, {
    address: more.address,
    versions: [...new Set([...known.versions, ...more.versions])],
    isProven: known.isProven !== false || more.isProven !== false,
    lastSeenMs: Math.max(known.lastSeenMs, more.lastSeenMs),
    counters,
    gauges: { ...known.gauges, ...more.gauges },
  });
}

function addTo(totals: Record<string, number>, more: Readonly<Record<string, number>>): void {
  for (const name in more) totals[name] = (totals[name] ?? 0) + more[name];
}
