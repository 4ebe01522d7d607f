// minutes before and after -> whether the traffic after is a spike, and against what
import type { MinuteTotals, UsualPeak } from '../model/watch.ts';
import { fitBaseline, negativeBinomialTail } from './statistics.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Per minute; a metric that is left out is not looked at. */
export interface FlowThreshold {
  readonly packetsPerMinute?: number;
  readonly bytesPerMinute?: number;
  readonly flowsPerMinute?: number;
}

export interface Spike {
  readonly metric: keyof FlowThreshold;
  readonly peak: number;
  readonly peakMinuteMs: number;
  readonly baselineMean: number;
  /** Peak over the baseline's mean (at least 1 a minute). */
  readonly ratio: number;
  /** Probability of the peak or more in one minute under the baseline; undefined without a baseline. */
  readonly tailProbability?: number;
  readonly threshold: number;
}

/** Bytes are fitted in kilobytes, so that the distribution's tail stays computable. */
const METRICS = [
  { metric: 'packetsPerMinute', of: (m: MinuteTotals) => m.outPackets, unit: 1 },
  { metric: 'bytesPerMinute', of: (m: MinuteTotals) => m.outBytes, unit: 1000 },
  { metric: 'flowsPerMinute', of: (m: MinuteTotals) => m.outFlows, unit: 1 },
] as const;

/** Lower end of a Poisson count's 95% interval over the count, by the square root's stable spread of a half. */
function sureShare(packets: number, samplingRate: number): number {
  if (samplingRate <= 1) return 1;
  const samples = packets / samplingRate;
  return samples > 1 ? (Math.sqrt(samples) - 0.98) ** 2 / samples : 0;
}

/** Share of the comparable days before that must have seen as much at this hour for it to be usual. */
const USUAL_DAY_SHARE = 0.5;

/**
 * How many of the days before saw about as much within an hour of the peak's time of day, where that makes the peak usual: on
 * half of the days of its kind (all days where there are few), or a week and two weeks before. Undefined where it does not.
 */
export function recurrenceOf(
  spike: Spike,
  usualPeaks: readonly UsualPeak[],
  baselineFromMs: number,
  ratio: number,
): { days: number; ofDays: number } | undefined {
  const of = {
    packetsPerMinute: 'outPackets',
    bytesPerMinute: 'outBytes',
    flowsPerMinute: 'outFlows',
  } as const;
  const isAsMuch = (peak: UsualPeak) => peak[of[spike.metric]] * ratio > spike.peak;
  const isWeekend = (daysBefore: number) =>
    [0, 6].includes(new Date(spike.peakMinuteMs - daysBefore * DAY_MS).getUTCDay());
  const covered: number[] = [];
  for (let days = 1; spike.peakMinuteMs - days * DAY_MS >= baselineFromMs - HOUR_MS; days++)
    covered.push(days);
  const like = covered.filter((days) => isWeekend(days) === isWeekend(0));
  const days = like.length >= 2 ? like : covered;
  const seen = new Set(usualPeaks.filter(isAsMuch).map((peak) => peak.daysBefore));
  const seenDays = days.filter((day) => seen.has(day)).length;
  const isWeekly = seen.has(7) && seen.has(14);
  if (!isWeekly && (seenDays === 0 || seenDays < days.length * USUAL_DAY_SHARE)) return undefined;
  return { days: seenDays, ofDays: days.length };
}

/**
 * The strongest spike over all metrics that have a threshold, or undefined. Under sampling flow counts are biased and left out,
 * and a minute counts as much as its sampled packets surely stand for: one packet of a thousand is no thousand packets.
 */
export function findSpike(
  baseline: readonly MinuteTotals[],
  baselineMinutes: number,
  observed: readonly MinuteTotals[],
  samplingRate: number,
  limits: { threshold: FlowThreshold; tailProbability: number; ratio: number },
): Spike | undefined {
  let found: Spike | undefined;
  for (const { metric, of, unit } of METRICS) {
    const threshold = limits.threshold[metric];
    if (threshold === undefined || (samplingRate > 1 && metric === 'flowsPerMinute')) continue;
    const peakMinute = observed.reduce<MinuteTotals | undefined>(
      (best, m) => (!best || of(m) > of(best) ? m : best),
      undefined,
    );
    if (!peakMinute) continue;
    const peak = of(peakMinute);
    const sure = peak * sureShare(peakMinute.outPackets, samplingRate);
    if (sure < threshold) continue;
    const fit = fitBaseline(
      baseline.map((m) => of(m) / unit),
      baselineMinutes,
    );
    const tailProbability =
      baselineMinutes > 0 ? negativeBinomialTail(Math.ceil(sure / unit), fit.mean, fit.size) : undefined;
    const ratio = peak / Math.max(1, fit.mean * unit);
    if (sure / Math.max(1, fit.mean * unit) < limits.ratio || (tailProbability ?? 0) > limits.tailProbability)
      continue;
    const spike = {
      metric,
      peak,
      peakMinuteMs: peakMinute.minuteMs,
      baselineMean: fit.mean * unit,
      ratio,
      tailProbability,
      threshold,
    };
    if (!found || spike.peak / spike.threshold > found.peak / found.threshold) found = spike;
  }
  return found;
}
