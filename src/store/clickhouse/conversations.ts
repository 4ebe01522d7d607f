// batches of conversations -> the table `conversations`, and the sums that the API shows of it
import type { ClickHouseClient } from '@clickhouse/client';
import type { ConversationBatch } from '../../flows/batch.ts';
import type { DuplicatePath } from '../../flows/duplicates-elect.ts';
import { addressSet, mapped } from '../../model/addresses.ts';
import { CONVERSATION_COLUMNS, conversationRows } from './conversation-rows.ts';
import { COUNTS, countedFrom } from './counted.ts';
import { duplicatesBetween } from './duplicate-paths.ts';
import { insertTsv } from './insert.ts';
import { partId } from './insert-once.ts';
import { engineOf } from './open.ts';

const INSERT_ROWS = 50_000;
/** The engine stores as many in one part, all or none. */
const BLOCK_ROWS = 300_000;

/**
 * Resolves when the rows are stored. Throws what the client throws; whole parts before the failing one are stored then, and not
 * again where the same batches come with the same `id`.
 */
export async function insertConversations(
  client: ClickHouseClient,
  batch: ConversationBatch | readonly ConversationBatch[],
  id?: string,
): Promise<void> {
  const batches = 'count' in batch ? [batch] : batch;
  if (await insertBlocks(client, batches, id)) return;
  let lines: string[] = [];
  let rows = 0;
  let statements = 0;
  const send = async () => {
    await insertTsv(client, 'conversations', CONVERSATION_COLUMNS, lines.join(''), partId(id, statements++));
    lines = [];
    rows = 0;
  };
  for (const one of batches) {
    for (let from = 0; from < one.count; from += INSERT_ROWS) {
      const to = Math.min(one.count, from + INSERT_ROWS);
      if (rows + to - from > INSERT_ROWS) await send();
      lines.push(conversationRows(one, from, to));
      rows += to - from;
    }
  }
  await send();
}

/** False where the client speaks to a server. */
async function insertBlocks(
  client: ClickHouseClient,
  batches: readonly ConversationBatch[],
  id: string | undefined,
): Promise<boolean> {
  const engine = engineOf(client);
  if (!engine) return false;
  let some: ConversationBatch[] = [];
  let rows = 0;
  let statements = 0;
  const send = async () => {
    if (rows > 0) await engine.insertConversations(CONVERSATION_COLUMNS, some, partId(id, statements++));
    some = [];
    rows = 0;
  };
  for (const batch of batches) {
    if (rows + batch.count > BLOCK_ROWS) await send();
    some.push(batch);
    rows += batch.count;
  }
  await send();
  return true;
}

export interface SummaryQuestion {
  /** Internal prefixes or addresses; empty means all. At most 1,000. */
  readonly scope: readonly string[];
  readonly fromMs: number;
  readonly untilMs: number;
  readonly groupBy: 'minute' | 'hour';
  /** How many external addresses are listed; 1 to 1,000, 50 where missing. */
  readonly externals?: number;
}

/** Scaled for sampling, but for flows: sampled flow counts are biased, so they are as exported. */
export interface SummaryTotals {
  readonly outBytes: number;
  readonly outPackets: number;
  readonly outFlows: number;
  readonly inBytes: number;
  readonly inPackets: number;
  readonly inFlows: number;
}

export interface ConversationSummary {
  /** In order of time; times without traffic are left out. */
  readonly series: readonly (SummaryTotals & { readonly atMs: number })[];
  /** By bytes of both directions, the largest first. */
  readonly externals: readonly (SummaryTotals & {
    readonly address: string;
    readonly asn: number;
    readonly category: string;
    readonly internals: number;
  })[];
}

const MAX_POINTS = 20_000;
const MAX_SCOPE = 1000;
const STEP_MS = { minute: 60_000, hour: 3_600_000 };
const TOTALS = `
  sum(toFloat64(out_bytes) * sampling_rate) AS outBytes, sum(toFloat64(out_packets) * sampling_rate) AS outPackets, sum(out_flows) AS outFlows,
  sum(toFloat64(in_bytes) * sampling_rate) AS inBytes, sum(toFloat64(in_packets) * sampling_rate) AS inPackets, sum(in_flows) AS inFlows`;

