// a question's bounds -> rows of aggregates from stored conversations
import type { ClickHouseClient } from '@clickhouse/client';
import type { DuplicatePath } from '../flows/duplicates-elect.ts';
import { addressSet } from '../model/addresses.ts';
import type { GroupLevel, MinuteTotals, Question, UsualPeak } from '../model/watch.ts';
import { countedFrom } from '../store/clickhouse/counted.ts';
import { rangeCondition } from './ranges-sql.ts';

const MINUTE_MS = 60_000;
const DAY_SECONDS = 86_400;
/** Destinations looked at one by one. */
const MAX_ADDRESSES = 20;
/** Networks and categories that are looked at as a whole, where they are more than one address. */
const MAX_NETWORKS = 8;

/** Bounds and conditions that all queries of one question share; times in seconds. */
export interface Frame {
  readonly scope: string;
  readonly destinations: string;
  readonly exporters: string;
  /** Paths whose packets others show, too. */
  readonly duplicates: readonly DuplicatePath[];
  readonly baselineFrom: number;
  readonly since: number;
  readonly until: number;
}

export interface GroupRow {
  readonly level: Exclude<GroupLevel, 'question'>;
  readonly destination: string;
  readonly asn: number;
  readonly category: string;
  readonly packets_out: string;
  readonly packets_in: string;
  readonly sampling: number;
  readonly visible: number;
  readonly before_hours: string;
  readonly asn_hours: string;
  readonly others: string;
}

interface MinuteRow {
  key: string;
  at: number;
  bytes_out: string;
  packets_out: string;
  flows_out: string;
  bytes_in: string;
  packets_in: string;
}

/** One key a group, the same in every answer here. */
export const keyOf = (level: GroupLevel, destination: string) => `${level} ${destination}`;

export interface Activity {
  readonly first: number;
  readonly hours: number;
  readonly isSeenAfter: boolean;
  readonly exporterCount: number;
}

/** When the exporters of a question were heard, from the small table of exporters' minutes. */
export async function exporterActivity(client: ClickHouseClient, frame: Frame): Promise<Activity> {
  const [row] = await rows<{ first: number; hours: string; after: string; exporters: string }>(
    client,
    `SELECT toUnixTimestamp(minIf(minute, before)) AS first, uniqExactIf(toStartOfHour(minute), before) AS hours,
            countIf(NOT before) AS after, uniqExact(exporter) AS exporters
     FROM (SELECT minute, exporter, minute < toDateTime({since:UInt32}) AS before FROM exporter_minutes
           WHERE ${frame.exporters} AND minute >= toDateTime({baselineFrom:UInt32}) AND minute <= toDateTime({until:UInt32}))`,
    frame,
  );
  const hours = Number(row.hours);
  return {
    first: hours > 0 ? Number(row.first) : frame.since,
    hours,
    isSeenAfter: Number(row.after) > 0,
    exporterCount: Number(row.exporters),
  };
}

/** Rows of S and the question's destinations under `condition`, each with scaled and raw counts; what two paths show counts once. */
function flowsWhere(frame: Frame, condition: string, destinations = frame.destinations): string {
  const source = countedFrom(
    {
      table: 'conversations',
      columns: ['minute', 'external', 'asn', 'category', 'sampling_rate', 'exporter', 'interface'],
      where: `${frame.scope} AND ${destinations} AND ${frame.exporters} AND ${condition}`,
      heard: 'minute >= toDateTime({baselineFrom:UInt32}) AND minute <= toDateTime({until:UInt32})',
    },
    frame.duplicates,
  );
  return `(SELECT minute, external, asn, category, sampling_rate AS rate, out_packets AS raw_out, in_packets AS raw_in,
       out_bytes * sampling_rate AS bytes_out, out_packets * sampling_rate AS packets_out, out_flows AS flows_out,
       in_bytes * sampling_rate AS bytes_in, in_packets * sampling_rate AS packets_in, (exporter, interface) AS path
     FROM ${source})`;
}

