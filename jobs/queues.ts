// definitions -> queues that take their jobs
import { Value } from 'typebox/value';
import { PosternError } from '../src/model/errors.ts';
import type { Logger } from '../src/model/logger.ts';
import type { JobQueues } from '../src/services.ts';
import type { Backend, JobQueue } from './backend.ts';
import { type AnyJob, checkJobs } from './index.ts';

export interface OpenQueues extends JobQueues {
  readonly close: () => Promise<void>;
}

const KEPT_DONE = { count: 100, age: 24 * 3600 };
const KEPT_FAILED = { count: 1000, age: 7 * 24 * 3600 };
/** A scheduler's jobs have this name: the worker turns each into the job itself, under its dedupe key. */
export const TICK = 'tick';

/** Throws PosternError 'bad-job' for definitions that cannot work. */
export function openQueues(backend: Backend, definitions: readonly AnyJob[], log: Logger): OpenQueues {
  checkJobs(definitions);
  const queues = new Map<string, { definition: AnyJob; queue: JobQueue }>();
  for (const definition of definitions) {
    const queue = backend.queue(definition.name, {});
    queue.on('error', (error) => log.warn({ job: definition.name, err: error }, 'job queue'));
    queues.set(definition.name, { definition, queue });
  }
  const find = (name: string) => {
    const found = queues.get(name);
    if (!found) throw new PosternError('unknown-job', `there is no job ${name}`, { subject: name });
    return found;
  };
  return {
    async add(name, payload, { delayMs } = {}) {
      const { definition, queue } = find(name);
      checkPayload(definition, payload);
      await queue.add(name, payload, {
        delay: delayMs,
        attempts: definition.attempts,
        backoff: { type: 'exponential', delay: definition.backoffMs, jitter: 0.5 },
        // A job that runs already does not count as waiting: one more is kept, and starts when it ends.
        deduplication: { id: definition.dedupeKey(payload), replace: true, keepLastIfActive: true },
        removeOnComplete: KEPT_DONE,
        removeOnFail: KEPT_FAILED,
      });
    },
    async every(name, schedulerId, payload, everyMs) {
      const { definition, queue } = find(name);
      if (everyMs === null) await queue.removeJobScheduler(schedulerId);
      else {
        checkPayload(definition, payload);
        const opts = { removeOnComplete: true, removeOnFail: true };
        await queue.upsertJobScheduler(schedulerId, { every: everyMs }, { name: TICK, data: payload, opts });
      }
    },
    async counts() {
      const entries = await Promise.all(
        [...queues].map(async ([name, { queue }]) => [name, await queue.getJobCounts()] as const),
      );
      return Object.fromEntries(entries);
    },
    async close() {
      await Promise.all([...queues.values()].map(({ queue }) => queue.close()));
    },
  };
}

/** Throws PosternError 'bad-payload'. */
export function checkPayload(definition: AnyJob, payload: unknown): void {
  if (Value.Check(definition.payload, payload)) return;
  const [first] = Value.Errors(definition.payload, payload);
  throw new PosternError(
    'bad-payload',
    `the payload of job ${definition.name} is refused: ${first?.instancePath || 'it'} ${first?.message ?? ''}`,
    { subject: definition.name },
  );
}
