// events -> the table `events`: as a block to the engine in this process, as text to a server
import type { ClickHouseClient } from '@clickhouse/client';
import type { Event } from '../../model/event.ts';
import { messageAt } from './event-message.ts';
import { eventBlock } from './event-native.ts';
import { EVENT_COLUMNS, senderText } from './events.ts';
import { insertBlock, insertTsv, tsvText } from './insert.ts';
import { engineOf } from './open.ts';

const INSERT_ROWS = 20_000;

/** Resolves when all are stored; throws what the client throws, the parts of 20,000 before it are stored then. */
export async function insertEvents(client: ClickHouseClient, events: readonly Event[]): Promise<void> {
  for (let from = 0; from < events.length; from += INSERT_ROWS) {
    const some = events.slice(from, from + INSERT_ROWS);
    if (engineOf(client) !== undefined) {
      const { columns, block } = eventBlock(some);
      await insertBlock(client, 'events', columns, () => block);
    } else await insertTsv(client, 'events', EVENT_COLUMNS, some.map(rowOf).join(''));
  }
}

function rowOf(event: Event): string {
  const at = messageAt(event);
  const cells = [
    time(event.receivedAtMs),
    time(event.observedAtMs),
    event.kind,
    senderText(event.sender) ?? '::',
    event.host ?? '',
    event.program ?? '',
    event.severity ?? -1,
    event.facility ?? -1,
    event.user ?? '',
    event.sourceAddress ?? '',
    event.command ?? '',
    event.destinationAddress ?? '',
    event.sourcePort ?? -1,
    event.destinationPort ?? -1,
    event.protocol ?? '',
    event.action ?? '',
    event.unit ?? '',
    event.executable ?? '',
    event.arguments ?? [],
    event.pid ?? -1,
    event.parentPid ?? -1,
    event.effectiveUser ?? '',
    event.loginUser ?? '',
    event.tty ?? '',
    event.entryCount ?? -1,
    event.node ?? '',
    event.identity ?? '',
    event.origin ?? '',
    event.originBasis ?? '',
    Math.round(event.clockOffsetMs ?? 0),
    event.parentExecutable ?? '',
    at,
    at === 0 ? event.message : '',
    event.raw,
  ];
  return `${cells.map((cell) => (typeof cell === 'object' ? tsvArray(cell) : tsvText(String(cell)))).join('\t')}\n`;
}

const tsvArray = (texts: readonly string[]) =>
  `[${texts.map((text) => `'${tsvText(text).replaceAll("'", "\\'")}'`).join(',')}]`;

const time = (timeMs: number) => new Date(timeMs).toISOString().replace('T', ' ').replace('Z', '');
