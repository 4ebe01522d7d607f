// the table `events` -> events; event-insert.ts is the other way
import type { ClickHouseClient } from '@clickhouse/client';
import { mapped, parseAddress } from '../../model/addresses.ts';
import type { Event, EventKind } from '../../model/event.ts';

/** Of the table; their order is that of rows as text. */
export const EVENT_COLUMNS = [
  'received_at',
  'observed_at',
  'kind',
  'sender',
  'host',
  'program',
  'severity',
  'facility',
  'user',
  'source_address',
  'command',
  'destination_address',
  'source_port',
  'destination_port',
  'protocol',
  'action',
  'unit',
  'executable',
  'arguments',
  'pid',
  'parent_pid',
  'effective_user',
  'login_user',
  'tty',
  'entry_count',
  'node',
  'identity',
  'origin',
  'origin_basis',
  'clock_offset_ms',
  'parent_executable',
  'message_at',
  'message',
  'raw',
] as const;
const MAX_SENDERS = 1000;
const MAX_LIMIT = 100_000;
/** How much later than it says a line may arrive (a relay that was cut off), and how far a clock may be ahead. */
const TRANSIT_MS = 86_400_000;

/** The mapped form as text that ClickHouse reads; undefined for what is no address. */
export function senderText(text: string): string | undefined {
  try {
    return mapped(parseAddress(text)).toString(16).padStart(32, '0').match(/.{4}/g)!.join(':');
  } catch {
    return undefined;
  }
}

export interface EventQuestion {
  /** Addresses; what is no address is passed over, and no address means no events. At most 1,000. */
  readonly senders: readonly string[];
  /** Of the line's own time or of its receipt; `untilMs` is outside. */
  readonly fromMs: number;
  readonly untilMs: number;
  readonly kinds?: readonly EventKind[];
  /** At most 100,000; where there are more, those of kind "other" go first. */
  readonly limit: number;
}

/** In order of their own time. */
export async function eventsBetween(client: ClickHouseClient, question: EventQuestion): Promise<Event[]> {
  const addresses = question.senders.flatMap((text) => senderText(text) ?? []);
  if (addresses.length > MAX_SENDERS) throw new RangeError(`more than ${MAX_SENDERS} senders`);
  if (addresses.length === 0 || question.kinds?.length === 0) return [];
  // Only parsed addresses and names of kinds come into the text of the question.
  const kinds = question.kinds?.filter((kind) => /^[a-z-]+$/.test(kind)).map((kind) => `'${kind}'`);
  const conditions = [
    `sender IN (${addresses.map((address) => `toIPv6('${address}')`).join(', ')})`,
    ...(kinds ? [`kind IN (${kinds.join(', ')})`] : []),
    'received_at >= fromUnixTimestamp64Milli({from:Int64} - {transit:Int64})',
    'received_at < fromUnixTimestamp64Milli({until:Int64} + {transit:Int64})',
    `((observed_at >= fromUnixTimestamp64Milli({from:Int64}) AND observed_at < fromUnixTimestamp64Milli({until:Int64}))
      OR (received_at >= fromUnixTimestamp64Milli({from:Int64}) AND received_at < fromUnixTimestamp64Milli({until:Int64})))`,
  ];
  const result = await client.query({
    query: `SELECT ${EVENT_COLUMNS_SELECT} FROM events WHERE ${conditions.join(' AND ')}
      ORDER BY kind = 'other', observed_at, received_at LIMIT {limit:UInt32}`,
    query_params: {
      from: Math.floor(question.fromMs),
      until: Math.ceil(question.untilMs),
      transit: TRANSIT_MS,
      limit: Math.max(0, Math.min(MAX_LIMIT, Math.floor(question.limit))),
    },
    format: 'JSONEachRow',
    clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
  });
  const events = (await result.json<EventRow>()).map(eventOf);
  return events.sort((a, b) => a.observedAtMs - b.observedAtMs || a.receivedAtMs - b.receivedAtMs);
}

const SELECTED_OTHERWISE: readonly string[] = [
  'received_at',
  'observed_at',
  'sender',
  'message_at',
  'message',
];

/** What a question selects from `events` so that eventOf can read the rows, of JSONEachRow with numbers unquoted. */
export const EVENT_COLUMNS_SELECT = [
  'toUnixTimestamp64Milli(received_at) AS receivedAtMs',
  'toUnixTimestamp64Milli(observed_at) AS observedAtMs',
  "replaceRegexpOne(toString(sender), '^::ffff:', '') AS sender_text",
  'message_text',
  ...EVENT_COLUMNS.filter((column) => !SELECTED_OTHERWISE.includes(column)),
].join(', ');

export type EventRow = {
  readonly receivedAtMs: number;
  readonly observedAtMs: number;
  readonly kind: EventKind;
  readonly sender_text: string;
  readonly severity: number;
  readonly facility: number;
  readonly arguments: readonly string[];
} & Readonly<Record<TextColumn, string>> &
  Readonly<Record<NumberColumn, number>>;

type TextColumn =
  | 'host'
  | 'program'
  | 'user'
  | 'source_address'
  | 'command'
  | 'destination_address'
  | 'protocol'
  | 'action'
  | 'unit'
  | 'executable'
  | 'effective_user'
  | 'login_user'
  | 'tty'
  | 'node'
  | 'identity'
  | 'origin'
  | 'origin_basis'
  | 'parent_executable'
  | 'message_text'
  | 'raw';
type NumberColumn =
  | 'source_port'
  | 'destination_port'
  | 'pid'
  | 'parent_pid'
  | 'entry_count'
  | 'clock_offset_ms';

/** The event as it was inserted; an offset of zero and none are one. */
export function eventOf(row: EventRow): Event {
  const known = (value: number) => (value < 0 ? undefined : value);
  return {
    kind: row.kind,
    receivedAtMs: row.receivedAtMs,
    observedAtMs: row.observedAtMs,
    sender: row.sender_text,
    host: row.host || undefined,
    program: row.program || undefined,
    severity: known(row.severity),
    facility: known(row.facility),
    user: row.user || undefined,
    sourceAddress: row.source_address || undefined,
    command: row.command || undefined,
    ...detailsOf(row),
    message: row.message_text,
    raw: row.raw,
  };
}

/** Only what the line said, as parsed: most lines say none of it. */
function detailsOf(row: EventRow): Partial<Event> {
  const details = {
    destinationAddress: row.destination_address,
    sourcePort: row.source_port,
    destinationPort: row.destination_port,
    protocol: row.protocol,
    action: row.action,
    unit: row.unit,
    executable: row.executable,
    arguments: row.arguments,
    pid: row.pid,
    parentPid: row.parent_pid,
    effectiveUser: row.effective_user,
    loginUser: row.login_user,
    tty: row.tty,
    entryCount: row.entry_count,
    node: row.node,
    identity: row.identity,
    origin: row.origin,
    originBasis: row.origin_basis,
    parentExecutable: row.parent_executable,
  };
  const said = Object.fromEntries(
    Object.entries(details).filter(([, value]) =>
      typeof value === 'number' ? value >= 0 : value.length > 0,
    ),
  );
  return row.clock_offset_ms === 0 ? said : { ...said, clockOffsetMs: row.clock_offset_ms };
}
