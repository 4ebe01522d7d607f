// answers one watch from stored evidence, writes its alert, and asks again later
import { Type } from 'typebox';
import { recordAlert } from '../src/alerts/record.ts';
import { analyticOf } from '../src/analytics/index.ts';
import type { FlowThreshold } from '../src/analytics/spike.ts';
import type { DeviceAlert } from '../src/model/alert.ts';
import type { Services } from '../src/services.ts';
import { alertByDedupeKey, relatedAlerts } from '../src/store/postgres/alerts.ts';
import { scheduleWatch, type Watch, watchById } from '../src/store/postgres/watches.ts';
import { answerWatch } from '../src/watches/answer.ts';
import { currentFacts } from '../src/watches/current-facts.ts';
import { gatherEvidence } from '../src/watches/evidence.ts';
import { defineJob } from './definition.ts';

/** Timers may fire this early. */
const EARLY_MS = 500;

export const answerWatchJob = defineJob({
  name: 'answer-watch',
  /** The time makes each answer a job of its own: the job that is running adds the next one. */
  payload: Type.Object({ watchId: Type.String(), atMs: Type.Number() }),
  attempts: 5,
  backoffMs: 2000,
  timeoutMs: 120_000,
  concurrency: () => 4,
  dedupeKey: ({ watchId, atMs }) => `${watchId}:${atMs}`,
  run: async ({ watchId }, services) => {
    const watch = await watchById(services.postgres, watchId);
    // Already answered by a job that came twice.
    if (watch?.state !== 'open' || watch.nextAtMs > services.now() + EARLY_MS) return;
    const nextAtMs = await answer(watch, services);
    await scheduleWatch(services.postgres, watch.id, nextAtMs);
    if (nextAtMs !== undefined)
      await services.jobs.add(
        'answer-watch',
        { watchId, atMs: nextAtMs },
        { delayMs: Math.max(0, nextAtMs - services.now()) },
      );
  },
});

async function answer(watch: Watch, services: Services): Promise<number | undefined> {
  const { postgres, clickhouse } = services;
  const analytic = analyticOf(watch.analytic);
  if (analytic?.subject !== 'device')
    throw new Error(`watch ${watch.id} asks for an unknown analytic ${watch.analytic}`);
  const parameters = services.parametersOf(analytic);
  const askedAtMs = Math.min(services.now(), watch.untilMs);
  const evidence = await gatherEvidence(clickhouse, watch.question, askedAtMs, {
    baselineDays: Number(parameters.BaselineDays ?? 14),
    enrich: services.enrich,
    peakFrom: parameters.FlowThreshold as FlowThreshold,
  });
  const dedupeKey = `${analytic.id}:${watch.facts.device}:${watch.facts.id}`;
  const previous = (await alertByDedupeKey(postgres, dedupeKey)) as DeviceAlert | undefined;
  const related = await relatedAlerts(postgres, watch.deviceId, dedupeKey);
  const baseUrl = services.settings.POSTERN_PUBLIC_URL;
  const { alert, nextAtMs } = answerWatch({
    ...watch,
    facts: await currentFacts(watch, services),
    evidence,
    analytic,
    parameters,
    previous,
    related,
    baseUrl,
  });
  if (alert) await recordAlert(alert, { deviceId: watch.deviceId }, services);
  return nextAtMs;
}
