// which streams arrived lately, by where they came from
import type { ClickHouseClient } from '@clickhouse/client';

const MAX_SOURCES = 100_000;

/** By exporter address as text: whether any packet came back since then, of those that had flows at all. */
export async function returnsByExporter(
  client: ClickHouseClient,
  sinceMs: number,
): Promise<Map<string, boolean>> {
  const rows = await ask<{ source: string; returned: number }>(
    client,
    `SELECT replaceRegexpOne(toString(exporter), '^::ffff:', '') AS source, max(in_packets > 0) AS returned
     FROM exporter_minutes WHERE minute >= fromUnixTimestamp({since:UInt32}) GROUP BY exporter LIMIT ${MAX_SOURCES}`,
    Math.floor(sinceMs / 1000),
  );
  return new Map(rows.map(({ source, returned }) => [source, returned === 1]));
}

/** By interface index: packets (as sampled) each way since then, in order of index; at most so many interfaces. */
export async function interfacesOf(
  client: ClickHouseClient,
  exporter: string,
  sinceMs: number,
): Promise<{ index: number; outPackets: number; inPackets: number }[]> {
  const result = await client.query({
    query: `SELECT interface AS index, sum(out_packets) AS outPackets, sum(in_packets) AS inPackets FROM exporter_minutes
      WHERE exporter = {exporter:IPv6} AND minute >= fromUnixTimestamp({since:UInt32})
      GROUP BY interface ORDER BY interface LIMIT ${MAX_INTERFACES}`,
    query_params: {
      exporter: exporter.includes(':') ? exporter : `::ffff:${exporter}`,
      since: Math.max(0, Math.floor(sinceMs / 1000)),
    },
    format: 'JSONEachRow',
    clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
  });
  return result.json();
}

const MAX_INTERFACES = 1000;

/** By sender address as text: when its last line came, of those that sent any since then; some seconds late, as `senders` is. */
export async function lastEventBySender(
  client: ClickHouseClient,
  sinceMs: number,
): Promise<Map<string, number>> {
  const rows = await ask<{ source: string; atMs: number }>(
    client,
    `SELECT replaceRegexpOne(toString(sender), '^::ffff:', '') AS source, toUnixTimestamp64Milli(max(senders.last_at)) AS atMs
     FROM senders WHERE day >= toDate(fromUnixTimestamp({since:UInt32})) AND last_at >= fromUnixTimestamp({since:UInt32}) AND lines > 0
     GROUP BY sender LIMIT ${MAX_SOURCES}`,
    Math.floor(sinceMs / 1000),
  );
  return new Map(rows.map(({ source, atMs }) => [source, atMs]));
}

async function ask<Row>(client: ClickHouseClient, query: string, since: number): Promise<Row[]> {
  const result = await client.query({
    query,
    query_params: { since: Math.max(0, since) },
    format: 'JSONEachRow',
    clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
  });
  return result.json<Row>();
}
