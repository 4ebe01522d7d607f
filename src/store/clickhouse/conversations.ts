// batches of conversations <-> the table `conversations`
import { Readable } from 'node:stream';
import type { ClickHouseClient } from '@clickhouse/client';
import type { ConversationBatch } from '../../flows/batch.ts';
import { CATEGORIES } from '../../model/enrichment.ts';
import { CONVERSATION_COLUMNS, conversationRows } from './conversation-rows.ts';

/** The embedded engine takes statement and data as one string, so an insert is kept to some tens of megabytes. */
const INSERT_ROWS = 100_000;

/**
 * Resolves when the rows are stored. TSV: the embedded engine takes text only, and parses it at over a million rows a
 * second. Throws ClickHouseError or a network error; rows before the failing part are stored then.
 */
export async function insertConversations(
  client: ClickHouseClient,
  batches: ConversationBatch | readonly ConversationBatch[],
): Promise<void> {
  for (const part of parts(Array.isArray(batches) ? batches : [batches as ConversationBatch])) {
    await client.insert({
      table: 'conversations',
      columns: CONVERSATION_COLUMNS,
      format: 'TabSeparated',
      values: Readable.from(part, { objectMode: false }),
    });
  }
}
