// the table `duplicate_paths`, and the sample of conversations that it is found by
import type { ClickHouseClient } from '@clickhouse/client';
import type { SampleRow } from '../../flows/duplicates.ts';
import type { DuplicatePath, PathName } from '../../flows/duplicates-elect.ts';

const SECOND_MS = 1000;
const SLOT_SECONDS = 300;
/** Rows of a sample, about. */
const SAMPLE_ROWS = 40_000;
const MAX_PATHS = 10_000;
/** The end of time, as ClickHouse's DateTime has it. */
export const OPEN_UNTIL = 0xffff_ffff;
/** Duplicates in force in a window; those beyond it are counted, so nothing is lost. */
const MAX_DUPLICATES = 2000;
const FIRST_DAYS = 14;

const seconds = (ms: number) => Math.max(0, Math.min(OPEN_UNTIL, Math.floor(ms / SECOND_MS)));
const stored = (address: string) => (address.includes(':') ? address : `::ffff:${address}`);
const shown = (column: string) => `replaceRegexpOne(toString(${column}), '^::ffff:([0-9]+[.])', '\\\\1')`;

export interface Sample {
  readonly rows: readonly SampleRow[];
  readonly names: readonly PathName[];
}

/**
 * The conversations of a window, those of some pairs of addresses only where they are many: about 40,000 rows at the most.
 * Reads the parts of the table that hold the window, once more to count. Empty where there is one path only.
 */
export async function sampleOfPaths(
  client: ClickHouseClient,
  fromMs: number,
  untilMs: number,
): Promise<Sample> {
  const window = { from: seconds(fromMs), until: seconds(untilMs) };
  const within = 'minute >= toDateTime({from:UInt32}) AND minute < toDateTime({until:UInt32})';
  const paths = await ask<{ id: number; address: string; interface: number }>(
    client,
    `SELECT ${PATH_ID} AS id, ${shown('exporter')} AS address, interface FROM exporter_minutes
     WHERE ${within} GROUP BY exporter, interface ORDER BY id LIMIT ${MAX_PATHS}`,
    window,
  );
  if (paths.length < 2) return { rows: [], names: [] };
  const [{ count }] = await ask<{ count: number }>(
    client,
    `SELECT count() AS count FROM conversations WHERE ${within}`,
    window,
  );
  const found = await ask<{ p: number; s: number; c: number; o: number; i: number; b: number; r: number }>(
    client,
    `SELECT ${PATH_ID} AS p, intDiv(toUnixTimestamp(minute) - {from:UInt32}, ${SLOT_SECONDS}) AS s,
       bitShiftRight(cityHash64(internal, external, external_port, protocol), 18) AS c,
       sum(toFloat64(out_packets) * sampling_rate) AS o, sum(toFloat64(in_packets) * sampling_rate) AS i,
       if(protocol IN (6, 17, 33, 132), groupBitOr(internal_ports), 0) AS b, max(sampling_rate) AS r
     FROM conversations WHERE ${within} AND cityHash64(internal, external) % {every:UInt32} = 0
     GROUP BY s, internal, external, external_port, protocol, exporter, interface LIMIT ${4 * SAMPLE_ROWS}`,
    { ...window, every: Math.max(1, Math.ceil(count / SAMPLE_ROWS)) },
  );
  const places = new Map(paths.map(({ id }, place) => [id, place]));
  return {
    names: paths.map(({ address, interface: index }) => ({ exporter: address, interface: index })),
    rows: found.flatMap(({ p, s, c, o, i, b, r }) => {
      const path = places.get(p);
      if (path === undefined) return [];
      return { path, slot: s, conversation: c, outPackets: o, inPackets: i, ports: b, samplingRate: r };
    }),
  };
}

/** Small enough for a number of JavaScript. */
const PATH_ID = 'bitShiftRight(cityHash64(exporter, interface), 12)';

