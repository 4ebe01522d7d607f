// rule changes and their reconciliation in PostgreSQL
import type { Insertable, Kysely, Selectable, Transaction } from 'kysely';
import { sql } from 'kysely';
import type { ActorEvidence, OccurredBetween, RuleChange } from '../../model/change.ts';
import { decodeJson, encodeJson } from '../../model/json.ts';
import type { ChangeFacts, TicketVerdict } from '../../model/watch.ts';
import type { History } from '../../watches/open.ts';
import { olderThan, type TimePage } from './page.ts';
import type { Database, ReconciliationTable, RuleChangeTable } from './schema.ts';

export type StoredRuleChange = Selectable<RuleChangeTable>;

export async function insertRuleChanges(
  postgres: Kysely<Database> | Transaction<Database>,
  deviceId: string,
  snapshots: { before: string; after: string },
  facts: readonly ChangeFacts[],
  detectedAt: Date,
): Promise<void> {
  const rows = facts.map((one) => ({
    id: one.id,
    device_id: deviceId,
    snapshot_before: snapshots.before,
    snapshot_after: snapshots.after,
    kind: one.change.kind,
    class: one.class,
    rule_key: one.change.ruleKey,
    change: encodeJson(one.change),
    occurred_from: new Date(one.occurredBetween.fromMs),
    occurred_to: new Date(one.occurredBetween.toMs),
    occurred_basis: one.occurredBetween.basis,
    actors: encodeJson(one.actors),
    ticket: encodeJson(one.ticket),
    approved_forward: one.approvedForward ? encodeJson(one.approvedForward) : null,
    detected_at: detectedAt,
  }));
  for (let i = 0; i < rows.length; i += 500) {
    await postgres
      .insertInto('rule_changes')
      .values(rows.slice(i, i + 500))
      .onConflict((conflict) => conflict.column('id').doNothing())
      .execute();
  }
}

export async function ruleChangeById(
  postgres: Kysely<Database>,
  id: string,
): Promise<StoredRuleChange | undefined> {
  return postgres.selectFrom('rule_changes').selectAll().where('id', '=', id).executeTakeFirst();
}

export const changeOf = (row: StoredRuleChange): RuleChange => decodeJson<RuleChange>(row.change);

/** What earlier changes of the device tell about who changes what, and when. */
export async function changeHistory(
  postgres: Kysely<Database>,
  deviceId: string,
  hourOf: (atMs: number) => number,
): Promise<History> {
  const rows = await postgres
    .selectFrom('rule_changes')
    .select(['class', 'actors', 'occurred_to'])
    .where('device_id', '=', deviceId)
    .orderBy('detected_at', 'desc')
    .limit(500)
    .execute();
  const users = rows.flatMap((row) =>
    decodeJson<ActorEvidence[]>(row.actors).flatMap((actor) => actor.user ?? []),
  );
  return {
    classesBefore: [...new Set(rows.map((row) => row.class))],
    usersBefore: [...new Set(users)],
    hoursBefore: rows.map((row) => hourOf(row.occurred_to.getTime())),
  };
}

/** Changes that can have happened in a time, with what the match of a ticket needs to know; the newest first. */
export async function changesBetween(
  postgres: Kysely<Database>,
  from: Date,
  to: Date,
  limit: number,
): Promise<(StoredRuleChange & { device: string; ticket_pattern: string | null })[]> {
  return postgres
    .selectFrom('rule_changes')
    .innerJoin('devices', 'devices.id', 'rule_changes.device_id')
    .selectAll('rule_changes')
    .select(['devices.name as device', 'devices.ticket_pattern'])
    .where('occurred_to', '>=', from)
    .where('occurred_from', '<=', to)
    .orderBy('detected_at', 'desc')
    .limit(limit)
    .execute();
}

/** Those that a snapshot brought, at most so many; the rest keep what was known of them first. */
export async function ruleChangesInto(
  postgres: Kysely<Database>,
  snapshotId: string,
  limit = 1000,
): Promise<StoredRuleChange[]> {
  return postgres
    .selectFrom('rule_changes')
    .selectAll()
    .where('snapshot_after', '=', snapshotId)
    .limit(limit)
    .execute();
}

export async function setWhoAndWhen(
  postgres: Kysely<Database>,
  id: string,
  actors: readonly ActorEvidence[],
  { fromMs, toMs, basis }: OccurredBetween,
): Promise<void> {
  await postgres
    .updateTable('rule_changes')
    .set({
      actors: encodeJson(actors),
      occurred_from: new Date(fromMs),
      occurred_to: new Date(toMs),
      occurred_basis: basis,
    })
    .where('id', '=', id)
    .execute();
}

export async function setTicketVerdict(
  postgres: Kysely<Database>,
  id: string,
  verdict: TicketVerdict,
): Promise<void> {
  await postgres
    .updateTable('rule_changes')
    .set({ ticket: encodeJson(verdict) })
    .where('id', '=', id)
    .execute();
}

