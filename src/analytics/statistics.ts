// the few distributions that judgements need: negative binomial tails and beta intervals

/** ln(Gamma(x)) for x > 0: Lanczos approximation, g = 7, n = 9; relative error below 1e-13. */
export function lnGamma(x: number): number {
  const coefficients = [
    0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
    12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
  ];
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - lnGamma(1 - x);
  const shifted = x - 1;
  const t = shifted + 7.5;
  const sum = coefficients.reduce((total, c, i) => (i === 0 ? c : total + c / (shifted + i)), 0);
  return 0.5 * Math.log(2 * Math.PI) + (shifted + 0.5) * Math.log(t) - t + Math.log(sum);
}

/** Regularised incomplete beta function I_x(a, b) by its continued fraction (DLMF 8.17.22). */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const front = Math.exp(lnGamma(a + b) - lnGamma(a) - lnGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  return (front * betaFraction(x, a, b)) / a;
}

/** Modified Lentz evaluation of the continued fraction of DLMF 8.17.22. */
function betaFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  const bounded = (value: number) => (Math.abs(value) < tiny ? tiny : value);
  let c = 1;
  let d = 1 / bounded(1 - ((a + b) * x) / (a + 1));
  let result = d;
  for (let m = 1; m <= 1000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / bounded(1 + even * d);
    c = bounded(1 + even / c);
    result *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / bounded(1 + odd * d);
    c = bounded(1 + odd / c);
    const step = d * c;
    result *= step;
    if (Math.abs(step - 1) < 1e-12) break;
  }
  return result;
}

/** The x at which I_x(a, b) = probability, by bisection. */
export function betaQuantile(probability: number, a: number, b: number): number {
  let low = 0;
  let high = 1;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (incompleteBeta(middle, a, b) < probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** P(X >= count) of a negative binomial with this mean and size (dispersion; large size tends to Poisson). */
export function negativeBinomialTail(count: number, mean: number, size: number): number {
  if (count <= 0) return 1;
  if (mean <= 0) return 0;
  return incompleteBeta(mean / (mean + size), count, size);
}

export interface BaselineFit {
  readonly mean: number;
  readonly size: number;
}

/**
 * Fits a negative binomial to per-minute counts of which `minutes - values.length` are zero. The centre is the mean
 * without the largest 1% of minutes (a past burst must not hide a new one), the spread the larger of the trimmed
 * variance and the normal-consistent median absolute deviation.
 */
export function fitBaseline(values: readonly number[], minutes: number): BaselineFit {
  const count = Math.max(minutes, values.length);
  if (count === 0) return { mean: 0, size: 1 };
  const sorted = [...values].sort((a, b) => a - b);
  const kept = sorted.slice(0, Math.max(0, sorted.length - Math.floor(count * 0.01)));
  const keptCount = kept.length + (count - sorted.length);
  const mean = kept.reduce((sum, value) => sum + value, 0) / keptCount;
  const zeros = keptCount - kept.length;
  const variance =
    (kept.reduce((sum, value) => sum + (value - mean) ** 2, 0) + zeros * mean ** 2) /
    Math.max(1, keptCount - 1);
  const spread = Math.max(variance, (1.4826 * medianDeviation(kept, zeros)) ** 2);
  // Below the Poisson variance the size has no meaning; a large one is Poisson.
  return { mean, size: spread > mean * 1.0001 ? Math.max(mean ** 2 / (spread - mean), 0.01) : 1e6 };
}

function medianDeviation(sorted: readonly number[], zeros: number): number {
  const at = (index: number) => (index < zeros ? 0 : sorted[index - zeros]);
  const count = sorted.length + zeros;
  if (count === 0) return 0;
  const median = at(Math.floor((count - 1) / 2));
  const deviations = [
    ...sorted.map((value) => Math.abs(value - median)),
    ...(zeros > 0 ? [median] : []),
  ].sort((a, b) => a - b);
  return deviations[Math.floor((deviations.length - 1) / 2)] ?? 0;
}
