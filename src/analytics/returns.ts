// packets out and back -> whether few came back, or why that cannot be said
import { betaQuantile } from './statistics.ts';

export type ReturnVerdict =
  | { readonly kind: 'few'; readonly ratio: number; readonly upper: number; readonly usual: number }
  | { readonly kind: 'normal'; readonly ratio: number; readonly upper: number; readonly usual: number }
  | { readonly kind: 'not-visible' }
  | { readonly kind: 'too-few-samples'; readonly ratio: number; readonly expected: number };

export interface ReturnLimits {
  /** Few only where the interval's upper end is below this... */
  readonly ceiling: number;
  /** ...and below this share of what is usual. */
  readonly shareOfUsual: number;
  readonly minExpectedReturns: number;
  readonly confidence: number;
  /** Correlation between packets of a minute: a beta-binomial's overdispersion, 0..1. */
  readonly correlation: number;
}

/**
 * Packets are as exported (not scaled), `usual` in return packets per out packet. The interval is that of a beta-binomial
 * proportion with a Jeffreys prior, over an effective number of packets n / (1 + (n - 1) * correlation).
 */
export function judgeReturns(
  packets: { out: number; back: number; visible: boolean },
  usual: number,
  limits: ReturnLimits,
): ReturnVerdict {
  if (!packets.visible) return { kind: 'not-visible' };
  const ratio = packets.out > 0 ? packets.back / packets.out : 0;
  const expected = packets.out * usual;
  if (expected < limits.minExpectedReturns) return { kind: 'too-few-samples', ratio, expected };
  const total = packets.out + packets.back;
  const effective = total / (1 + (total - 1) * limits.correlation);
  const back = (effective * packets.back) / total;
  const share = betaQuantile(1 - (1 - limits.confidence) / 2, back + 0.5, effective - back + 0.5);
  const upper = share / (1 - share);
  const few = upper < limits.ceiling && upper < limits.shareOfUsual * usual;
  return { kind: few ? 'few' : 'normal', ratio, upper, usual };
}
