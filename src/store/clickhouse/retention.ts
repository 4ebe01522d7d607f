// days to keep -> the tables' TTL
import type { ClickHouseClient } from '@clickhouse/client';

/** Days from the row's own time; undefined keeps rows for ever (recorded evidence may be years old). */
export interface Retention {
  readonly flowDays?: number;
  /** By the hour, once the minutes are gone; 0: not kept so. */
  readonly flowHourDays?: number;
  readonly eventDays?: number;
}

const ROLL_UP_GRACE_DAYS = 7;

/** Alters a table only where its TTL differs from what is asked for. */
export async function applyRetention(client: ClickHouseClient, retention: Retention): Promise<void> {
  const { flowDays, flowHourDays = 0 } = retention;
  // A job makes hours of old minutes and drops those (jobs/roll-up-flows.ts); this is for when it does not run.
  const graceDays = flowHourDays > 0 ? ROLL_UP_GRACE_DAYS : 0;
  await setTtl(client, 'conversations', 'minute', flowDays && flowDays + graceDays);
  await setTtl(client, 'conversation_hours', 'hour', flowDays && flowDays + flowHourDays);
  await setTtl(client, 'exporter_minutes', 'minute', retention.flowDays);
  await setTtl(client, 'attempts', 'toDateTime(received_at)', retention.flowDays);
  await setTtl(client, 'translations', 'toDateTime(at)', retention.flowDays);
  await setTtl(client, 'translated_addresses', 'day', retention.flowDays);
  await setTtl(client, 'events', 'toDateTime(received_at)', retention.eventDays);
  await setTtl(client, 'senders', 'day', retention.eventDays);
}

async function setTtl(client: ClickHouseClient, table: string, time: string, days?: number): Promise<void> {
  const result = await client.query({
    query:
      'SELECT engine_full FROM system.tables WHERE database = currentDatabase() AND name = {table:String}',
    query_params: { table },
    format: 'JSONEachRow',
  });
  const [{ engine_full: engine }] = await result.json<{ engine_full: string }>();
  const current = /\bTTL .*?toIntervalDay\((\d+)\)/.exec(engine)?.[1];
  if (days === undefined) {
    if (current !== undefined) await client.command({ query: `ALTER TABLE ${table} REMOVE TTL` });
  } else if (current !== String(days)) {
    await client.command({ query: `ALTER TABLE ${table} MODIFY TTL ${time} + toIntervalDay(${days})` });
  }
}
