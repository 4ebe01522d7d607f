// where a line is from, by whose clock, and short contacts toward known hosts

/** `origin` is the name of the registered host or device; `clock_offset_ms` the sender's clock minus ours. */
const EVENT_COLUMNS = `ALTER TABLE events
    ADD COLUMN IF NOT EXISTS node String DEFAULT '',
    ADD COLUMN IF NOT EXISTS identity String DEFAULT '',
    ADD COLUMN IF NOT EXISTS origin LowCardinality(String) DEFAULT '',
    ADD COLUMN IF NOT EXISTS origin_basis LowCardinality(String) DEFAULT '',
    ADD COLUMN IF NOT EXISTS clock_offset_ms Int64 DEFAULT 0,
    ADD COLUMN IF NOT EXISTS parent_executable String DEFAULT ''`;

/** Rows of one sender lie together, so a granule holds few of either. */
const EVENT_INDEXES = `ALTER TABLE events
    ADD INDEX IF NOT EXISTS origin_index origin TYPE set(16) GRANULARITY 1,
    ADD INDEX IF NOT EXISTS destination_index destination_address TYPE bloom_filter(0.01) GRANULARITY 1`;

/**
 * One row a flow record toward or from a known host; `destination` is the host, `port` its own, 0 for ICMP.
 * `outcome`: refused, unanswered, established, answered (a record that the host sent).
 */
const ATTEMPTS = `
  CREATE TABLE IF NOT EXISTS attempts (
    at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    received_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    exporter IPv6,
    source IPv6,
    source_port UInt16,
    destination IPv6,
    port UInt16,
    protocol UInt8,
    outcome LowCardinality(String),
    tcp_flags UInt8,
    packets UInt64,
    bytes UInt64,
    sampling_rate UInt32
  )
  ENGINE = MergeTree
  PARTITION BY toDate(received_at)
  ORDER BY (destination, at, source)
  SETTINGS ttl_only_drop_parts = 1`;

export const statements = [EVENT_COLUMNS, EVENT_INDEXES, ATTEMPTS] as const;
