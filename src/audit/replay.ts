// watches + captures -> alerts: the service's own stages over recorded evidence, in the evidence's own time
import type { ClickHouseClient } from '@clickhouse/client';
import { openLookup } from '../../enrichment/lookup.ts';
import type { LookupTables } from '../../enrichment/pack.ts';
import { changeAnalyticOf, withOverrides } from '../analytics/index.ts';
import type { FlowThreshold } from '../analytics/spike.ts';
import type { AttemptBatch } from '../flows/attempt-batch.ts';
import type { ConversationBatch } from '../flows/batch.ts';
import { findDuplicates, WINDOW_MS } from '../flows/find-duplicates.ts';
import { createFolder } from '../flows/folder.ts';
import type { TranslationBatch } from '../flows/translation-batch.ts';
import { addressSet, hasAddress, NO_ADDRESSES, parseAddress } from '../model/addresses.ts';
import type { Alert, DeviceAlert } from '../model/alert.ts';
import type { Event } from '../model/event.ts';
import type { Host, RulesetState } from '../model/host.ts';
import type { Evidence } from '../model/watch.ts';
import type { CapturedDatagram } from '../packets/pcap.ts';
import { insertAttempts } from '../store/clickhouse/attempts.ts';
import { insertConversations } from '../store/clickhouse/conversations.ts';
import { insertTranslations } from '../store/clickhouse/translations.ts';
import { answerWatch } from '../watches/answer.ts';
import { gatherEvidence } from '../watches/evidence.ts';
import { nextHostAnswerAt } from '../watches/host-answer.ts';
import { nextAnswerAt } from '../watches/schedule.ts';
import { orientationOf } from '../watches/site.ts';
import { type OpenedWatch, siteFacts } from './evidence.ts';
import { createHostAnswers } from './host-answers.ts';
import type { OpenedHostQuestion } from './hosts.ts';
import type { AuditSite } from './site.ts';

/** Conversations held before they go to the store. */
const FLUSH_ROWS = 300_000;
/** Pools of translations that wait for the same. */
const FULL_POOLS = 8;

/** Flows from before a change arrive within the active timeouts of exporters. */
const LATE_FLOWS_MS = 3_600_000;

export interface ReplayInput {
  readonly site: AuditSite;
  readonly watches: readonly OpenedWatch[];
  readonly questions: readonly OpenedHostQuestion[];
  readonly hosts: readonly Host[];
  /** With their origin, in order of receipt. */
  readonly events: readonly Event[];
  /** Of hosts, by name, oldest first. */
  readonly rulesets: ReadonlyMap<string, readonly RulesetState[]>;
  /** Datagrams in order of time. */
  readonly datagrams: AsyncIterable<CapturedDatagram> | Iterable<CapturedDatagram>;
  readonly tables: LookupTables;
  readonly client: ClickHouseClient;
  /** No question is answered after this time. */
  readonly untilMs: number;
  readonly onAlert: (alert: Alert) => void;
  readonly onProgress?: (atMs: number, recordCount: number) => void;
}

/** Places of questions about hosts come after those of watches. */
interface Pending {
  readonly atMs: number;
  readonly index: number;
}

