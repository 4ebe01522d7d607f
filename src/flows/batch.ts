// the columns in which conversations leave a collector thread: transferable, and read by the store and by `audit`
import { formatAddress } from '../model/addresses.ts';
import { CATEGORIES } from '../model/enrichment.ts';
import type { Conversation } from '../model/flow.ts';
import { SAMPLING_ORIGINS } from '../packets/records.ts';
import type { AttemptBatch } from './attempt-batch.ts';
import type { TranslationBatch } from './translation-batch.ts';

/**
 * `count` conversations as columns. Addresses take four 32-bit words, IPv4 mapped (RFC 4291 section 2.5.5.2); an all-zero
 * `translated` is none. The same conversation may come again in a later batch: readers sum.
 */
export interface ConversationBatch {
  readonly count: number;
  /** Address texts; column `exporter` holds places in this list. */
  readonly exporters: readonly string[];
  /** 1 at the places of exporters that came a moment ago and may be forged; missing: none. */
  readonly strangers?: Uint8Array;
  /** Minutes since the epoch. */
  readonly minute: Uint32Array;
  readonly exporter: Uint16Array;
  readonly interface: Uint32Array;
  readonly internal: Uint32Array;
  readonly external: Uint32Array;
  readonly translated: Uint32Array;
  readonly externalPort: Uint16Array;
  readonly protocol: Uint8Array;
  readonly tcpFlags: Uint8Array;
  readonly outBytes: Float64Array;
  readonly outPackets: Float64Array;
  readonly inBytes: Float64Array;
  readonly inPackets: Float64Array;
  readonly outFlows: Uint32Array;
  readonly inFlows: Uint32Array;
  readonly samplingRate: Uint32Array;
  /** Places in SAMPLING_ORIGINS. */
  readonly samplingOrigin: Uint8Array;
  /** As in Conversation. */
  readonly internalPorts: Uint32Array;
  readonly asn: Uint32Array;
  /** Places in CATEGORIES. */
  readonly category: Uint8Array;
}

export function createBatch(count: number, exporters: readonly string[]): ConversationBatch {
  return {
    count,
    exporters,
    minute: new Uint32Array(count),
    exporter: new Uint16Array(count),
    interface: new Uint32Array(count),
    internal: new Uint32Array(count * 4),
    external: new Uint32Array(count * 4),
    translated: new Uint32Array(count * 4),
    externalPort: new Uint16Array(count),
    protocol: new Uint8Array(count),
    tcpFlags: new Uint8Array(count),
    outBytes: new Float64Array(count),
    outPackets: new Float64Array(count),
    inBytes: new Float64Array(count),
    inPackets: new Float64Array(count),
    outFlows: new Uint32Array(count),
    inFlows: new Uint32Array(count),
    samplingRate: new Uint32Array(count),
    samplingOrigin: new Uint8Array(count),
    internalPorts: new Uint32Array(count),
    asn: new Uint32Array(count),
    category: new Uint8Array(count),
  };
}

/** The buffers of a batch, to be transferred instead of copied by postMessage. */
export function batchBuffers(batch: ConversationBatch | AttemptBatch | TranslationBatch): ArrayBuffer[] {
  return Object.values(batch).flatMap((column) =>
    ArrayBuffer.isView(column) ? [column.buffer as ArrayBuffer] : [],
  );
}

/** "192.0.2.1" or RFC 5952 text of the address at place `row` of an address column. */
export function addressText(column: Uint32Array, row: number): string {
  const at = row * 4;
  const last = column[at + 3];
  if (column[at] === 0 && column[at + 1] === 0 && column[at + 2] === 0xffff) return formatAddress(last);
  let value = 0n;
  for (let word = 0; word < 4; word++) value = (value << 32n) | BigInt(column[at + word]);
  return formatAddress(value);
}

function hasTranslated(batch: ConversationBatch, row: number): boolean {
  const at = row * 4;
  const words = batch.translated;
  return (words[at] | words[at + 1] | words[at + 2] | words[at + 3]) !== 0;
}

/** One row as the model's noun; for tests and small amounts. */
function conversationAt(batch: ConversationBatch, row: number): Conversation {
  return {
    minuteMs: batch.minute[row] * 60_000,
    exporter: batch.exporters[batch.exporter[row]],
    interface: batch.interface[row],
    internal: addressText(batch.internal, row),
    external: addressText(batch.external, row),
    externalPort: batch.externalPort[row],
    protocol: batch.protocol[row],
    outBytes: batch.outBytes[row],
    outPackets: batch.outPackets[row],
    outFlows: batch.outFlows[row],
    inBytes: batch.inBytes[row],
    inPackets: batch.inPackets[row],
    inFlows: batch.inFlows[row],
    samplingRate: batch.samplingRate[row],
    samplingOrigin: SAMPLING_ORIGINS[batch.samplingOrigin[row]],
    internalPorts: batch.internalPorts[row],
    tcpFlags: batch.tcpFlags[row],
    ...(hasTranslated(batch, row) && { translated: addressText(batch.translated, row) }),
    asn: batch.asn[row],
    category: CATEGORIES[batch.category[row]],
  };
}

export function* conversations(batch: ConversationBatch): Generator<Conversation> {
  for (let row = 0; row < batch.count; row++) yield conversationAt(batch, row);
}
