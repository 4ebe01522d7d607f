// the lists that the API serves newest first, page by page, by time and id
import { type RawBuilder, sql } from 'kysely';

export interface TimePage {
  /** Rows older than the last one of the page before. */
  readonly before?: { readonly at: Date; readonly id: string };
  readonly limit: number;
}

/** Whether a row is older than `before`; ids part rows of one time. Columns are named as in the query. */
export function olderThan(
  timeColumn: string,
  idColumn: string,
  before: NonNullable<TimePage['before']>,
): RawBuilder<boolean> {
  return sql<boolean>`(${sql.ref(timeColumn)}, ${sql.ref(idColumn)}) < (${before.at}, ${before.id})`;
}
