import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRecent } from '../../src/web/recent.ts';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test('what is quick is asked anew each time', async () => {
  const recent = createRecent<number>();
  let asked = 0;
  for (let i = 1; i <= 3; i++) assert.equal(await recent.get('a', i, async () => ++asked), i);
});

test('what takes long is answered from before while it is asked anew, once at a time', async () => {
  const recent = createRecent<number>();
  let asked = 0;
  const slow = async () => {
    await pause(60);
    return ++asked;
  };
  const [one, two] = await Promise.all([recent.get('a', 0, slow), recent.get('a', 0, slow)]);
  assert.deepEqual([one, two, asked], [1, 1, 1]);
  // It holds twenty times as long as it took.
  assert.equal(await recent.get('a', 900, slow), 1);
  await pause(100);
  assert.equal(asked, 1);
  // The result of before: nobody waited for the next one.
  assert.deepEqual(await Promise.all([1, 2, 3].map(() => recent.get('a', 200_000, slow))), [1, 1, 1]);
  await pause(150);
  assert.equal(await recent.get('a', 200_001, slow), 2);
  // Too old to be shown at all.
  assert.equal(await recent.get('a', 900_000, slow), 3);
});

test('a failure is told where there is no answer yet, and forgets one that could not be renewed', async () => {
  const recent = createRecent<number>();
  const fail = async () => {
    await pause(60);
    throw new Error('down');
  };
  await assert.rejects(recent.get('a', 0, fail), /down/);
  const slow = async () => {
    await pause(60);
    return 1;
  };
  await recent.get('a', 0, slow);
  assert.equal(await recent.get('a', 100_000, fail), 1);
  await pause(100);
  await assert.rejects(recent.get('a', 100_001, fail), /down/);
});
