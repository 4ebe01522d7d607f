// a folder or a URL -> a ClickHouse client with the schema in place
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { PosternError } from '../../model/errors.ts';
import { type Engine, openEngine } from './engine.ts';
import { migrateClickHouse } from './migrate.ts';
import { applyRetention, type Retention } from './retention.ts';
import { deferTextIndex, WITHOUT_TEXT_INDEX } from './text-index.ts';

export interface ClickHouseOptions extends Retention {
  /** Folder for the engine in this process; it takes one folder at a time. Either this or `url`. */
  readonly path?: string;
  /** http://user:password@host:8123/database; the database is created where it is missing. */
  readonly url?: string;
  /** Bound for the engine in this process. */
  readonly memoryMiB?: number;
}

const MIB = 1_048_576;
const QUIET = { level: ClickHouseLogLevel.OFF };

/**
 * Opens, migrates and sets the retention. `client.close()` ends it.
 * Throws PosternError 'clickhouse-unreachable', 'clickhouse-folder' or 'bad-setting'.
 */
export async function openClickHouse(options: ClickHouseOptions): Promise<ClickHouseClient> {
  const client = options.url
    ? await openServer(options.url)
    : await openFolder(options.path!, options.memoryMiB ?? 1024);
  try {
    await migrateClickHouse(client);
    await deferTextIndex(client);
    await applyRetention(client, options);
    return client;
  } catch (error) {
    await client.close();
    throw error;
  }
}

/** Caches are bounded where the engine starts: it reads these once, and its defaults are made for whole servers. */
function engineArguments(memoryMiB: number): string[] {
  const cacheBytes = Math.floor((memoryMiB * MIB) / 32);
  return [
    `--max_server_memory_usage=${memoryMiB * MIB}`,
    `--mark_cache_size=${cacheBytes}`,
    `--index_mark_cache_size=${cacheBytes}`,
    `--primary_index_cache_size=${cacheBytes}`,
    `--query_condition_cache_size=${cacheBytes}`,
    `--compiled_expression_cache_size=${8 * MIB}`,
    '--background_pool_size=2',
    '--background_schedule_pool_initial_size=2',
  ];
}

/** By the client of an engine in this process. */
const engines = new WeakMap<ClickHouseClient, { readonly engine: Engine; readonly work: ClickHouseClient }>();

/** undefined for a client of a server. */
export const engineOf = (client: ClickHouseClient): Engine | undefined => engines.get(client)?.engine;

/** The same store for jobs, whose long questions then keep nobody else waiting; not to be closed. */
export const clientForWork = (client: ClickHouseClient): ClickHouseClient =>
  engines.get(client)?.work ?? client;

async function openFolder(path: string, memoryMiB: number): Promise<ClickHouseClient> {
  let engine: Engine;
  try {
    engine = await openEngine(path, engineArguments(memoryMiB));
  } catch (cause) {
    throw new PosternError(
      'clickhouse-folder',
      `the ClickHouse engine cannot open ${path}: ${firstLine(cause)}`,
      {
        cause,
      },
    );
  }
  const [client, work] = [engine.answers, engine.work].map((connection) =>
    createClient({ connection, log: QUIET, clickhouse_settings: WITHOUT_TEXT_INDEX }),
  );
  engines.set(client, { engine, work });
  engines.set(work, { engine, work });
  return client;
}

async function openServer(url: string): Promise<ClickHouseClient> {
  const target = URL.parse(url);
  if (!target) throw new PosternError('bad-setting', 'CLICKHOUSE_URL is no URL that can be read');
  const database = decodeURIComponent(target.pathname.slice(1)) || 'postern';
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(database))
    throw new PosternError(
      'bad-setting',
      'CLICKHOUSE_URL must end in the name of a database, as in /postern',
    );
  target.pathname = '';
  const first = createClient({ url: target, log: QUIET, request_timeout: 10_000 });
  try {
    await first.command({ query: `CREATE DATABASE IF NOT EXISTS ${database}` });
  } catch (cause) {
    throw new PosternError(
      'clickhouse-unreachable',
      `ClickHouse at ${target.host} (CLICKHOUSE_URL) does not answer as needed: ${firstLine(cause)}`,
      { cause },
    );
  } finally {
    await first.close();
  }
  return createClient({ url: target, database, log: QUIET, request_timeout: 60_000 });
}

function firstLine(error: unknown): string {
  const { message, code } = error as { message?: string; code?: string };
  return (message || code || String(error)).split('\n')[0].slice(0, 300);
}
