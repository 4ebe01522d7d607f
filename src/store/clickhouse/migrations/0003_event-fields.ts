// what host firewalls, audit and network devices say of a packet or a process

/** Empty text and -1 stand for what a line does not say. */
export const statements = [
  `ALTER TABLE events
    ADD COLUMN IF NOT EXISTS destination_address String DEFAULT '',
    ADD COLUMN IF NOT EXISTS source_port Int32 DEFAULT -1,
    ADD COLUMN IF NOT EXISTS destination_port Int32 DEFAULT -1,
    ADD COLUMN IF NOT EXISTS protocol LowCardinality(String) DEFAULT '',
    ADD COLUMN IF NOT EXISTS action LowCardinality(String) DEFAULT '',
    ADD COLUMN IF NOT EXISTS unit String DEFAULT '',
    ADD COLUMN IF NOT EXISTS executable String DEFAULT '',
    ADD COLUMN IF NOT EXISTS arguments Array(String) DEFAULT [],
    ADD COLUMN IF NOT EXISTS pid Int64 DEFAULT -1,
    ADD COLUMN IF NOT EXISTS parent_pid Int64 DEFAULT -1,
    ADD COLUMN IF NOT EXISTS effective_user String DEFAULT '',
    ADD COLUMN IF NOT EXISTS login_user String DEFAULT '',
    ADD COLUMN IF NOT EXISTS tty String DEFAULT '',
    ADD COLUMN IF NOT EXISTS entry_count Int64 DEFAULT -1`,
] as const;
