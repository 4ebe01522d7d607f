// rows -> a table: as tab-separated text, or to the engine in this process as a block that it reads from a file
import { Readable } from 'node:stream';
import type { ClickHouseClient } from '@clickhouse/client';
import { onceSettings } from './insert-once.ts';
import { engineOf } from './open.ts';

/** Escapes a text for a column of tab-separated values. */
export function tsvText(text: string): string {
  return /[\\\t\n\r\0\b\f]/.test(text) ? text.replace(/[\\\t\n\r\0\b\f]/g, (found) => ESCAPES[found]) : text;
}

const ESCAPES: Record<string, string> = {
  '\\': '\\\\',
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
  '\0': '\\0',
  '\b': '\\b',
  '\f': '\\f',
};

/**
 * Inserts lines of tab-separated values, each ending in \n, with texts escaped by tsvText and in the order of `columns`.
 * Resolves when the rows are stored, once for an `id`. 50,000 rows at a time are a good size. Times are seconds or "YYYY-MM-DD hh:mm:ss[.fff]".
 * Throws TypeError on an empty line: the engine in process would take what follows it for a statement.
 */
export async function insertTsv(
  client: ClickHouseClient,
  table: string,
  columns: readonly string[],
  lines: string,
  id?: string,
): Promise<void> {
  if (lines === '') return;
  if (columns.length < 2 || lines.startsWith('\n') || lines.includes('\n\n'))
    throw new TypeError('an empty line in rows of tab-separated values');
  await client.insert({
    table,
    columns: columns as [string, ...string[]],
    values: Readable.from([lines], { objectMode: false }),
    format: 'TabSeparated',
    clickhouse_settings: onceSettings(id),
  });
}

/**
 * Inserts a block of ClickHouse's Native format into the engine in this process; false where the client speaks to a server.
 * The engine takes only text through its interface, and parsing that costs six times what reading a block does.
 * Resolves when the rows are stored, once for an `id`.
 */
export async function insertBlock(
  client: ClickHouseClient,
  table: string,
  columns: readonly string[],
  block: () => Uint8Array,
  id?: string,
): Promise<boolean> {
  const engine = engineOf(client);
  if (!engine) return false;
  await engine.insertBlocks(table, columns, [block()], id);
  return true;
}
