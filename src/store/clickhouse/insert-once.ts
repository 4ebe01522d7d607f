// an insert's id -> the settings by which ClickHouse stores it once
import { randomUUID } from 'node:crypto';

/**
 * A table with a window for it (migration 12) keeps the ids of its latest inserts, and so do those filled from it: the same id
 * again stores nothing. Without an id an insert gets one that nobody has, as what is not named goes by its rows.
 */
export const onceSettings = (id: string = randomUUID()) => ({
  insert_deduplicate: 1 as const,
  insert_deduplication_token: id,
  deduplicate_blocks_in_dependent_materialized_views: 1 as const,
  // Newer servers gather small inserts of many; these are large, and their ids are to hold.
  async_insert: 0 as const,
});

/** Of the statements that one insert takes, by their place. */
export const partId = (id: string | undefined, part: number) => id && `${id} ${part}`;
