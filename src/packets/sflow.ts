// sFlow version 5 datagram -> one record a sampled packet, in a layout of our own that the column readers read
//
// sFlow exports packets, not flows: each sample is a flow of one packet, with its sampling rate. Structures by number are
// those of "sFlow Version 5" (sflow.org/sflow_version_5.txt, section 5) and of its extensions on sflow.org.
import { type Domain, domainOf, RATE_BYTES } from './domain.ts';
import type { Packet } from './packet.ts';
import { type PacketHeader, readEthernet, readIp } from './packet-header.ts';
import { hold } from './room.ts';
import { follow } from './sequence.ts';
import type { ExporterSession } from './session.ts';
import { type RecordSink, whole } from './sets.ts';
import { createTemplate, type Template } from './template.ts';

/** Stands where other exports have the version of NetFlow or IPFIX. */
export const SFLOW = 11;

const FLOW_SAMPLE = 1;
const COUNTER_SAMPLE = 2;
const EXPANDED_FLOW_SAMPLE = 3;
const EXPANDED_COUNTER_SAMPLE = 4;
const RAW_HEADER = 1;
const SAMPLED_IPV4 = 3;
const SAMPLED_IPV6 = 4;
const EXTENDED_NAT = 1007;
const EXTENDED_NAT_PORT = 1020;
/** header_protocol of a raw packet header. */
const ETHERNET = 1;
const HEADER_IPV4 = 11;
const HEADER_IPV6 = 12;
/** An interface that is none: internal, or not known. */
const NO_INTERFACE = 0x3fff_ffff;
const NO_INTERFACE_EXPANDED = 0xffff_ffff;
/** RFC 7270 section 4.12: the packet was forwarded, or dropped. */
const FORWARDED = 64;
const DROPPED = 128;

/** Element ids and lengths of a record, by family of its addresses; 34 is the sampling rate. */
const layoutOf = (address: number): readonly (readonly [number, number])[] => [
  [address === 4 ? 8 : 27, address],
  [address === 4 ? 12 : 28, address],
  [7, 2],
  [11, 2],
  [4, 1],
  [6, 1],
  [5, 1],
  [89, 1],
  [10, 4],
  [14, 4],
  [1, 4],
  [2, 4],
  [34, 4],
  [58, 2],
  [56, 6],
  [80, 6],
  [address === 4 ? 225 : 281, address],
  [address === 4 ? 226 : 282, address],
  [227, 2],
  [228, 2],
];
const bytesOf = (layout: readonly (readonly [number, number])[]) =>
  layout.reduce((sum, [, length]) => sum + length, 0);
const LAYOUTS = { 4: layoutOf(4), 16: layoutOf(16) } as const;
const RECORD_BYTES = { 4: bytesOf(LAYOUTS[4]), 16: bytesOf(LAYOUTS[16]) } as const;
type AddressBytes = keyof typeof LAYOUTS;

/** What a sample says of its packet. */
interface Sample extends PacketHeader {
  rate: number;
  input: number;
  output: number;
  forwarding: number;
  natSource: Uint8Array | undefined;
  natDestination: Uint8Array | undefined;
  natSourcePort: number;
  natDestinationPort: number;
}

/** Section 5, sample_datagram_v5. Never throws; what cannot be read is counted and the rest goes on. */
export function readSflow(
  session: ExporterSession,
  bytes: Uint8Array,
  view: DataView,
  receivedAtMs: number,
  sink: RecordSink,
): void {
  const { counters } = session;
  const agentBytes = view.getUint32(4) === 2 ? 16 : 4;
  const head = 8 + agentBytes;
  if (head + 16 > bytes.length) {
    counters.malformed['short-datagram']++;
    return;
  }
  const uptimeMs = view.getUint32(head + 8);
  const sampleCount = view.getUint32(head + 12);
  const domain = domainOf(session, SFLOW, view.getUint32(head));
  const sequence = view.getUint32(head + 4);
  const packets = { 4: [] as Sample[], 16: [] as Sample[] };
  let at = head + 16;
  for (let i = 0; i < sampleCount; i++) {
    const end = at + 8 <= bytes.length ? at + 8 + view.getUint32(at + 4) : Number.POSITIVE_INFINITY;
    if (end > bytes.length) {
      counters.malformed['set-length']++;
      break;
    }
    readSample(session, domain, bytes, view, at, end, packets);
    at = end;
  }
  for (const addressBytes of [4, 16] as const) {
    const samples = packets[addressBytes];
    if (samples.length === 0) continue;
    const records = writeRecords(samples, addressBytes);
    const packet: Packet = {
      version: SFLOW,
      view: new DataView(records.buffer),
      bytes: records,
      domainId: domain.id,
      // sFlow states no time of day: a sample is exported within a second (section 4.1).
      exportMs: receivedAtMs,
      uptimeMs,
      sequence,
      receivedAtMs,
      samplingRate: 0,
    };
    counters.records += whole(
      sink.flows(session, templateOf(domain, addressBytes), packet, 0, records.length),
    );
  }
  follow(domain.sequence, counters, sequence, ONE_DATAGRAM, uptimeMs);
}

