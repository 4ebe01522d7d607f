// the columns in which attempts toward known hosts leave a collector thread

/**
 * `count` rows as columns, one a record and view of the client. Addresses take four 32-bit words, IPv4 mapped. `destination`
 * is the host, `port` its own (0 for ICMP); packets and bytes are of the record's own direction, as exported.
 */
export interface AttemptBatch {
  readonly count: number;
  /** Start of the flow by our clock, epoch milliseconds. */
  readonly atMs: Float64Array;
  readonly receivedAtMs: Float64Array;
  readonly exporter: Uint32Array;
  readonly source: Uint32Array;
  readonly destination: Uint32Array;
  readonly sourcePort: Uint16Array;
  readonly port: Uint16Array;
  readonly protocol: Uint8Array;
  /** Places in OUTCOMES. */
  readonly outcome: Uint8Array;
  readonly tcpFlags: Uint8Array;
  readonly packets: Float64Array;
  readonly bytes: Float64Array;
  readonly samplingRate: Uint32Array;
}

export function createAttemptBatch(count: number): AttemptBatch {
  return {
    count,
    atMs: new Float64Array(count),
    receivedAtMs: new Float64Array(count),
    exporter: new Uint32Array(count * 4),
    source: new Uint32Array(count * 4),
    destination: new Uint32Array(count * 4),
    sourcePort: new Uint16Array(count),
    port: new Uint16Array(count),
    protocol: new Uint8Array(count),
    outcome: new Uint8Array(count),
    tcpFlags: new Uint8Array(count),
    packets: new Float64Array(count),
    bytes: new Float64Array(count),
    samplingRate: new Uint32Array(count),
  };
}

/** The first rows of several batches, one after the other. */
export function joinAttempts(
  parts: readonly { readonly rows: AttemptBatch; readonly count: number }[],
): AttemptBatch {
  const joined = createAttemptBatch(parts.reduce((sum, { count }) => sum + count, 0));
  let from = 0;
  for (const { rows, count } of parts) {
    for (const name of Object.keys(rows) as (keyof AttemptBatch)[]) {
      const [to, column] = [joined[name], rows[name]];
      if (typeof to === 'number' || typeof column === 'number') continue;
      const width = column.length / rows.count;
      to.set(column.subarray(0, count * width), from * width);
    }
    from += count;
  }
  return joined;
}
