// what is known of an exporter -> what it lacks, which analytics that costs, and the lines that would change it
import type { DuplicatePath } from './duplicates-elect.ts';
import { EXPORTING, type Exporting, type Lack, LINES } from './export-lines.ts';

/** What an interface showed of late, in sampled packets. */
export interface InterfaceSight {
  readonly index: number;
  readonly outPackets: number;
  readonly inPackets: number;
}

export interface ExporterSight {
  readonly versions: readonly string[];
  /** As in ExporterReport, gauges among them. */
  readonly counters: Readonly<Record<string, number>>;
  readonly lastSeenMs: number;
  readonly nowMs: number;
  /** Of the last hour. */
  readonly interfaces: readonly InterfaceSight[];
  /** What it shows of packets that an elected exporter shows, too. */
  readonly duplicates?: readonly DuplicatePath[];
}

export interface Lacking {
  readonly lack: Lack;
  /** One sentence with the figure. */
  readonly reason: string;
  /** Ids of analytics that judge worse for it, or not at all. */
  readonly analytics: readonly string[];
  readonly lines: Readonly<Partial<Record<Exporting, readonly string[]>>>;
}

const SILENCE_MS = 15 * 60_000;
/** One reply in this many is seen: five sampled ones stand for 500 at the most (facts of AN0926's return test). */
const COARSE_RATE = 100;
const CLOCK_MS = 10_000;
/** The latest flow that came in ten seconds ended no longer ago. */
const FLOWS_LAG_MS = 45 * 60_000;
/** Records that cover more than a minute and a half, of all. */
const LONG_SHARE = 0.2;
const MISSED_SHARE = 0.02;
/** Nearly all of a path's conversations: its export adds nothing but a way to go on when the elected exporter fails. */
const SAME_SHARE = 0.95;
/** Fewer packets prove nothing about the way back. */
const PACKETS_TO_TELL = 100;

type Found = readonly [lack: Lack, reason: string, analytics: readonly string[]];

/** Pure. `vendor`: of the device that it belongs to; the lines of all vendors where it is not known. */
export function lacksOf(sight: ExporterSight, vendor?: string): Lacking[] {
  const { counters } = sight;
  const lacks: Found[] = [];
  const silentMs = sight.nowMs - sight.lastSeenMs;
  if (silentMs > SILENCE_MS)
    lacks.push([
      'no-flows',
      `nothing came for ${Math.round(silentMs / 60_000)} minutes`,
      ['AN0926', 'AN1230', 'AN0843'],
    ]);
  const oneWay = sight.interfaces.filter(
    ({ outPackets, inPackets }) => outPackets >= PACKETS_TO_TELL && inPackets === 0,
  );
  if (oneWay.length > 0)
    lacks.push([
      'one-way',
      `no packet that returns was seen on ${oneWay.length === 1 ? 'interface' : 'interfaces'} ${oneWay
        .slice(0, 10)
        .map(({ index }) => index)
        .join(', ')}, in the last hour: few return packets cannot be told`,
      ['AN0926'],
    ]);
  const rate = counters.samplingRate ?? 0;
  if (rate > COARSE_RATE)
    lacks.push([
      'coarse-sampling',
      `one packet in ${rate} is seen: short connections are missed`,
      ['AN0926', 'AN0843'],
    ]);
  const records = Math.max(1, counters.records ?? 0);
  const longShare = (counters.longFlows ?? 0) / records;
  if (longShare > LONG_SHARE)
    lacks.push([
      'long-active-timeout',
      `${Math.round(longShare * 100)}% of the records cover more than 90 seconds: what happens is seen late`,
      ['AN0926'],
    ]);
  const missed = counters.missedTemplates ?? 0;
  if (missed / Math.max(1, counters.datagrams ?? 0) > MISSED_SHARE)
    lacks.push(['late-templates', `${missed} data sets came before their template`, ['AN0926']]);
  lacks.push(...clockLacks(counters));
  if (sight.versions.length > 0 && sight.versions.every((version) => /^v[157]$/.test(version)))
    lacks.push([
      'old-version',
      `${sight.versions.join(', ')} tells no IPv6, no translation and no sampler`,
      ['AN0926'],
    ]);
  lacks.push(...shownTwice(sight.duplicates ?? []));
  return lacks.map(([lack, reason, analytics]) => ({
    lack,
    reason,
    analytics,
    lines: linesFor(lack, vendor),
  }));
}

function clockLacks(counters: ExporterSight['counters']): Found[] {
  const lacks: Found[] = [];
  const lagMs = counters.recordLagMs ?? 0;
  if (Math.abs(lagMs) > FLOWS_LAG_MS) {
    const movedMs = counters.recordZoneMs ?? 0;
    const is =
      movedMs === 0
        ? 'nothing is moved for that'
        : `times are moved by ${Math.abs(movedMs) / 60_000} minutes`;
    lacks.push([
      'wrong-clock',
      `its flows tell times ${Math.round(Math.abs(lagMs) / 60_000)} minutes ${lagMs > 0 ? 'behind' : 'ahead of'} its own headers; ${is}`,
      ['AN0926', 'AN0843'],
    ]);
  }
  const offsetMs = counters.clockOffsetMs ?? 0;
  if (Math.abs(offsetMs) > CLOCK_MS)
    lacks.push([
      'wrong-clock',
      `its clock is ${Math.round(Math.abs(offsetMs) / 1000)} s ${offsetMs > 0 ? 'behind' : 'ahead'}; times are moved by that`,
      ['AN0926', 'AN0843'],
    ]);
  return lacks;
}

function shownTwice(duplicates: readonly DuplicatePath[]): Found[] {
  const same = duplicates.filter(
    ({ isWhole, shareOut, shareIn }) => isWhole && Math.min(shareOut, shareIn) >= SAME_SHARE,
  );
  if (same.length === 0) return [];
  return [
    [
      'shown-twice',
      `what it shows of ${same
        .slice(0, 10)
        .map(
          ({ interface: index, elected }) =>
            `interface ${index} is shown by ${elected.exporter} (interface ${elected.interface})`,
        )
        .join(
          ', of ',
        )}, too, and counts once: unless it is wanted for when the other fails, this export may stop`,
      [],
    ],
  ];
}

const isExporting = (vendor: string | undefined): vendor is Exporting =>
  EXPORTING.some((name) => name === vendor);

const linesFor = (lack: Lack, vendor: string | undefined): Lacking['lines'] => {
  if (isExporting(vendor)) return { [vendor]: LINES[lack][vendor] };
  return vendor?.startsWith('linux-') ? { softflowd: LINES[lack].softflowd } : LINES[lack];
};
