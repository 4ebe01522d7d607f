// hosts, what may be used on them as a tunnel, and the questions about them
import { type Kysely, sql } from 'kysely';

const STATEMENTS = [
  `CREATE TABLE hosts (
    id text PRIMARY KEY,
    name text NOT NULL UNIQUE,
    platform text NOT NULL CHECK (platform IN ('linux', 'macos')),
    addresses text[] NOT NULL DEFAULT '{}',
    aliases text[] NOT NULL DEFAULT '{}',
    is_developer boolean NOT NULL DEFAULT false,
    time_zone text NOT NULL DEFAULT 'UTC',
    created_at timestamptz NOT NULL,
    created_by text NOT NULL
  )`,
  `CREATE TABLE approved_uses (
    id text PRIMARY KEY,
    hosts text[] NOT NULL,
    users text[] NOT NULL,
    tools text[] NOT NULL,
    destinations text[] NOT NULL,
    services text[] NOT NULL,
    reason text NOT NULL,
    expires_at timestamptz,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL
  )`,
  `CREATE TABLE host_watches (
    id text PRIMARY KEY,
    analytic text NOT NULL,
    host_id text NOT NULL REFERENCES hosts ON DELETE CASCADE,
    key text NOT NULL,
    trigger_at timestamptz NOT NULL,
    question jsonb NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'closed')),
    opened_at timestamptz NOT NULL,
    next_at timestamptz NOT NULL,
    until_at timestamptz NOT NULL,
    answer_count integer NOT NULL DEFAULT 0
  )`,
  `CREATE INDEX host_watches_due ON host_watches (next_at) WHERE state = 'open'`,
  'CREATE UNIQUE INDEX host_watches_trigger ON host_watches (host_id, analytic, key, trigger_at)',
  `CREATE TABLE cursors (name text PRIMARY KEY, at timestamptz NOT NULL)`,
  'ALTER TABLE alerts ADD COLUMN host_id text REFERENCES hosts ON DELETE SET NULL',
  'CREATE INDEX alerts_host ON alerts (host_id, observed_at)',
];

export async function up(database: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(database);
}
