// conversations in order of the internal address within a day: a host's days are a few places on disk, not one an hour
//
// A copy, since ClickHouse cannot change the order of a table. Every step can be repeated: until the tables change names
// the old one is whole, and from then on the new one is.

const BY_HOST = `
  CREATE TABLE conversations_by_host (
    minute DateTime('UTC') CODEC(Delta, ZSTD(1)),
    exporter IPv6 CODEC(ZSTD(1)),
    interface UInt32 CODEC(ZSTD(1)),
    internal IPv6 CODEC(ZSTD(1)),
    external IPv6 CODEC(ZSTD(1)),
    external_port UInt16 CODEC(ZSTD(1)),
    protocol UInt8 CODEC(ZSTD(1)),
    out_bytes UInt64 CODEC(T64, ZSTD(1)),
    out_packets UInt64 CODEC(T64, ZSTD(1)),
    out_flows UInt64 CODEC(T64, ZSTD(1)),
    in_bytes UInt64 CODEC(T64, ZSTD(1)),
    in_packets UInt64 CODEC(T64, ZSTD(1)),
    in_flows UInt64 CODEC(T64, ZSTD(1)),
    sampling_rate UInt32 CODEC(ZSTD(1)),
    tcp_flags UInt16 CODEC(ZSTD(1)),
    translated IPv6 CODEC(ZSTD(1)),
    asn UInt32 CODEC(ZSTD(1)),
    category LowCardinality(String),
    INDEX external_index external TYPE bloom_filter(0.01) GRANULARITY 1
  )
  ENGINE = MergeTree
  PARTITION BY toDate(minute)
  ORDER BY (internal, external, external_port, protocol, minute)
  SETTINGS ttl_only_drop_parts = 1`;

const VIEW = `
  CREATE MATERIALIZED VIEW IF NOT EXISTS exporter_minutes_view TO exporter_minutes AS
  SELECT minute, exporter, interface, sum(out_packets) AS out_packets, sum(in_packets) AS in_packets
  FROM conversations GROUP BY minute, exporter, interface`;

export const statements = [
  'DROP TABLE IF EXISTS conversations_by_hour',
  'DROP TABLE IF EXISTS conversations_by_host',
  BY_HOST,
  'INSERT INTO conversations_by_host SELECT * FROM conversations SETTINGS max_partitions_per_insert_block = 0',
  'DROP VIEW IF EXISTS exporter_minutes_view',
  'RENAME TABLE conversations TO conversations_by_hour, conversations_by_host TO conversations',
  VIEW,
  'DROP TABLE IF EXISTS conversations_by_hour',
] as const;