/** Of `duplicates` those whose paths showed anything of S at all, and whether they did of the question since T0. */
export async function duplicatesOfScope(
  client: ClickHouseClient,
  frame: Frame,
  duplicates: readonly DuplicatePath[],
): Promise<{ readonly one: DuplicatePath; readonly isSeenAfter: boolean }[]> {
  if (duplicates.length === 0) return [];
  const exporters = rangeCondition('exporter', addressSet(...duplicates.map(({ exporter }) => exporter)));
  const found = await rows<{ address: string; index: number; last: number }>(
    client,
    `SELECT toString(exporter) AS address, interface AS index, toUnixTimestamp(maxIf(minute, ${frame.destinations})) AS last FROM conversations
     WHERE ${frame.scope} AND ${exporters} AND minute >= toDateTime({baselineFrom:UInt32}) AND minute <= toDateTime({until:UInt32})
     GROUP BY exporter, interface LIMIT 10000`,
    frame,
  );
  const seen = new Map(found.map((row) => [`${plain(row.address)} ${row.index}`, row.last]));
  return duplicates.flatMap((one) => {
    const last = seen.get(`${one.exporter} ${one.interface}`);
    if (last === undefined) return [];
    const { untilMs = Number.POSITIVE_INFINITY } = one;
    return { one, isSeenAfter: last >= frame.since && untilMs > frame.since * 1000 };
  });
}

const SINCE = 'minute >= toDateTime({since:UInt32}) AND minute <= toDateTime({until:UInt32})';
const BEFORE = 'minute >= toDateTime({baselineFrom:UInt32}) AND minute < toDateTime({since:UInt32})';

/** Where S sends most since T0, by address, AS and category, with what was known of each before. */
export async function topGroups(client: ClickHouseClient, frame: Frame): Promise<GroupRow[]> {
  const found = await rows<FoundGroup>(
    client,
    `SELECT level, multiIf(level = 'address', toString(external), level = 'asn', concat('AS', toString(asn)), category) AS destination,
            network, kind, packets_out, packets_in, sampling, hasAny(paths, (
              SELECT groupUniqArray((exporter, interface)) FROM exporter_minutes
              WHERE in_packets > 0 AND minute >= toDateTime({baselineFrom:UInt32}) AND minute <= toDateTime({until:UInt32}))) AS visible
     FROM (
       SELECT multiIf(grouping(external) = 0, 'address', grouping(asn) = 0, 'asn', 'category') AS level,
              external, asn, category, any(f.asn) AS network, any(f.category) AS kind, uniqExact(f.external) AS addresses,
              uniqExact(f.asn) AS networks, sum(raw_out) AS packets_out, sum(raw_in) AS packets_in,
              max(rate) AS sampling, sum(f.packets_out) AS scaled, groupUniqArray(16)(path) AS paths
       FROM ${flowsWhere(frame, SINCE)} AS f
       GROUP BY GROUPING SETS ((external), (asn), (category))
       HAVING level = 'address' OR (level = 'asn' AND asn != 0 AND addresses > 1)
         OR (level = 'category' AND category NOT IN ('', 'unknown') AND networks > 1)
       ORDER BY scaled DESC, external, asn, category LIMIT ${MAX_ADDRESSES} BY level)
     ORDER BY level, scaled DESC, destination`,
    frame,
  );
  const known = found.length > 0 ? await historyOf(client, frame, found) : new Map<string, HistoryRow>();
  const counts = { address: 0, asn: 0, category: 0 };
  return found
    .filter(({ level }) => counts[level]++ < (level === 'address' ? MAX_ADDRESSES : MAX_NETWORKS))
    .map(({ network, kind, ...row }) => {
      const before = row.level === 'address' ? known.get(row.destination) : undefined;
      return {
        ...row,
        destination: plain(row.destination),
        asn: row.level === 'category' ? 0 : network,
        category: kind,
        before_hours: before?.hours ?? '0',
        asn_hours: known.get(`AS${network}`)?.hours ?? '0',
        others: before?.others ?? '0',
      };
    });
}

type FoundGroup = Pick<
  GroupRow,
  'level' | 'destination' | 'packets_out' | 'packets_in' | 'sampling' | 'visible'
> & {
  readonly network: number;
  readonly kind: string;
};

interface HistoryRow {
  readonly what: string;
  readonly hours: string;
  readonly others: string;
}

