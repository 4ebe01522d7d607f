// API keys: made once, kept as hashes, found by their text
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { Kysely, Selectable } from 'kysely';
import { olderThan, type TimePage } from './page.ts';
import type { ApiKeyTable, Database, Role } from './schema.ts';

export type ApiKey = Selectable<ApiKeyTable>;

const PREFIX = 'postern_';

/** The key's text is returned here and nowhere else. */
export async function createKey(
  database: Kysely<Database>,
  name: string,
  role: Role,
  nowMs: number,
): Promise<{ id: string; key: string }> {
  const key = PREFIX + randomBytes(32).toString('base64url');
  const id = randomUUID();
  await database
    .insertInto('api_keys')
    .values({ id, name, role, hash: hashKey(key), created_at: new Date(nowMs), revoked_at: null })
    .execute();
  return { id, key };
}

/** Undefined for a text that is no key, and for a key that was revoked. */
export async function findKey(database: Kysely<Database>, key: string): Promise<ApiKey | undefined> {
  if (!key.startsWith(PREFIX) || key.length > 100) return undefined;
  return database
    .selectFrom('api_keys')
    .selectAll()
    .where('hash', '=', hashKey(key))
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
}

/** Whether anybody was ever given a key. */
export async function anyKey(database: Kysely<Database>): Promise<boolean> {
  return (await database.selectFrom('api_keys').select('id').limit(1).executeTakeFirst()) !== undefined;
}

function hashKey(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

export type KeyRow = Omit<ApiKey, 'hash'>;
const SHOWN = ['id', 'name', 'role', 'created_at', 'revoked_at'] as const;

/** The newest first, those that were revoked too. */
export async function listKeys(database: Kysely<Database>, page: TimePage): Promise<KeyRow[]> {
  return database
    .selectFrom('api_keys')
    .select(SHOWN)
    .$if(page.before !== undefined, (query) => query.where(olderThan('created_at', 'id', page.before!)))
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(page.limit)
    .execute();
}

/** Nothing is revoked where it would leave nobody to administer; the outcome says so. A revoked key stays as it is. */
export async function revokeKey(
  database: Kysely<Database>,
  id: string,
  at: Date,
): Promise<{ outcome: 'revoked'; key: KeyRow } | { outcome: 'unknown' } | { outcome: 'last-admin' }> {
  return database.transaction().execute(async (transaction) => {
    const admins = await transaction
      .selectFrom('api_keys')
      .select('id')
      .where('role', '=', 'admin')
      .where('revoked_at', 'is', null)
      .orderBy('id')
      .forUpdate()
      .execute();
    if (admins.length === 1 && admins[0].id === id) return { outcome: 'last-admin' };
    const key = await transaction
      .updateTable('api_keys')
      .set((eb) => ({ revoked_at: eb.fn.coalesce('revoked_at', eb.val(at)) }))
      .where('id', '=', id)
      .returning(SHOWN)
      .executeTakeFirst();
    return key ? { outcome: 'revoked', key } : { outcome: 'unknown' };
  });
}