const ONE_DATAGRAM = { all: 1 };

/** [at, end) holds type, length and body. */
function readSample(
  session: ExporterSession,
  domain: Domain,
  bytes: Uint8Array,
  view: DataView,
  at: number,
  end: number,
  packets: Record<AddressBytes, Sample[]>,
): void {
  const { counters } = session;
  const type = view.getUint32(at);
  if (type === COUNTER_SAMPLE || type === EXPANDED_COUNTER_SAMPLE) {
    counters.counterSamples++;
    return;
  }
  const isExpanded = type === EXPANDED_FLOW_SAMPLE;
  if (type !== FLOW_SAMPLE && !isExpanded) {
    counters.otherSamples++;
    return;
  }
  const headBytes = isExpanded ? 44 : 32;
  if (at + 8 + headBytes > end) {
    counters.malformed['short-set']++;
    return;
  }
  const body = at + 8;
  const rateAt = body + (isExpanded ? 12 : 8);
  followDrops(session, domain, dataSource(view, body + 4, isExpanded), view.getUint32(rateAt + 8));
  const sample = emptySample(view.getUint32(rateAt));
  if (isExpanded) {
    sample.input = expandedInterface(view, rateAt + 12);
    sample.output = expandedInterface(view, rateAt + 20);
    if (view.getUint32(rateAt + 20) === 1) sample.forwarding = DROPPED;
  } else {
    sample.input = plainInterface(view.getUint32(rateAt + 12));
    sample.output = plainInterface(view.getUint32(rateAt + 16));
    if (view.getUint32(rateAt + 16) >>> 30 === 1) sample.forwarding = DROPPED;
  }
  if (!readFlowRecords(bytes, view, body + headBytes, end, view.getUint32(body + headBytes - 4), sample))
    counters.malformed['record-overrun']++;
  const addressBytes = sample.source?.length;
  if (addressBytes === 4 || addressBytes === 16) packets[addressBytes].push(sample);
  // A frame without an IP packet (ARP, a control protocol), or one that is cut off before its addresses.
  else counters.otherSamples++;
}

/** Section 5: eight bits of type and 24 of index, or a word of each. */
function dataSource(view: DataView, at: number, isExpanded: boolean): number {
  const word = view.getUint32(at);
  const [type, index] = isExpanded ? [word, view.getUint32(at + 4)] : [word >>> 24, word & 0xff_ffff];
  return type * 2 ** 32 + index;
}

/** `drops` counts on since the agent was started; less than before is a new start. */
function followDrops(session: ExporterSession, { drops }: Domain, sourceId: number, count: number): void {
  const before = drops.get(sourceId);
  if (before === count) return;
  if (before !== undefined) session.counters.droppedSamples += count < before ? count : count - before;
  else if (drops.size >= session.limits.samplersPerDomain || !hold(session, RATE_BYTES)) return;
  drops.set(sourceId, count);
}

/** Section 5: two bits of format, 30 of value; only format 0 is one interface. */
const plainInterface = (word: number): number => (word >>> 30 === 0 && word !== NO_INTERFACE ? word : 0);

function expandedInterface(view: DataView, at: number): number {
  const value = view.getUint32(at + 4);
  return view.getUint32(at) === 0 && value !== NO_INTERFACE_EXPANDED && value !== NO_INTERFACE ? value : 0;
}

function emptySample(rate: number): Sample {
  return {
    source: undefined,
    destination: undefined,
    sourcePort: 0,
    destinationPort: 0,
    protocol: 0,
    tcpFlags: 0,
    tos: 0,
    vlan: 0,
    byteCount: 0,
    sourceMac: undefined,
    destinationMac: undefined,
    rate,
    input: 0,
    output: 0,
    forwarding: FORWARDED,
    natSource: undefined,
    natDestination: undefined,
    natSourcePort: 0,
    natDestinationPort: 0,
  };
}

/** False where one ran past the end; those before it are kept. */
function readFlowRecords(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  count: number,
  sample: Sample,
): boolean {
  let at = start;
  for (let i = 0; i < count; i++) {
    if (at + 8 > end) return false;
    const body = at + 8;
    const next = body + view.getUint32(at + 4);
    if (next > end) return false;
    readFlowRecord(bytes, view, view.getUint32(at), body, next, sample);
    at = next;
  }
  return true;
}

