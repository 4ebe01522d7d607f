// a task in workerData -> its result as one message: reading hostile files where neither time nor memory of the service is at risk
import { parentPort, workerData } from 'node:worker_threads';
import { setThreadPriority } from '../src/model/thread-priority.ts';
import { type BuildTask, buildFromFiles, readSource } from './build.ts';
import { sources } from './sources/index.ts';

export type ThreadTask =
  | ({ readonly kind: 'build' } & BuildTask)
  /** Whether the file is a sound list of that source. */
  | { readonly kind: 'check'; readonly source: string; readonly path: string };

function run(task: ThreadTask): unknown {
  if (task.kind === 'build') return buildFromFiles(task);
  const source = sources.find(({ name }) => name === task.source);
  return source ? (readSource(source, task.path)?.length ?? 0) : 0;
}

// Not that of the thread that made this one: nobody waits for it.
setThreadPriority(0);
parentPort?.postMessage(run(workerData as ThreadTask));
