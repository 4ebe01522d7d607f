// conversations by the hour, for days whose minutes are gone: the addresses stay, so that an answer about one host stays possible

/** Ordered by internal address first: what is asked of old days is about a host. */
const CONVERSATION_HOURS = `
  CREATE TABLE IF NOT EXISTS conversation_hours (
    hour DateTime('UTC') CODEC(Delta, ZSTD(1)),
    exporter IPv6 CODEC(ZSTD(1)),
    interface UInt32 CODEC(ZSTD(1)),
    internal IPv6 CODEC(ZSTD(1)),
    external IPv6 CODEC(ZSTD(1)),
    external_port UInt16 CODEC(ZSTD(1)),
    protocol UInt8,
    minutes UInt8,
    out_bytes UInt64 CODEC(T64, ZSTD(1)),
    out_packets UInt64 CODEC(T64, ZSTD(1)),
    out_flows UInt64 CODEC(T64, ZSTD(1)),
    in_bytes UInt64 CODEC(T64, ZSTD(1)),
    in_packets UInt64 CODEC(T64, ZSTD(1)),
    in_flows UInt64 CODEC(T64, ZSTD(1)),
    sampling_rate UInt32,
    tcp_flags UInt16,
    translated IPv6 CODEC(ZSTD(1)),
    asn UInt32,
    category LowCardinality(String)
  )
  ENGINE = MergeTree
  PARTITION BY toDate(hour)
  ORDER BY (internal, external, external_port, protocol, hour)
  SETTINGS ttl_only_drop_parts = 1`;

export const statements = [CONVERSATION_HOURS] as const;
