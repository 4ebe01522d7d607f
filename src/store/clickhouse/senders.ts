// what each sender of log lines sent: the table `senders`, and back
import type { ClickHouseClient } from '@clickhouse/client';
import { mapped, parseAddress } from '../../model/addresses.ts';
import { insertTsv, tsvText } from './insert.ts';

export interface SenderRow {
  readonly sender: string;
  /** The name that the sender states, where it may speak for others; else ''. */
  readonly host: string;
  readonly identity: string;
  readonly origin: string;
  readonly originBasis: string;
  readonly lines: number;
  readonly unread: number;
  readonly dropped: number;
  readonly refused: number;
  readonly lastAtMs: number;
  readonly zonedOffsetMs: number;
  readonly zonelessOffsetMs: number;
  readonly zoneMinutes: number;
}

const COLUMNS = [
  'day',
  'sender',
  'host',
  'identity',
  'origin',
  'origin_basis',
  'lines',
  'unread',
  'dropped',
  'refused',
  'last_at',
  'zoned_offset_ms',
  'zoneless_offset_ms',
  'zone_minutes',
] as const;

/** Counts add up to what is there for the day. Senders are addresses; throws TypeError for one that is none. */
export async function addSenders(client: ClickHouseClient, rows: readonly SenderRow[]): Promise<void> {
  await insertTsv(client, 'senders', COLUMNS, rows.map(lineOf).join(''));
}

function lineOf(row: SenderRow): string {
  const lastAt = new Date(row.lastAtMs).toISOString();
  const cells = [
    lastAt.slice(0, 10),
    wide(row.sender),
    row.host,
    row.identity,
    row.origin,
    row.originBasis,
    row.lines,
    row.unread,
    row.dropped,
    row.refused,
    lastAt.replace('T', ' ').replace('Z', ''),
    row.zonedOffsetMs,
    row.zonelessOffsetMs,
    row.zoneMinutes,
  ];
  return `${cells.map((cell) => tsvText(String(cell))).join('\t')}\n`;
}

/** The mapped form as text that ClickHouse reads. */
const wide = (address: string) =>
  mapped(parseAddress(address)).toString(16).padStart(32, '0').match(/.{4}/g)!.join(':');

export interface SenderPage {
  /** Whole days count from the day of this time. */
  readonly sinceMs: number;
  /** Sender as text, host and identity of the last row of the page before. */
  readonly after?: readonly [sender: string, host: string, identity: string];
  readonly limit: number;
}

/** In order of address, name and certificate; the sums since then, and what was last known. Throws TypeError for `after` of no address. */
export async function sendersSince(client: ClickHouseClient, page: SenderPage): Promise<SenderRow[]> {
  const after = page.after
    ? '(sender, host, identity) > (toIPv6({sender:String}), {host:String}, {identity:String})'
    : '1';
  const [sender, host, identity] = page.after ?? ['::', '', ''];
  const result = await client.query({
    query: `SELECT replaceRegexpOne(toString(sender), '^::ffff:', '') AS sender_text, host, identity,
        argMax(origin, last_at) AS last_origin, argMax(origin_basis, last_at) AS basis, sum(lines) AS line_count,
        sum(unread) AS unread_count, sum(dropped) AS dropped_count, sum(refused) AS refused_count,
        toUnixTimestamp64Milli(max(last_at)) AS last_ms, argMax(zoned_offset_ms, last_at) AS zoned,
        argMax(zoneless_offset_ms, last_at) AS zoneless, argMax(zone_minutes, last_at) AS zone
      FROM senders WHERE day >= toDate(fromUnixTimestamp64Milli({since:Int64})) AND ${after}
      GROUP BY sender, host, identity ORDER BY sender, host, identity LIMIT {limit:UInt32}`,
    query_params: {
      since: Math.max(0, Math.floor(page.sinceMs)),
      limit: page.limit,
      sender: wide(sender),
      host,
      identity,
    },
    format: 'JSONEachRow',
    clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
  });
  return (await result.json<Row>()).map((row) => ({
    sender: row.sender_text,
    host: row.host,
    identity: row.identity,
    origin: row.last_origin,
    originBasis: row.basis,
    lines: row.line_count,
    unread: row.unread_count,
    dropped: row.dropped_count,
    refused: row.refused_count,
    lastAtMs: row.last_ms,
    zonedOffsetMs: row.zoned,
    zonelessOffsetMs: row.zoneless,
    zoneMinutes: row.zone,
  }));
}

interface Row {
  readonly sender_text: string;
  readonly host: string;
  readonly identity: string;
  readonly last_origin: string;
  readonly basis: string;
  readonly line_count: number;
  readonly unread_count: number;
  readonly dropped_count: number;
  readonly refused_count: number;
  readonly last_ms: number;
  readonly zoned: number;
  readonly zoneless: number;
  readonly zone: number;
}
