// the columns in which events of address translation leave a collector thread

export const CREATED = 1;
export const DELETED = 2;

/**
 * `count` events as columns. Addresses take four 32-bit words, IPv4 mapped (RFC 4291 section 2.5.5.2); an `external` of zeros
 * is none: the exporter logs the binding or the block of ports, not each session.
 */
export interface TranslationBatch {
  readonly count: number;
  /** By our clock, epoch milliseconds. */
  readonly atMs: Float64Array;
  readonly receivedAtMs: Float64Array;
  readonly exporter: Uint32Array;
  /** CREATED or DELETED. */
  readonly event: Uint8Array;
  readonly internal: Uint32Array;
  readonly translated: Uint32Array;
  /** As the translated side reaches it: behind a translation of the destination, too. */
  readonly external: Uint32Array;
  readonly internalPort: Uint16Array;
  /** 0: all, or none is named. */
  readonly translatedPort: Uint16Array;
  /** The same as translatedPort, but for a block of ports. */
  readonly translatedPortEnd: Uint16Array;
  readonly externalPort: Uint16Array;
  /** Of the translated side; 0: all. */
  readonly protocol: Uint8Array;
}

export function createTranslationBatch(count: number): TranslationBatch {
  return {
    count,
    atMs: new Float64Array(count),
    receivedAtMs: new Float64Array(count),
    exporter: new Uint32Array(count * 4),
    event: new Uint8Array(count),
    internal: new Uint32Array(count * 4),
    translated: new Uint32Array(count * 4),
    external: new Uint32Array(count * 4),
    internalPort: new Uint16Array(count),
    translatedPort: new Uint16Array(count),
    translatedPortEnd: new Uint16Array(count),
    externalPort: new Uint16Array(count),
    protocol: new Uint8Array(count),
  };
}

/** A copy of the first `count` rows. */
export function firstTranslations(rows: TranslationBatch, count: number): TranslationBatch {
  const width = (column: ArrayLike<number>) => column.length / rows.count;
  const columns = Object.entries(rows).flatMap(([name, column]) =>
    typeof column === 'number' ? [] : [[name, column.slice(0, count * width(column))] as const],
  );
  return { ...(Object.fromEntries(columns) as unknown as TranslationBatch), count };
}
