// datagram -> one plain object a record with every field by name; for people, apart from the column reader
import { readDatagram } from './datagram.ts';
import { readFlows } from './decode.ts';
import { type FieldValue, readFields } from './lists.ts';
import type { Packet } from './packet.ts';
import {
  createRecordColumns,
  HAS,
  type RecordColumns,
  SAMPLING_ORIGINS,
  type SamplingOrigin,
} from './records.ts';
import type { ExporterSession } from './session.ts';
import { SFLOW } from './sflow.ts';
import type { Template } from './template.ts';
import { type Places, walkRecords } from './walk.ts';

/** The keys before the fields; no IANA element has one of these names. */
export interface NamedRecord {
  readonly exporter: string;
  /** 1, 5, 7, 9, or 10 for IPFIX. */
  readonly version: number | 'sflow5';
  readonly domain: number;
  readonly template: number;
  /** Of the header: flows (v5, v7), packets (v9) or data records (IPFIX) before this datagram. */
  readonly sequence: number;
  readonly kind: 'flow' | 'options';
  /** Export time of the datagram's header. */
  readonly time: string;
  /** Of the flow, whatever elements state them; missing where none does. */
  readonly start?: string;
  readonly end?: string;
  /** One packet in so many; missing where nothing states it. */
  readonly sampling?: number;
  /** Where that is stated. */
  readonly samplingOrigin?: SamplingOrigin;
  readonly [element: string]:
    | FieldValue
    | readonly FieldValue[]
    | Readonly<Record<string, string | readonly string[]>>
    | undefined;
  /** What enumerated values and flags mean; missing where nothing is known of any. */
  readonly names?: Readonly<Record<string, string | readonly string[]>>;
  readonly units: Readonly<Record<string, string>>;
}

/** Calls onRecord for each flow and options record. Never throws for what the datagram holds. */
export function readNamedRecords(
  session: ExporterSession,
  datagram: Uint8Array,
  receivedAtMs: number,
  onRecord: (record: NamedRecord) => void,
): void {
  const single = createRecordColumns(2);
  readDatagram(session, datagram, receivedAtMs, {
    flows: (_session, template, packet, start, end) =>
      walkRecords(template, packet, start, end, (places, from, to) => {
        const timing = flowTiming(session, template, packet, from, to, single);
        onRecord({ ...headOf(session, template, packet), ...timing, ...fieldsOf(template, packet, places) });
      }),
    options: (_session, template, packet, start, end) =>
      walkRecords(template, packet, start, end, (places) =>
        onRecord({ ...headOf(session, template, packet), ...fieldsOf(template, packet, places) }),
      ),
  });
}

function headOf(session: ExporterSession, template: Template, packet: Packet) {
  return {
    exporter: session.exporter,
    version: packet.version === SFLOW ? ('sflow5' as const) : packet.version,
    domain: packet.domainId,
    template: template.id,
    sequence: packet.sequence,
    kind: template.isOptions ? ('options' as const) : ('flow' as const),
    time: timeText(packet.exportMs),
  };
}

/** Times and sampling come from the column reader, so that both say the same. */
function flowTiming(
  session: ExporterSession,
  template: Template,
  packet: Packet,
  start: number,
  end: number,
  columns: RecordColumns,
): Pick<NamedRecord, 'start' | 'end' | 'sampling' | 'samplingOrigin'> {
  columns.count = 0;
  readFlows(session, template, packet, start, end, columns, () => {});
  if (columns.count === 0) return {};
  const present = columns.present[0];
  return {
    ...((present & HAS.times) !== 0 && {
      start: timeText(columns.startMs[0]),
      end: timeText(columns.endMs[0]),
    }),
    ...(columns.samplingOrigin[0] !== 0 && {
      sampling: columns.samplingRate[0],
      samplingOrigin: SAMPLING_ORIGINS[columns.samplingOrigin[0]],
    }),
  };
}

function fieldsOf(template: Template, packet: Packet, places: Places) {
  const { values, units, names } = readFields(template, packet, places);
  return { ...values, ...(Object.keys(names).length > 0 && { names }), units };
}

function timeText(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? '' : date.toISOString();
}
