// stored conversations -> the outside addresses that a host talked to since a time, and how usual they are for it
import type { ClickHouseClient } from '@clickhouse/client';
import { addressSet } from '../model/addresses.ts';
import type { Enrichment } from '../model/enrichment.ts';
import type { HostDestination } from '../model/host.ts';
import { countedFrom } from '../store/clickhouse/counted.ts';
import { duplicatesBetween } from '../store/clickhouse/duplicate-paths.ts';
import { rangeCondition } from './ranges-sql.ts';

const MAX_DESTINATIONS = 50;
const DAY_SECONDS = 86_400;
/** By an exporter's clock what the trigger began may have begun before it. */
const CLOCK_SLACK_SECONDS = 300;
/** IANA protocol numbers that have a name in log lines. */
const PROTOCOLS: Readonly<Record<number, string>> = {
  1: 'icmp',
  6: 'tcp',
  17: 'udp',
  47: 'gre',
  50: 'esp',
  58: 'icmpv6',
};

export interface DestinationQuestion {
  readonly addresses: readonly string[];
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly baselineDays: number;
  /** Names of networks, which the store does not hold. */
  readonly enrich: (address: string) => Enrichment;
}

interface Row {
  readonly address: string;
  readonly port: number;
  readonly protocol: number;
  readonly network: number;
  readonly kind: string;
  readonly first_minute: number;
  readonly packets_out: number;
  readonly packets_in: number;
  readonly bytes_out: number;
  readonly bytes_in: number;
  readonly hours: number;
  readonly network_hours: number;
  readonly others: number;
  readonly heard_hours: number;
}

/** Those that most was sent to; what several exporters show of the same packets counts once. */
export async function destinationsOf(
  client: ClickHouseClient,
  question: DestinationQuestion,
): Promise<{ destinations: HostDestination[]; isHeard: boolean }> {
  const own = rangeCondition('internal', addressSet(...question.addresses));
  const since = Math.floor(question.sinceMs / 60_000) * 60;
  const before = `minute >= toDateTime({from:UInt32}) AND minute < toDateTime({since:UInt32} - ${CLOCK_SLACK_SECONDS})`;
  const after = `minute >= toDateTime({since:UInt32}) AND minute <= toDateTime({until:UInt32})`;
  const duplicates = await duplicatesBetween(client, since * 1000, question.untilMs);
  const source = countedFrom(
    {
      table: 'conversations',
      columns: ['minute', 'external', 'external_port', 'protocol', 'asn', 'category', 'sampling_rate'],
      where: `${own} AND ${after}`,
      heard: after,
    },
    duplicates,
  );
  const result = await client.query({
    query: `WITH seen AS (
        SELECT external, external_port, protocol, any(network) AS network, any(kind) AS kind, min(minute) AS first_minute,
               sum(o) AS packets_out, sum(i) AS packets_in, sum(ob) AS bytes_out, sum(ib) AS bytes_in
        FROM (SELECT minute, external, external_port, protocol, asn AS network, category AS kind,
                out_packets * sampling_rate AS o, in_packets * sampling_rate AS i,
                out_bytes * sampling_rate AS ob, in_bytes * sampling_rate AS ib
              FROM ${source})
        GROUP BY external, external_port, protocol ORDER BY bytes_out DESC LIMIT ${MAX_DESTINATIONS}),
      earlier AS (
        SELECT external, uniqExactIf(toStartOfHour(minute), ${own}) AS hours, uniqIf(internal, NOT (${own})) AS others
        FROM conversations WHERE external IN (SELECT external FROM seen) AND ${before} GROUP BY external),
      networks AS (
        SELECT asn, uniqExact(toStartOfHour(minute)) AS network_hours FROM conversations
        WHERE ${own} AND asn != 0 AND asn IN (SELECT network FROM seen) AND ${before} GROUP BY asn)
      SELECT replaceRegexpOne(toString(seen.external), '^::ffff:([0-9]+[.])', '\\\\1') AS address, external_port AS port, protocol,
             network, kind, toUnixTimestamp(first_minute) AS first_minute, packets_out, packets_in, bytes_out, bytes_in,
             earlier.hours AS hours, networks.network_hours AS network_hours, earlier.others AS others,
             (SELECT uniqExact(toStartOfHour(minute)) FROM exporter_minutes WHERE ${before}) AS heard_hours
      FROM seen LEFT JOIN earlier ON earlier.external = seen.external LEFT JOIN networks ON networks.asn = seen.network
      ORDER BY bytes_out DESC, address, port`,
    query_params: {
      from: since - question.baselineDays * DAY_SECONDS,
      since,
      until: Math.floor(question.untilMs / 1000),
    },
    format: 'JSONEachRow',
    clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
  });
  const rows = await result.json<Row>();
  return { destinations: rows.map((row) => destinationOf(row, question.enrich)), isHeard: rows.length > 0 };
}

function destinationOf(row: Row, enrich: DestinationQuestion['enrich']): HostDestination {
  const share = (hours: number) => (row.heard_hours > 0 ? Math.min(1, hours / row.heard_hours) : 0);
  const known = enrich(row.address);
  return {
    address: row.address,
    port: row.port,
    protocol: PROTOCOLS[row.protocol] ?? String(row.protocol),
    asn: row.network,
    name: known.name,
    category: row.kind || known.category,
    firstMinuteMs: row.first_minute * 1000,
    outPackets: row.packets_out,
    inPackets: row.packets_in,
    outBytes: row.bytes_out,
    inBytes: row.bytes_in,
    addressHourShare: share(row.hours),
    asnHourShare: share(row.network_hours),
    otherInternals: row.others,
  };
}
