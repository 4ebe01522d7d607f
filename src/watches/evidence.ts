// question + stored conversations -> evidence; the only place where a watch reads the store
import type { ClickHouseClient } from '@clickhouse/client';
import type { FlowThreshold } from '../analytics/spike.ts';
import type { DuplicatePath, PathName } from '../flows/duplicates-elect.ts';
import { addressSet, hasAddress, parseAddress } from '../model/addresses.ts';
import type { Enrichment } from '../model/enrichment.ts';
import type { Evidence, GroupEvidence, MinuteTotals, Question, UsualPeak } from '../model/watch.ts';
import { duplicatesBetween } from '../store/clickhouse/duplicate-paths.ts';
import {
  type Activity,
  duplicatesOfScope,
  exporterActivity,
  type Frame,
  frameOf,
  type GroupRow,
  keyOf,
  minuteSeries,
  topGroups,
  usualPeaks,
  usualReturns,
} from './evidence-sql.ts';
import { translatedScope } from './translated-sql.ts';

const HOUR_MS = 3_600_000;
/** From this much baseline on only the same hours of day and kind of day are compared. */
const SAME_HOUR_FROM_MS = 7 * 24 * HOUR_MS;
/** The same hour of an earlier day is only there with this much baseline. */
const DAY_BEFORE_SECONDS = 23 * 3600;

/** Duplicates that an answer names. */
const MAX_LEFT_OUT = 5;

export interface EvidenceOptions {
  readonly baselineDays: number;
  /** Names of networks, which the store does not hold, and what is known of a relay's target. */
  readonly enrich: (address: string) => Enrichment;
  /** From earlier evidence of the same question, once flows from before the change no longer arrive. */
  readonly usualReturnRatio?: Evidence['usualReturnRatio'];
  /** Counts of a minute from which on it is asked whether the days before saw as much at this hour. */
  readonly peakFrom?: FlowThreshold;
}

/** Gathers what a judgement needs from conversations up to askedAtMs. Reads at most a few thousand rows of aggregates. */
export async function gatherEvidence(
  client: ClickHouseClient,
  question: Question,
  askedAtMs: number,
  options: EvidenceOptions,
): Promise<Evidence> {
  const { frame, activity, gaps, leftOut } = await framed(client, question, askedAtMs, options.baselineDays);
  const sameHourOfDay = (frame.since - activity.first) * 1000 >= SAME_HOUR_FROM_MS;
  const [usualReturnRatio, { found, minutes, usual }] = await Promise.all([
    options.usualReturnRatio ?? usualReturns(client, frame),
    traffic(client, frame, activity, sameHourOfDay, options.peakFrom),
  ]);
  const context = { found, minutes, usual, since: frame.since, hours: activity.hours, options, question };
  return {
    askedAtMs,
    baselineFromMs: activity.first * 1000,
    baselineMinutes: comparableMinutes(activity.first, frame.since, sameHourOfDay),
    baselineHours: activity.hours,
    sameHourOfDay,
    groups: [questionGroup(found, context), ...found.map((row) => groupOf(row, context))],
    usualReturnRatio,
    dataGaps: gaps,
    ...(leftOut.length > 0 ? { shownTwice: leftOut.map(shownTwice) } : {}),
  };
}

async function traffic(
  client: ClickHouseClient,
  frame: Frame,
  activity: Activity,
  sameHourOfDay: boolean,
  peakFrom: EvidenceOptions['peakFrom'],
) {
  const found = await topGroups(client, frame);
  const minutes = await minuteSeries(client, frame, found, sameHourOfDay);
  const peaks =
    frame.since - activity.first >= DAY_BEFORE_SECONDS
      ? peaksOf(minutes, frame.since * 1000, peakFrom)
      : new Map<string, number>();
  const usual =
    peaks.size > 0 ? await usualPeaks(client, frame, found, peaks) : new Map<string, UsualPeak[]>();
  return { found, minutes, usual };
}

const shownTwice = ({ exporter, interface: index, elected }: DuplicatePath) => ({
  exporter,
  interface: index,
  elected: { ...elected },
});

/** What a device's change let through passes its own exporters; where they are silent or unknown, all are looked at. */
async function framed(
  client: ClickHouseClient,
  question: Question,
  askedAtMs: number,
  baselineDays: number,
): Promise<{ frame: Frame; activity: Activity; gaps: string[]; leftOut: DuplicatePath[] }> {
  const own = frameOf(question, askedAtMs, baselineDays);
  const gaps: string[] = [];
  let frame = own;
  let activity = await exporterActivity(client, own);
  if (question.exporters.length === 0)
    gaps.push(`no flow exporter is registered for ${question.device}: flows of all exporters are looked at`);
  else if (activity.exporterCount === 0) {
    gaps.push(
      `no flows from the exporters of ${question.device} (${question.exporters.slice(0, 5).join(', ')}): flows of all exporters are looked at`,
    );
    frame = { ...own, exporters: '1' };
    activity = await exporterActivity(client, frame);
  }
  if (activity.hours === 0) gaps.push('no flows before the change: no baseline');
  if (!activity.isSeenAfter) gaps.push('no flows since the change');
  // One exporter may show the same on two of its interfaces.
  const [duplicates, translated] = await Promise.all([
    duplicatesBetween(client, frame.baselineFrom * 1000, frame.until * 1000),
    translatedScope(client, frame, question),
  ]);
  gaps.push(...translated.gaps);
  const asked = ofExporters(duplicates, frame === own ? question.exporters : []);
  frame = { ...frame, scope: translated.scope };
  // Planning for duplicates takes time: only those that S has any part in.
  const ofScope = await duplicatesOfScope(client, frame, asked);
  return {
    frame: { ...frame, duplicates: ofScope.map(({ one }) => one) },
    activity,
    gaps,
    leftOut: ofScope.flatMap(({ one, isSeenAfter }) => (isSeenAfter ? one : [])).slice(0, MAX_LEFT_OUT),
  };
}

