// what people decide: the tables of PostgreSQL as kysely sees them
import type { ColumnType, Generated } from 'kysely';

/** Selected as Date, written as Date. */
type Time = ColumnType<Date, Date | string, Date | string>;
/** Selected parsed, written as JSON text (encodeJson). */
type Json<T> = ColumnType<T, string, string>;

export type Role = 'admin' | 'network' | 'soc' | 'change' | 'auditor' | 'tickets-only' | 'snapshots-only';

export interface ApiKeyTable {
  id: string;
  name: string;
  role: Role;
  /** SHA-256 of the key, hex. Keys are 256 random bits, so a plain hash suffices. */
  hash: string;
  created_at: Time;
  revoked_at: Time | null;
}

export interface AuditLogTable {
  id: Generated<string>;
  at: Time;
  actor: string;
  action: string;
  object: string;
  detail: Json<unknown>;
}

export interface DeviceTable {
  id: string;
  name: string;
  vendor: string;
  /** Where SSH connects to. */
  address: string;
  port: number;
  username: string;
  /** Sealed JSON: StoredCredential of src/snapshots/credential.ts. Never served. */
  credential: Buffer | null;
  /** Pinned on first use: "<algorithm> <base64>". */
  host_key: string | null;
  /** Names of src/snapshots/algorithms.ts. */
  legacy_profiles: Generated<string[]>;
  /** Hosts on the way, in order. */
  jump: ColumnType<readonly JumpHost[], string | undefined, string>;
  pull_interval_seconds: number;
  /** The device's own addresses (syslog sender, management, WAN). */
  addresses: string[];
  /** Addresses that its flow exports come from. */
  exporters: string[];
  ticket_pattern: string | null;
  time_zone: string;
  owner_group: string | null;
  configuration_item: string | null;
  /** Where its configurations come from; null: over SSH. */
  source: Json<DeviceSource> | null;
  /** The last commit of its repository that was read. */
  source_commit: string | null;
  created_at: Time;
  created_by: string;
}

/** Another collector's git repository, or nothing but what is pushed. */
export type DeviceSource =
  | { readonly kind: 'git'; readonly repository: string; readonly file: string; readonly branch?: string }
  | { readonly kind: 'push' };

/** As stored in `jump`. */
export interface JumpHost {
  readonly address: string;
  readonly port: number;
  readonly username: string;
  /** Sealed as a device's is, base64. Never served. */
  readonly credential: string | null;
  /** Pinned on first use. */
  readonly host_key: string | null;
  readonly legacy_profiles: readonly string[];
}

export interface DeviceHealthTable {
  device_id: string;
  last_attempt_at: Time | null;
  last_success_at: Time | null;
  consecutive_failures: number;
  last_error_code: string | null;
  last_error: string | null;
  /** Of the last session that came that far: AgreedAlgorithms of src/snapshots/target.ts. */
  algorithms: ColumnType<unknown, string | null | undefined, string | null>;
}

export interface SnapshotTable {
  id: string;
  device_id: string;
  vendor: string;
  began_at: Time;
  duration_ms: number;
  /** Begin of the last pull that saw the same configuration. */
  confirmed_at: Time;
  /** Redacted text. */
  text: string;
  /** SHA-256 of the text without volatile lines. */
  compare_hash: string;
  rule_count: number;
  unread: Json<{ number: number; text: string }[]>;
  /** What the device's own list of changes said then; redacted. */
  history: string | null;
}

export interface RuleChangeTable {
  id: string;
  device_id: string;
  snapshot_before: string;
  snapshot_after: string;
  kind: string;
  class: string;
  rule_key: string;
  /** RuleChange by encodeJson. */
  change: Json<unknown>;
  occurred_from: Time;
  occurred_to: Time;
  occurred_basis: string;
  actors: Json<unknown>;
  ticket: Json<unknown>;
  approved_forward: Json<unknown> | null;
  detected_at: Time;
}

export interface ReconciliationTable {
  id: string;
  change_id: string;
  decision: 'approved' | 'emergency' | 'unauthorised' | 'accepted_without_ticket' | 'expected_noise';
  ticket_system: string | null;
  ticket_number: string | null;
  reason: string;
  decided_by: string;
  decided_at: Time;
}

