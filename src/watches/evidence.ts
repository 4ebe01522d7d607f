// question + stored conversations -> evidence; the only place where a watch reads the store
import type { ClickHouseClient } from '@clickhouse/client';
import { addressSet } from '../model/addresses.ts';
import type { Enrichment } from '../model/enrichment.ts';
import type { Evidence, GroupEvidence, MinuteTotals, Question } from '../model/watch.ts';
import { rangeCondition } from './ranges-sql.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Destinations looked at one by one. */
const MAX_ADDRESSES = 20;
/** From this much baseline on only the same hours of day and kind of day are compared. */
const SAME_HOUR_FROM_MS = 7 * 24 * HOUR_MS;

export interface EvidenceOptions {
  readonly baselineDays: number;
  /** Names of networks, which the store does not hold, and what is known of a relay's target. */
  readonly enrich: (address: string) => Enrichment;
  /** From earlier evidence of the same question, once flows from before the change no longer arrive. */
  readonly usualReturnRatio?: Evidence['usualReturnRatio'];
}

interface AddressRow {
  destination: string;
  asn: number;
  category: string;
  packets_out: string;
  packets_in: string;
  sampling: number;
  visible: number;
  before_hours: string;
  asn_hours: string;
  others: string;
}

interface MinuteRow {
  destination: string;
  at: number;
  bytes_out: string;
  packets_out: string;
  flows_out: string;
  bytes_in: string;
  packets_in: string;
}

/** Bounds and conditions that all queries of one question share. */
interface Frame {
  readonly scope: string;
  readonly destinations: string;
  readonly baselineFrom: number;
  readonly since: number;
  readonly until: number;
}

/** Gathers what a judgement needs from conversations up to askedAtMs. Reads at most a few thousand rows of aggregates. */
export async function gatherEvidence(
  client: ClickHouseClient,
  question: Question,
  askedAtMs: number,
  options: EvidenceOptions,
): Promise<Evidence> {
  const since = Math.floor(question.fromMs / MINUTE_MS) * 60;
  const frame: Frame = {
    scope: rangeCondition('internal', addressSet(...question.scope)),
    destinations: question.destinations.includes('any')
      ? '1'
      : rangeCondition('external', addressSet(...question.destinations)),
    baselineFrom: since - options.baselineDays * 86_400,
    since,
    until: Math.floor(askedAtMs / 1000),
  };
  const coverage = await coverageOf(client, question, frame);
  const sameHourOfDay = coverage.baselineSeconds * 1000 >= SAME_HOUR_FROM_MS;
  const addresses = await topAddresses(client, frame);
  const minutes = await minuteSeries(
    client,
    frame,
    addresses.map((row) => row.destination),
    sameHourOfDay,
  );
  const usualReturnRatio = options.usualReturnRatio ?? (await usualReturns(client, frame));
  const groups = [
    questionGroup(addresses, minutes, since),
    ...addresses.map((row) =>
      addressGroup(row, minutes, since, coverage.hours, options, question.relayTargets ?? {}),
    ),
  ];
  return {
    askedAtMs,
    baselineFromMs: coverage.firstSeconds * 1000,
    baselineMinutes: comparableMinutes(coverage, since, sameHourOfDay),
    baselineHours: coverage.hours,
    sameHourOfDay,
    groups,
    usualReturnRatio,
    dataGaps: coverage.gaps,
  };
}

interface Coverage {
  readonly firstSeconds: number;
  readonly baselineSeconds: number;
  readonly hours: number;
  readonly gaps: string[];
}

async function coverageOf(client: ClickHouseClient, question: Question, frame: Frame): Promise<Coverage> {
  const exporters =
    question.exporters.length > 0 ? rangeCondition('exporter', addressSet(...question.exporters)) : '1';
  const [row] = await rows<{ first: number; last: number; hours: string; after: string }>(
    client,
    `SELECT toUnixTimestamp(minIf(minute, before)) AS first, toUnixTimestamp(max(minute)) AS last,
            uniqExactIf(toStartOfHour(minute), before) AS hours, countIf(NOT before) AS after
     FROM (SELECT minute, minute < toDateTime({since:UInt32}) AS before FROM exporter_minutes
           WHERE ${exporters} AND minute >= toDateTime({baselineFrom:UInt32}) AND minute <= toDateTime({until:UInt32}))`,
    frame,
  );
  const hours = Number(row.hours);
  const first = hours > 0 ? Number(row.first) : frame.since;
  const gaps: string[] = [];
  if (question.exporters.length === 0)
    gaps.push(`no flow exporter is registered for ${question.device}: flows of all exporters are looked at`);
  if (hours === 0) gaps.push('no flows before the change: no baseline');
  if (Number(row.after) === 0) gaps.push('no flows since the change');
  return { firstSeconds: first, baselineSeconds: frame.since - first, hours, gaps };
}

