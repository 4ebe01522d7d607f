// database -> the schema of this version, applied in numbered steps
import type { Kysely } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import { PosternError } from '../../model/errors.ts';
import * as tables from './migrations/0001_tables.ts';
import * as hosts from './migrations/0002_hosts.ts';
import * as ssh from './migrations/0003_ssh.ts';
import * as sources from './migrations/0004_sources.ts';

/** Numbers never change once released. */
const MIGRATIONS: Record<string, Migration> = {
  '0001_tables': tables,
  '0002_hosts': hosts,
  '0003_ssh': ssh,
  '0004_sources': sources,
};

/** Safe to run from several processes at once: kysely locks. Throws PosternError 'migration-failed'. */
export async function migratePostgres(database: Kysely<unknown>): Promise<void> {
  const migrator = new Migrator({ db: database, provider: { getMigrations: async () => MIGRATIONS } });
  const { error, results } = await migrator.migrateToLatest();
  if (error === undefined) return;
  const failed = results?.find((result) => result.status === 'Error')?.migrationName;
  const reason = error instanceof Error ? error.message : String(error);
  throw new PosternError(
    'migration-failed',
    `the PostgreSQL schema cannot be brought up to date${failed ? ` (${failed})` : ''}: ${reason}`,
    { cause: error },
  );
}
