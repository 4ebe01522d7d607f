// what a watch asks of all traffic, kept small: which exporters and interfaces showed traffic when, and where a rare address was seen

const EXPORTER_MINUTES = `
  CREATE TABLE IF NOT EXISTS exporter_minutes (
    minute DateTime('UTC') CODEC(Delta, ZSTD(1)),
    exporter IPv6,
    interface UInt32,
    out_packets UInt64,
    in_packets UInt64
  )
  ENGINE = SummingMergeTree
  PARTITION BY toYYYYMM(minute)
  ORDER BY (minute, exporter, interface)
  SETTINGS ttl_only_drop_parts = 1`;

/** Filled by every insert into conversations. */
const EXPORTER_MINUTES_VIEW = `
  CREATE MATERIALIZED VIEW IF NOT EXISTS exporter_minutes_view TO exporter_minutes AS
  SELECT minute, exporter, interface, sum(out_packets) AS out_packets, sum(in_packets) AS in_packets
  FROM conversations GROUP BY minute, exporter, interface`;

/** A destination that is new or rare is found without reading every granule. */
const EXTERNAL_INDEX = `
  ALTER TABLE conversations ADD INDEX IF NOT EXISTS external_index external TYPE bloom_filter(0.01) GRANULARITY 1`;

export const statements = [EXPORTER_MINUTES, EXPORTER_MINUTES_VIEW, EXTERNAL_INDEX] as const;