/** Baseline minutes, those without traffic included; where only like hours are compared, 3 of 24 hours of the weekend's or the other days. */
function comparableMinutes(coverage: Coverage, since: number, sameHourOfDay: boolean): number {
  const all = Math.max(0, Math.floor((since - coverage.firstSeconds) / 60));
  const isWeekend = [0, 6].includes(new Date(since * 1000).getUTCDay());
  return sameHourOfDay ? Math.floor(all * (3 / 24) * ((isWeekend ? 2 : 5) / 7)) : all;
}

/** Where S sends most since T0, with what was known of each address before. */
async function topAddresses(client: ClickHouseClient, frame: Frame): Promise<AddressRow[]> {
  return rows<AddressRow>(
    client,
    `WITH after AS (
       SELECT external, any(asn) AS network, any(category) AS kind, sum(out_packets) AS packets_out, sum(in_packets) AS packets_in,
              max(sampling_rate) AS sampling, sum(out_packets * sampling_rate) AS scaled,
              groupUniqArray(16)((exporter, interface)) AS paths
       FROM conversations WHERE ${frame.scope} AND ${frame.destinations}
         AND minute >= toDateTime({since:UInt32}) AND minute <= toDateTime({until:UInt32})
       GROUP BY external ORDER BY scaled DESC, external LIMIT ${MAX_ADDRESSES}),
     showing AS (
       SELECT groupUniqArray((exporter, interface)) AS paths FROM exporter_minutes
       WHERE in_packets > 0 AND minute >= toDateTime({baselineFrom:UInt32}) AND minute <= toDateTime({until:UInt32})),
     before AS (
       SELECT external, uniqExactIf(toStartOfHour(minute), ${frame.scope}) AS before_hours, uniqIf(internal, NOT (${frame.scope})) AS others
       FROM conversations WHERE external IN (SELECT external FROM after)
         AND minute >= toDateTime({baselineFrom:UInt32}) AND minute < toDateTime({since:UInt32}) GROUP BY external),
     networks AS (
       SELECT asn, uniqExact(toStartOfHour(minute)) AS asn_hours FROM conversations WHERE ${frame.scope} AND asn IN (SELECT network FROM after)
         AND minute >= toDateTime({baselineFrom:UInt32}) AND minute < toDateTime({since:UInt32}) GROUP BY asn)
     SELECT toString(after.external) AS destination, after.network AS asn, after.kind AS category, after.packets_out AS packets_out,
            after.packets_in AS packets_in, after.sampling AS sampling,
            hasAny(after.paths, (SELECT paths FROM showing)) AS visible,
            before.before_hours AS before_hours, networks.asn_hours AS asn_hours, before.others AS others
     FROM after LEFT JOIN before ON before.external = after.external LEFT JOIN networks ON networks.asn = after.network
     ORDER BY after.scaled DESC, destination`,
    frame,
  );
}

/** Per minute before and after T0: for each of the addresses, and over all of the question's destinations as "all". */
async function minuteSeries(
  client: ClickHouseClient,
  frame: Frame,
  addresses: readonly string[],
  sameHourOfDay: boolean,
): Promise<Map<string, MinuteTotals[]>> {
  const like = sameHourOfDay
    ? `AND (minute >= toDateTime({since:UInt32})
         OR ((toDayOfWeek(minute) >= 6) = (toDayOfWeek(toDateTime({since:UInt32})) >= 6)
             AND abs(((toHour(minute) - toHour(toDateTime({since:UInt32})) + 36) % 24) - 12) <= 1))`
    : '';
  const sums = `sum(out_bytes * sampling_rate) AS bytes_out, sum(out_packets * sampling_rate) AS packets_out, sum(out_flows) AS flows_out,
     sum(in_bytes * sampling_rate) AS bytes_in, sum(in_packets * sampling_rate) AS packets_in`;
  const where = `${frame.scope} AND ${frame.destinations} AND minute >= toDateTime({baselineFrom:UInt32}) AND minute <= toDateTime({until:UInt32}) ${like}`;
  const list = addresses.length > 0 ? rangeCondition('external', addressSet(...addresses)) : '0';
  const found = await rows<MinuteRow>(
    client,
    `SELECT 'all' AS destination, toUnixTimestamp(minute) AS at, ${sums} FROM conversations WHERE ${where} GROUP BY minute
     UNION ALL
     SELECT toString(external) AS destination, toUnixTimestamp(minute) AS at, ${sums} FROM conversations WHERE ${where} AND ${list} GROUP BY external, minute`,
    frame,
  );
  const series = new Map<string, MinuteTotals[]>();
  for (const row of found.sort((a, b) => a.at - b.at)) {
    const key = plain(row.destination);
    const minute: MinuteTotals = {
      minuteMs: row.at * 1000,
      outBytes: Number(row.bytes_out),
      outPackets: Number(row.packets_out),
      outFlows: Number(row.flows_out),
      inBytes: Number(row.bytes_in),
      inPackets: Number(row.packets_in),
    };
    series.get(key)?.push(minute) ?? series.set(key, [minute]);
  }
  return series;
}

