// datagram -> columns of records (v5, v9, IPFIX; v1 and v7 through the optional decoder)
import { readDatagram } from './datagram.ts';
import { defaultOrigin, defaultRate, interfaceRates, systemInitOf } from './domain.ts';
import type { Packet } from './packet.ts';
import { type ReadContext, type Reader, readerOf } from './reader.ts';
import { originCode, type RecordColumns } from './records.ts';
import { hold, isSpent, mayMakeReader } from './room.ts';
import type { ExporterSession } from './session.ts';
import type { Template } from './template.ts';

const HEADER = originCode('header');
const EXPORTER = originCode('exporter');
const INTERFACE = originCode('interface');

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
  const rates = session.hasRates ? interfaceRates(session, template.domain) : undefined;
  const { rate, origin } = rateOfSet(session, template, packet);
  const context = contextOf(session, template, packet, rates ? 0 : rate, rates ? 0 : origin);
  let records = 0;
  let offset = start;
  while (true) {
    const before = columns.count;
    offset = reader(packet.view, offset, end, columns, context, columns.capacity - before);
    records += columns.count - before;
    if (rates) applyInterfaceRates(columns, before, rates, rate, origin);
    if (columns.count < columns.capacity) break;
    onFull();
    if (offset < 0) break;
  }
  return offset < 0 ? -1 - records : records;
}

/** Of the source, the code and what the compiler makes of it, about. */
const READER_BYTES = 16_384;

const NO_RATE = { rate: 0, origin: 0 };

/** What holds for records that state no rate, no sampler and no interface of a known rate. */
function rateOfSet(session: ExporterSession, { domain, id }: Template, packet: Packet) {
  if (packet.samplingRate > 0) return { rate: packet.samplingRate, origin: HEADER };
  if (!session.hasRates) return NO_RATE;
  const { byTemplate } = domain.sampling;
  const own = byTemplate.size > 0 ? byTemplate.get(id) : undefined;
  if (own !== undefined) return { rate: own, origin: EXPORTER };
  const rate = defaultRate(session, domain);
  return { rate, origin: rate > 0 ? originCode(defaultOrigin(session, domain)) : 0 };
}

/** Refused once, a template is not tried again within the minute: what it would need is only known by laying it out. */
function makeReader(session: ExporterSession, template: Template, nowMs: number): Reader | undefined {
  const minute = Math.floor(nowMs / 60_000);
  if (template.refusedMinute === minute || isSpent(session, minute)) return undefined;
  template.reader = readerOf(template.fields, () => {
    if (!mayMakeReader(session, nowMs) || !hold(session, READER_BYTES)) return false;
    template.readerBytes = READER_BYTES;
    return true;
  });
  if (!template.reader) template.refusedMinute = minute;
  return template.reader;
}

function contextOf(
  session: ExporterSession,
  { domain }: Template,
  packet: Packet,
  rate: number,
  rateOrigin: number,
): ReadContext {
  const isIpfix = packet.version === 10;
  const initMs = isIpfix ? systemInitOf(session, domain) : 0;
  return {
    session,
    domain,
    exportMs: packet.exportMs,
    uptimeMs: isIpfix ? packet.exportMs - initMs : packet.uptimeMs,
    hasUptime: !isIpfix || initMs > 0,
    rate,
    rateOrigin,
    domainRate: session.hasRates ? domain.sampling.rate : 0,
  };
}

/** Rates that options give by interface, for records that state none of their own. */
function applyInterfaceRates(
  columns: RecordColumns,
  from: number,
  rates: Map<number, number>,
  otherwise: number,
  otherwiseOrigin: number,
): void {
  const { inputInterface, outputInterface, samplingRate, samplingOrigin, count } = columns;
  for (let i = from; i < count; i++) {
    if (samplingOrigin[i] !== 0) continue;
    const own = rates.get(inputInterface[i]) ?? rates.get(outputInterface[i]);
    const rate = own ?? otherwise;
    if (rate === 0) continue;
    samplingRate[i] = rate;
    samplingOrigin[i] = own === undefined ? otherwiseOrigin : INTERFACE;
  }
}
