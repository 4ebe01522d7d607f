// configurations that another collector keeps or that are pushed, and what a device's own list of changes said
import { type Kysely, sql } from 'kysely';

const STATEMENTS = [
  'ALTER TABLE devices ADD COLUMN source jsonb',
  'ALTER TABLE devices ADD COLUMN source_commit text',
  'ALTER TABLE snapshots ADD COLUMN history text',
  'ALTER TABLE api_keys DROP CONSTRAINT api_keys_role_check',
  `ALTER TABLE api_keys ADD CONSTRAINT api_keys_role_check
    CHECK (role IN ('admin', 'network', 'soc', 'change', 'auditor', 'tickets-only', 'snapshots-only'))`,
];

export async function up(database: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(database);
}
