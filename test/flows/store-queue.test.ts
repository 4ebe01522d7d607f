import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ConversationBatch, createBatch } from '../../src/flows/batch.ts';
import { createStoreQueue, type StoreQueueOptions } from '../../src/flows/store-queue.ts';

function queueWith(insert: StoreQueueOptions['insert'], maxRows = 100_000) {
  const dropped: number[] = [];
  const errors: number[] = [];
  const queue = createStoreQueue({
    maxRows,
    insert,
    onDropped: (batch) => dropped.push(batch.count),
    onError: (_error, waitingRows) => errors.push(waitingRows),
  });
  return { queue, dropped, errors };
}

const batch = (count: number): ConversationBatch => createBatch(count, ['192.0.2.1']);
const counts = (batches: readonly ConversationBatch[]) => batches.map(({ count }) => count);

test('batches are stored in order, several in one statement up to its size', async () => {
  const stored: number[][] = [];
  const { queue, dropped } = queueWith(async (batches) => {
    stored.push(counts(batches));
  });
  for (const count of [1, 20_000, 20_000, 20_000, 70_000 - 60_000]) queue.push(batch(count));
  await queue.close(5000);
  assert.deepEqual(stored.flat(), [1, 20_000, 20_000, 20_000, 10_000]);
  assert.ok(stored.every((part) => part.length === 1 || part.reduce((a, b) => a + b) <= 50_000));
  assert.equal(queue.storedRows(), 70_001);
  assert.deepEqual(dropped, []);
});

test('while the store fails batches wait, and go in once when it is back', async () => {
  let failures = 2;
  const stored: number[] = [];
  const { queue, errors } = queueWith(async (batches) => {
    if (failures-- > 0) throw new Error('down');
    stored.push(...counts(batches));
  });
  queue.push(batch(5));
  queue.push(batch(7));
  const deadline = Date.now() + 8000;
  while (queue.waitingRows() > 0 && Date.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(stored, [5, 7]);
  assert.equal(errors.length, 2);
  await queue.close(100);
});

test('over the bound a batch is dropped and told of; what waits is kept', async () => {
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const { queue, dropped } = queueWith(() => gate, 100);
  queue.push(batch(60));
  queue.push(batch(41));
  queue.push(batch(40));
  assert.deepEqual(dropped, [41]);
  assert.equal(queue.waitingRows(), 100);
  open();
  await queue.close(1000);
  assert.equal(queue.storedRows(), 100);
});

test('a stop does not wait for a store that hangs, and says what is lost', async () => {
  const { queue, dropped } = queueWith(() => new Promise(() => {}));
  queue.push(batch(3));
  const began = Date.now();
  await queue.close(50);
  assert.ok(Date.now() - began < 2000);
  assert.deepEqual(dropped, [3]);
});
