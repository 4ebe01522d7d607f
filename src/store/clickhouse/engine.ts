// a folder -> the engine in this process behind the interface of ClickHouse's client, and blocks straight into it
//
// The engine runs a statement on the thread that asks. So there are threads for it: short answers do not wait for a watch's
// long questions, nor for inserts, and the main thread for none of them.
import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type createClient, parseError } from '@clickhouse/client';
import type { ConversationBatch } from '../../flows/batch.ts';
import { createLane, type Lane } from './engine-lane.ts';
import { quoted, type Statement, settingText, statementText } from './engine-statement.ts';
import type { Task } from './engine-thread.ts';
import { onceSettings } from './insert-once.ts';

// Through createClient, since the client's package does not name the type.
type Connection = NonNullable<NonNullable<Parameters<typeof createClient>[0]>['connection']>;

export interface Engine {
  /** For what somebody waits for. */
  readonly answers: Connection;
  /** For jobs, which may ask for long. */
  readonly work: Connection;
  /** Blocks of ClickHouse's Native format, stored as one, once for an `id`. Rejects with what the client would. The blocks are given away. */
  insertBlocks(
    table: string,
    columns: readonly string[],
    blocks: readonly Uint8Array[],
    id?: string,
  ): Promise<void>;
  /** As one, too; the thread makes the blocks, so that the main thread does not. The batches stay as they are. */
  insertConversations(
    columns: readonly string[],
    batches: readonly ConversationBatch[],
    id?: string,
  ): Promise<void>;
  close(): Promise<void>;
}

/** Of answers, and of work. */
const READING_THREADS = 2;
/** Twice within what is left of the 10 s of a stop. */
const CLOSE_MS = 2500;
/** Sockets and answers first: so much lower is the priority of what nobody waits for (0 to 19). */
const NICENESS = { answers: 0, work: 10, write: 10 };

/** Rejects with the engine's message where the folder cannot be opened. */
export async function openEngine(path: string, engineArguments: readonly string[]): Promise<Engine> {
  // Once here, so that the library stays when threads end; and not at the top, since it takes 150 MB.
  createRequire(import.meta.url)('chdb');
  // Where this process may, the engine sets the priority of its threads itself, back to 0 too; else they keep that of the asking thread.
  const merging = `--os_threads_nice_value_merge_mutate=${NICENESS.write}`;
  const lane = (niceness: number, maxThreads: number, settings = {}) =>
    createLane({
      path,
      engineArguments: [...engineArguments, merging],
      niceness,
      maxThreads,
      settings: { os_threads_nice_value_query: niceness, ...settings },
    });
  const write = lane(NICENESS.write, 1, {
    os_threads_nice_value_materialized_view: NICENESS.write,
    max_threads: 1,
  });
  const answers = lane(NICENESS.answers, READING_THREADS);
  // Half of the processors for a question: the rest is for sockets and answers.
  const work = lane(NICENESS.work, READING_THREADS, {
    max_threads: Math.max(1, Math.floor(availableParallelism() / 2)),
  });
  const folder = `${path}.blocks`;
  // The first to open makes the threads that merge, which have its priority.
  await write.open();
  await mkdir(folder, { recursive: true });
  let blockCount = 0;
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= (async () => {
      await Promise.all([answers.close(CLOSE_MS), work.close(CLOSE_MS)]);
      await write.close(CLOSE_MS);
      await rm(folder, { recursive: true, force: true });
    })();
    return closing;
  };
  const insert = async (
    table: string,
    columns: readonly string[],
    rows: Pick<Task, 'parts' | 'conversations'>,
    id: string | undefined,
  ) => {
    const names = columns.join(', ');
    const file = join(folder, `${process.pid}-${++blockCount}.native`);
    // Recorded evidence may span more days, and so partitions, than a live batch ever does.
    const once = Object.entries(onceSettings(id)).map(([name, value]) => `${name} = ${settingText(value)}`);
    const sql = `SET max_partitions_per_insert_block = 0; INSERT INTO ${table} (${names}) SETTINGS ${once.join(', ')} SELECT ${names} FROM file(${quoted(file)}, 'Native')`;
    await asClient(write.run({ sql, file, ...rows }));
  };
  return {
    answers: connectionOf(answers, write, close),
    work: connectionOf(work, write, close),
    insertBlocks: (table, columns, parts, id) => insert(table, columns, { parts }, id),
    insertConversations: (columns, conversations, id) =>
      insert('conversations', columns, { conversations }, id),
    close,
  };
}

/** Errors have the code and type that the engine's message states, as those of a server have. */
async function asClient(result: Promise<Uint8Array>): Promise<Uint8Array> {
  try {
    return await result;
  } catch (error) {
    const parsed = parseError((error as Error).message ?? String(error));
    if (parsed !== error) (parsed as Error).cause = error;
    throw parsed;
  }
}

function connectionOf(lane: Lane, write: Lane, close: () => Promise<void>): Connection {
  const run = async (
    into: Lane,
    statement: Statement & { readonly abort_signal?: AbortSignal },
    body = '',
  ) => {
    const { abort_signal: signal } = statement;
    const sql = statementText(statement) + body;
    return asClient(into.run({ sql }, signal));
  };
  const result = (params: { query_id?: string }) => ({
    query_id: params.query_id ?? randomUUID(),
    response_headers: {},
    http_status_code: 200,
  });
  const streamOf = (bytes: Uint8Array) => Readable.from([Buffer.from(bytes.buffer)], { objectMode: false });
  const connection: Connection = {
    query: async (params) => ({ stream: streamOf(await run(lane, params)), ...result(params) }),
    exec: async (params) => {
      const body = params.values ? `\n${await textOf(params.values)}` : '';
      return { stream: streamOf(await run(lane, params, body)), ...result(params) };
    },
    command: async (params) => {
      await run(lane, params);
      return result(params);
    },
    insert: async (params) => {
      const body = await textOf(params.values);
      if (body.trim() !== '') await run(write, params, `\n${body}`);
      return result(params);
    },
    ping: async () => {
      try {
        await run(lane, { query: 'SELECT 1' });
        return { success: true };
      } catch (error) {
        return { success: false, error: error as Error };
      }
    },
    close,
  };
  return connection;
}

async function textOf(values: string | Readable): Promise<string> {
  if (typeof values === 'string') return values;
  const parts: Buffer[] = [];
  for await (const part of values) parts.push(Buffer.from(part));
  return Buffer.concat(parts).toString();
}
