// batches of attempts toward known hosts -> the table `attempts`; and back, both directions joined, as contacts
import type { ClickHouseClient } from '@clickhouse/client';
import type { AttemptBatch } from '../../flows/attempt-batch.ts';
import { OUTCOMES } from '../../flows/attempt-outcome.ts';
import { addressText } from '../../flows/batch.ts';
import { mapped, parseAddress } from '../../model/addresses.ts';
import type { Contact } from '../../model/host.ts';
import { type AttemptRow, JOIN_MS, joinContacts } from './attempt-contacts.ts';
import { addressBytes, bytesOf, countBytes, text, varint } from './conversation-native.ts';
import { insertBlock, insertTsv } from './insert.ts';
import { partId } from './insert-once.ts';

const COLUMNS = [
  'at',
  'received_at',
  'exporter',
  'source',
  'source_port',
  'destination',
  'port',
  'protocol',
  'outcome',
  'tcp_flags',
  'packets',
  'bytes',
  'sampling_rate',
] as const;

/** Resolves when the rows are stored. Throws what the client throws; whole batches before the failing one are stored then, once for an `id`. */
export async function insertAttempts(
  client: ClickHouseClient,
  batch: AttemptBatch | readonly AttemptBatch[],
  id?: string,
): Promise<void> {
  const batches = 'count' in batch ? [batch] : batch;
  for (const [i, one] of batches.entries()) {
    if (one.count === 0) continue;
    if (!(await insertBlock(client, 'attempts', COLUMNS, () => attemptBlock(one), partId(id, i))))
      await insertTsv(client, 'attempts', COLUMNS, attemptLines(one), partId(id, i));
  }
}

/** A block of ClickHouse's Native format. */
function attemptBlock(batch: AttemptBatch): Buffer {
  const { count } = batch;
  const outcomes = OUTCOMES.map(text);
  const columns: [name: string, type: string, data: Uint8Array][] = [
    ['at', "DateTime64(3, 'UTC')", countBytes(batch.atMs, 0, count)],
    ['received_at', "DateTime64(3, 'UTC')", countBytes(batch.receivedAtMs, 0, count)],
    ['exporter', 'IPv6', addressBytes(batch.exporter, 0, count)],
    ['source', 'IPv6', addressBytes(batch.source, 0, count)],
    ['source_port', 'UInt16', bytesOf(batch.sourcePort)],
    ['destination', 'IPv6', addressBytes(batch.destination, 0, count)],
    ['port', 'UInt16', bytesOf(batch.port)],
    ['protocol', 'UInt8', batch.protocol],
    ['outcome', 'String', Buffer.concat(Array.from(batch.outcome, (outcome) => outcomes[outcome]))],
    ['tcp_flags', 'UInt8', batch.tcpFlags],
    ['packets', 'UInt64', countBytes(batch.packets, 0, count)],
    ['bytes', 'UInt64', countBytes(batch.bytes, 0, count)],
    ['sampling_rate', 'UInt32', bytesOf(batch.samplingRate)],
  ];
  const parts: Uint8Array[] = [varint(columns.length), varint(count)];
  for (const [name, type, data] of columns) parts.push(text(name), text(type), data);
  return Buffer.concat(parts);
}

/** Tab-separated, for a server; nothing in a row needs escaping. */
function attemptLines(batch: AttemptBatch): string {
  let lines = '';
  for (let row = 0; row < batch.count; row++) {
    const cells = [
      timeText(batch.atMs[row]),
      timeText(batch.receivedAtMs[row]),
      addressText(batch.exporter, row),
      addressText(batch.source, row),
      batch.sourcePort[row],
      addressText(batch.destination, row),
      batch.port[row],
      batch.protocol[row],
      OUTCOMES[batch.outcome[row]],
      batch.tcpFlags[row],
      countText(batch.packets[row]),
      countText(batch.bytes[row]),
      batch.samplingRate[row],
    ];
    lines += `${cells.join('\t')}\n`;
  }
  return lines;
}

const timeText = (timeMs: number) => new Date(timeMs).toISOString().replace('T', ' ').slice(0, 23);

/** As countBytes: a stranger's counters may be anything. */
const countText = (value: number) =>
  value > 0 ? (value >= 2 ** 64 ? '18446744073709551615' : BigInt(Math.floor(value)).toString()) : '0';

