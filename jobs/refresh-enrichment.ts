// fetches the published lists that are due, and rebuilds the tables where any was replaced
import { Type } from 'typebox';
import { HOUR_MS } from '../enrichment/source.ts';
import { defineJob } from './definition.ts';

export const refreshEnrichmentJob = defineJob({
  name: 'refresh-enrichment',
  payload: Type.Object({}),
  attempts: 1,
  backoffMs: 1000,
  timeoutMs: 1_800_000,
  concurrency: () => 1,
  dedupeKey: () => 'refresh',
  // Each list has an interval of its own; this only looks which are due.
  everyMs: () => HOUR_MS,
  run: async (_payload, { enrichment, log, now }, signal) => {
    const beganAtMs = now();
    await enrichment.refresh({ signal });
    for (const { name, lastError, lastAttemptMs = 0, asOfMs } of enrichment.status()) {
      if (lastError === undefined || lastAttemptMs < beganAtMs) continue;
      const kept = asOfMs === undefined ? undefined : new Date(asOfMs).toISOString();
      log.warn({ source: name, kept }, `a list could not be refreshed: ${lastError}`);
    }
  },
});