function readFlowRecord(
  bytes: Uint8Array,
  view: DataView,
  type: number,
  body: number,
  end: number,
  sample: Sample,
): void {
  const length = end - body;
  if (type === RAW_HEADER && length >= 16) {
    const header = bytes.subarray(body + 16, Math.min(end, body + 16 + view.getUint32(body + 12)));
    const protocol = view.getUint32(body);
    if (protocol === ETHERNET) readEthernet(header, sample);
    else if (protocol === HEADER_IPV4 || protocol === HEADER_IPV6) readIp(header, 0, sample);
  } else if (type === SAMPLED_IPV4 && length >= 32 && !sample.source)
    readSampledIp(bytes, view, body, 4, sample);
  else if (type === SAMPLED_IPV6 && length >= 56 && !sample.source)
    readSampledIp(bytes, view, body, 16, sample);
  else if (type === EXTENDED_NAT && length >= 16) readNat(bytes, view, body, end, sample);
  else if (type === EXTENDED_NAT_PORT && length >= 8) {
    sample.natSourcePort = view.getUint32(body) & 0xffff;
    sample.natDestinationPort = view.getUint32(body + 4) & 0xffff;
  }
}

/** sampled_ipv4 and sampled_ipv6: length, protocol, addresses, ports, flags, type of service. */
function readSampledIp(
  bytes: Uint8Array,
  view: DataView,
  body: number,
  addressBytes: AddressBytes,
  sample: Sample,
): void {
  const behind = body + 8 + 2 * addressBytes;
  sample.byteCount = view.getUint32(body);
  sample.protocol = view.getUint32(body + 4) & 0xff;
  sample.source = bytes.subarray(body + 8, body + 8 + addressBytes);
  sample.destination = bytes.subarray(body + 8 + addressBytes, behind);
  sample.sourcePort = view.getUint32(behind) & 0xffff;
  sample.destinationPort = view.getUint32(behind + 4) & 0xffff;
  sample.tcpFlags = view.getUint32(behind + 8) & 0xff;
  sample.tos = view.getUint32(behind + 12) & 0xff;
}

/** extended_nat: the addresses after translation, each with its type. */
function readNat(bytes: Uint8Array, view: DataView, body: number, end: number, sample: Sample): void {
  const addressAt = (at: number): Uint8Array | undefined => {
    const length = view.getUint32(at) === 2 ? 16 : 4;
    return at + 4 + length <= end ? bytes.subarray(at + 4, at + 4 + length) : undefined;
  };
  sample.natSource = addressAt(body);
  const second = body + 4 + (sample.natSource?.length ?? 4);
  if (second + 8 <= end) sample.natDestination = addressAt(second);
}

function writeRecords(samples: readonly Sample[], addressBytes: AddressBytes): Uint8Array {
  const recordBytes = RECORD_BYTES[addressBytes];
  const records = new Uint8Array(samples.length * recordBytes);
  const view = new DataView(records.buffer);
  samples.forEach((sample, index) => {
    let at = index * recordBytes;
    const put = (bytes: Uint8Array | undefined, length: number) => {
      if (bytes?.length === length) records.set(bytes, at);
      at += length;
    };
    put(sample.source, addressBytes);
    put(sample.destination, addressBytes);
    view.setUint16(at, sample.sourcePort);
    view.setUint16(at + 2, sample.destinationPort);
    records.set([sample.protocol, sample.tcpFlags, sample.tos, sample.forwarding], at + 4);
    view.setUint32(at + 8, sample.input);
    view.setUint32(at + 12, sample.output);
    view.setUint32(at + 16, sample.byteCount);
    view.setUint32(at + 20, 1);
    view.setUint32(at + 24, sample.rate);
    view.setUint16(at + 28, sample.vlan);
    at += 30;
    put(sample.sourceMac, 6);
    put(sample.destinationMac, 6);
    put(sample.natSource, addressBytes);
    put(sample.natDestination, addressBytes);
    view.setUint16(at, sample.natSourcePort);
    view.setUint16(at + 2, sample.natDestinationPort);
  });
  return records;
}

/** Kept in its domain as v5's is; costs nothing of the template bounds. */
function templateOf(domain: Domain, addressBytes: AddressBytes): Template {
  const known = domain.templates.get(addressBytes);
  if (known) return known;
  const fields = Uint32Array.from(LAYOUTS[addressBytes].flatMap(([id, length]) => [id, length, 0]));
  const template = { ...createTemplate(domain, addressBytes, fields, 0, false), byteCount: 0 };
  domain.templates.set(addressBytes, template);
  return template;
}
