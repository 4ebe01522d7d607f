// what is stored of an exporter -> its rate, loss, sampling and clock, as people ask for them
import { type Static, Type } from 'typebox';
import { ENTERPRISES } from '../packets/elements/enterprise.ts';
import { SAMPLING_ORIGINS } from '../packets/records.ts';
import { Nullable, oneOf } from './schema.ts';

export const ExporterFigures = {
  madeBy: Nullable(
    Type.String({
      description:
        'Whose elements its templates have, which tells the maker of most exporters; null where they are all of IANA',
    }),
  ),
  templates: Type.Integer(),
  rate: Type.Object(
    { datagramsPerSecond: Type.Number(), recordsPerSecond: Type.Number() },
    { description: 'Of the last minute or so; 0 where it is silent' },
  ),
  loss: Type.Object(
    {
      unit: oneOf(['datagrams', 'records'], {
        description: 'What its sequence numbers count: records in NetFlow v5 and IPFIX, else datagrams',
      }),
      lost: Type.Number({ description: 'Missing by its sequence numbers, on the way or in the kernel' }),
      share: Type.Number({ description: 'Of all that it sent, from 0 to 1' }),
      reordered: Type.Number({ description: 'Datagrams that came late; they are not lost' }),
      repeated: Type.Number({ description: 'Datagrams that came twice' }),
      droppedSamples: Type.Number({
        description: 'Packets that an sFlow agent was to sample and had no resources to',
      }),
      restarts: Type.Number({ description: 'Times that it began to count anew' }),
    },
    { description: 'Since it was first heard of' },
  ),
  sampling: Type.Object({
    rate: Type.Number({ description: 'One packet in so many, of its last record' }),
    origin: oneOf(SAMPLING_ORIGINS, {
      description:
        'Who states it: none (1 is assumed), the header (v5), the record, options by sampler, by interface or line card or for the whole exporter, or the setting',
    }),
  }),
  clock: Type.Object({
    offsetSeconds: Type.Number({
      description:
        'Our clock minus its own, by the header of its last datagram; from 10 s on the times of its flows are moved by that',
    }),
    flowsOffsetSeconds: Type.Number({
      description:
        'How long before that the latest of its flows ended: far from 0 where flows tell another time than headers',
    }),
    flowsMovedSeconds: Type.Number({
      description: 'Times of its flows are moved by this, too: whole quarter hours, as of another time zone',
    }),
  }),
};
const Figures = Type.Object(ExporterFigures);

const SILENT_MS = 5 * 60_000;
const COUNTS_RECORDS = new Set(['v5', 'v7', 'ipfix']);

interface Stored {
  readonly versions: readonly string[];
  readonly counters: Readonly<Record<string, number>>;
  readonly last_seen_at: Date;
}

/** Pure. */
export function figuresOf(
  { versions, counters, last_seen_at }: Stored,
  nowMs: number,
): Static<typeof Figures> {
  const count = (name: string) => counters[name] ?? 0;
  const isSilent = nowMs - last_seen_at.getTime() > SILENT_MS;
  const enterprise = count('enterprise');
  return {
    madeBy: enterprise === 0 ? null : (ENTERPRISES[enterprise] ?? `enterprise ${enterprise}`),
    templates: count('templates'),
    rate: {
      datagramsPerSecond: isSilent ? 0 : count('datagramsPerSecond'),
      recordsPerSecond: isSilent ? 0 : count('recordsPerSecond'),
    },
    loss: lossOf(versions, count),
    sampling: {
      rate: Math.max(1, count('samplingRate')),
      origin: SAMPLING_ORIGINS[count('samplingOrigin')] ?? 'none',
    },
    clock: {
      offsetSeconds: count('clockOffsetMs') / 1000,
      flowsOffsetSeconds: count('recordLagMs') / 1000,
      flowsMovedSeconds: count('recordZoneMs') / 1000,
    },
  };
}

/** One that speaks several versions is counted by the first unit that is finer. */
function lossOf(versions: readonly string[], count: (name: string) => number) {
  const countsRecords = versions.some((version) => COUNTS_RECORDS.has(version));
  // Options records have numbers of their own in IPFIX.
  const received = countsRecords ? count('records') + count('optionsRecords') : count('datagrams');
  const lost = Math.max(0, count('sequenceGaps'));
  return {
    unit: countsRecords ? ('records' as const) : ('datagrams' as const),
    lost,
    share: lost === 0 ? 0 : Math.round((lost / (lost + received)) * 1e6) / 1e6,
    reordered: count('reordered'),
    repeated: count('repeatedDatagrams'),
    droppedSamples: count('droppedSamples'),
    restarts: count('restarts'),
  };
}
