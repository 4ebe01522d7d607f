// reads what hosts reported since the last time, and stores the questions that it opens
import { Type } from 'typebox';
import { hostAnalytics } from '../src/analytics/index.ts';
import { receivedOfHosts } from '../src/store/clickhouse/host-events.ts';
import { cursorAt, setCursor } from '../src/store/postgres/cursors.ts';
import { recordHostEvents } from '../src/watches/host-record.ts';
import { defineJob } from './definition.ts';

const CURSOR = 'scan-hosts';
/** Lines reach the store this late, in any order: so much is read again, and opens nothing twice. */
const OVERLAP_MS = 15_000;
/** Not before this, at the first run and after silence. */
const LOOK_BACK_MS = 600_000;
const MAX_EVENTS = 20_000;

export const scanHostsJob = defineJob({
  name: 'scan-hosts',
  payload: Type.Object({}),
  attempts: 1,
  backoffMs: 1000,
  timeoutMs: 60_000,
  concurrency: () => 1,
  dedupeKey: () => 'scan',
  everyMs: () => 5000,
  run: async (_payload, services) => {
    const { clickhouse, postgres, jobs } = services;
    const nowMs = services.now();
    const kinds = [...new Set(hostAnalytics.flatMap((analytic) => analytic.triggerKinds))];
    const cursorMs = await cursorAt(postgres, CURSOR);
    let fromMs = (cursorMs ?? nowMs - LOOK_BACK_MS) - OVERLAP_MS;
    for (;;) {
      const events = await receivedOfHosts(clickhouse, kinds, fromMs, nowMs, MAX_EVENTS);
      const due = await recordHostEvents(events, services);
      for (const question of due)
        await jobs.add(
          'answer-host',
          { ...question },
          { delayMs: Math.max(0, question.atMs - services.now()) },
        );
      const isAll = events.length < MAX_EVENTS;
      const latestMs = events.at(-1)?.receivedAtMs;
      // What waited while the store was away comes in order: so the cursor follows what was seen, not the clock.
      if (isAll) {
        await setCursor(postgres, CURSOR, Math.max(latestMs ?? cursorMs ?? 0, nowMs - LOOK_BACK_MS));
        return;
      }
      // Of the last millisecond there may be more.
      const lastMs = Math.max(latestMs! - 1, fromMs + 1);
      await setCursor(postgres, CURSOR, lastMs);
      fromMs = lastMs;
    }
  },
});
