// PostgreSQL or Redis -> BullMQ's queues and workers on it
import {
  createPostgresBackend,
  createRedisBackend,
  type Processor,
  type Queue,
  type QueueOptions,
  runMigrations,
  type Worker,
  type WorkerOptions,
  withBackend,
} from 'bullmq';
import pg from 'pg';
import { PosternError } from '../src/model/errors.ts';

/** Payloads are checked against their definitions, not by BullMQ's types. */
export type JobQueue = Queue<unknown, unknown, string, unknown, unknown, string>;
export type JobWorker = Worker<unknown, unknown, string>;

export interface Backend {
  readonly queue: (name: string, options: Omit<QueueOptions, 'connection'>) => JobQueue;
  readonly worker: (
    name: string,
    run: Processor<unknown, unknown, string>,
    options: Omit<WorkerOptions, 'connection'>,
  ) => JobWorker;
  readonly close: () => Promise<void>;
}

const SCHEMA = 'bullmq';

/** Opens the queues' schema in PostgreSQL. `workers`: how many there will be; each keeps a connection to listen on. */
export async function openPostgresBackend(connection: pg.PoolConfig, workers: number): Promise<Backend> {
  const pool = new pg.Pool({ ...connection, max: workers + 6, options: `-c search_path=${SCHEMA}` });
  pool.on('error', () => {});
  // Each queue and worker listens to it.
  pool.setMaxListeners(0);
  const client = await pool.connect();
  try {
    await runMigrations(client, SCHEMA);
  } finally {
    client.release();
  }
  const { Queue, Worker } = withBackend(createPostgresBackend);
  return {
    queue: (name, options) => new Queue(name, { ...options, connection: pool }) as unknown as JobQueue,
    worker: (name, run, options) =>
      new Worker(name, run as never, { ...options, connection: pool }) as unknown as JobWorker,
    close: () => pool.end(),
  };
}

/** Throws PosternError 'redis-unreachable'. */
export async function openRedisBackend(url: string): Promise<Backend> {
  const { Queue, Worker } = withBackend(createRedisBackend);
  // Without a connection the queues fail at once, and the workers wait for it to come back.
  const connection = { url, maxRetriesPerRequest: null, connectTimeout: 5000 };
  await reachRedis(() => new Queue('reach', { connection }) as unknown as JobQueue, url);
  return {
    queue: (name, options) => new Queue(name, { ...options, connection }) as unknown as JobQueue,
    worker: (name, run, options) =>
      new Worker(name, run as never, { ...options, connection }) as unknown as JobWorker,
    close: async () => {},
  };
}

async function reachRedis(open: () => JobQueue, url: string): Promise<void> {
  let queue: JobQueue | undefined;
  try {
    queue = open();
    const failed = new Promise<never>((_, reject) => queue?.on('error', reject));
    await Promise.race([queue.waitUntilReady(), failed]);
  } catch (cause) {
    const { message } = cause as Error;
    throw new PosternError(
      'redis-unreachable',
      `Redis at ${URL.canParse(url) ? new URL(url).host : 'an unreadable URL'} (REDIS_URL) cannot be used: ${message.split('\n')[0]}`,
      { cause },
    );
  } finally {
    // disconnect() waits for a connection that was never there, and leaves it trying.
    void queue?.close().catch(() => {});
  }
}