export type Decision = Selectable<ReconciliationTable>;

/** What a list shows of a change, with its state and how often it was decided about. */
export type ReconciledChange = StoredRuleChange & {
  readonly device: string;
  readonly device_created_by: string;
  readonly reconciliation: Reconciliation;
  readonly decision_count: number;
};

/** Of a change without a decision: unreconciled, or proposed where a ticket fits. An emergency without a ticket gets overdue. */
export const RECONCILIATIONS = [
  'unreconciled',
  'proposed',
  'overdue',
  'approved',
  'emergency',
  'unauthorised',
  'accepted_without_ticket',
  'expected_noise',
] as const;
export type Reconciliation = (typeof RECONCILIATIONS)[number];

export interface ChangeFilter extends TimePage {
  readonly id?: string;
  readonly reconciliation?: Reconciliation;
  /** Name or id. */
  readonly device?: string;
  readonly class?: string;
  /** Detected then or later. */
  readonly since?: Date;
  /** Emergencies that were decided before this and still have no ticket are overdue. */
  readonly emergenciesDue: Date;
}

/** The newest first. */
export async function listChanges(
  postgres: Kysely<Database>,
  filter: ChangeFilter,
): Promise<ReconciledChange[]> {
  const state = sql<Reconciliation>`CASE
    WHEN last.decision IS NULL AND rule_changes.ticket->>'state' IN ('approved', 'proposed') THEN 'proposed'
    WHEN last.decision IS NULL THEN 'unreconciled'
    WHEN last.decision = 'emergency' AND last.ticket_number IS NULL AND last.decided_at < ${filter.emergenciesDue}
      THEN 'overdue'
    ELSE last.decision END`;
  return postgres
    .selectFrom('rule_changes')
    .innerJoin('devices', 'devices.id', 'rule_changes.device_id')
    .leftJoinLateral(
      (eb) =>
        eb
          .selectFrom('reconciliations')
          .select(['decision', 'ticket_number', 'decided_at'])
          .whereRef('change_id', '=', 'rule_changes.id')
          .orderBy('decided_at', 'desc')
          .orderBy('id', 'desc')
          .limit(1)
          .as('last'),
      (join) => join.onTrue(),
    )
    .selectAll('rule_changes')
    .select(['devices.name as device', 'devices.created_by as device_created_by'])
    .select(state.as('reconciliation'))
    .select(
      sql<number>`(SELECT count(*)::int FROM reconciliations WHERE change_id = rule_changes.id)`.as(
        'decision_count',
      ),
    )
    .$if(filter.id !== undefined, (query) => query.where('rule_changes.id', '=', filter.id!))
    .$if(filter.class !== undefined, (query) => query.where('rule_changes.class', '=', filter.class!))
    .$if(filter.since !== undefined, (query) => query.where('detected_at', '>=', filter.since!))
    .$if(filter.reconciliation !== undefined, (query) => query.where(state, '=', filter.reconciliation!))
    .$if(filter.device !== undefined, (query) =>
      query.where((eb) =>
        eb.or([eb('devices.id', '=', filter.device!), eb('devices.name', '=', filter.device!)]),
      ),
    )
    .$if(filter.before !== undefined, (query) =>
      query.where(olderThan('detected_at', 'rule_changes.id', filter.before!)),
    )
    .orderBy('detected_at', 'desc')
    .orderBy('rule_changes.id', 'desc')
    .limit(filter.limit)
    .execute();
}

/** In the order they were taken. */
export async function decisionsOf(postgres: Kysely<Database>, changeId: string): Promise<Decision[]> {
  return postgres
    .selectFrom('reconciliations')
    .selectAll()
    .where('change_id', '=', changeId)
    .orderBy('decided_at')
    .orderBy('id')
    .execute();
}

/**
 * Appends a decision where exactly `expectedCount` were taken before it. A decision of the same id that is there already is
 * given back and nothing is appended.
 */
export async function appendDecision(
  postgres: Kysely<Database>,
  row: Insertable<ReconciliationTable>,
  expectedCount: number,
): Promise<{ outcome: 'appended' | 'repeated'; stored: Decision; count: number } | { outcome: 'conflict' }> {
  return postgres.transaction().execute(async (transaction) => {
    await transaction
      .selectFrom('rule_changes')
      .select('id')
      .where('id', '=', row.change_id)
      .forUpdate()
      .executeTakeFirstOrThrow();
    const before = await decisionsOf(transaction, row.change_id);
    const same = before.find(({ id }) => id === row.id);
    if (same) return { outcome: 'repeated', stored: same, count: before.length };
    if (before.length !== expectedCount) return { outcome: 'conflict' };
    const stored = await transaction
      .insertInto('reconciliations')
      .values(row)
      .returningAll()
      .executeTakeFirstOrThrow();
    return { outcome: 'appended', stored, count: before.length + 1 };
  });
}
