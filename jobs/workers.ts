// queues -> jobs that run, each within its time
import { DelayedError, type Job, UnrecoverableError } from 'bullmq';
import { PosternError } from '../src/model/errors.ts';
import type { Logger } from '../src/model/logger.ts';
import type { Services } from '../src/services.ts';
import type { Backend, JobWorker } from './backend.ts';
import type { AnyJob } from './index.ts';
import { checkPayload, TICK } from './queues.ts';

export interface Workers {
  /** Takes no more jobs; those that run may end within `graceMs`, then they are aborted and wait for the next start. */
  readonly stop: (graceMs: number) => Promise<void>;
}

const STOPPED = new PosternError('stopped', 'Postern is stopping');

export function startWorkers(backend: Backend, definitions: readonly AnyJob[], services: Services): Workers {
  const stop = new AbortController();
  const workers = definitions.map((definition) => startWorker(backend, definition, services, stop.signal));
  return {
    async stop(graceMs) {
      const timer = setTimeout(() => stop.abort(STOPPED), graceMs);
      await Promise.all(workers.map((worker) => worker.close()));
      clearTimeout(timer);
    },
  };
}

function startWorker(backend: Backend, definition: AnyJob, services: Services, stop: AbortSignal): JobWorker {
  const { name } = definition;
  const run = async (job: Job, token?: string) => {
    if (job.name === TICK) return services.jobs.add(name, job.data);
    try {
      await runJob(definition, job.data, services, stop);
    } catch (error) {
      if (!stop.aborted) throw error;
      await job.moveToDelayed(services.now() + 1000, token);
      throw new DelayedError();
    }
  };
  const worker = backend.worker(name, run, {
    concurrency: definition.concurrency(services),
    // A job whose process was killed runs again within half a minute.
    lockDuration: 20_000,
    stalledInterval: 10_000,
    maxStalledCount: 10,
  });
  worker.on('error', (error) => services.log.warn({ job: name, err: error }, 'job worker'));
  worker.on('failed', (job, error) => reportFailure(services.log, job, error));
  return worker;
}

async function runJob(
  definition: AnyJob,
  payload: unknown,
  services: Services,
  stop: AbortSignal,
): Promise<void> {
  try {
    checkPayload(definition, payload);
  } catch (error) {
    throw new UnrecoverableError((error as Error).message);
  }
  const abort = new AbortController();
  const timer = setTimeout(() => {
    const seconds = definition.timeoutMs / 1000;
    abort.abort(new PosternError('job-timeout', `the job ${definition.name} took longer than ${seconds} s`));
  }, definition.timeoutMs);
  const signal = AbortSignal.any([abort.signal, stop]);
  // A job that does not heed its signal must not hold its place in the queue for ever.
  let leave = () => {};
  const aborted = new Promise<never>((_, reject) => {
    leave = () => reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
  });
  try {
    signal.throwIfAborted();
    await Promise.race([definition.run(payload, services, signal), aborted]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', leave);
  }
}

function reportFailure(
  log: Logger,
  job: Job | undefined,
  error: Error & { code?: string; subject?: string },
): void {
  const fields = {
    job: job?.queueName,
    payload: job?.data,
    attempt: job?.attemptsMade,
    attempts: job?.opts.attempts,
    code: error.code,
    subject: error.subject,
    reason: error.message,
  };
  log.warn(fields, 'a job failed');
}
