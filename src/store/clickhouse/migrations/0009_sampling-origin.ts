// who states a sampling rate, and a sketch of the internal side's ports by which the flows of two exporters are compared

/** As SAMPLING_ORIGINS of src/packets/records.ts; what was stored before does not say. */
const ORIGIN = `Enum8('none' = 0, 'header' = 1, 'record' = 2, 'sampler' = 3, 'interface' = 4, 'exporter' = 5, 'setting' = 6, 'unknown' = 7)
  DEFAULT 'unknown' CODEC(ZSTD(1))`;

export const statements = [
  `ALTER TABLE conversations ADD COLUMN IF NOT EXISTS sampling_origin ${ORIGIN} AFTER sampling_rate`,
  'ALTER TABLE conversations ADD COLUMN IF NOT EXISTS internal_ports UInt32 CODEC(ZSTD(1))',
  `ALTER TABLE conversation_hours ADD COLUMN IF NOT EXISTS sampling_origin ${ORIGIN} AFTER sampling_rate`,
] as const;
