// the index over the text of log lines: built for whole days once they are over, not line by line as they come
import type { ClickHouseClient } from '@clickhouse/client';

const TABLE = 'events';
const INDEX = 'raw_index';
/** Of the filter of one granule; the other indexes take some hundred bytes. */
const INDEXED_BYTES = 32_768;

/** For clients that insert lines: hashing every part of a text costs more than all else about it. */
export const WITHOUT_TEXT_INDEX = { exclude_materialize_skip_indexes_on_insert: INDEX };

/** A ClickHouse that cannot leave an index out of its merges builds it with them. */
export async function deferTextIndex(client: ClickHouseClient): Promise<void> {
  const name = 'exclude_materialize_skip_indexes_on_merge';
  const result = await client.query({
    query: `SELECT (SELECT count() FROM system.merge_tree_settings WHERE name = '${name}') AS known,
      (SELECT position(engine_full, '${name}') FROM system.tables
       WHERE database = currentDatabase() AND name = '${TABLE}') AS there`,
    format: 'JSONEachRow',
    clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
  });
  const [{ known, there }] = await result.json<{ known: number; there: number }>();
  if (known > 0 && there === 0)
    await client.command({ query: `ALTER TABLE ${TABLE} MODIFY SETTING ${name} = '${INDEX}'` });
}

/** Days before the one of `nowMs` that have parts without the index get it, the newest first; returns how many it was begun for. */
export async function buildTextIndex(client: ClickHouseClient, nowMs: number): Promise<number> {
  const result = await client.query({
    query: `SELECT partition FROM system.parts
      WHERE database = currentDatabase() AND table = '${TABLE}' AND active AND marks > 1
        AND secondary_indices_uncompressed_bytes < ${INDEXED_BYTES} * (marks - 1)
        AND partition < {today:String}
        AND (SELECT count() FROM system.mutations
             WHERE database = currentDatabase() AND table = '${TABLE}' AND NOT is_done) = 0
      GROUP BY partition ORDER BY partition DESC LIMIT 1000`,
    query_params: { today: new Date(nowMs).toISOString().slice(0, 10) },
    format: 'JSONEachRow',
  });
  const days = (await result.json<{ partition: string }>()).map(({ partition }) => partition);
  for (const day of days)
    if (/^\d{4}-\d\d-\d\d$/.test(day))
      await client.command({
        query: `ALTER TABLE ${TABLE} MATERIALIZE INDEX ${INDEX} IN PARTITION '${day}'`,
      });
  return days.length;
}
