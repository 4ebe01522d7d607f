// questions about hosts in PostgreSQL, with the time of their next answer
import { randomUUID } from 'node:crypto';
import type { Kysely, Selectable, Transaction } from 'kysely';
import type { HostQuestion } from '../../model/host.ts';
import { decodeJson, encodeJson } from '../../model/json.ts';
import type { Database, HostWatchTable } from './schema.ts';

type Postgres = Kysely<Database> | Transaction<Database>;

export interface HostWatch {
  readonly id: string;
  readonly hostId: string;
  readonly question: HostQuestion;
  readonly state: 'open' | 'closed';
  readonly openedAtMs: number;
  readonly nextAtMs: number;
}

/** Undefined where the same trigger opened one before. */
export async function insertHostWatch(
  postgres: Postgres,
  hostId: string,
  question: HostQuestion,
  openedAtMs: number,
  nextAtMs: number,
): Promise<string | undefined> {
  const row = await postgres
    .insertInto('host_watches')
    .values({
      id: randomUUID(),
      analytic: question.analytic,
      host_id: hostId,
      key: question.key,
      trigger_at: new Date(question.trigger.atMs),
      question: encodeJson(question),
      state: 'open',
      opened_at: new Date(openedAtMs),
      next_at: new Date(nextAtMs),
      until_at: new Date(question.untilMs),
      answer_count: 0,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst();
  return row?.id;
}

/** Triggers since `sinceMs`, open or closed: what comes soon after belongs to them. */
export async function hostTriggersSince(
  postgres: Postgres,
  sinceMs: number,
): Promise<{ hostId: string; analytic: string; key: string; atMs: number }[]> {
  const rows = await postgres
    .selectFrom('host_watches')
    .select(['host_id', 'analytic', 'key', 'trigger_at'])
    .where('trigger_at', '>=', new Date(sinceMs))
    .orderBy('trigger_at')
    .execute();
  return rows.map((row) => ({
    hostId: row.host_id,
    analytic: row.analytic,
    key: row.key,
    atMs: row.trigger_at.getTime(),
  }));
}

export async function hostWatchById(postgres: Postgres, id: string): Promise<HostWatch | undefined> {
  const row = await postgres.selectFrom('host_watches').selectAll().where('id', '=', id).executeTakeFirst();
  return row && asHostWatch(row);
}

/** Open ones whose answer is due, oldest first. */
export async function dueHostWatches(
  postgres: Postgres,
  now: Date,
  limit: number,
): Promise<{ watchId: string; atMs: number }[]> {
  const rows = await postgres
    .selectFrom('host_watches')
    .select(['id', 'next_at'])
    .where('state', '=', 'open')
    .where('next_at', '<=', now)
    .orderBy('next_at')
    .limit(limit)
    .execute();
  return rows.map((row) => ({ watchId: row.id, atMs: row.next_at.getTime() }));
}

/** Sets the next answer time, or closes the question with undefined. */
export async function scheduleHostWatch(
  postgres: Postgres,
  id: string,
  nextAtMs: number | undefined,
): Promise<void> {
  await postgres
    .updateTable('host_watches')
    .set((eb) => ({
      answer_count: eb('answer_count', '+', 1),
      ...(nextAtMs === undefined ? { state: 'closed' as const } : { next_at: new Date(nextAtMs) }),
    }))
    .where('id', '=', id)
    .execute();
}

function asHostWatch(row: Selectable<HostWatchTable>): HostWatch {
  return {
    id: row.id,
    hostId: row.host_id,
    question: decodeJson(row.question),
    state: row.state,
    openedAtMs: row.opened_at.getTime(),
    nextAtMs: row.next_at.getTime(),
  };
}
