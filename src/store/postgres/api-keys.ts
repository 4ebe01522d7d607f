// API keys: made once, kept as hashes, found by their text
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { Kysely, Selectable } from 'kysely';
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
