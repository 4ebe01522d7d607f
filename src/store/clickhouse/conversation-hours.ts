// days of conversations by the minute -> the same by the hour
import type { ClickHouseClient } from '@clickhouse/client';

/** Days as ClickHouse writes them, "2026-11-02" (UTC), the oldest first, that end at `beforeMs` or earlier. */
export async function daysBefore(client: ClickHouseClient, beforeMs: number): Promise<string[]> {
  const result = await client.query({
    query: `SELECT DISTINCT partition AS day FROM system.parts
      WHERE database = currentDatabase() AND table = 'conversations' AND active ORDER BY day`,
    format: 'JSONEachRow',
  });
  const rows = await result.json<{ day: string }>();
  return rows.map(({ day }) => day).filter((day) => Date.parse(`${day}T00:00:00Z`) + DAY_MS <= beforeMs);
}

const DAY_MS = 86_400_000;
const DAY = /^\d{4}-\d\d-\d\d$/;

/** Sums of a rate and a translation apart, since what is sampled otherwise does not add up. */
const ROLL_UP = `
  INSERT INTO conversation_hours
  SELECT toStartOfHour(minute) AS hour, exporter, interface, internal, external, external_port, protocol,
    least(60, uniqExact(minute)) AS minutes,
    sum(out_bytes), sum(out_packets), sum(out_flows), sum(in_bytes), sum(in_packets), sum(in_flows),
    sampling_rate, sampling_origin, groupBitOr(tcp_flags), translated, any(asn), any(category)
  FROM conversations
  WHERE minute >= fromUnixTimestamp({from:UInt32}) AND minute < fromUnixTimestamp({until:UInt32})
  GROUP BY hour, exporter, interface, internal, external, external_port, protocol, sampling_rate, sampling_origin, translated`;

/** Adds the hours of a day; an hour at a time, so that memory stays small. Rejects with what the client says. */
export async function rollUpDay(client: ClickHouseClient, day: string): Promise<void> {
  const fromS = startOf(day);
  for (let hour = 0; hour < 24; hour++)
    await client.command({
      query: ROLL_UP,
      query_params: { from: fromS + hour * 3600, until: fromS + (hour + 1) * 3600 },
      clickhouse_settings: {
        optimize_aggregation_in_order: 1,
        max_bytes_before_external_group_by: '268435456',
      },
    });
}

export async function dropMinutes(client: ClickHouseClient, day: string): Promise<void> {
  startOf(day);
  await client.command({ query: `ALTER TABLE conversations DROP PARTITION '${day}'` });
}

/** What a roll-up that did not end left behind. */
export async function dropHours(client: ClickHouseClient, day: string): Promise<void> {
  startOf(day);
  await client.command({ query: `ALTER TABLE conversation_hours DROP PARTITION '${day}'` });
}

/** Seconds since 1970; throws TypeError for what is no day. */
function startOf(day: string): number {
  const atMs = DAY.test(day) ? Date.parse(`${day}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(atMs)) throw new TypeError(`not a day: ${day.slice(0, 20)}`);
  return atMs / 1000;
}
