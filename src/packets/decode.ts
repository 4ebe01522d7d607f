// datagram -> columns of records (v5, v9, IPFIX; v1 and v7 through the optional decoder)
import { readDatagram } from './datagram.ts';
import { defaultRate, interfaceRates } from './domain.ts';
import type { Packet } from './packet.ts';
import { type ReadContext, type Reader, readerOf } from './reader.ts';
import { HAS, type RecordColumns } from './records.ts';
import type { ExporterSession } from './session.ts';
import type { Template } from './template.ts';

/**
 * Appends the datagram's flow records to `columns`, calling onFull whenever columns.count reaches the capacity; onFull must
 * take the records and set the count to 0. Never throws on any bytes: what cannot be read is counted in session.counters.
 * The datagram's memory may be reused after the call. Data sets that waited for a template of this datagram come out too.
 */
export function decodeDatagram(
  session: ExporterSession,
  datagram: Uint8Array,
  receivedAtMs: number,
  columns: RecordColumns,
  onFull: () => void,
): void {
  readDatagram(session, datagram, receivedAtMs, {
    flows: (_session, template, packet, start, end) =>
      readFlows(session, template, packet, start, end, columns, onFull),
  });
}

/** Writes the flow records of a data set into columns; returns as RecordSink.flows does. */
export function readFlows(
  session: ExporterSession,
  template: Template,
  packet: Packet,
  start: number,
  end: number,
  columns: RecordColumns,
  onFull: () => void,
): number {
  const reader = template.reader ?? makeReader(session, template, packet.receivedAtMs);
  if (!reader) {
    session.counters.dropped++;
    return 0;
  }
  const rates = interfaceRates(session, template.domain);
  const rate = packet.samplingRate > 0 ? packet.samplingRate : defaultRate(session, template.domain);
  const context = contextOf(session, template, packet, rates ? 0 : rate);
  let records = 0;
  let offset = start;
  while (true) {
    const before = columns.count;
    offset = reader(packet.view, offset, end, columns, context, columns.capacity - before);
    records += columns.count - before;
    if (rates) applyInterfaceRates(columns, before, rates, rate);
    if (columns.count < columns.capacity) break;
    onFull();
    if (offset < 0) break;
  }
  return offset < 0 ? -1 - records : records;
}

function makeReader(session: ExporterSession, template: Template, nowMs: number): Reader | undefined {
  template.reader = readerOf(template.fields, () => {
    const minute = Math.floor(nowMs / 60_000);
    if (session.readerMinute !== minute) {
      session.readerMinute = minute;
      session.readersInMinute = 0;
    }
    return session.readersInMinute++ < session.limits.readersPerMinute;
  });
  return template.reader;
}

function contextOf(
  session: ExporterSession,
  { domain }: Template,
  packet: Packet,
  rate: number,
): ReadContext {
  const isIpfix = packet.version === 10;
  return {
    session,
    domain,
    exportMs: packet.exportMs,
    uptimeMs: isIpfix ? packet.exportMs - domain.systemInitMs : packet.uptimeMs,
    hasUptime: !isIpfix || domain.systemInitMs > 0,
    rate,
    domainRate: domain.sampling.rate,
  };
}

/** Rates that options give by interface, for records that state none of their own. */
function applyInterfaceRates(
  columns: RecordColumns,
  from: number,
  rates: Map<number, number>,
  otherwise: number,
): void {
  const { present, inputInterface, outputInterface, samplingRate, count } = columns;
  for (let i = from; i < count; i++) {
    if (present[i] & HAS.sampling) continue;
    const rate = rates.get(inputInterface[i]) ?? rates.get(outputInterface[i]) ?? otherwise;
    if (rate === 0) continue;
    samplingRate[i] = rate;
    present[i] |= HAS.sampling;
  }
}
