// minutes before and after -> whether the traffic after is a spike, and against what
import type { MinuteTotals } from '../model/watch.ts';
import { fitBaseline, negativeBinomialTail } from './statistics.ts';

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

/** The strongest spike over all metrics that have a threshold, or undefined. Flow counts are biased under sampling and then left out. */
export function findSpike(
  baseline: readonly MinuteTotals[],
  baselineMinutes: number,
  observed: readonly MinuteTotals[],
  sampled: boolean,
  limits: { threshold: FlowThreshold; tailProbability: number; ratio: number },
): Spike | undefined {
  let found: Spike | undefined;
  for (const { metric, of, unit } of METRICS) {
    const threshold = limits.threshold[metric];
    if (threshold === undefined || (sampled && metric === 'flowsPerMinute')) continue;
    const peakMinute = observed.reduce<MinuteTotals | undefined>(
      (best, m) => (!best || of(m) > of(best) ? m : best),
      undefined,
    );
    if (!peakMinute || of(peakMinute) < threshold) continue;
    const peak = of(peakMinute);
    const fit = fitBaseline(
      baseline.map((m) => of(m) / unit),
      baselineMinutes,
    );
    const tailProbability =
      baselineMinutes > 0 ? negativeBinomialTail(Math.ceil(peak / unit), fit.mean, fit.size) : undefined;
    const ratio = peak / Math.max(1, fit.mean * unit);
    if (ratio < limits.ratio || (tailProbability ?? 0) > limits.tailProbability) continue;
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
