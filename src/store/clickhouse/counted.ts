// conversations of several paths, and which of these show the same packets -> a source of rows that counts each packet once
import type { DuplicatePath, PathName } from '../../flows/duplicates-elect.ts';
import { OPEN_UNTIL } from './duplicate-paths.ts';

/** Clocks and times of records differ: what an elected path shows within this is the same conversation. */
const NEAR_SECONDS = 120;
/** Of what a path shows so much at least must the elected ones show of it: less is a path that fails, or another share. */
const COVERING = 0.7;
/** Paths in one question, which ClickHouse takes 256 KiB of; those beyond it are counted as they are. */
const MAX_SHADOWED = 100;

export interface Counted {
  readonly table: 'conversations' | 'conversation_hours';
  /** Names of columns that are passed on besides the counts of both ways. */
  readonly columns: readonly string[];
  readonly where: string;
  /** The same time as a condition on `minute`, for the table of exporters' minutes. */
  readonly heard: string;
}

/** One path during a time in which the same others are elected in its place. Times in seconds, `until` exclusive. */
export interface Shadow {
  readonly path: PathName;
  readonly since: number;
  readonly until: number;
  readonly electors: readonly {
    readonly path: PathName;
    readonly out: boolean;
    readonly in: boolean;
  }[];
  readonly out: boolean;
  readonly in: boolean;
  /** The highest of the elected. */
  readonly samplingRate: number;
  /** They show all that it does, as far as their sampling lets them. */
  readonly isWhole: boolean;
}

/**
 * What stands behind FROM: the table with its condition where nothing is shown twice, otherwise a subquery in which the
 * counts of a way are 0 where an elected path shows the same conversation; rows without any are left out. A conversation
 * that the elected do not show near its time, or show much less of, counts as it is: a failover loses no more than the
 * minute it happens in.
 */
export function countedFrom(
  { table, columns, where, heard }: Counted,
  duplicates: readonly DuplicatePath[],
): string {
  const shadows = shadowsOf(duplicates);
  if (shadows.length === 0) return `${table} WHERE ${where}`;
  const time = table === 'conversations' ? 'minute' : 'hour';
  const { path, roles, own } = rolesOf(shadows);
  const passed = columns.join(', ');
  const counts = COUNTS.join(', ');
  const near = table === 'conversations' ? NEAR_SECONDS : 0;
  const isOwn = (at: string) => `arrayExists(t -> ${at} >= t.1 AND ${at} < t.2, ${own}[${path}])`;
  const at = `toUnixTimestamp(${time})`;
  const needed = [
    ...new Set(['internal', 'external', 'external_port', 'protocol', 'sampling_rate', ...columns]),
  ];
  // One sum over arrays in place of eight: planning a window costs more than filling it.
  const summed = WAYS.flatMap((way, i) => [
    `role.5 * role.${6 + i} * toFloat64(${way}_packets)`,
    `role.5 * role.${6 + i} * toFloat64(${way}_packets) * sampling_rate`,
    `(1 - role.5) * toFloat64(${way}_packets)`,
    `(1 - role.5) * toFloat64(${way}_packets) * sampling_rate`,
  ]);
  const conversation = `PARTITION BY role.1, internal, external, external_port, protocol ORDER BY toUnixTimestamp(role_time)`;
  return `(
    SELECT ${passed}, ${counts} FROM ${table} WHERE (${where}) AND NOT ${isOwn(at)}
    UNION ALL
    SELECT ${passed}, ${COUNTS.map((name) => `toUInt64(${name} * ${name.startsWith('out') ? 'counts_out' : 'counts_in'}) AS ${name}`).join(', ')}
    FROM (
      SELECT *, ${COVERED} AS covered, NOT covered[1] AS counts_out, NOT covered[2] AS counts_in
      FROM (
        SELECT ${needed.join(', ')}, ${counts}, role, ${isAlive(shadows, time, heard)} AS is_alive,
          sumForEach(packets) OVER here AS here_sums, sumForEach(packets) OVER near AS near_sums
        FROM (
          SELECT ${needed.join(', ')}, ${time} AS role_time, ${counts},
            arrayJoin(arrayFilter(t -> ${at} >= t.2 AND ${at} < t.3, ${roles}[${path}])) AS role,
            [${summed.join(', ')}] AS packets
          FROM ${table} WHERE (${where}) AND ${path} > 1)
        WINDOW here AS (${conversation} RANGE BETWEEN 0 PRECEDING AND 0 FOLLOWING),
          near AS (${conversation} RANGE BETWEEN ${near} PRECEDING AND ${near} FOLLOWING))
      WHERE role.5 = 0)
    WHERE (counts_out AND out_packets > 0) OR (counts_in AND in_packets > 0))`;
}

const WAYS = ['out', 'in'] as const;
export const COUNTS = [
  'out_bytes',
  'out_packets',
  'out_flows',
  'in_bytes',
  'in_packets',
  'in_flows',
] as const;

/**
 * By way: whether what the elected show in the minute of a row, or near it, stands for what its own path shows. Of both only so
 * much is asked as their sampling makes certain; one that is sampled and shows all of the path's traffic need not have seen the
 * conversation at all. Written as lambdas over both ways and times: each copy of the text would cost milliseconds to plan.
 */
const COVERED = covered();

