// the tables of src/store/postgres/schema.ts
import { type Kysely, sql } from 'kysely';

const STATEMENTS = [
  `CREATE TABLE api_keys (
    id text PRIMARY KEY,
    name text NOT NULL,
    role text NOT NULL CHECK (role IN ('admin', 'network', 'soc', 'change', 'auditor', 'tickets-only')),
    hash text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL,
    revoked_at timestamptz
  )`,
  `CREATE TABLE audit_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    object text NOT NULL,
    detail jsonb NOT NULL
  )`,
  'CREATE INDEX audit_log_at ON audit_log (at)',
  'CREATE INDEX audit_log_object ON audit_log (object, at)',
  `CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$`,
  `CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()`,
  `CREATE TABLE devices (
    id text PRIMARY KEY,
    name text NOT NULL UNIQUE,
    vendor text NOT NULL,
    address text NOT NULL,
    port integer NOT NULL CHECK (port BETWEEN 1 AND 65535),
    username text NOT NULL,
    credential bytea,
    host_key text,
    legacy_algorithms boolean NOT NULL DEFAULT false,
    pull_interval_seconds integer NOT NULL CHECK (pull_interval_seconds > 0),
    addresses text[] NOT NULL DEFAULT '{}',
    exporters text[] NOT NULL DEFAULT '{}',
    ticket_pattern text,
    time_zone text NOT NULL DEFAULT 'UTC',
    owner_group text,
    configuration_item text,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL
  )`,
  'CREATE INDEX devices_addresses ON devices USING gin (addresses)',
  'CREATE INDEX devices_exporters ON devices USING gin (exporters)',
  `CREATE TABLE device_health (
    device_id text PRIMARY KEY REFERENCES devices ON DELETE CASCADE,
    last_attempt_at timestamptz,
    last_success_at timestamptz,
    consecutive_failures integer NOT NULL DEFAULT 0,
    last_error_code text,
    last_error text
  )`,
  `CREATE TABLE snapshots (
    id text PRIMARY KEY,
    device_id text NOT NULL REFERENCES devices ON DELETE CASCADE,
    vendor text NOT NULL,
    began_at timestamptz NOT NULL,
    duration_ms integer NOT NULL,
    confirmed_at timestamptz NOT NULL,
    text text NOT NULL,
    compare_hash text NOT NULL,
    rule_count integer NOT NULL,
    unread jsonb NOT NULL
  )`,
  'CREATE INDEX snapshots_device ON snapshots (device_id, began_at)',
  `CREATE TABLE rule_changes (
    id text PRIMARY KEY,
    device_id text NOT NULL REFERENCES devices ON DELETE CASCADE,
    snapshot_before text NOT NULL REFERENCES snapshots ON DELETE CASCADE,
    snapshot_after text NOT NULL REFERENCES snapshots ON DELETE CASCADE,
    kind text NOT NULL,
    class text NOT NULL,
    rule_key text NOT NULL,
    change jsonb NOT NULL,
    occurred_from timestamptz NOT NULL,
    occurred_to timestamptz NOT NULL,
    occurred_basis text NOT NULL,
    actors jsonb NOT NULL,
    ticket jsonb NOT NULL,
    approved_forward jsonb,
    detected_at timestamptz NOT NULL
  )`,
  'CREATE INDEX rule_changes_device ON rule_changes (device_id, detected_at)',
  'CREATE INDEX rule_changes_detected ON rule_changes (detected_at, id)',
  'CREATE INDEX rule_changes_before ON rule_changes (snapshot_before)',
  'CREATE INDEX rule_changes_after ON rule_changes (snapshot_after)',
  `CREATE TABLE reconciliations (
    id text PRIMARY KEY,
    change_id text NOT NULL REFERENCES rule_changes ON DELETE CASCADE,
    decision text NOT NULL
      CHECK (decision IN ('approved', 'emergency', 'unauthorised', 'accepted_without_ticket', 'expected_noise')),
    ticket_system text,
    ticket_number text,
    reason text NOT NULL,
    decided_by text NOT NULL,
    decided_at timestamptz NOT NULL
  )`,
  'CREATE INDEX reconciliations_change ON reconciliations (change_id, decided_at)',
  `CREATE TABLE tickets (
    system text NOT NULL,
    number text NOT NULL,
    state text NOT NULL,
    type text NOT NULL,
    devices text[] NOT NULL DEFAULT '{}',
    planned_start timestamptz,
    planned_end timestamptz,
    implementer text,
    summary text,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (system, number)
  )`,
  'CREATE INDEX tickets_planned ON tickets (planned_start, planned_end)',
  `CREATE TABLE approved_forwards (
    id text PRIMARY KEY,
    sources text[] NOT NULL,
    destinations text[] NOT NULL,
    services text[] NOT NULL,
    reason text NOT NULL,
    expires_at timestamptz,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL
  )`,
  `CREATE TABLE watches (
    id text PRIMARY KEY,
    analytic text NOT NULL,
    device_id text NOT NULL REFERENCES devices ON DELETE CASCADE,
    change_id text NOT NULL REFERENCES rule_changes ON DELETE CASCADE,
    question jsonb NOT NULL,
    facts jsonb NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'closed')),
    opened_at timestamptz NOT NULL,
    next_at timestamptz NOT NULL,
    until_at timestamptz NOT NULL,
    answer_count integer NOT NULL DEFAULT 0
  )`,
  `CREATE INDEX watches_due ON watches (next_at) WHERE state = 'open'`,
  'CREATE INDEX watches_device ON watches (device_id)',
  'CREATE UNIQUE INDEX watches_change ON watches (change_id, analytic)',
  `CREATE TABLE alerts (
    id text PRIMARY KEY,
    dedupe_key text NOT NULL UNIQUE,
    analytic text NOT NULL,
    device_id text REFERENCES devices ON DELETE SET NULL,
    revision integer NOT NULL,
    status text NOT NULL CHECK (status IN ('open', 'acknowledged', 'closed')),
    severity text NOT NULL,
    score double precision NOT NULL,
    opened_at timestamptz NOT NULL,
    observed_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    body jsonb NOT NULL,
    decided_by text,
    decision_note text
  )`,
  'CREATE INDEX alerts_opened ON alerts (opened_at, id)',
  'CREATE INDEX alerts_device ON alerts (device_id, observed_at)',
  `CREATE TABLE endpoints (
    id text PRIMARY KEY,
    name text NOT NULL UNIQUE,
    url text NOT NULL,
    secret bytea NOT NULL,
    format text NOT NULL CHECK (format IN ('postern', 'ocsf', 'splunk-hec', 'slack', 'pagerduty')),
    min_severity text NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL
  )`,
  `CREATE TABLE deliveries (
    id text PRIMARY KEY,
    endpoint_id text NOT NULL REFERENCES endpoints ON DELETE CASCADE,
    alert_id text NOT NULL REFERENCES alerts ON DELETE CASCADE,
    alert_revision integer NOT NULL,
    body text NOT NULL,
    state text NOT NULL CHECK (state IN ('pending', 'delivered', 'parked')),
    attempt_count integer NOT NULL DEFAULT 0,
    last_status integer,
    last_error text,
    next_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE (endpoint_id, alert_id, alert_revision)
  )`,
  'CREATE INDEX deliveries_alert ON deliveries (alert_id)',
  `CREATE INDEX deliveries_due ON deliveries (next_at) WHERE state = 'pending'`,
  'CREATE INDEX deliveries_state ON deliveries (state, updated_at)',
  `CREATE TABLE exporters (
    address text PRIMARY KEY,
    device_id text REFERENCES devices ON DELETE SET NULL,
    first_seen_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    counters jsonb NOT NULL,
    versions text[] NOT NULL DEFAULT '{}'
  )`,
];

export async function up(database: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(database);
}
