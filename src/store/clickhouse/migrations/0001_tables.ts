// the tables of what machines report; retention is applied separately (retention.ts)

/**
 * Addresses are IPv6 with IPv4 mapped; `translated` is :: where there is none.
 * Ordered by hour, then internal address: a watch asks for internal ranges in a window of time, and the site for all of them.
 */
const CONVERSATIONS = `
  CREATE TABLE IF NOT EXISTS conversations (
    minute DateTime('UTC') CODEC(Delta, ZSTD(1)),
    exporter IPv6,
    interface UInt32,
    internal IPv6,
    external IPv6,
    external_port UInt16,
    protocol UInt8,
    out_bytes UInt64 CODEC(T64, ZSTD(1)),
    out_packets UInt64 CODEC(T64, ZSTD(1)),
    out_flows UInt64 CODEC(T64, ZSTD(1)),
    in_bytes UInt64 CODEC(T64, ZSTD(1)),
    in_packets UInt64 CODEC(T64, ZSTD(1)),
    in_flows UInt64 CODEC(T64, ZSTD(1)),
    sampling_rate UInt32,
    tcp_flags UInt16,
    translated IPv6,
    asn UInt32,
    category LowCardinality(String)
  )
  ENGINE = MergeTree
  PARTITION BY toDate(minute)
  ORDER BY (toStartOfHour(minute), internal, external, external_port, protocol, minute)
  SETTINGS ttl_only_drop_parts = 1`;

/**
 * Partitioned by the time of receipt, because the time that a line states can be anything; bound both in questions.
 * Ordered by kind: the rare kinds are what is asked for. `severity` and `facility` are -1 where the line has none.
 */
const EVENTS = `
  CREATE TABLE IF NOT EXISTS events (
    received_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    observed_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    kind LowCardinality(String),
    sender IPv6,
    host String,
    program LowCardinality(String),
    severity Int8 DEFAULT -1,
    facility Int16 DEFAULT -1,
    user String,
    source_address String,
    command String,
    message String CODEC(ZSTD(3)),
    raw String CODEC(ZSTD(3))
  )
  ENGINE = MergeTree
  PARTITION BY toDate(received_at)
  ORDER BY (kind, sender, observed_at)
  SETTINGS ttl_only_drop_parts = 1`;

export const statements = [CONVERSATIONS, EVENTS] as const;