function covered(): string {
  const [electedRaw, elected, ownRaw, own] = ['s[w]', 's[w + 1]', 's[w + 2]', 's[w + 3]'];
  const wanted = `${COVERING} * ${own} * if(${own} > ${ownRaw}, 1 - 2 * (sqrt(${ownRaw}) + 1) / ${ownRaw}, 1)`;
  // What E expected samples make certain, E - 2 sqrt(E) - 2, solved for E.
  const shown = `if(role.8 > 1, role.8 * pow(1 + sqrt(3 + ${elected} / role.8), 2), ${elected})`;
  const one = `(${electedRaw} > 0 OR silent) AND ${wanted} <= ${shown}`;
  return `arrayMap((w, duplicate) -> duplicate AND arrayExists((s, silent) -> ${one}, [here_sums, near_sums], [0, is_alive]), [1, 5], [role.6, role.7])`;
}

/** A sampled path's silence about a conversation says something only while it shows others. */
function isAlive(shadows: readonly Shadow[], time: 'minute' | 'hour', heard: string): string {
  if (!shadows.some((one) => one.samplingRate > 1 && one.isWhole)) return '0';
  // Of hours whose minutes are gone it is taken as given: a pair ends when one of the two is silent for long.
  if (time === 'hour') return 'role.8 > 1 AND role.9';
  const hashes = new Set(shadows.map(({ electors }) => hashOf(electors[0].path)));
  return `role.8 > 1 AND role.9 AND (role.4, role_time) IN (
    SELECT cityHash64(exporter, interface) AS heard_path, minute FROM exporter_minutes WHERE ${heard} AND heard_path IN (${[...hashes].join(', ')}))`;
}

interface Roles {
  /** 1 for a path that has no part in it, its place in the arrays otherwise. */
  readonly path: string;
  /** (shadow, since, until, hash of the first elected, is elected, out, in, sampling rate, is whole) by place. */
  readonly roles: string;
  /** (since, until) in which a path is shadowed, by place. */
  readonly own: string;
}

function rolesOf(shadows: readonly Shadow[]): Roles {
  const hashes = new Map<string, { hash: string; roles: string[]; own: string[] }>();
  const entry = (path: PathName) => {
    const hash = hashOf(path);
    const known = hashes.get(hash) ?? { hash, roles: [], own: [] };
    hashes.set(hash, known);
    return known;
  };
  shadows.forEach((shadow, number) => {
    const { since, until, electors, samplingRate } = shadow;
    const head = `${number}, ${since}, ${until}, ${hashOf(electors[0].path)}`;
    const flags = (one: { out: boolean; in: boolean }) => `${Number(one.out)}, ${Number(one.in)}`;
    const tail = `${samplingRate}, ${Number(shadow.isWhole)}`;
    entry(shadow.path).own.push(`(${since}, ${until})`);
    entry(shadow.path).roles.push(`(${head}, 0, ${flags(shadow)}, ${tail})`);
    for (const elector of electors)
      entry(elector.path).roles.push(`(${head}, 1, ${flags(elector)}, ${tail})`);
  });
  const all = [...hashes.values()];
  const rolesType = 'Array(Array(Tuple(UInt32, UInt32, UInt32, UInt64, UInt8, UInt8, UInt8, UInt32, UInt8)))';
  return {
    path: `transform(cityHash64(exporter, interface), [${all.map(({ hash }) => hash).join(', ')}], [${all.map((_, i) => i + 2).join(', ')}], 1)`,
    roles: `CAST([[], ${all.map(({ roles }) => `[${roles.join(', ')}]`).join(', ')}], '${rolesType}')`,
    own: `CAST([[], ${all.map(({ own }) => `[${own.join(', ')}]`).join(', ')}], 'Array(Array(Tuple(UInt32, UInt32)))')`,
  };
}

const HEX_ADDRESS = /^[0-9a-f:.]+$/i;

/** Addresses and numbers only come into the text. */
function hashOf({ exporter, interface: index }: PathName): string {
  if (!HEX_ADDRESS.test(exporter)) throw new TypeError(`not an address: ${exporter.slice(0, 50)}`);
  return `cityHash64(toIPv6('${exporter.includes(':') ? exporter : `::ffff:${exporter}`}'), toUInt32(${Math.floor(index)}))`;
}

/** Pure. Each path's time in pieces in which the same ones are elected in its place. */
export function shadowsOf(duplicates: readonly DuplicatePath[]): Shadow[] {
  const byPath = new Map<string, DuplicatePath[]>();
  for (const one of duplicates) {
    if (one.shareOut === 0 && one.shareIn === 0) continue;
    const key = `${one.exporter} ${one.interface}`;
    byPath.set(key, [...(byPath.get(key) ?? []), one]);
  }
  return [...byPath.values()].flatMap(pieces).slice(0, MAX_SHADOWED);
}

const startOf = (one: DuplicatePath) => Math.floor(one.sinceMs / 1000);
const endOf = (one: DuplicatePath) =>
  one.untilMs === undefined ? OPEN_UNTIL : Math.floor(one.untilMs / 1000);

function pieces(rows: readonly DuplicatePath[]): Shadow[] {
  const edges = [...new Set(rows.flatMap((one) => [startOf(one), endOf(one)]))].sort((a, b) => a - b);
  return edges.slice(1).flatMap((until, i) => {
    const since = edges[i];
    const within = rows.filter((one) => startOf(one) <= since && endOf(one) >= until);
    if (within.length === 0) return [];
    return {
      path: { exporter: rows[0].exporter, interface: rows[0].interface },
      since,
      until,
      electors: within.map((one) => ({ path: one.elected, out: one.shareOut > 0, in: one.shareIn > 0 })),
      out: within.some((one) => one.shareOut > 0),
      in: within.some((one) => one.shareIn > 0),
      samplingRate: Math.max(...within.map((one) => one.samplingRate)),
      isWhole: within.every((one) => one.isWhole),
    };
  });
}