/**
 * What a scope exchanged with the outside in a window of time (end exclusive). What two exporters show of the same packets
 * counts once, as far as that was found out (flows/find-duplicates.ts). Throws TypeError for a scope that is not of
 * addresses, RangeError for a window of more than 20,000 points.
 */
export async function conversationSummary(
  client: ClickHouseClient,
  question: SummaryQuestion,
): Promise<ConversationSummary> {
  const stepMs = STEP_MS[question.groupBy];
  if (!((question.untilMs - question.fromMs) / stepMs <= MAX_POINTS))
    throw new RangeError(`more than ${MAX_POINTS} points; choose a shorter time or group by hour`);
  const source = sourceOf(question, await duplicatesBetween(client, question.fromMs, question.untilMs));
  const parameters = { from: seconds(question.fromMs), until: seconds(question.untilMs) };
  const limit = Math.max(1, Math.min(1000, Math.floor(question.externals ?? 50)));
  const series = await rows<SummaryTotals & { at: number }>(
    client,
    `SELECT intDiv(toUnixTimestamp(minute), ${stepMs / 1000}) * ${stepMs / 1000} AS at, ${TOTALS}
     FROM ${source} GROUP BY at ORDER BY at LIMIT ${MAX_POINTS + 1}`,
    parameters,
  );
  const externals = await rows<ConversationSummary['externals'][number]>(
    client,
    `SELECT replaceRegexpOne(toString(external), '^::ffff:', '') AS address, argMax(asn, minute) AS asn,
       argMax(category, minute) AS category, uniqExact(internal) AS internals, ${TOTALS}
     FROM ${source} GROUP BY external ORDER BY outBytes + inBytes DESC, external LIMIT ${limit}`,
    parameters,
  );
  return { series: series.map(({ at, ...totals }) => ({ atMs: at * 1000, ...totals })), externals };
}

const SUMMED = ['internal', 'external', 'sampling_rate', 'asn', 'category'];

/** By the hour also days of which no minutes are left; each is in one of the tables only. */
function sourceOf({ scope, groupBy }: SummaryQuestion, duplicates: readonly DuplicatePath[]): string {
  const from = (table: 'conversations' | 'conversation_hours', time: string) => {
    const window = (column: string) =>
      `${column} >= fromUnixTimestamp({from:UInt32}) AND ${column} < fromUnixTimestamp({until:UInt32})`;
    const where = `${window(time)} AND ${scopeFilter(scope)}`;
    const columns = [time, ...SUMMED];
    return `SELECT ${time} AS minute, ${SUMMED.join(', ')}, ${COUNTS.join(', ')} FROM ${countedFrom({ table, columns, where, heard: window('minute') }, duplicates)}`;
  };
  const minutes = from('conversations', 'minute');
  return groupBy === 'hour' ? `(${minutes} UNION ALL ${from('conversation_hours', 'hour')})` : `(${minutes})`;
}

/** A condition on `internal`; parsed addresses go into it, so nothing of the text does. */
function scopeFilter(scope: readonly string[]): string {
  if (scope.length === 0) return '1';
  if (scope.length > MAX_SCOPE) throw new RangeError(`more than ${MAX_SCOPE} prefixes in a scope`);
  const set = addressSet(...scope);
  const bounds = [...set.v4, ...set.v6].map((edge) => `toIPv6('${mappedText(mapped(edge))}')`);
  const ranges = bounds.flatMap((first, i) =>
    i % 2 === 0 ? [`internal BETWEEN ${first} AND ${bounds[i + 1]}`] : [],
  );
  return `(${ranges.join(' OR ')})`;
}

function mappedText(value: bigint): string {
  const hex = value.toString(16).padStart(32, '0');
  return hex.match(/.{4}/g)!.join(':');
}

const seconds = (timeMs: number) => Math.max(0, Math.min(0xffff_ffff, Math.floor(timeMs / 1000)));

async function rows<Row>(
  client: ClickHouseClient,
  query: string,
  parameters: Record<string, number>,
): Promise<Row[]> {
  const result = await client.query({
    query,
    query_params: parameters,
    format: 'JSONEachRow',
    // Sums beyond 2^53 lose their last digits, which nobody reads; as text they would be no numbers.
    clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
  });
  return result.json<Row>();
}
