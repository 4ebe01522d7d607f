// one export datagram of any version -> header read and checked, records handed to a sink
import { type Domain, domainOf } from './domain.ts';
import { readLegacyRecords } from './legacy.ts';
import type { Packet } from './packet.ts';
import { follow } from './sequence.ts';
import type { ExporterSession } from './session.ts';
import { type RecordSink, readSets } from './sets.ts';
import { readSflow } from './sflow.ts';
import { createTemplate, type Template } from './template.ts';

/** By version. */
const HEADER_BYTES: Readonly<Record<number, number>> = { 1: 16, 5: 24, 7: 24, 9: 20, 10: 16 };

/** Never throws; what cannot be read is counted in session.counters and the rest goes on. */
export function readDatagram(
  session: ExporterSession,
  datagram: Uint8Array,
  receivedAtMs: number,
  sink: RecordSink,
): void {
  const { counters } = session;
  counters.datagrams++;
  counters.bytes += datagram.length;
  const version = datagram.length < 2 ? 0 : datagram[0] * 256 + datagram[1];
  if (version === 0 && isSflow(datagram)) {
    const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.length);
    readSflow(session, datagram, view, receivedAtMs, sink);
    return;
  }
  const headerBytes = HEADER_BYTES[version];
  if (headerBytes === undefined || datagram.length < headerBytes) {
    counters.malformed[datagram.length < (headerBytes ?? 2) ? 'short-datagram' : 'unknown-version']++;
    return;
  }
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.length);
  if (version === 5) readV5(session, datagram, view, receivedAtMs, sink);
  else if (version === 9) readV9(session, datagram, view, receivedAtMs, sink);
  else if (version === 1 || version === 7) readLegacy(session, datagram, view, version, receivedAtMs, sink);
  else readIpfix(session, datagram, view, receivedAtMs, sink);
}

/** Its version is 32 bits wide, so what others have as version is 0. */
const isSflow = (bytes: Uint8Array) => bytes.length >= 28 && bytes[2] === 0 && bytes[3] === 5;

/** What all versions do once a header is read: note how far the exporter's clock is off, and find its observation domain. */
function begin(session: ExporterSession, packet: Packet): Domain {
  session.counters.clockOffsetMs = packet.receivedAtMs - packet.exportMs;
  return domainOf(session, packet.version, packet.domainId);
}

const V5_RECORD_BYTES = 48;
/** Cisco, NetFlow Export Datagram Formats, table B-4: element ids and lengths of a v5 record, 210 for its padding. */
const V5_FIELDS = [
  [8, 4],
  [12, 4],
  [15, 4],
  [10, 2],
  [14, 2],
  [2, 4],
  [1, 4],
  [22, 4],
  [21, 4],
  [7, 2],
  [11, 2],
  [210, 1],
  [6, 1],
  [4, 1],
  [5, 1],
  [16, 2],
  [17, 2],
  [9, 1],
  [13, 1],
  [210, 2],
];

/** Cisco, NetFlow Export Datagram Formats, table B-3: at most 30 records; bytes behind the last are ignored. */
function readV5(
  session: ExporterSession,
  bytes: Uint8Array,
  view: DataView,
  receivedAtMs: number,
  sink: RecordSink,
): void {
  const { counters } = session;
  const count = view.getUint16(2);
  const end = HEADER_BYTES[5] + count * V5_RECORD_BYTES;
  if (count === 0 || end > bytes.length) {
    counters.malformed['record-count']++;
    return;
  }
  const packet: Packet = {
    version: 5,
    view,
    bytes,
    domainId: view.getUint16(20),
    exportMs: view.getUint32(8) * 1000 + Math.floor(view.getUint32(12) / 1e6),
    uptimeMs: view.getUint32(4),
    sequence: view.getUint32(16),
    receivedAtMs,
    // Two bits of mode, 14 of interval; some exporters leave the mode 0.
    samplingRate: view.getUint16(22) & 0x3fff,
  };
  const domain = begin(session, packet);
  counters.records += sink.flows(session, v5Template(domain), packet, HEADER_BYTES[5], end);
  follow(domain.sequence, counters, packet.sequence, { all: count }, packet.uptimeMs);
}

/** v1 and v7 (Catalyst) have no engine and no sampling; v1 has no sequence number. */
function readLegacy(
  session: ExporterSession,
  datagram: Uint8Array,
  header: DataView,
  version: 1 | 7,
  receivedAtMs: number,
  sink: RecordSink,
): void {
  const { counters } = session;
  const bytes = readLegacyRecords(session, datagram, version);
  if (!bytes) return;
  const packet: Packet = {
    version,
    view: new DataView(bytes.buffer),
    bytes,
    domainId: 0,
    exportMs: header.getUint32(8) * 1000 + Math.floor(header.getUint32(12) / 1e6),
    uptimeMs: header.getUint32(4),
    sequence: version === 7 ? header.getUint32(16) : 0,
    receivedAtMs,
    samplingRate: 0,
  };
  const domain = begin(session, packet);
  counters.records += sink.flows(session, v5Template(domain), packet, 0, bytes.length);
  if (version !== 7) return;
  const count = bytes.length / V5_RECORD_BYTES;
  follow(domain.sequence, counters, packet.sequence, { all: count }, packet.uptimeMs);
}

/** v5 as a template, kept in its domain so that all versions share one reader; costs nothing of the template bounds. */
function v5Template(domain: Domain): Template {
  const known = domain.templates.get(5);
  if (known) return known;
  const fields = Uint32Array.from(V5_FIELDS.flatMap(([id, length]) => [id, length, 0]));
  const template = { ...createTemplate(domain, 5, fields, 0, false), byteCount: 0 };
  domain.templates.set(5, template);
  return template;
}

const ONE_PACKET = { all: 1 };

/** RFC 3954 section 5.1. The header's count is not relied on: exporters disagree whether it counts sets or records. */
function readV9(
  session: ExporterSession,
  bytes: Uint8Array,
  view: DataView,
  receivedAtMs: number,
  sink: RecordSink,
): void {
  const { counters } = session;
  const packet: Packet = {
    version: 9,
    view,
    bytes,
    domainId: view.getUint32(16),
    exportMs: view.getUint32(8) * 1000,
    uptimeMs: view.getUint32(4),
    sequence: view.getUint32(12),
    receivedAtMs,
    samplingRate: 0,
  };
  const domain = begin(session, packet);
  readSets(session, packet, domain, 20, bytes.length, sink);
  follow(domain.sequence, counters, packet.sequence, ONE_PACKET, packet.uptimeMs);
}

/** RFC 7011 section 3.1. A message that says it is longer than the datagram is read as far as whole sets go. */
function readIpfix(
  session: ExporterSession,
  bytes: Uint8Array,
  view: DataView,
  receivedAtMs: number,
  sink: RecordSink,
): void {
  const { counters } = session;
  const length = view.getUint16(2);
  const isShort = length > bytes.length;
  if (isShort || length < 16) counters.malformed['message-length']++;
  if (length < 16) return;
  const packet: Packet = {
    version: 10,
    view,
    bytes,
    domainId: view.getUint32(12),
    exportMs: view.getUint32(4) * 1000,
    uptimeMs: 0,
    sequence: view.getUint32(8),
    receivedAtMs,
    samplingRate: 0,
  };
  const domain = begin(session, packet);
  const before = counters.records;
  const records = readSets(session, packet, domain, 16, Math.min(length, bytes.length), sink);
  const units = { all: isShort ? -1 : records, flows: counters.records - before };
  follow(domain.sequence, counters, packet.sequence, units, 0);
}