/** When each of these paths was first there, within 14 days before `untilMs`; one that never was is left out. */
export async function firstShown(
  client: ClickHouseClient,
  paths: readonly PathName[],
  untilMs: number,
): Promise<(path: PathName) => number | undefined> {
  if (paths.length === 0) return () => undefined;
  const rows = await ask<{ address: string; interface: number; at: number }>(
    client,
    `SELECT ${shown('exporter')} AS address, interface, toUnixTimestamp(min(minute)) AS at FROM exporter_minutes
     WHERE minute >= toDateTime({from:UInt32}) AND exporter IN {exporters:Array(IPv6)} GROUP BY exporter, interface`,
    {
      from: seconds(untilMs - FIRST_DAYS * 86_400_000),
      exporters: [...new Set(paths.map(({ exporter }) => stored(exporter)))],
    },
  );
  const times = new Map(rows.map((row) => [`${row.address} ${row.interface}`, row.at * SECOND_MS]));
  return (path) => times.get(`${path.exporter} ${path.interface}`);
}

interface DuplicateRow {
  readonly exporter: string;
  readonly interface: number;
  readonly elected_exporter: string;
  readonly elected_interface: number;
  readonly since: number;
  readonly until: number;
  readonly found_at: number;
  readonly share_out: number;
  readonly share_in: number;
  readonly sampling_rate: number;
  readonly is_whole: number;
  readonly missed: number;
  readonly challenged: number;
}

/** In force at some time of the window (its end included), those of an exporter only where one is given; the latest first. */
export async function duplicatesBetween(
  client: ClickHouseClient,
  fromMs: number,
  untilMs: number,
  exporter?: string,
): Promise<DuplicatePath[]> {
  const rows = await ask<DuplicateRow>(
    client,
    `SELECT ${shown('d.exporter')} AS exporter, interface, ${shown('d.elected_exporter')} AS elected_exporter, elected_interface,
       toUnixTimestamp(d.since) AS since, toUnixTimestamp(d.until) AS until, toUnixTimestamp(d.found_at) AS found_at,
       share_out, share_in, sampling_rate, is_whole, missed, challenged
     FROM duplicate_paths AS d FINAL
     WHERE d.since <= toDateTime({until:UInt32}) AND d.until > toDateTime({from:UInt32}) AND d.until > d.since
       ${exporter === undefined ? '' : 'AND (d.exporter = {exporter:IPv6} OR d.elected_exporter = {exporter:IPv6})'}
     ORDER BY d.since DESC, d.exporter, interface, d.elected_exporter, elected_interface LIMIT ${MAX_DUPLICATES}`,
    {
      from: seconds(fromMs),
      until: seconds(untilMs),
      ...(exporter === undefined ? {} : { exporter: stored(exporter) }),
    },
  );
  return rows.map((row) => ({
    exporter: row.exporter,
    interface: row.interface,
    elected: { exporter: row.elected_exporter, interface: row.elected_interface },
    sinceMs: row.since * SECOND_MS,
    ...(row.until === OPEN_UNTIL ? {} : { untilMs: row.until * SECOND_MS }),
    foundAtMs: row.found_at * SECOND_MS,
    shareOut: row.share_out,
    shareIn: row.share_in,
    samplingRate: row.sampling_rate,
    isWhole: row.is_whole === 1,
    missed: row.missed,
    challenged: row.challenged,
  }));
}

/** Replaces rows of the same paths and `sinceMs`. */
export async function putDuplicates(
  client: ClickHouseClient,
  duplicates: readonly DuplicatePath[],
  nowMs: number,
): Promise<void> {
  if (duplicates.length === 0) return;
  const values = duplicates.map((one) => ({
    exporter: stored(one.exporter),
    interface: one.interface,
    elected_exporter: stored(one.elected.exporter),
    elected_interface: one.elected.interface,
    since: seconds(one.sinceMs),
    until: one.untilMs === undefined ? OPEN_UNTIL : seconds(one.untilMs),
    found_at: seconds(one.foundAtMs),
    share_out: one.shareOut,
    share_in: one.shareIn,
    sampling_rate: one.samplingRate,
    is_whole: Number(one.isWhole),
    missed: Math.min(255, one.missed),
    challenged: Math.min(255, one.challenged),
    updated_at: (nowMs / SECOND_MS).toFixed(3),
  }));
  await client.insert({ table: 'duplicate_paths', values, format: 'JSONEachRow' });
}

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
