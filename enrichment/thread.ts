// building and checking, each in a thread of its own with bounds on time and memory
import { Worker } from 'node:worker_threads';
import { PosternError } from '../src/model/errors.ts';
import type { BuildResult, BuildTask } from './build.ts';
import type { ThreadTask } from './build-thread.ts';

const MAX_HEAP_MB = 3072;

/**
 * Builds in a thread. Where the MMDB takes the thread down with it (out of time or memory) the tables are built without it, and
 * the result's errors say so.
 */
export async function buildInThread(task: BuildTask, timeoutMs = 180_000): Promise<BuildResult> {
  try {
    return await runInThread<BuildResult>({ kind: 'build', ...task }, timeoutMs);
  } catch (error) {
    if (task.mmdbPath === '') throw error;
    const result = await runInThread<BuildResult>({ kind: 'build', ...task, mmdbPath: '' }, timeoutMs);
    const reason = error instanceof Error ? error.message : String(error);
    const mmdb = `${task.mmdbPath} is no readable ASN database: ${reason}`;
    return { ...result, errors: { ...result.errors, mmdb } };
  }
}

/** How many entries the file holds; throws where it is not a list of that source. */
export function checkInThread(source: string, path: string, timeoutMs = 120_000): Promise<number> {
  return runInThread<number>({ kind: 'check', source, path }, timeoutMs);
}

function runInThread<T>(task: ThreadTask, timeoutMs: number): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const worker = new Worker(new URL('./build-thread.ts', import.meta.url), {
      workerData: task,
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    });
    const timer = setTimeout(() => {
      reject(new PosternError('enrichment-timeout', `it took longer than ${timeoutMs} ms to read`));
      void worker.terminate();
    }, timeoutMs);
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => {
      clearTimeout(timer);
      reject(new PosternError('enrichment-unreadable', `the reading thread ended with status ${code}`));
    });
  });
}
