// days of flows that are old enough: by the hour from then on, with their addresses
import { Type } from 'typebox';
import { daysBefore, dropHours, dropMinutes, rollUpDay } from '../src/store/clickhouse/conversation-hours.ts';
import { clearCursor, cursorAt, setCursor } from '../src/store/postgres/cursors.ts';
import { defineJob } from './definition.ts';

const DAY_MS = 86_400_000;
/** In one run; the next one goes on. */
const MOST_DAYS = 7;

export const rollUpFlowsJob = defineJob({
  name: 'roll-up-flows',
  payload: Type.Object({}),
  attempts: 1,
  backoffMs: 60_000,
  timeoutMs: 3_600_000,
  concurrency: () => 1,
  dedupeKey: () => 'roll-up',
  everyMs: () => 3_600_000,
  run: async (_payload, { settings, clickhouse, postgres, log, now }, signal) => {
    if (settings.POSTERN_FLOW_HOUR_DAYS === 0) return;
    const days = await daysBefore(clickhouse, now() - settings.POSTERN_FLOW_DAYS * DAY_MS);
    for (const day of days.slice(0, MOST_DAYS)) {
      signal.throwIfAborted();
      const cursor = `roll-up-flows ${day}`;
      // A run that was killed may have stored some of the hours.
      if ((await cursorAt(postgres, cursor)) !== undefined) await dropHours(clickhouse, day);
      await setCursor(postgres, cursor, now());
      await rollUpDay(clickhouse, day);
      await dropMinutes(clickhouse, day);
      await clearCursor(postgres, cursor);
      log.info({ day }, 'flows of a day are kept by the hour from now on');
    }
  },
});
