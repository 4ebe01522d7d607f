import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzz } from './fuzz.ts';

test('200,000 datagrams of all versions with lies in them: no exception, none over a millisecond, memory bounded', (t) => {
  const before = process.memoryUsage().rss;
  const { records, templates, malformed, slowestMs } = fuzz(200_000, 20261102);
  const grownMiB = (process.memoryUsage().rss - before) / 1_048_576;
  t.diagnostic(
    `${records} records, ${templates} templates, ${malformed} faults counted, slowest ${slowestMs.toFixed(2)} ms, ${grownMiB.toFixed(0)} MiB more`,
  );
  assert.ok(records > 10_000 && templates > 5_000 && malformed > 10_000);
  assert.ok(slowestMs <= 1, `${slowestMs} ms`);
  assert.ok(grownMiB < 512, `${grownMiB} MiB`);
});
