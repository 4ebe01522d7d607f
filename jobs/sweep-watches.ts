// finds watches whose answer is overdue (their job was lost with a process) and asks for it
import { Type } from 'typebox';
import { dueWatches } from '../src/store/postgres/watches.ts';
import { defineJob } from './definition.ts';

/** A watch this late has no job waiting. */
const LATE_MS = 20_000;

export const sweepWatchesJob = defineJob({
  name: 'sweep-watches',
  payload: Type.Object({}),
  attempts: 1,
  backoffMs: 1000,
  timeoutMs: 30_000,
  concurrency: () => 1,
  dedupeKey: () => 'sweep',
  everyMs: () => 30_000,
  run: async (_payload, services) => {
    const due = await dueWatches(services.postgres, new Date(services.now() - LATE_MS), 1000);
    for (const watchId of due) await services.jobs.add('answer-watch', { watchId });
  },
});
