// ClickHouse client -> the schema of this version, applied in numbered steps
import type { ClickHouseClient } from '@clickhouse/client';
import { PosternError } from '../../model/errors.ts';
import { statements as tables } from './migrations/0001_tables.ts';
import { statements as exporterMinutes } from './migrations/0002_exporter-minutes.ts';
import { statements as eventFields } from './migrations/0003_event-fields.ts';
import { statements as hosts } from './migrations/0004_hosts.ts';
import { statements as eventSearch } from './migrations/0005_event-search.ts';
import { statements as messageAt } from './migrations/0006_message-at.ts';
import { statements as conversationHours } from './migrations/0007_conversation-hours.ts';
import { statements as byHost } from './migrations/0008_by-host.ts';
import { statements as samplingOrigin } from './migrations/0009_sampling-origin.ts';
import { statements as duplicatePaths } from './migrations/0010_duplicate-paths.ts';
import { statements as translations } from './migrations/0011_translations.ts';
import { statements as insertOnce } from './migrations/0012_insert-once.ts';

/** Every statement can be repeated, because ClickHouse has no transactions around them. */
const MIGRATIONS: readonly { number: number; name: string; statements: readonly string[] }[] = [
  { number: 1, name: 'tables', statements: tables },
  { number: 2, name: 'exporter-minutes', statements: exporterMinutes },
  { number: 3, name: 'event-fields', statements: eventFields },
  { number: 4, name: 'hosts', statements: hosts },
  { number: 5, name: 'event-search', statements: eventSearch },
  { number: 6, name: 'message-at', statements: messageAt },
  { number: 7, name: 'conversation-hours', statements: conversationHours },
  { number: 8, name: 'by-host', statements: byHost },
  { number: 9, name: 'sampling-origin', statements: samplingOrigin },
  { number: 10, name: 'duplicate-paths', statements: duplicatePaths },
  { number: 11, name: 'translations', statements: translations },
  { number: 12, name: 'insert-once', statements: insertOnce },
];

/** Applies what is missing; throws PosternError 'newer-schema' where a later version of Postern was here. */
export async function migrateClickHouse(client: ClickHouseClient): Promise<void> {
  await client.command({
    query: `CREATE TABLE IF NOT EXISTS schema_migrations (number UInt32, name String, applied_at DateTime('UTC') DEFAULT now())
      ENGINE = MergeTree ORDER BY number`,
  });
  const result = await client.query({
    query: 'SELECT max(number) AS number FROM schema_migrations',
    format: 'JSONEachRow',
  });
  const [{ number: applied }] = await result.json<{ number: number }>();
  const latest = MIGRATIONS[MIGRATIONS.length - 1].number;
  if (applied > latest) {
    throw new PosternError(
      'newer-schema',
      `ClickHouse holds schema ${applied}, and this version of Postern knows up to ${latest}: run the newer version`,
    );
  }
  for (const { number, name, statements } of MIGRATIONS.filter((migration) => migration.number > applied)) {
    for (const query of statements) await client.command({ query });
    await client.insert({
      table: 'schema_migrations',
      values: [{ number, name }],
      columns: ['number', 'name'],
      format: 'JSONEachRow',
    });
  }
}