async function usualReturns(client: ClickHouseClient, frame: Frame): Promise<Record<string, number>> {
  const found = await rows<{ category: string; sent: string; back: string }>(
    client,
    `SELECT category, sum(out_packets) AS sent, sum(in_packets) AS back FROM conversations
     WHERE ${frame.scope} AND minute >= toDateTime({baselineFrom:UInt32}) AND minute < toDateTime({since:UInt32}) GROUP BY category`,
    frame,
  );
  const ratios: Record<string, number> = {};
  let sent = 0;
  let back = 0;
  for (const row of found) {
    sent += Number(row.sent);
    back += Number(row.back);
    // A handful of packets says nothing about what is usual.
    if (Number(row.sent) >= 100) ratios[row.category] = Number(row.back) / Number(row.sent);
  }
  if (sent >= 100) ratios.any = back / sent;
  return ratios;
}

function questionGroup(
  addresses: readonly AddressRow[],
  minutes: Map<string, MinuteTotals[]>,
  since: number,
): GroupEvidence {
  const sum = (of: (row: AddressRow) => number) => addresses.reduce((total, row) => total + of(row), 0);
  return {
    level: 'question',
    key: 'all',
    asn: 0,
    name: '',
    category: 'any',
    ...splitSeries(minutes.get('all') ?? [], since),
    addressHourShare: 1,
    asnHourShare: 1,
    otherInternals: 0,
    sampledOutPackets: sum((row) => Number(row.packets_out)),
    sampledInPackets: sum((row) => Number(row.packets_in)),
    maxSamplingRate: Math.max(1, ...addresses.map((row) => row.sampling)),
    returnVisible: addresses.length > 0 && addresses.every((row) => row.visible === 1),
  };
}

function addressGroup(
  row: AddressRow,
  minutes: Map<string, MinuteTotals[]>,
  since: number,
  hours: number,
  options: EvidenceOptions,
  relayTargets: Readonly<Record<string, string>>,
): GroupEvidence {
  const address = plain(row.destination);
  // Metered before translation the relay's own address is the destination; what counts is where it leads.
  const target = relayTargets[address];
  const known = options.enrich(target ?? address);
  return {
    level: 'address',
    key: target ?? address,
    asn: target ? known.asn : row.asn,
    name: known.name,
    category: target ? known.category : row.category,
    ...splitSeries(minutes.get(address) ?? [], since),
    addressHourShare: hours > 0 ? Number(row.before_hours) / hours : 0,
    asnHourShare: hours > 0 ? Number(row.asn_hours) / hours : 0,
    otherInternals: Number(row.others),
    sampledOutPackets: Number(row.packets_out),
    sampledInPackets: Number(row.packets_in),
    maxSamplingRate: Math.max(1, row.sampling),
    returnVisible: row.visible === 1,
  };
}

function splitSeries(series: readonly MinuteTotals[], since: number) {
  return {
    baseline: series.filter((minute) => minute.minuteMs < since * 1000),
    observed: series.filter((minute) => minute.minuteMs >= since * 1000),
  };
}

/** The store writes IPv4 as ::ffff:a.b.c.d. */
const plain = (address: string) => address.replace(/^::ffff:(?=\d+\.)/, '');

async function rows<T>(client: ClickHouseClient, query: string, frame: Frame): Promise<T[]> {
  const result = await client.query({
    query,
    format: 'JSONEachRow',
    query_params: { since: frame.since, until: frame.until, baselineFrom: frame.baselineFrom },
  });
  return (await result.json()) as T[];
}