export interface ContactQuestion {
  /** Of one host; those that are no addresses throw TypeError. */
  readonly addresses: readonly string[];
  /** Starts of the flows, by our clock; both ends count. */
  readonly fromMs: number;
  readonly untilMs: number;
  /** What came later than this was not known yet. */
  readonly receivedUntilMs: number;
}

export interface Contacts {
  /** In order of time. */
  readonly contacts: readonly Contact[];
  /** Some are missing: a source had more than its share, or there were more in all than are read. */
  readonly isCut: boolean;
}

const MAX_CONTACTS = 20_000;
/** Of each sort, in vain and answered, so that a scan of all ports hides neither other sources nor its own success. */
const MAX_OF_SOURCE = 200;
/** Both directions, seen by up to three exporters. */
const ROWS_A_CONTACT = 6;
const MAX_ROWS = MAX_CONTACTS * 4;
/** More of one source to one port in one minute tell nothing new. */
const MAX_REPEATS = 20;
/** A clock may be ahead by this much before a time counts as wrong (src/flows/fold.ts). */
const MAX_FUTURE_MS = 3_600_000;

/** Who tried what toward a host, as flows show it: the first 200 of each source and sort, 20,000 in all. */
export async function contactsToward(client: ClickHouseClient, question: ContactQuestion): Promise<Contacts> {
  if (question.addresses.length === 0) return { contacts: [], isCut: false };
  const hosts = question.addresses.map((address) => `toIPv6('${mappedText(parseAddress(address))}')`);
  const result = await client.query({
    query: `SELECT * FROM (
        SELECT toUnixTimestamp64Milli(at) AS atMs, ${plain('exporter')}, ${plain('source')}, source_port AS sourcePort,
          ${plain('destination')}, port, protocol, outcome, tcp_flags AS tcpFlags, packets, bytes, sampling_rate AS samplingRate,
          outcome IN ('unanswered', 'refused') AS isVain, intDiv(atMs, 60000) AS minute
        FROM attempts AS stored
        WHERE stored.destination IN (${hosts.join(', ')})
          AND at >= fromUnixTimestamp64Milli({from:Int64}) AND at <= fromUnixTimestamp64Milli({until:Int64})
          AND received_at >= fromUnixTimestamp64Milli({oldest:Int64}) AND received_at <= fromUnixTimestamp64Milli({received:Int64})
        ORDER BY at LIMIT ${MAX_REPEATS} BY source, destination, port, protocol, outcome, minute
      ) ORDER BY atMs LIMIT ${MAX_OF_SOURCE * ROWS_A_CONTACT} BY source, isVain LIMIT ${MAX_ROWS}`,
    query_params: {
      from: Math.floor(question.fromMs - JOIN_MS),
      until: Math.ceil(question.untilMs + JOIN_MS),
      oldest: Math.floor(question.fromMs - JOIN_MS - MAX_FUTURE_MS),
      received: Math.ceil(question.receivedUntilMs),
    },
    format: 'JSONEachRow',
    clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
  });
  const rows = await result.json<AttemptRow & { readonly isVain: number }>();
  const joined = joinContacts(rows).filter(({ atMs }) => atMs >= question.fromMs && atMs <= question.untilMs);
  const fair = firstOfEach(joined, MAX_OF_SOURCE, ({ source, outcome }) => source + sortOf(outcome));
  const fullRows = firstOfEach(rows, MAX_OF_SOURCE * ROWS_A_CONTACT - 1, (row) => row.source + row.isVain);
  return {
    contacts: fair.slice(0, MAX_CONTACTS),
    isCut:
      fair.length < joined.length ||
      fair.length > MAX_CONTACTS ||
      rows.length >= MAX_ROWS ||
      fullRows.length < rows.length,
  };
}

const sortOf = (outcome: Contact['outcome']) => (outcome === 'established' ? ' answered' : ' in vain');

const plain = (column: string) => `replaceRegexpOne(toString(stored.${column}), '^::ffff:', '') AS ${column}`;

function mappedText(address: number | bigint): string {
  return mapped(address).toString(16).padStart(32, '0').match(/.{4}/g)!.join(':');
}

function firstOfEach<Item>(items: readonly Item[], most: number, keyOf: (item: Item) => string): Item[] {
  const counts = new Map<string, number>();
  return items.filter((item) => {
    const key = keyOf(item);
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    return count <= most;
  });
}
