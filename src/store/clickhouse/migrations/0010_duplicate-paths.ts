// which paths (exporter and interface) show the packets that an elected one shows, and since when

/**
 * `until` is the end of time while it is so. A share of 0: not in that direction. The latest row of a key counts; what is
 * in force is written again at every look, so what is old has long ended.
 */
const DUPLICATE_PATHS = `
  CREATE TABLE IF NOT EXISTS duplicate_paths (
    exporter IPv6,
    interface UInt32,
    elected_exporter IPv6,
    elected_interface UInt32,
    since DateTime('UTC'),
    until DateTime('UTC'),
    found_at DateTime('UTC'),
    share_out Float32,
    share_in Float32,
    sampling_rate UInt32,
    is_whole UInt8,
    missed UInt8,
    challenged UInt8,
    updated_at DateTime64(3, 'UTC')
  )
  ENGINE = ReplacingMergeTree(updated_at)
  ORDER BY (exporter, interface, elected_exporter, elected_interface, since)
  TTL toDateTime(updated_at) + INTERVAL 800 DAY`;

export const statements = [DUPLICATE_PATHS] as const;
