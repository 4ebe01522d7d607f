// a batch of events -> one block of ClickHouse's Native format, without the columns that none of them says anything in
// (https://clickhouse.com/docs/interfaces/formats/Native)
import { mapped, parseAddress } from '../../model/addresses.ts';
import type { Event } from '../../model/event.ts';
import { type BlockWriter, createBlockWriter } from './block-writer.ts';
import { messageAt } from './event-message.ts';

type TextKey =
  | 'kind'
  | 'host'
  | 'program'
  | 'user'
  | 'sourceAddress'
  | 'command'
  | 'destinationAddress'
  | 'protocol'
  | 'action'
  | 'unit'
  | 'executable'
  | 'effectiveUser'
  | 'loginUser'
  | 'tty'
  | 'node'
  | 'identity'
  | 'origin'
  | 'originBasis'
  | 'parentExecutable'
  | 'raw';
type NumberKey =
  | 'receivedAtMs'
  | 'observedAtMs'
  | 'severity'
  | 'facility'
  | 'sourcePort'
  | 'destinationPort'
  | 'pid'
  | 'parentPid'
  | 'entryCount'
  | 'clockOffsetMs';

/** LowCardinality columns take plain texts. */
const TEXTS: readonly (readonly [column: string, key: TextKey])[] = [
  ['kind', 'kind'],
  ['host', 'host'],
  ['program', 'program'],
  ['user', 'user'],
  ['source_address', 'sourceAddress'],
  ['command', 'command'],
  ['destination_address', 'destinationAddress'],
  ['protocol', 'protocol'],
  ['action', 'action'],
  ['unit', 'unit'],
  ['executable', 'executable'],
  ['effective_user', 'effectiveUser'],
  ['login_user', 'loginUser'],
  ['tty', 'tty'],
  ['node', 'node'],
  ['identity', 'identity'],
  ['origin', 'origin'],
  ['origin_basis', 'originBasis'],
  ['parent_executable', 'parentExecutable'],
  ['raw', 'raw'],
];
/** With the size in bytes, and what stands for nothing said: the default of the column. */
const NUMBERS: readonly (readonly [
  column: string,
  key: NumberKey,
  type: string,
  size: number,
  none: number,
])[] = [
  ['received_at', 'receivedAtMs', "DateTime64(3, 'UTC')", 8, 0],
  ['observed_at', 'observedAtMs', "DateTime64(3, 'UTC')", 8, 0],
  ['severity', 'severity', 'Int8', 1, -1],
  ['facility', 'facility', 'Int16', 2, -1],
  ['source_port', 'sourcePort', 'Int32', 4, -1],
  ['destination_port', 'destinationPort', 'Int32', 4, -1],
  ['pid', 'pid', 'Int64', 8, -1],
  ['parent_pid', 'parentPid', 'Int64', 8, -1],
  ['entry_count', 'entryCount', 'Int64', 8, -1],
  ['clock_offset_ms', 'clockOffsetMs', 'Int64', 8, 0],
];

/** `columns` are those in the block, in its order; the others have their defaults. */
export function eventBlock(events: readonly Event[]): { columns: string[]; block: Buffer } {
  const texts = TEXTS.filter(([, key]) => events.some((event) => event[key]));
  const numbers = NUMBERS.filter(([, key, , , none]) =>
    events.some((event) => (event[key] ?? none) !== none),
  );
  const hasWords = events.some((event) => event.arguments !== undefined && event.arguments.length > 0);
  const writer = createBlockWriter();
  const columns = [...numbers.map(([column]) => column), 'sender', ...texts.map(([column]) => column)];
  if (hasWords) columns.push('arguments');
  const places = events.map(messageAt);
  const hasMessages = places.includes(0);
  columns.push('message_at');
  if (hasMessages) columns.push('message');
  writer.varint(columns.length);
  writer.varint(events.length);
  for (const [column, key, type, size, none] of numbers) {
    head(writer, column, type);
    for (const event of events) writer.integer(event[key] ?? none, size);
  }
  head(writer, 'sender', 'IPv6');
  writeSenders(writer, events);
  for (const [column, key] of texts) {
    head(writer, column, 'String');
    for (const event of events) writer.text(event[key] ?? '');
  }
  if (hasWords) writeArguments(writer, events);
  head(writer, 'message_at', 'UInt32');
  for (const place of places) writer.integer(place, 4);
  if (hasMessages) {
    head(writer, 'message', 'String');
    for (let i = 0; i < events.length; i++) writer.text(places[i] === 0 ? events[i].message : '');
  }
  return { columns, block: writer.bytes() };
}

function head(writer: BlockWriter, column: string, type: string): void {
  writer.text(column);
  writer.text(type);
}

function writeSenders(writer: BlockWriter, events: readonly Event[]): void {
  const known = new Map<string, Buffer>();
  for (const { sender } of events) {
    let address = known.get(sender);
    if (!address) {
      address = Buffer.from(mappedSender(sender).toString(16).padStart(32, '0'), 'hex');
      known.set(sender, address);
    }
    writer.raw(address);
  }
}

/** What is no address is ::. */
function mappedSender(text: string): bigint {
  try {
    return mapped(parseAddress(text));
  } catch {
    return 0n;
  }
}

/** Where each row's words end, then the words. */
function writeArguments(writer: BlockWriter, events: readonly Event[]): void {
  head(writer, 'arguments', 'Array(String)');
  let end = 0;
  for (const event of events) {
    end += event.arguments?.length ?? 0;
    writer.integer(end, 8);
  }
  for (const event of events) for (const word of event.arguments ?? []) writer.text(word);
}
