// a folder or a URL -> PostgreSQL with the schema in place
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { PosternError } from '../../model/errors.ts';
import type { Owner } from '../folder.ts';
import { startEmbedded } from './embedded.ts';
import { migratePostgres } from './migrate.ts';
import type { Database } from './schema.ts';

export interface PostgresOptions {
  /** postgres://user:password@host/database; without it a server of its own under `folder`. */
  readonly url?: string;
  /** The locked data folder. */
  readonly folder: string;
  /** The user of an embedded server where this process is root. */
  readonly owner?: Owner;
}

export interface Postgres {
  readonly database: Kysely<Database>;
  /** What pg.Pool and pg.Client take, for those who need connections of their own (job queues, LISTEN). */
  readonly connection: pg.PoolConfig;
  /** Settles when an embedded server ended by itself. */
  readonly died: Promise<void>;
  readonly close: () => Promise<void>;
}

const CONNECT_TIMEOUT_MS = 10_000;
const POOL_SIZE = 10;

/** Opens and migrates. Throws PosternError 'postgres-unreachable', 'postgres-start' or 'migration-failed'. */
export async function openPostgres(options: PostgresOptions): Promise<Postgres> {
  const server = options.url ? undefined : await startEmbedded(options.folder, options.owner);
  const connection: pg.PoolConfig = server
    ? { ...server.connection }
    : { connectionString: options.url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS };
  const pool = new pg.Pool({ ...connection, max: POOL_SIZE });
  // A connection that drops while idle is replaced on the next use; without a listener it would end the process.
  pool.on('error', () => {});
  const database = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
  const close = async () => {
    await database.destroy();
    await server?.stop();
  };
  try {
    await reach(pool, options.url);
    await migratePostgres(database as Kysely<unknown>);
  } catch (error) {
    await close();
    throw error;
  }
  return { database, connection, died: server?.died ?? new Promise(() => {}), close };
}

async function reach(pool: pg.Pool, url: string | undefined): Promise<void> {
  try {
    await pool.query('SELECT 1');
  } catch (cause) {
    const { message, code } = cause as { message?: string; code?: string };
    throw new PosternError(
      'postgres-unreachable',
      `PostgreSQL at ${url ? hostOf(url) : 'the data folder'} (DATABASE_URL) does not answer as needed: ${(message || code || String(cause)).split('\n')[0]}`,
      { cause },
    );
  }
}

/** Never the whole URL: it holds a password. */
function hostOf(url: string): string {
  try {
    return new URL(url).host || 'its socket';
  } catch {
    return 'an unreadable URL';
  }
}
