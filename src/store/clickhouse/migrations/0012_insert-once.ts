// tables remember the ids of their latest inserts, so that one repeated after a lost answer or a restart stores nothing twice

/** Inserts come some a second at the most, and what is repeated is the latest. */
const INSERTS = 1000;

const TABLES = ['conversations', 'exporter_minutes', 'attempts', 'translations', 'translated_addresses'];

export const statements: readonly string[] = TABLES.map(
  (table) => `ALTER TABLE ${table} MODIFY SETTING non_replicated_deduplication_window = ${INSERTS}`,
);
