// snapshots in PostgreSQL: a row a configuration, confirmed by every later pull that saw the same
import type { Kysely, Selectable, Transaction } from 'kysely';
import { sql } from 'kysely';
import type { Snapshot } from '../../model/snapshot.ts';
import { olderThan, type TimePage } from './page.ts';
import type { Database, SnapshotTable } from './schema.ts';

type Postgres = Kysely<Database> | Transaction<Database>;

export type StoredSnapshot = Selectable<SnapshotTable>;

export async function latestSnapshot(
  postgres: Postgres,
  deviceId: string,
): Promise<StoredSnapshot | undefined> {
  return postgres
    .selectFrom('snapshots')
    .selectAll()
    .where('device_id', '=', deviceId)
    .orderBy('began_at', 'desc')
    .limit(1)
    .executeTakeFirst();
}

export async function snapshotById(postgres: Postgres, id: string): Promise<StoredSnapshot | undefined> {
  return postgres.selectFrom('snapshots').selectAll().where('id', '=', id).executeTakeFirst();
}

/** Those that were seen between two times, oldest first; where there are more, the latest. */
export async function snapshotsBetween(
  postgres: Postgres,
  deviceId: string,
  fromMs: number,
  untilMs: number,
  limit: number,
): Promise<StoredSnapshot[]> {
  const rows = await postgres
    .selectFrom('snapshots')
    .selectAll()
    .where('device_id', '=', deviceId)
    .where('confirmed_at', '>=', new Date(fromMs))
    .where('began_at', '<=', new Date(untilMs))
    .orderBy('began_at', 'desc')
    .limit(limit)
    .execute();
  return rows.reverse();
}

export async function confirmSnapshot(postgres: Postgres, id: string, at: Date): Promise<void> {
  await postgres.updateTable('snapshots').set({ confirmed_at: at }).where('id', '=', id).execute();
}

/** As the stages see it; takenAtMs is the begin of the last pull that saw it when `lastSeen`, else of the first. */
export function asSnapshot(row: StoredSnapshot, device: string, lastSeen: boolean): Snapshot {
  return {
    device,
    vendor: row.vendor,
    takenAtMs: (lastSeen ? row.confirmed_at : row.began_at).getTime(),
    durationMs: row.duration_ms,
    text: row.text,
    ...(row.history === null ? {} : { history: row.history }),
  };
}

/** Without the text and the lines that were not understood. */
export type SnapshotRow = Omit<StoredSnapshot, 'text' | 'unread' | 'history'> & {
  readonly unread_count: number;
};

/** The newest first. */
export async function listSnapshots(
  postgres: Kysely<Database>,
  deviceId: string,
  page: TimePage,
): Promise<SnapshotRow[]> {
  return postgres
    .selectFrom('snapshots')
    .select([
      'id',
      'device_id',
      'vendor',
      'began_at',
      'duration_ms',
      'confirmed_at',
      'compare_hash',
      'rule_count',
      sql<number>`jsonb_array_length(unread)`.as('unread_count'),
    ])
    .where('device_id', '=', deviceId)
    .$if(page.before !== undefined, (query) => query.where(olderThan('began_at', 'id', page.before!)))
    .orderBy('began_at', 'desc')
    .orderBy('id', 'desc')
    .limit(page.limit)
    .execute();
}