export interface TicketTable {
  system: string;
  number: string;
  state: string;
  type: string;
  devices: string[];
  planned_start: Time | null;
  planned_end: Time | null;
  implementer: string | null;
  summary: string | null;
  updated_at: Time;
}

export interface ApprovedForwardTable {
  id: string;
  sources: string[];
  destinations: string[];
  services: string[];
  reason: string;
  expires_at: Time | null;
  created_by: string;
  created_at: Time;
}

export interface WatchTable {
  id: string;
  analytic: string;
  device_id: string;
  change_id: string;
  /** Question. */
  question: Json<unknown>;
  /** ChangeFacts by encodeJson, as they were when the watch was opened. */
  facts: Json<unknown>;
  state: 'open' | 'closed';
  opened_at: Time;
  next_at: Time;
  until_at: Time;
  answer_count: number;
}

export interface AlertTable {
  id: string;
  dedupe_key: string;
  analytic: string;
  device_id: string | null;
  host_id: string | null;
  revision: number;
  status: 'open' | 'acknowledged' | 'closed';
  severity: string;
  score: number;
  opened_at: Time;
  observed_at: Time;
  updated_at: Time;
  /** Alert. */
  body: Json<unknown>;
  decided_by: string | null;
  decision_note: string | null;
}

export interface HostTable {
  id: string;
  name: string;
  platform: 'linux' | 'macos';
  addresses: string[];
  /** Other names that its lines carry: host name, node=, certificate subject. */
  aliases: string[];
  is_developer: boolean;
  time_zone: string;
  created_at: Time;
  created_by: string;
}

export interface ApprovedUseTable {
  id: string;
  hosts: string[];
  users: string[];
  tools: string[];
  destinations: string[];
  services: string[];
  reason: string;
  expires_at: Time | null;
  created_by: string;
  created_at: Time;
}

export interface HostWatchTable {
  id: string;
  analytic: string;
  host_id: string;
  /** HostQuestion.key */
  key: string;
  trigger_at: Time;
  /** HostQuestion. */
  question: Json<unknown>;
  state: 'open' | 'closed';
  opened_at: Time;
  next_at: Time;
  until_at: Time;
  answer_count: number;
}

/** How far a repeated job has read what machines report. */
export interface CursorTable {
  name: string;
  at: Time;
}

export interface EndpointTable {
  id: string;
  name: string;
  url: string;
  /** Sealed Standard Webhooks secret. */
  secret: Buffer;
  format: 'postern' | 'ocsf' | 'splunk-hec' | 'slack' | 'pagerduty';
  min_severity: string;
  enabled: boolean;
  created_at: Time;
}

export interface DeliveryTable {
  id: string;
  endpoint_id: string;
  alert_id: string;
  alert_revision: number;
  /** The very text that is sent. */
  body: string;
  state: 'pending' | 'delivered' | 'parked';
  attempt_count: number;
  last_status: number | null;
  last_error: string | null;
  next_at: Time;
  created_at: Time;
  updated_at: Time;
}

export interface ExporterTable {
  address: string;
  device_id: string | null;
  first_seen_at: Time;
  last_seen_at: Time;
  /** ExporterCounters of src/flows, totals since first seen. */
  counters: Json<Record<string, number>>;
  versions: string[];
}

export interface Database {
  api_keys: ApiKeyTable;
  audit_log: AuditLogTable;
  devices: DeviceTable;
  device_health: DeviceHealthTable;
  snapshots: SnapshotTable;
  rule_changes: RuleChangeTable;
  reconciliations: ReconciliationTable;
  tickets: TicketTable;
  approved_forwards: ApprovedForwardTable;
  watches: WatchTable;
  hosts: HostTable;
  approved_uses: ApprovedUseTable;
  host_watches: HostWatchTable;
  cursors: CursorTable;
  alerts: AlertTable;
  endpoints: EndpointTable;
  deliveries: DeliveryTable;
  exporters: ExporterTable;
}
