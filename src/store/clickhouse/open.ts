// a folder or a URL -> a ClickHouse client with the schema in place
import { rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { PosternError } from '../../model/errors.ts';
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

type Connection = NonNullable<NonNullable<Parameters<typeof createClient>[0]>['connection']>;

const MIB = 1_048_576;
const QUIET = { level: ClickHouseLogLevel.OFF };

/**
 * Opens, migrates and sets the retention. `client.close()` ends it.
 * Throws PosternError 'clickhouse-unreachable', 'clickhouse-folder' or 'bad-setting'.
 */
export async function openClickHouse(options: ClickHouseOptions): Promise<ClickHouseClient> {
  const client = options.url
    ? await openServer(options.url)
    : openEngine(options.path!, options.memoryMiB ?? 1024);
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

/** Where blocks are handed to the engine in this process, by its client. */
const engineFolders = new WeakMap<ClickHouseClient, string>();

/** undefined for a client of a server. */
export const engineFolder = (client: ClickHouseClient): string | undefined => engineFolders.get(client);

function openEngine(path: string, memoryMiB: number): ClickHouseClient {
  // Loaded here and not at the top: the native library takes 150 MB.
  const require = createRequire(import.meta.url);
  const { Session } = require('chdb') as typeof import('chdb');
  const { createChdbConnection } = require('chdb/connection') as typeof import('chdb/connection');
  let session: InstanceType<typeof Session>;
  try {
    session = new Session(path, { connectionArgs: engineArguments(memoryMiB) });
  } catch (cause) {
    throw new PosternError(
      'clickhouse-folder',
      `the ClickHouse engine cannot open ${path}: ${firstLine(cause)}`,
      {
        cause,
      },
    );
  }
  // The session carries the arguments; connections to the same folder share its engine.
  // Cast: chdb types itself by its own copy of the client's types.
  const connection = createChdbConnection({ path }) as unknown as Connection;
  const client = createClient({ connection, log: QUIET, clickhouse_settings: WITHOUT_TEXT_INDEX });
  const blocks = `${path}.blocks`;
  engineFolders.set(client, blocks);
  const close = client.close.bind(client);
  client.close = async () => {
    await close();
    session.close();
    await rm(blocks, { recursive: true, force: true });
  };
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
