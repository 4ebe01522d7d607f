// which streams of registered hosts arrived lately
import type { ClickHouseClient } from '@clickhouse/client';
import { formatAddress, parseAddress } from '../../model/addresses.ts';
import { senderText } from './events.ts';

/** Addresses of one question: ClickHouse takes 256 KiB of text. */
const MAX_ADDRESSES = 1000;

/** Lines of any kind, what is run (with its executable), what a packet filter logs of packets, and who logs in. */
export type HostStream = 'syslog' | 'process-log' | 'firewall-log' | 'login-log';

const LINES = `
  SELECT toString(origin) AS name, 'process-log' AS stream, toUnixTimestamp64Milli(max(received_at)) AS atMs FROM events
  WHERE kind IN ('command', 'listen') AND executable != '' AND origin IN {names:Array(String)}
    AND received_at >= fromUnixTimestamp64Milli({since:Int64}) GROUP BY name
  UNION ALL
  SELECT toString(origin) AS name, if(kind LIKE 'login-%', 'login-log', 'firewall-log') AS stream,
    toUnixTimestamp64Milli(max(received_at)) AS atMs FROM events
  WHERE kind IN ('login-accepted', 'login-failed', 'firewall-drop', 'firewall-accept', 'firewall-packet')
    AND origin IN {names:Array(String)} AND received_at >= fromUnixTimestamp64Milli({since:Int64}) GROUP BY name, stream
  UNION ALL
  SELECT toString(origin) AS name, 'syslog' AS stream, toUnixTimestamp64Milli(max(last_at)) AS atMs FROM senders
  WHERE day >= toDate(fromUnixTimestamp64Milli({since:Int64})) AND origin IN {names:Array(String)} GROUP BY name`;

/** By name of the host: when the last line of each stream came, of those that came since then. */
export async function lastLinesOfHosts(
  client: ClickHouseClient,
  names: readonly string[],
  sinceMs: number,
): Promise<Map<string, Partial<Record<HostStream, number>>>> {
  const found = new Map<string, Partial<Record<HostStream, number>>>();
  if (names.length === 0) return found;
  type Row = { name: string; stream: HostStream; atMs: number };
  for (const { name, stream, atMs } of await ask<Row>(client, LINES, { names, since: Math.floor(sinceMs) }))
    found.set(name, { ...found.get(name), [stream]: atMs });
  return found;
}

/** By address as formatAddress has it: when the last flow of it came, of those that had any since then. */
export async function lastFlowsOfAddresses(
  client: ClickHouseClient,
  addresses: readonly string[],
  sinceMs: number,
): Promise<Map<string, number>> {
  const texts = [...new Set(addresses.flatMap((address) => senderText(address) ?? []))];
  const found = new Map<string, number>();
  for (let from = 0; from < texts.length; from += MAX_ADDRESSES) {
    // Only parsed addresses come into the text of the question.
    const wanted = texts.slice(from, from + MAX_ADDRESSES).map((text) => `toIPv6('${text}')`);
    const rows = await ask<{ address: string; atMs: number }>(client, flowsOf(wanted.join(', ')), {
      since: Math.floor(sinceMs),
    });
    for (const { address, atMs } of rows) {
      const key = formatAddress(parseAddress(address));
      found.set(key, Math.max(atMs, found.get(key) ?? 0));
    }
  }
  return found;
}

const flowsOf = (addresses: string) => `
  SELECT toString(internal) AS address, toInt64(toUnixTimestamp(max(minute))) * 1000 AS atMs FROM conversations
  WHERE minute >= toDateTime(fromUnixTimestamp64Milli({since:Int64})) AND internal IN (${addresses}) GROUP BY internal
  UNION ALL
  SELECT toString(destination) AS address, toUnixTimestamp64Milli(max(received_at)) AS atMs FROM attempts
  WHERE received_at >= fromUnixTimestamp64Milli({since:Int64}) AND destination IN (${addresses}) GROUP BY destination`;

async function ask<Row>(
  client: ClickHouseClient,
  query: string,
  parameters: Record<string, unknown>,
): Promise<Row[]> {
  const result = await client.query({
    query,
    query_params: parameters,
    format: 'JSONEachRow',
    clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
  });
  return result.json<Row>();
}
