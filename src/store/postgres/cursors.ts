// how far repeated jobs have come, in PostgreSQL
import type { Kysely, Transaction } from 'kysely';
import type { Database } from './schema.ts';

type Postgres = Kysely<Database> | Transaction<Database>;

/** How far a repeated job has read; undefined before its first run. */
export async function cursorAt(postgres: Postgres, name: string): Promise<number | undefined> {
  const row = await postgres.selectFrom('cursors').select('at').where('name', '=', name).executeTakeFirst();
  return row?.at.getTime();
}

export async function setCursor(postgres: Postgres, name: string, atMs: number): Promise<void> {
  await postgres
    .insertInto('cursors')
    .values({ name, at: new Date(atMs) })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ at: new Date(atMs) }))
    .execute();
}

export async function clearCursor(postgres: Postgres, name: string): Promise<void> {
  await postgres.deleteFrom('cursors').where('name', '=', name).execute();
}