/** Resolves to the number of records decoded. */
export async function replay(input: ReplayInput): Promise<{ recordCount: number; alertCount: number }> {
  const { site, client, watches, questions } = input;
  const isStored = watches.length > 0 || questions.length > 0;
  const internal = siteFacts(site).internal;
  const opens = watches.map(({ draft }) => draft.facts.change.opens);
  const full: ReturnType<typeof folder.drain> = [];
  const attempts: AttemptBatch[] = [];
  const takeAttempts = () => {
    const batch = folder.takeAttempts();
    if (batch) attempts.push(batch);
  };
  const translations: TranslationBatch[] = [];
  const takeTranslations = () => {
    const batch = folder.takeTranslations();
    if (batch) translations.push(batch);
  };
  const folder = createFolder({
    internal: orientationOf(internal, opens, NO_ADDRESSES),
    tables: input.tables,
    maxConversations: FLUSH_ROWS * 2,
    onFull: () => full.push(...folder.drain()),
    hosts: addressSet(...input.hosts.flatMap((host) => host.addresses)),
    onAttemptsFull: () => takeAttempts(),
    onTranslationsFull: () => takeTranslations(),
  });
  // One insert is under way while the next rows are decoded.
  let inserting: Promise<void> = Promise.resolve();
  const store = async () => {
    await inserting;
    const batches = [...full.splice(0), ...folder.drain()];
    takeAttempts();
    takeTranslations();
    const contacts = attempts.splice(0);
    const told = translations.splice(0);
    if (isStored) inserting = insertAll(client, batches, questions.length > 0 ? contacts : [], told);
    inserting.catch(() => {});
  };
  const received = new Map<string, number>();
  const datagrams = asAsync(input.datagrams)[Symbol.asyncIterator]();
  let current = await datagrams.next();
  const firstAtMs = current.done ? Number.POSITIVE_INFINITY : current.value.atMs;
  const feed = async (untilMs: number) => {
    while (!current.done && current.value.atMs <= untilMs) {
      const { source, sourcePort, payload, atMs } = current.value;
      received.set(source, (received.get(source) ?? 0) + 1);
      folder.receive(source, sourcePort, payload, atMs);
      if (folder.count() + full.length * 1000 > FLUSH_ROWS || translations.length > FULL_POOLS) await store();
      current = await datagrams.next();
    }
  };
  const queue: Pending[] = watches.flatMap(({ openedAtMs, draft }, index) => {
    // Of a change that was pulled after its watch had ended the question is put once.
    const atMs = nextAnswerAt(openedAtMs, draft.question.untilMs, openedAtMs) ?? openedAtMs;
    return openedAtMs > input.untilMs ? [] : [{ atMs: Math.min(atMs, input.untilMs), index }];
  });
  questions.forEach(({ openedAtMs, question }, index) => {
    const atMs = nextHostAnswerAt(openedAtMs, question, openedAtMs) ?? openedAtMs;
    if (openedAtMs <= input.untilMs)
      queue.push({ atMs: Math.min(atMs, input.untilMs), index: watches.length + index });
  });
  const followDuplicates = createFollower(client);
  const answers = createAnswers(input);
  const lookup = openLookup(input.tables);
  const hostAnswers = createHostAnswers({
    ...input,
    hasFlows: !current.done,
    enrich: (address) => lookup.enrich(address),
  });
  let recordCount = 0;
  for (let next = takeEarliest(queue); next && next.atMs <= input.untilMs; next = takeEarliest(queue)) {
    await feed(next.atMs);
    await store();
    await inserting;
    // One exporter alone is not looked at: most recorded evidence has no other.
    if (received.size > 1) await followDuplicates(next.atMs, firstAtMs);
    const nextAtMs =
      next.index < watches.length
        ? await answers.answer(next.index, next.atMs, received)
        : await hostAnswers.answer(next.index - watches.length, next.atMs, totalOf(received));
    // What is still open at the end is asked once more then.
    const nextOrEndMs = Math.min(nextAtMs ?? input.untilMs, input.untilMs);
    if (nextAtMs !== undefined && nextOrEndMs > next.atMs)
      queue.push({ atMs: nextOrEndMs, index: next.index });
    recordCount += newRecords(folder);
    input.onProgress?.(next.atMs, recordCount);
  }
  // What is left decides nothing more, but is counted.
  await feed(Number.POSITIVE_INFINITY);
  return {
    recordCount: recordCount + newRecords(folder),
    alertCount: answers.alertCount() + hostAnswers.alertCount(),
  };
}

/** Looks for exporters that show the same packets, in each half hour up to a time; the last one where the next begins. */
function createFollower(client: ClickHouseClient) {
  let doneMs = Number.NEGATIVE_INFINITY;
  return async (atMs: number, firstAtMs: number): Promise<void> => {
    for (let next = Math.max(doneMs, firstAtMs) + WINDOW_MS; next < atMs; next += WINDOW_MS) {
      await findDuplicates(client, next);
      doneMs = next;
    }
  };
}

