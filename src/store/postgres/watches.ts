// watches in PostgreSQL: stored questions with the time of their next answer
import { randomUUID } from 'node:crypto';
import type { Kysely, Selectable, Transaction } from 'kysely';
import { decodeJson, encodeJson } from '../../model/json.ts';
import type { ChangeFacts, Question } from '../../model/watch.ts';
import type { WatchDraft } from '../../watches/open.ts';
import type { Database, WatchTable } from './schema.ts';

export interface Watch {
  readonly id: string;
  readonly analytic: string;
  readonly deviceId: string;
  readonly changeId: string;
  readonly question: Question;
  readonly facts: ChangeFacts;
  readonly state: 'open' | 'closed';
  readonly openedAtMs: number;
  readonly untilMs: number;
  readonly nextAtMs: number;
}

/** Returns the new watch's id, or that of the watch that the change already has. */
export async function insertWatch(
  postgres: Kysely<Database> | Transaction<Database>,
  deviceId: string,
  draft: WatchDraft,
  openedAtMs: number,
  nextAtMs: number,
): Promise<string> {
  const row = await postgres
    .insertInto('watches')
    .values({
      id: randomUUID(),
      analytic: draft.analytic,
      device_id: deviceId,
      change_id: draft.facts.id,
      question: encodeJson(draft.question),
      facts: encodeJson(draft.facts),
      state: 'open',
      opened_at: new Date(openedAtMs),
      next_at: new Date(nextAtMs),
      until_at: new Date(draft.question.untilMs),
      answer_count: 0,
    })
    .onConflict((conflict) => conflict.columns(['analytic', 'change_id']).doUpdateSet({ answer_count: 0 }))
    .returning('id')
    .executeTakeFirstOrThrow();
  return row.id;
}

export async function watchById(postgres: Kysely<Database>, id: string): Promise<Watch | undefined> {
  const row = await postgres.selectFrom('watches').selectAll().where('id', '=', id).executeTakeFirst();
  return row && asWatch(row);
}

/** Open watches whose answer is due, oldest first. */
export async function dueWatches(
  postgres: Kysely<Database>,
  now: Date,
  limit: number,
): Promise<{ watchId: string; atMs: number }[]> {
  const rows = await postgres
    .selectFrom('watches')
    .select(['id', 'next_at'])
    .where('state', '=', 'open')
    .where('next_at', '<=', now)
    .orderBy('next_at')
    .limit(limit)
    .execute();
  return rows.map((row) => ({ watchId: row.id, atMs: row.next_at.getTime() }));
}

export async function openWatchList(postgres: Kysely<Database>): Promise<Watch[]> {
  const rows = await postgres
    .selectFrom('watches')
    .selectAll()
    .where('state', '=', 'open')
    .limit(10_000)
    .execute();
  return rows.map(asWatch);
}

/** Sets the next answer time, or closes the watch with undefined. */
export async function scheduleWatch(
  postgres: Kysely<Database>,
  id: string,
  nextAtMs: number | undefined,
): Promise<void> {
  await postgres
    .updateTable('watches')
    .set((eb) => ({
      answer_count: eb('answer_count', '+', 1),
      ...(nextAtMs === undefined ? { state: 'closed' as const } : { next_at: new Date(nextAtMs) }),
    }))
    .where('id', '=', id)
    .execute();
}

function asWatch(row: Selectable<WatchTable>): Watch {
  return {
    id: row.id,
    analytic: row.analytic,
    deviceId: row.device_id,
    changeId: row.change_id,
    question: decodeJson(row.question),
    facts: decodeJson(row.facts),
    state: row.state,
    openedAtMs: row.opened_at.getTime(),
    untilMs: row.until_at.getTime(),
    nextAtMs: row.next_at.getTime(),
  };
}
