// what a question about a host asks of stored events and conversations
import type { ClickHouseClient } from '@clickhouse/client';
import { type Event, type EventKind, happenedAt } from '../../model/event.ts';
import type { HistoryRow } from '../../model/host.ts';
import { EVENT_COLUMNS_SELECT, type EventRow, eventOf } from './events.ts';

/** A relay that was cut off delivers late by this much at most. */
export const TRANSIT_MS = 86_400_000;
const HAPPENED = 'subtractMilliseconds(observed_at, clock_offset_ms)';
const MAX_HISTORY = 500;

export interface HostWindow {
  /** Registered name of the host. */
  readonly origin: string;
  /** Times of what happened, by our clock; both ends count. */
  readonly fromMs: number;
  readonly untilMs: number;
  /** What came later than this was not known yet. */
  readonly receivedUntilMs: number;
}

const RECEIVED = `received_at >= fromUnixTimestamp64Milli({from:Int64} - {transit:Int64})
  AND received_at <= fromUnixTimestamp64Milli({received:Int64})`;
const IN_WINDOW = `${RECEIVED} AND ${HAPPENED} >= fromUnixTimestamp64Milli({from:Int64})
  AND ${HAPPENED} <= fromUnixTimestamp64Milli({until:Int64})`;

const windowParams = (window: Omit<HostWindow, 'origin'>) => ({
  from: Math.floor(window.fromMs),
  until: Math.ceil(window.untilMs),
  received: Math.ceil(window.receivedUntilMs),
  transit: TRANSIT_MS,
});

/** The host's events of these kinds, in order of time; where there are more than `limit`, those nearest to `nearMs`. */
export async function eventsOfHost(
  client: ClickHouseClient,
  window: HostWindow,
  kinds: readonly EventKind[],
  nearMs: number,
  limit: number,
): Promise<{ events: Event[]; isCut: boolean }> {
  if (kinds.length === 0) return { events: [], isCut: false };
  const events = await select(
    client,
    `WHERE kind IN {kinds:Array(String)} AND origin = {origin:String} AND ${IN_WINDOW}
     ORDER BY abs(toUnixTimestamp64Milli(${HAPPENED}) - {near:Int64}) LIMIT {limit:UInt32}`,
    { ...windowParams(window), kinds, origin: window.origin, near: Math.round(nearMs), limit: limit + 1 },
  );
  return { events: inOrder(events.slice(0, limit)), isCut: events.length > limit };
}

/** What packet filters and Zeek say of packets toward the host, whoever logged them: at most `perSource` of one source. */
export async function packetEventsToward(
  client: ClickHouseClient,
  window: HostWindow,
  addresses: readonly string[],
  perSource: number,
  limit: number,
): Promise<{ events: Event[]; isCut: boolean }> {
  const events = await select(
    client,
    `WHERE (kind IN ('firewall-drop', 'firewall-accept', 'firewall-packet')
        OR (kind = 'connect' AND program = 'zeek'))
       AND (destination_address IN {addresses:Array(String)} OR origin = {origin:String})
       AND source_address != '' AND ${IN_WINDOW}
     ORDER BY ${HAPPENED} LIMIT {perSource:UInt32} BY source_address LIMIT {limit:UInt32}`,
    { ...windowParams(window), addresses, origin: window.origin, perSource, limit: limit + 1 },
  );
  return { events: inOrder(events.slice(0, limit)), isCut: events.length > limit };
}

/** The last execution under each of these process ids. */
export async function executionsOf(
  client: ClickHouseClient,
  window: HostWindow,
  pids: readonly number[],
): Promise<Event[]> {
  if (pids.length === 0) return [];
  return select(
    client,
    `WHERE kind IN ('command', 'firewall-changed') AND executable != '' AND origin = {origin:String}
       AND pid IN {pids:Array(Int64)} AND ${IN_WINDOW}
     ORDER BY ${HAPPENED} DESC LIMIT 1 BY pid LIMIT 1000`,
    { ...windowParams(window), origin: window.origin, pids },
  );
}

