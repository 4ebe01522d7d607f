// snapshots in PostgreSQL: a row a configuration, confirmed by every later pull that saw the same
import type { Kysely, Selectable, Transaction } from 'kysely';
import type { Snapshot } from '../../model/snapshot.ts';
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
  };
}
