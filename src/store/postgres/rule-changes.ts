// rule changes and their reconciliation in PostgreSQL
import { randomUUID } from 'node:crypto';
import type { Insertable, Kysely, Selectable, Transaction } from 'kysely';
import type { ActorEvidence, RuleChange } from '../../model/change.ts';
import { decodeJson, encodeJson } from '../../model/json.ts';
import type { ChangeFacts, TicketVerdict } from '../../model/watch.ts';
import type { History } from '../../watches/open.ts';
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

export async function addReconciliation(
  postgres: Kysely<Database>,
  row: Omit<Insertable<ReconciliationTable>, 'id'>,
): Promise<string> {
  const id = randomUUID();
  await postgres
    .insertInto('reconciliations')
    .values({ id, ...row })
    .execute();
  return id;
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