/** By address as found and by "AS64500": in how many hours before T0 S talked to it, and how many outside of S did. */
async function historyOf(
  client: ClickHouseClient,
  frame: Frame,
  found: readonly FoundGroup[],
): Promise<Map<string, HistoryRow>> {
  const addresses = found
    .filter(({ level }) => level === 'address')
    .map(({ destination }) => `toIPv6('${destination}')`);
  const networks = [...new Set(found.map(({ network }) => Number(network)))];
  const history = await rows<HistoryRow>(
    client,
    `SELECT toString(external) AS what, uniqExactIf(toStartOfHour(minute), ${frame.scope}) AS hours, uniqIf(internal, NOT (${frame.scope})) AS others
     FROM conversations WHERE external IN (${addresses.join(', ')}) AND ${BEFORE} GROUP BY external
     UNION ALL
     SELECT concat('AS', toString(asn)) AS what, uniqExact(toStartOfHour(minute)) AS hours, 0 AS others FROM conversations
     WHERE ${frame.scope} AND asn IN (${networks.join(', ')}) AND ${BEFORE} GROUP BY asn`,
    frame,
  );
  return new Map(history.map((row) => [row.what, row]));
}

/** Per minute before and after T0: for each group, and over all of the question's destinations. */
export async function minuteSeries(
  client: ClickHouseClient,
  frame: Frame,
  groups: readonly GroupRow[],
  sameHourOfDay: boolean,
): Promise<Map<string, MinuteTotals[]>> {
  const like = sameHourOfDay
    ? `AND (minute >= toDateTime({since:UInt32})
         OR ((toDayOfWeek(minute) >= 6) = (toDayOfWeek(toDateTime({since:UInt32})) >= 6)
             AND abs(((toHour(minute) - toHour(toDateTime({since:UInt32})) + 36) % 24) - 12) <= 1))`
    : '';
  const window = `minute >= toDateTime({baselineFrom:UInt32}) AND minute <= toDateTime({until:UInt32}) ${like}`;
  const selects = togetherWhereShared(frame, partsOf(groups, true)).map(
    ({ key, condition }) =>
      `SELECT ${key} AS key, toUnixTimestamp(minute) AS at, sum(bytes_out) AS bytes_out, sum(packets_out) AS packets_out,
              sum(flows_out) AS flows_out, sum(bytes_in) AS bytes_in, sum(packets_in) AS packets_in
       FROM ${flowsWhere(frame, `${window} AND ${condition}`)} GROUP BY key, minute`,
  );
  const found = await rows<MinuteRow>(client, selects.join('\nUNION ALL\n'), frame);
  const series = new Map<string, MinuteTotals[]>();
  for (const row of found.sort((a, b) => a.at - b.at)) {
    const key = row.key;
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

interface Part {
  readonly levels: readonly GroupLevel[];
  /** Expression of the group's key. */
  readonly key: string;
  /** Whether a row belongs to one of the groups. */
  readonly condition: string;
}

function partsOf(groups: readonly GroupRow[], withAll: boolean): Part[] {
  const of = (level: GroupLevel) =>
    groups.filter((group) => group.level === level).map((group) => group.destination);
  const [addresses, networks, categories] = [of('address'), of('asn'), of('category')];
  const parts: Part[] = [
    { levels: ['question'], key: "'question all'", condition: withAll ? '1' : '0' },
    {
      levels: ['address'],
      key: `concat('address ', replaceRegexpOne(toString(external), '^::ffff:([0-9]+[.])', '\\\\1'))`,
      condition: rangeCondition('external', addressSet(...addresses)),
    },
    {
      levels: ['asn'],
      key: "concat('asn AS', toString(asn))",
      condition:
        networks.length > 0 ? `asn IN (${networks.map((one) => Number(one.slice(2))).join(', ')})` : '0',
    },
    {
      levels: ['category'],
      key: "concat('category ', category)",
      condition: categories.length > 0 ? `category IN (${categories.map(quoted).join(', ')})` : '0',
    },
  ];
  return parts.filter(({ condition }) => condition !== '0');
}

/** A part at a time reads what its condition leaves; where packets are shown twice, planning each costs more than reading all at once. */
function togetherWhereShared(frame: Frame, parts: readonly Part[]): Part[] {
  if (frame.duplicates.length === 0 || parts.length < 2) return [...parts];
  const keys = parts.map(({ key, condition }) => `if(${condition}, ${key}, '')`);
  return [
    {
      levels: parts.flatMap(({ levels }) => levels),
      key: `arrayJoin(arrayFilter(k -> k != '', [${keys.join(', ')}]))`,
      condition: parts.some(({ condition }) => condition === '1')
        ? '1'
        : `(${parts.map(({ condition }) => `(${condition})`).join(' OR ')})`,
    },
  ];
}

/** Keys and categories are words of our own, but they come from a store: nothing that could end the text goes in. */
const quoted = (word: string) => `'${word.replace(/[^\w.: -]/g, '')}'`;

/** For groups with a peak: the largest minute within an hour of the same time of day, for each of the days before. */
export async function usualPeaks(
  client: ClickHouseClient,
  frame: Frame,
  groups: readonly GroupRow[],
  peaks: ReadonlyMap<string, number>,
): Promise<Map<string, UsualPeak[]>> {
  const found = new Map<string, UsualPeak[]>();
  const wanted = groups.filter((group) => peaks.has(keyOf(group.level, group.destination)));
  for (const { levels, key, condition } of togetherWhereShared(
    frame,
    partsOf(wanted, peaks.has('question all')),
  )) {
    const times = [...peaks].filter(([name]) => levels.some((level) => name.startsWith(`${level} `)));
    const peakOf = `transform(name, [${times.map(([name]) => quoted(name)).join(', ')}], [${times.map(([, at]) => Math.floor(at / 1000)).join(', ')}], 0)`;
    const result = await rows<{ name: string; days: number; bytes: string; packets: string; flows: string }>(
      client,
      `SELECT name, days, max(b) AS bytes, max(p) AS packets, max(c) AS flows FROM (
         SELECT ${key} AS name, ${peakOf} AS peak, intDiv(peak - toUnixTimestamp(minute) + 43200, ${DAY_SECONDS}) AS days,
                sum(bytes_out) AS b, sum(packets_out) AS p, sum(flows_out) AS c
         FROM ${flowsWhere(frame, `${BEFORE} AND ${condition}`)}
         WHERE days >= 1 AND abs(peak - toUnixTimestamp(minute) - days * ${DAY_SECONDS}) <= 3600
         GROUP BY name, peak, days, minute)
       GROUP BY name, days ORDER BY name, days`,
      frame,
    );
    for (const row of result) {
      const peak = {
        daysBefore: row.days,
        outBytes: Number(row.bytes),
        outPackets: Number(row.packets),
        outFlows: Number(row.flows),
      };
      found.get(row.name)?.push(peak) ?? found.set(row.name, [peak]);
    }
  }
  return found;
}

export async function usualReturns(client: ClickHouseClient, frame: Frame): Promise<Record<string, number>> {
  const found = await rows<{ category: string; sent: string; back: string }>(
    client,
    `SELECT category, sum(raw_out) AS sent, sum(raw_in) AS back FROM ${flowsWhere(frame, BEFORE, '1')} GROUP BY category`,
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

/** The store writes IPv4 as ::ffff:a.b.c.d. */
const plain = (address: string) => address.replace(/^::ffff:(?=\d+\.)/, '');

export const startOfMinute = (ms: number) => Math.floor(ms / MINUTE_MS) * 60;

export function frameOf(question: Question, askedAtMs: number, baselineDays: number): Frame {
  const since = startOfMinute(question.fromMs);
  return {
    scope: rangeCondition('internal', addressSet(...question.scope)),
    destinations: question.destinations.includes('any')
      ? '1'
      : rangeCondition('external', addressSet(...question.destinations)),
    exporters:
      question.exporters.length > 0 ? rangeCondition('exporter', addressSet(...question.exporters)) : '1',
    duplicates: [],
    baselineFrom: since - baselineDays * DAY_SECONDS,
    since,
    // Evidence after the watch is not asked for, however late the question is put.
    until: Math.floor(Math.min(askedAtMs, question.untilMs) / 1000),
  };
}

async function rows<T>(client: ClickHouseClient, query: string, frame: Frame): Promise<T[]> {
  const result = await client.query({
    query,
    format: 'JSONEachRow',
    query_params: { since: frame.since, until: frame.until, baselineFrom: frame.baselineFrom },
  });
  return (await result.json()) as T[];
}
