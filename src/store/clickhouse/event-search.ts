// a search among log lines -> the newest that fit
import type { ClickHouseClient } from '@clickhouse/client';
import type { EventKind } from '../../model/event.ts';

export interface EventSearch {
  /** Of receipt; `untilMs` is outside. */
  readonly fromMs: number;
  readonly untilMs: number;
  readonly origin?: string;
  /** An address in the form that PostgreSQL and Node print. */
  readonly sender?: string;
  readonly kind?: EventKind;
  readonly program?: string;
  /** Part of the line as received; upper and lower case of A to Z are the same. */
  readonly text?: string;
  /** Where the page before ended: so many lines of this millisecond were in it and before. */
  readonly after?: { readonly receivedAtMs: number; readonly skip: number };
  readonly limit: number;
}

export interface FoundEvent {
  readonly receivedAtMs: number;
  readonly observedAtMs: number;
  readonly kind: EventKind;
  readonly sender: string;
  readonly host: string;
  readonly node: string;
  readonly identity: string;
  readonly origin: string;
  readonly originBasis: string;
  readonly clockOffsetMs: number;
  readonly program: string;
  readonly severity: number;
  readonly facility: number;
  readonly user: string;
  readonly sourceAddress: string;
  readonly destinationAddress: string;
  readonly destinationPort: number;
  readonly protocol: string;
  readonly command: string;
  readonly executable: string;
  readonly raw: string;
}

const HOUR_MS = 3_600_000;
/** The newest are looked at first; each window is so much longer than the one before. */
const FIRST_WINDOW_MS = HOUR_MS;
const WINDOW_GROWTH = 6;
const MAX_SECONDS = 10;
const TIMEOUT_EXCEEDED = '159';

/** Newest first. Throws RangeError 'too slow' where the search takes longer than 10 s in one of its windows: a shorter time or more filters help. */
export async function searchEvents(client: ClickHouseClient, search: EventSearch): Promise<FoundEvent[]> {
  const found: FoundEvent[] = [];
  const { after, fromMs, limit } = search;
  let untilMs = Math.min(search.untilMs, after ? after.receivedAtMs + 1 : search.untilMs);
  let skip = after?.skip ?? 0;
  for (let windowMs = FIRST_WINDOW_MS; untilMs > fromMs && found.length < limit; windowMs *= WINDOW_GROWTH) {
    const beginMs = Math.max(fromMs, untilMs - windowMs);
    // Only the first window holds the millisecond that the page before ended in.
    found.push(...(await searchWindow(client, search, beginMs, untilMs, limit - found.length, skip)));
    skip = 0;
    untilMs = beginMs;
  }
  return found;
}

async function searchWindow(
  client: ClickHouseClient,
  search: EventSearch,
  fromMs: number,
  untilMs: number,
  limit: number,
  skip: number,
): Promise<FoundEvent[]> {
  const { origin, sender, kind, program, text } = search;
  const conditions = [
    'received_at >= fromUnixTimestamp64Milli({from:Int64}) AND received_at < fromUnixTimestamp64Milli({until:Int64})',
    ...(origin === undefined ? [] : ['origin = {origin:String}']),
    ...(sender === undefined ? [] : ['sender = toIPv6({sender:String})']),
    ...(kind === undefined ? [] : ['kind = {kind:String}']),
    ...(program === undefined ? [] : ['program = {program:String}']),
    ...(text === undefined ? [] : ['lower(raw) LIKE {pattern:String}']),
  ];
  const result = await client
    .query({
      query: `SELECT toUnixTimestamp64Milli(received_at) AS receivedAtMs,
          toUnixTimestamp64Milli(observed_at) AS observedAtMs, kind,
          replaceRegexpOne(toString(sender), '^::ffff:', '') AS sender_text, host, node, identity, origin,
          origin_basis AS originBasis, clock_offset_ms AS clockOffsetMs, program, severity, facility, user,
          source_address AS sourceAddress, destination_address AS destinationAddress,
          destination_port AS destinationPort, protocol, command, executable, raw
        FROM events WHERE ${conditions.join(' AND ')}
        ORDER BY received_at DESC, sender, observed_at, raw LIMIT {limit:UInt32} OFFSET {skip:UInt32}`,
      query_params: {
        from: Math.floor(fromMs),
        until: Math.ceil(untilMs),
        origin,
        sender,
        kind,
        program,
        pattern: text === undefined ? undefined : `%${likeText(text)}%`,
        limit,
        skip,
      },
      format: 'JSONEachRow',
      clickhouse_settings: { output_format_json_quote_64bit_integers: 0, max_execution_time: MAX_SECONDS },
    })
    .catch((cause: unknown) => {
      const { code, message } = cause as { code?: string; message?: string };
      if (code === TIMEOUT_EXCEEDED || message?.includes('TIMEOUT_EXCEEDED'))
        throw new RangeError('too slow');
      throw cause;
    });
  const rows = await result.json<FoundEvent & { sender_text: string }>();
  return rows.map(({ sender_text, ...row }) => ({ ...row, sender: sender_text }));
}

/** As `lower` of ClickHouse does it, and with what LIKE reads otherwise escaped. */
const likeText = (text: string) =>
  text.replace(/[A-Z]/g, (letter) => letter.toLowerCase()).replace(/[\\%_]/g, '\\$&');
