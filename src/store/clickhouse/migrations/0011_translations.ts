// what exporters tell of the translations of addresses (RFC 8158, NSEL), and which addresses internal ones appear as

/**
 * One row an event. `external` is :: where the exporter logs bindings or blocks of ports; port 0 is all.
 * Ordered as conversations are: a watch asks for internal ranges in a window of time. Who else appears as an address is asked by
 * that address, which the index finds.
 */
const TRANSLATIONS = `
  CREATE TABLE IF NOT EXISTS translations (
    at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    received_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    exporter IPv6,
    event Enum8('created' = 1, 'deleted' = 2),
    internal IPv6,
    internal_port UInt16,
    translated IPv6,
    translated_port UInt16,
    translated_port_end UInt16,
    external IPv6,
    external_port UInt16,
    protocol UInt8,
    INDEX translated_index translated TYPE bloom_filter(0.01) GRANULARITY 1
  )
  ENGINE = MergeTree
  PARTITION BY toDate(at)
  ORDER BY (toStartOfHour(at), internal, translated, at)
  SETTINGS ttl_only_drop_parts = 1`;

const TRANSLATED_ADDRESSES = `
  CREATE TABLE IF NOT EXISTS translated_addresses (
    day Date,
    exporter IPv6,
    translated IPv6,
    events UInt64
  )
  ENGINE = SummingMergeTree
  PARTITION BY toYYYYMM(day)
  ORDER BY (day, exporter, translated)
  SETTINGS ttl_only_drop_parts = 1`;

/** Filled by every insert into translations. */
const TRANSLATED_ADDRESSES_VIEW = `
  CREATE MATERIALIZED VIEW IF NOT EXISTS translated_addresses_view TO translated_addresses AS
  SELECT toDate(at) AS day, exporter, translated, count() AS events FROM translations GROUP BY day, exporter, translated`;

export const statements = [TRANSLATIONS, TRANSLATED_ADDRESSES, TRANSLATED_ADDRESSES_VIEW] as const;
