// log lines found by their text and by when they came, and what each sender sent

/**
 * Words of a line, in lower case, for a search of a part of it; a granule is 8,192 lines, so 64 KiB of filter are few.
 * Rows lie by kind and sender, in order of time within: a granule spans little time.
 */
const SEARCH = `ALTER TABLE events
    ADD INDEX IF NOT EXISTS received_index received_at TYPE minmax GRANULARITY 1,
    ADD INDEX IF NOT EXISTS raw_index lower(raw) TYPE ngrambf_v1(4, 65536, 2, 0) GRANULARITY 1`;

/**
 * A row a day, sender, stated name and certificate, once merged. `host` is empty where the sender speaks for itself only.
 * Offsets are the sender's clock minus ours, as last measured.
 */
const SENDERS = `
  CREATE TABLE IF NOT EXISTS senders (
    day Date,
    sender IPv6,
    host String,
    identity String,
    origin SimpleAggregateFunction(anyLast, String),
    origin_basis SimpleAggregateFunction(anyLast, String),
    lines SimpleAggregateFunction(sum, UInt64),
    unread SimpleAggregateFunction(sum, UInt64),
    dropped SimpleAggregateFunction(sum, UInt64),
    refused SimpleAggregateFunction(sum, UInt64),
    last_at SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    zoned_offset_ms SimpleAggregateFunction(anyLast, Int64),
    zoneless_offset_ms SimpleAggregateFunction(anyLast, Int64),
    zone_minutes SimpleAggregateFunction(anyLast, Int32)
  )
  ENGINE = AggregatingMergeTree
  PARTITION BY toMonday(day)
  ORDER BY (sender, host, identity, day)
  SETTINGS ttl_only_drop_parts = 1`;

export const statements = [SEARCH, SENDERS] as const;
