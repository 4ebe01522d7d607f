import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextAnswerAt } from '../../src/watches/schedule.ts';

const DAY = 86_400_000;

test('answers come soon at first, then less and less often, until the watch is over', () => {
  const times: number[] = [];
  for (let at: number | undefined = nextAnswerAt(0, DAY, 0); at !== undefined; at = nextAnswerAt(0, DAY, at))
    times.push(at);
  assert.equal(times[0], 15_000);
  assert.equal(times.at(-1), DAY);
  assert.ok(times.length < 40);
  const gaps = times.slice(1).map((at, index) => at - times[index]);
  assert.ok(gaps.slice(0, -1).every((gap, index) => index === 0 || gap >= gaps[index - 1] / 2));
  assert.ok(times.filter((at) => at <= 120_000).length >= 6);
});

test('a worker that comes late asks for the next time that is still ahead', () => {
  assert.equal(nextAnswerAt(0, DAY, 100_000), 120_000);
  assert.equal(nextAnswerAt(0, DAY, DAY - 1), DAY);
  assert.equal(nextAnswerAt(0, DAY, DAY), undefined);
  assert.equal(nextAnswerAt(0, 20_000, 16_000), 20_000);
});
