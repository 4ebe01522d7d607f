// hosts and what may be used on them, in PostgreSQL
import {
  type Insertable,
  type Kysely,
  type Selectable,
  sql,
  type Transaction,
  type Updateable,
} from 'kysely';
import type { Host } from '../../model/host.ts';
import type { ApprovedUse } from '../../model/ticket.ts';
import { olderThan, type TimePage } from './page.ts';
import type { ApprovedUseTable, Database, HostTable } from './schema.ts';

type Postgres = Kysely<Database> | Transaction<Database>;
export type HostRow = Selectable<HostTable>;
export type StoredHost = Host & { readonly id: string };

/** More hosts than this are not read at once. */
const MAX_HOSTS = 100_000;
const MAX_APPROVED_USES = 10_000;

export const asHost = (row: HostRow): StoredHost => ({
  id: row.id,
  name: row.name,
  platform: row.platform,
  addresses: row.addresses,
  aliases: row.aliases,
  isDeveloper: row.is_developer,
  timeZone: row.time_zone,
});

export async function allHosts(postgres: Postgres): Promise<StoredHost[]> {
  const rows = await postgres.selectFrom('hosts').selectAll().orderBy('name').limit(MAX_HOSTS).execute();
  return rows.map(asHost);
}

export async function hostById(postgres: Postgres, id: string): Promise<HostRow | undefined> {
  return postgres.selectFrom('hosts').selectAll().where('id', '=', id).executeTakeFirst();
}

/** In order of name, after the name `after`. */
export async function listHosts(
  postgres: Postgres,
  page: { readonly after?: string; readonly limit: number },
): Promise<HostRow[]> {
  return postgres
    .selectFrom('hosts')
    .selectAll()
    .$if(page.after !== undefined, (query) => query.where('name', '>', page.after!))
    .orderBy('name')
    .limit(page.limit)
    .execute();
}

/** False where the name is taken. */
export async function insertHost(postgres: Postgres, row: Insertable<HostTable>): Promise<boolean> {
  const stored = await postgres
    .insertInto('hosts')
    .values(row)
    .onConflict((conflict) => conflict.column('name').doNothing())
    .returning('id')
    .executeTakeFirst();
  return stored !== undefined;
}

export async function updateHost(
  postgres: Postgres,
  id: string,
  columns: Updateable<HostTable>,
): Promise<HostRow | undefined> {
  return postgres.updateTable('hosts').set(columns).where('id', '=', id).returningAll().executeTakeFirst();
}

/** Its questions go with it; its alerts stay. */
export async function deleteHost(postgres: Postgres, id: string): Promise<void> {
  await postgres.deleteFrom('hosts').where('id', '=', id).execute();
}

export async function countHosts(postgres: Postgres): Promise<{ platform: string; count: number }[]> {
  return postgres
    .selectFrom('hosts')
    .select(['platform', sql<number>`count(*)::int`.as('count')])
    .groupBy('platform')
    .execute();
}

export async function countOpenHostWatches(
  postgres: Postgres,
): Promise<{ analytic: string; count: number }[]> {
  return postgres
    .selectFrom('host_watches')
    .select(['analytic', sql<number>`count(*)::int`.as('count')])
    .where('state', '=', 'open')
    .groupBy('analytic')
    .execute();
}

export type ApprovedUseRow = Selectable<ApprovedUseTable>;

/** The expired ones too: whoever judges an earlier time decides by it. */
export async function approvedUses(postgres: Postgres): Promise<ApprovedUse[]> {
  const rows = await postgres.selectFrom('approved_uses').selectAll().limit(MAX_APPROVED_USES).execute();
  return rows.map(asApprovedUse);
}

export const asApprovedUse = ({
  expires_at,
  created_by,
  created_at,
  ...row
}: ApprovedUseRow): ApprovedUse => ({
  ...row,
  expiresMs: expires_at?.getTime(),
});

export async function insertApprovedUse(
  postgres: Postgres,
  row: Insertable<ApprovedUseTable>,
): Promise<ApprovedUseRow> {
  return postgres.insertInto('approved_uses').values(row).returningAll().executeTakeFirstOrThrow();
}

export async function approvedUseById(postgres: Postgres, id: string): Promise<ApprovedUseRow | undefined> {
  return postgres.selectFrom('approved_uses').selectAll().where('id', '=', id).executeTakeFirst();
}

/** The newest first, those before `before`. */
export async function listApprovedUses(postgres: Postgres, page: TimePage): Promise<ApprovedUseRow[]> {
  return postgres
    .selectFrom('approved_uses')
    .selectAll()
    .$if(page.before !== undefined, (query) => query.where(olderThan('created_at', 'id', page.before!)))
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(page.limit)
    .execute();
}

export async function deleteApprovedUse(postgres: Postgres, id: string): Promise<void> {
  await postgres.deleteFrom('approved_uses').where('id', '=', id).execute();
}
