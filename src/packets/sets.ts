// the sets of a v9 packet or IPFIX message -> templates learned, options remembered, flow records handed to a sink
import type { Domain } from './domain.ts';
import { readOptions } from './options.ts';
import type { Packet } from './packet.ts';
import type { ExporterSession } from './session.ts';
import { expire, findTemplate, readTemplateSet, type Template } from './template.ts';
import { takeWaiting, wait } from './waiting.ts';

/** Where records go. Both return the number of whole records; below 0, minus one minus that number: one ran past the end. */
export interface RecordSink {
  readonly flows: (
    session: ExporterSession,
    template: Template,
    packet: Packet,
    start: number,
    end: number,
  ) => number;
  /** Called besides the session's own reading of options. */
  readonly options?: (
    session: ExporterSession,
    template: Template,
    packet: Packet,
    start: number,
    end: number,
  ) => void;
}

/** Reads sets from `offset` on; returns the data records seen, or -1 where some could not be counted. */
export function readSets(
  session: ExporterSession,
  packet: Packet,
  domain: Domain,
  offset: number,
  end: number,
  sink: RecordSink,
): number {
  const { view } = packet;
  const { malformed } = session.counters;
  let position = offset;
  let records = 0;
  while (position < end) {
    // PAN-OS and Cisco ACI fill the rest of the datagram with zeros.
    if (view.getUint8(position) === 0 && isZero(packet.bytes, position, end)) break;
    if (position + 4 > end) {
      malformed['set-length']++;
      return -1;
    }
    const id = view.getUint16(position);
    const length = view.getUint16(position + 2);
    if (length < 4 || position + length > end) {
      malformed['set-length']++;
      return -1;
    }
    const read = readSet(session, packet, domain, id, position + 4, position + length, sink);
    records = read < 0 || records < 0 ? -1 : records + read;
    position += length;
  }
  return records;
}

function readSet(
  session: ExporterSession,
  packet: Packet,
  domain: Domain,
  id: number,
  start: number,
  end: number,
  sink: RecordSink,
): number {
  const first = packet.version === 10 ? 2 : 0;
  if (id === first || id === first + 1) {
    readTemplateSet(session, packet, domain, start, end, id === first + 1, (template) =>
      readWaiting(session, template, packet.receivedAtMs, sink),
    );
    return 0;
  }
  if (id < 256) {
    session.counters.malformed['reserved-set']++;
    return 0;
  }
  const template = findTemplate(domain, id);
  if (template && !expire(session, template, packet.receivedAtMs))
    return readData(session, template, packet, start, end, sink);
  wait(session, packet, domain, id, start, end);
  return -1;
}

function readWaiting(session: ExporterSession, template: Template, nowMs: number, sink: RecordSink): void {
  for (const set of takeWaiting(session, template.domain, template.id, nowMs)) {
    session.counters.decodedLate++;
    readData(session, template, set.packet, set.start, set.end, sink);
  }
}

function readData(
  session: ExporterSession,
  template: Template,
  packet: Packet,
  start: number,
  end: number,
  sink: RecordSink,
): number {
  const { counters } = session;
  let records: number;
  if (template.isOptions) {
    records = readOptions(session, template.domain, template, packet, start, end);
    sink.options?.(session, template, packet, start, end);
    counters.optionsRecords += whole(records);
  } else {
    records = sink.flows(session, template, packet, start, end);
    counters.records += whole(records);
  }
  if (records < 0) counters.malformed['record-overrun']++;
  else if (records === 0 && start < end) counters.malformed['short-set']++;
  return records < 0 ? -1 : records;
}

/** Whole records, whether or not one ran past the end behind them. */
export const whole = (records: number) => (records < 0 ? -1 - records : records);

function isZero(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i] !== 0) return false;
  return true;
}
