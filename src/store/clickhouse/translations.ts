// batches of translation events -> the table `translations`; and the addresses that internal ones appear as
import type { ClickHouseClient } from '@clickhouse/client';
import { addressText } from '../../flows/batch.ts';
import { CREATED, type TranslationBatch } from '../../flows/translation-batch.ts';
import { type AddressSet, addressSet, mapped, NO_ADDRESSES, parseAddress } from '../../model/addresses.ts';
import { addressBytes, bytesOf, countBytes, text, varint } from './conversation-native.ts';
import { insertBlock, insertTsv } from './insert.ts';
import { partId } from './insert-once.ts';

export const TRANSLATION_COLUMNS = [
  'at',
  'received_at',
  'exporter',
  'event',
  'internal',
  'internal_port',
  'translated',
  'translated_port',
  'translated_port_end',
  'external',
  'external_port',
  'protocol',
] as const;

/** Resolves when the rows are stored. Throws what the client throws; whole batches before the failing one are stored then, once for an `id`. */
export async function insertTranslations(
  client: ClickHouseClient,
  batch: TranslationBatch | readonly TranslationBatch[],
  id?: string,
): Promise<void> {
  const batches = 'count' in batch ? [batch] : batch;
  for (const [i, one] of batches.entries()) {
    if (one.count === 0) continue;
    if (
      !(await insertBlock(
        client,
        'translations',
        TRANSLATION_COLUMNS,
        () => translationBlock(one),
        partId(id, i),
      ))
    )
      await insertTsv(client, 'translations', TRANSLATION_COLUMNS, translationLines(one), partId(id, i));
  }
}

/** A block of ClickHouse's Native format. */
function translationBlock(batch: TranslationBatch): Buffer {
  const { count } = batch;
  const columns: [name: string, type: string, data: Uint8Array][] = [
    ['at', "DateTime64(3, 'UTC')", countBytes(batch.atMs, 0, count)],
    ['received_at', "DateTime64(3, 'UTC')", countBytes(batch.receivedAtMs, 0, count)],
    ['exporter', 'IPv6', addressBytes(batch.exporter, 0, count)],
    ['event', "Enum8('created' = 1, 'deleted' = 2)", batch.event],
    ['internal', 'IPv6', addressBytes(batch.internal, 0, count)],
    ['internal_port', 'UInt16', bytesOf(batch.internalPort)],
    ['translated', 'IPv6', addressBytes(batch.translated, 0, count)],
    ['translated_port', 'UInt16', bytesOf(batch.translatedPort)],
    ['translated_port_end', 'UInt16', bytesOf(batch.translatedPortEnd)],
    ['external', 'IPv6', addressBytes(batch.external, 0, count)],
    ['external_port', 'UInt16', bytesOf(batch.externalPort)],
    ['protocol', 'UInt8', batch.protocol],
  ];
  const parts: Uint8Array[] = [varint(columns.length), varint(count)];
  for (const [name, type, data] of columns) parts.push(text(name), text(type), data);
  return Buffer.concat(parts);
}

/** Tab-separated, for a server; nothing in a row needs escaping. */
export function translationLines(batch: TranslationBatch): string {
  let lines = '';
  for (let row = 0; row < batch.count; row++) {
    const cells = [
      timeText(batch.atMs[row]),
      timeText(batch.receivedAtMs[row]),
      addressText(batch.exporter, row),
      batch.event[row] === CREATED ? 'created' : 'deleted',
      addressText(batch.internal, row),
      batch.internalPort[row],
      addressText(batch.translated, row),
      batch.translatedPort[row],
      batch.translatedPortEnd[row],
      addressText(batch.external, row),
      batch.externalPort[row],
      batch.protocol[row],
    ];
    lines += `${cells.join('\t')}\n`;
  }
  return lines;
}

const timeText = (timeMs: number) => new Date(timeMs).toISOString().replace('T', ' ').slice(0, 23);

/** More of one exporter are no pool that a site would forget to name. */
const MAX_ADDRESSES = 4096;

/**
 * Addresses that hosts appeared as since a day, by the events of these exporters only: who may send flows could otherwise make
 * any address of the internet pass for one of the site. Of more than 4,096 those with the most events.
 */
export async function translatedAddresses(
  client: ClickHouseClient,
  exporters: readonly string[],
  sinceMs: number,
): Promise<AddressSet> {
  if (exporters.length === 0) return NO_ADDRESSES;
  const result = await client.query({
    query: `SELECT replaceRegexpOne(toString(stored.translated), '^::ffff:([0-9]+[.])', '\\\\1') AS address
      FROM translated_addresses AS stored
      WHERE day >= toDate(fromUnixTimestamp({since:Int64})) AND exporter IN (${exporters.map(literal).join(', ')})
      GROUP BY stored.translated ORDER BY sum(events) DESC, stored.translated LIMIT ${MAX_ADDRESSES}`,
    query_params: { since: Math.floor(sinceMs / 1000) },
    format: 'JSONEachRow',
  });
  return addressSet(...(await result.json<{ address: string }>()).map(({ address }) => address));
}

/** Parsed, so nothing of the text goes into the question. */
function literal(address: string): string {
  const hex = mapped(parseAddress(address)).toString(16).padStart(32, '0');
  return `toIPv6('${hex.match(/.{4}/g)!.join(':')}')`;
}