/** Those that have both of their paths among the exporters that are looked at. */
function ofExporters(duplicates: readonly DuplicatePath[], exporters: readonly string[]): DuplicatePath[] {
  if (exporters.length === 0) return [...duplicates];
  const asked = addressSet(...exporters);
  const isAsked = ({ exporter }: PathName) => hasAddress(asked, parseAddress(exporter));
  return duplicates.filter((one) => isAsked(one) && isAsked(one.elected));
}

/** Baseline minutes, those without traffic included; where only like hours are compared, 3 of 24 hours of the weekend's or the other days. */
function comparableMinutes(first: number, since: number, sameHourOfDay: boolean): number {
  const all = Math.max(0, Math.floor((since - first) / 60));
  const isWeekend = [0, 6].includes(new Date(since * 1000).getUTCDay());
  return sameHourOfDay ? Math.floor(all * (3 / 24) * ((isWeekend ? 2 : 5) / 7)) : all;
}

/** Each group's largest minute since T0, where it is large enough to ask about. */
function peaksOf(
  minutes: ReadonlyMap<string, readonly MinuteTotals[]>,
  sinceMs: number,
  from: EvidenceOptions['peakFrom'],
): Map<string, number> {
  const peaks = new Map<string, number>();
  if (!from) return peaks;
  for (const [key, series] of minutes) {
    const observed = series.filter((minute) => minute.minuteMs >= sinceMs);
    const largest = observed.reduce<MinuteTotals | undefined>(
      (best, minute) => (!best || minute.outPackets > best.outPackets ? minute : best),
      undefined,
    );
    const isLarge = observed.some(
      (minute) =>
        minute.outPackets >= (from.packetsPerMinute ?? Number.POSITIVE_INFINITY) ||
        minute.outBytes >= (from.bytesPerMinute ?? Number.POSITIVE_INFINITY) ||
        minute.outFlows >= (from.flowsPerMinute ?? Number.POSITIVE_INFINITY),
    );
    if (largest && isLarge) peaks.set(key, largest.minuteMs);
  }
  return peaks;
}

interface GroupContext {
  readonly found: readonly GroupRow[];
  readonly minutes: ReadonlyMap<string, readonly MinuteTotals[]>;
  readonly usual: ReadonlyMap<string, readonly UsualPeak[]>;
  readonly since: number;
  readonly hours: number;
  readonly options: EvidenceOptions;
  readonly question: Question;
}

function questionGroup(found: readonly GroupRow[], context: GroupContext): GroupEvidence {
  const addresses = found.filter((row) => row.level === 'address');
  const sum = (of: (row: GroupRow) => number) => addresses.reduce((total, row) => total + of(row), 0);
  return {
    level: 'question',
    key: 'all',
    asn: 0,
    name: '',
    category: 'any',
    ...seriesOf('question all', context),
    addressHourShare: 1,
    asnHourShare: 1,
    otherInternals: 0,
    sampledOutPackets: sum((row) => Number(row.packets_out)),
    sampledInPackets: sum((row) => Number(row.packets_in)),
    maxSamplingRate: Math.max(1, ...addresses.map((row) => row.sampling)),
    returnVisible: addresses.length > 0 && addresses.every((row) => row.visible === 1),
  };
}

function groupOf(row: GroupRow, context: GroupContext): GroupEvidence {
  const { hours, options, question } = context;
  const { level, destination } = row;
  // Metered before translation the relay's own address is the destination; what counts is where it leads.
  const target = level === 'address' ? question.relayTargets?.[destination] : undefined;
  const known = level === 'address' ? options.enrich(target ?? destination) : undefined;
  const member =
    level === 'asn' && context.found.find((one) => one.level === 'address' && one.asn === row.asn);
  const asnHourShare = hours > 0 ? Number(row.asn_hours) / hours : 0;
  const addressHourShare = hours > 0 ? Number(row.before_hours) / hours : 0;
  return {
    level,
    key: target ?? destination,
    asn: target && known ? known.asn : row.asn,
    name: known?.name ?? (member ? options.enrich(member.destination).name : ''),
    category: target && known ? known.category : row.category,
    ...seriesOf(keyOf(level, destination), context),
    // A network was talked to when one of its addresses was; of a category that is not asked.
    addressHourShare: level === 'address' ? addressHourShare : level === 'asn' ? asnHourShare : 1,
    asnHourShare: level === 'category' ? 1 : asnHourShare,
    otherInternals: Number(row.others),
    sampledOutPackets: Number(row.packets_out),
    sampledInPackets: Number(row.packets_in),
    maxSamplingRate: Math.max(1, row.sampling),
    returnVisible: row.visible === 1,
  };
}

function seriesOf(key: string, { minutes, usual, since }: GroupContext) {
  const series = minutes.get(key) ?? [];
  const peaks = usual.get(key);
  return {
    baseline: series.filter((minute) => minute.minuteMs < since * 1000),
    observed: series.filter((minute) => minute.minuteMs >= since * 1000),
    ...(peaks ? { usualPeaks: peaks } : {}),
  };
}
