import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  betaQuantile,
  fitBaseline,
  incompleteBeta,
  lnGamma,
  negativeBinomialTail,
} from '../../src/analytics/statistics.ts';

const near = (actual: number, expected: number, tolerance = 1e-9) =>
  assert.ok(
    Math.abs(actual - expected) <= tolerance * Math.max(1, Math.abs(expected)),
    `${actual} is not ${expected}`,
  );

test('lnGamma of integers is the logarithm of a factorial', () => {
  near(lnGamma(1), 0);
  near(lnGamma(11), Math.log(3_628_800));
  near(lnGamma(0.5), Math.log(Math.sqrt(Math.PI)));
});

test('incomplete beta against closed forms', () => {
  near(incompleteBeta(0.3, 1, 1), 0.3);
  near(incompleteBeta(0.3, 2, 1), 0.09);
  near(incompleteBeta(0.5, 200, 200), 0.5);
  // I_x(2, 3) = 6x^2 - 8x^3 + 3x^4
  near(incompleteBeta(0.4, 2, 3), 6 * 0.16 - 8 * 0.064 + 3 * 0.0256);
});

test('beta quantile inverts the incomplete beta', () => {
  for (const [p, a, b] of [
    [0.975, 0.5, 200.5],
    [0.1, 3, 7],
    [0.5, 40, 2],
  ] as const)
    near(incompleteBeta(betaQuantile(p, a, b), a, b), p, 1e-6);
});

test('negative binomial tail equals the sum of its terms', () => {
  const mean = 4;
  const size = 2;
  const p = mean / (mean + size);
  let below = 0;
  for (let k = 0; k < 10; k++)
    below += Math.exp(
      lnGamma(k + size) - lnGamma(size) - lnGamma(k + 1) + k * Math.log(p) + size * Math.log(1 - p),
    );
  near(negativeBinomialTail(10, mean, size), 1 - below);
  assert.equal(negativeBinomialTail(1, 0, 1), 0);
});

test('a past burst does not hide a new one, zeros count', () => {
  const quiet = Array.from({ length: 990 }, (_, i) => 10 + (i % 5));
  const fit = fitBaseline([...quiet, ...Array.from({ length: 10 }, () => 100_000)], 1000);
  assert.ok(fit.mean < 20, String(fit.mean));
  near(fitBaseline([100], 100).mean, 0, 1);
});
