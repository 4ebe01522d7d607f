// finds watches and deliveries that are overdue (their job was lost with a process) and asks for them
import { Type } from 'typebox';
import { dueHostWatches } from '../src/store/postgres/host-watches.ts';
import { dueWatches } from '../src/store/postgres/watches.ts';
import { defineJob } from './definition.ts';

/** What is this late has no job waiting. */
const LATE_MS = 20_000;

export const sweepOverdueJob = defineJob({
  name: 'sweep-overdue',
  payload: Type.Object({}),
  attempts: 1,
  backoffMs: 1000,
  timeoutMs: 30_000,
  concurrency: () => 1,
  dedupeKey: () => 'sweep',
  everyMs: () => 30_000,
  run: async (_payload, services) => {
    const due = await dueWatches(services.postgres, new Date(services.now() - LATE_MS), 1000);
    for (const watch of due) await services.jobs.add('answer-watch', watch);
    const dueHosts = await dueHostWatches(services.postgres, new Date(services.now() - LATE_MS), 1000);
    for (const watch of dueHosts) await services.jobs.add('answer-host', watch);
    const late = new Date(services.now() - LATE_MS);
    const deliveries = await services.postgres
      .selectFrom('deliveries')
      .select(['id', 'attempt_count'])
      .where('state', '=', 'pending')
      .where('next_at', '<', late)
      .limit(1000)
      .execute();
    for (const { id, attempt_count } of deliveries)
      await services.jobs.add('deliver-alert', { deliveryId: id, attempt: attempt_count });
  },
});