async function insertAll(
  client: ClickHouseClient,
  conversations: readonly ConversationBatch[],
  attempts: readonly AttemptBatch[],
  translations: readonly TranslationBatch[],
): Promise<void> {
  if (conversations.length > 0) await insertConversations(client, conversations);
  if (attempts.length > 0) await insertAttempts(client, attempts);
  if (translations.length > 0) await insertTranslations(client, translations);
}

const totalOf = (received: ReadonlyMap<string, number>) =>
  [...received.values()].reduce((total, count) => total + count, 0);

function createAnswers(input: ReplayInput) {
  const { site, client, watches } = input;
  const lookup = openLookup(input.tables);
  const alerts = new Map<number, DeviceAlert>();
  const askedAfter = new Map<number, number>();
  const usual = new Map<number, { ratios: Evidence['usualReturnRatio']; isFinal: boolean }>();
  return {
    alertCount: () => alerts.size,
    answer: async (
      index: number,
      askedAtMs: number,
      received: ReadonlyMap<string, number>,
    ): Promise<number | undefined> => {
      const { draft, openedAtMs } = watches[index];
      const datagramCount = countFrom(draft.question.exporters, received);
      // The same evidence would be judged again.
      if (askedAfter.get(index) === datagramCount)
        return nextAnswerAt(openedAtMs, draft.question.untilMs, askedAtMs);
      askedAfter.set(index, datagramCount);
      const analytic = changeAnalyticOf(draft.analytic);
      const parameters = withOverrides(analytic, site.parameters?.[analytic.id]);
      // What was usual before the change is asked twice: at once, and when flows from before no longer arrive.
      const known = usual.get(index);
      const isFinal = askedAtMs > draft.question.fromMs + LATE_FLOWS_MS;
      const evidence = await gatherEvidence(client, draft.question, askedAtMs, {
        baselineDays: Number(parameters.BaselineDays ?? 14),
        enrich: (address) => lookup.enrich(address),
        peakFrom: parameters.FlowThreshold as FlowThreshold,
        usualReturnRatio: isFinal && !known?.isFinal ? undefined : known?.ratios,
      });
      usual.set(index, { ratios: evidence.usualReturnRatio, isFinal });
      const related = [...alerts.entries()]
        .filter(([other, alert]) => other !== index && alert.device === draft.facts.device)
        .map(([, alert]) => alert.id);
      const { alert, nextAtMs } = answerWatch({
        ...draft,
        evidence,
        analytic,
        parameters,
        openedAtMs,
        previous: alerts.get(index),
        related,
      });
      if (alert) {
        alerts.set(index, alert);
        input.onAlert(alert);
      }
      return nextAtMs;
    },
  };
}

/** Datagrams of these exporters; of all where none of them was heard, as evidence is gathered. */
function countFrom(exporters: readonly string[], received: ReadonlyMap<string, number>): number {
  const own = addressSet(...exporters);
  const counts = [...received].map(([source, count]) => ({
    count,
    isOwn: hasAddress(own, parseAddress(source)),
  }));
  const sum = (of: typeof counts) => of.reduce((total, { count }) => total + count, 0);
  return sum(counts.filter(({ isOwn }) => isOwn)) || sum(counts);
}

/** The earliest, by watch where times are equal. Few watches are open at once, so a scan does. */
function takeEarliest(queue: Pending[]): Pending | undefined {
  if (queue.length === 0) return undefined;
  let best = 0;
  for (let i = 1; i < queue.length; i++) {
    if (
      queue[i].atMs < queue[best].atMs ||
      (queue[i].atMs === queue[best].atMs && queue[i].index < queue[best].index)
    )
      best = i;
  }
  return queue.splice(best, 1)[0];
}

/** Since the last call. */
function newRecords(folder: ReturnType<typeof createFolder>): number {
  return folder.report().exporters.reduce((sum, exporter) => sum + (exporter.counters.records ?? 0), 0);
}

async function* asAsync<T>(source: AsyncIterable<T> | Iterable<T>): AsyncGenerator<T> {
  yield* source;
}
