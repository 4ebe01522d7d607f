// answers one question about a host from stored evidence, writes its alert, and asks again later
import { Type } from 'typebox';
import { recordAlert } from '../src/alerts/record.ts';
import { hostDedupeKey } from '../src/alerts/write-host.ts';
import { hostAnalyticOf } from '../src/analytics/index.ts';
import type { HostAlert } from '../src/model/alert.ts';
import type { Services } from '../src/services.ts';
import { alertByDedupeKey, relatedHostAlerts } from '../src/store/postgres/alerts.ts';
import { type HostWatch, hostWatchById, scheduleHostWatch } from '../src/store/postgres/host-watches.ts';
import { answerHostQuestion } from '../src/watches/host-answer.ts';
import { gatherHostEvidence } from '../src/watches/host-evidence.ts';
import { hostSite } from '../src/watches/host-site.ts';
import { clickHouseHostStore } from '../src/watches/host-store.ts';
import { defineJob } from './definition.ts';

/** Timers may fire this early. */
const EARLY_MS = 500;

export const answerHostJob = defineJob({
  name: 'answer-host',
  /** The time makes each answer a job of its own: the job that is running adds the next one. */
  payload: Type.Object({ watchId: Type.String(), atMs: Type.Number() }),
  attempts: 5,
  backoffMs: 2000,
  timeoutMs: 120_000,
  concurrency: () => 4,
  dedupeKey: ({ watchId, atMs }) => `${watchId}:${atMs}`,
  run: async ({ watchId }, services) => {
    const watch = await hostWatchById(services.postgres, watchId);
    // Already answered by a job that came twice.
    if (watch?.state !== 'open' || watch.nextAtMs > services.now() + EARLY_MS) return;
    const nextAtMs = await answer(watch, services);
    await scheduleHostWatch(services.postgres, watch.id, nextAtMs);
    if (nextAtMs !== undefined)
      await services.jobs.add(
        'answer-host',
        { watchId, atMs: nextAtMs },
        { delayMs: Math.max(0, nextAtMs - services.now()) },
      );
  },
});

async function answer(watch: HostWatch, services: Services): Promise<number | undefined> {
  const { postgres, clickhouse } = services;
  const { question, hostId } = watch;
  const analytic = hostAnalyticOf(question.analytic);
  const parameters = services.parametersOf(analytic);
  const evidence = await gatherHostEvidence(clickHouseHostStore(clickhouse), question, services.now(), {
    analytic,
    parameters,
    site: await hostSite(question.host, question.trigger.atMs, services),
  });
  const dedupeKey = hostDedupeKey(question);
  const previous = (await alertByDedupeKey(postgres, dedupeKey)) as HostAlert | undefined;
  const { alert, nextAtMs } = answerHostQuestion({
    question,
    evidence,
    analytic,
    parameters,
    openedAtMs: watch.openedAtMs,
    previous,
    related: await relatedHostAlerts(postgres, hostId, dedupeKey),
    baseUrl: services.settings.POSTERN_PUBLIC_URL,
  });
  if (alert) await recordAlert(alert, { hostId }, services);
  return nextAtMs;
}