interface HistoryResult {
  readonly kind: EventKind;
  readonly executable: string;
  readonly parent_executable: string;
  readonly effective_user: string;
  readonly login_user: string;
  readonly unit: string;
  readonly first_command: string;
  readonly n: number;
  readonly days: number;
  readonly first_at: number;
  readonly last_at: number;
}

/** What the host's events of these kinds were before, the most frequent first. */
export async function historyOfHost(
  client: ClickHouseClient,
  window: HostWindow,
  kinds: readonly EventKind[],
): Promise<HistoryRow[]> {
  if (kinds.length === 0) return [];
  const rows = await query<HistoryResult>(
    client,
    `SELECT kind, executable, parent_executable, effective_user, login_user, unit,
        substring(command, 1, 200) AS first_command, toUInt32(count()) AS n, toUInt32(uniqExact(toDate(${HAPPENED}))) AS days,
        toUnixTimestamp64Milli(min(${HAPPENED})) AS first_at, toUnixTimestamp64Milli(max(${HAPPENED})) AS last_at
     FROM events WHERE kind IN {kinds:Array(String)} AND origin = {origin:String} AND ${IN_WINDOW}
     GROUP BY kind, executable, parent_executable, effective_user, login_user, unit, first_command
     ORDER BY n DESC, first_at LIMIT ${MAX_HISTORY}`,
    { ...windowParams(window), kinds, origin: window.origin },
  );
  return rows.map((row) => ({
    kind: row.kind,
    executable: row.executable,
    parentExecutable: row.parent_executable,
    effectiveUser: row.effective_user,
    loginUser: row.login_user,
    unit: row.unit,
    command: row.first_command,
    count: row.n,
    days: row.days,
    firstAtMs: row.first_at,
    lastAtMs: row.last_at,
  }));
}

/** When the host was first heard in the window. */
export async function firstHeardOf(
  client: ClickHouseClient,
  window: HostWindow,
): Promise<number | undefined> {
  const [row] = await query<{ first_at: number; n: number }>(
    client,
    `SELECT toUnixTimestamp64Milli(min(${HAPPENED})) AS first_at, toUInt32(count()) AS n FROM events
     WHERE origin = {origin:String} AND ${IN_WINDOW}`,
    { ...windowParams(window), origin: window.origin },
  );
  return row.n > 0 ? row.first_at : undefined;
}

/** Events of registered hosts by the time of receipt, in its order; `afterMs` is outside. */
export async function receivedOfHosts(
  client: ClickHouseClient,
  kinds: readonly EventKind[],
  afterMs: number,
  untilMs: number,
  limit: number,
): Promise<Event[]> {
  return select(
    client,
    `WHERE kind IN {kinds:Array(String)} AND origin != ''
       AND received_at > fromUnixTimestamp64Milli({after:Int64}) AND received_at <= fromUnixTimestamp64Milli({until:Int64})
     ORDER BY received_at, observed_at LIMIT {limit:UInt32}`,
    { kinds, after: Math.floor(afterMs), until: Math.ceil(untilMs), limit },
  );
}

async function select(
  client: ClickHouseClient,
  rest: string,
  parameters: Record<string, unknown>,
): Promise<Event[]> {
  return (
    await query<EventRow>(client, `SELECT ${EVENT_COLUMNS_SELECT} FROM events ${rest}`, parameters)
  ).map(eventOf);
}

async function query<Row>(
  client: ClickHouseClient,
  text: string,
  parameters: Record<string, unknown>,
): Promise<Row[]> {
  const result = await client.query({
    query: text,
    query_params: parameters,
    format: 'JSONEachRow',
    clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
  });
  return result.json<Row>();
}

const inOrder = (events: readonly Event[]): Event[] =>
  [...events].sort((a, b) => happenedAt(a) - happenedAt(b) || a.receivedAtMs - b.receivedAtMs);
