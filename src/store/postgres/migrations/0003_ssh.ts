// legacy algorithms by name, hosts on the way to a device, and what a session agreed on
import { type Kysely, sql } from 'kysely';

const STATEMENTS = [
  `ALTER TABLE devices ADD COLUMN legacy_profiles text[] NOT NULL DEFAULT '{}'`,
  // What the switch stood for, and DSA with it: a device that it was on for may need any of them.
  `UPDATE devices SET legacy_profiles = '{sha1-kex,cbc,ssh-rsa,ssh-dss}' WHERE legacy_algorithms`,
  'ALTER TABLE devices DROP COLUMN legacy_algorithms',
  `ALTER TABLE devices ADD COLUMN jump jsonb NOT NULL DEFAULT '[]'`,
  'ALTER TABLE device_health ADD COLUMN algorithms jsonb',
];

export async function up(database: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(database);
}
