import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type ConversationBatch, createBatch } from '../../src/flows/batch.ts';
import { openSpool } from '../../src/flows/spool.ts';
import { createStoreQueue, type Part } from '../../src/flows/store-queue.ts';

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-spool-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Told apart by their minute. */
function batch(minute: number, count = 10): ConversationBatch {
  const made = createBatch(count, ['192.0.2.1']);
  made.minute.fill(minute);
  return made;
}
const minutes = (batches: readonly ConversationBatch[]) => batches.map((one) => one.minute[0]);

async function open(folder: string, maxBytes = 1 << 24) {
  const lost: unknown[] = [];
  const spool = await openSpool<Part<ConversationBatch>>({
    folder,
    maxBytes,
    onLost: (error) => lost.push(error),
  });
  return { spool, lost };
}

const until = async (isTrue: () => boolean) => {
  for (let i = 0; i < 500 && !isTrue(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(isTrue());
};

test('while the store is down batches go to disk, and are stored in order when it is back', async (t) => {
  const { spool, lost } = await open(folderFor(t));
  const stored: number[] = [];
  const dropped: number[] = [];
  let isDown = true;
  const queue = createStoreQueue<ConversationBatch>({
    maxRows: 25,
    spool,
    insert: async (batches) => {
      if (isDown) throw new Error('down');
      stored.push(...minutes(batches));
    },
    onDropped: (one) => dropped.push(one.minute[0]),
    onError: () => undefined,
  });
  for (let minute = 1; minute <= 8; minute++) queue.push(batch(minute));
  assert.deepEqual([queue.waitingRows(), queue.spooledRows()], [20, 60]);
  await spool.settled();
  isDown = false;
  await until(() => stored.length === 8);
  assert.deepEqual(stored, [1, 2, 3, 4, 5, 6, 7, 8]);
  queue.push(batch(9));
  await queue.close(1000);
  assert.deepEqual([stored.at(-1), dropped, lost, spool.isEmpty()], [9, [], [], true]);
});

test('what is left at the stop, in memory and on disk, is stored by the next process, the oldest first', async (t) => {
  const folder = folderFor(t);
  const first = await open(folder);
  const down = createStoreQueue<ConversationBatch>({
    maxRows: 25,
    spool: first.spool,
    insert: () => Promise.reject(new Error('down')),
    onDropped: () => assert.fail('nothing is dropped'),
    onError: () => undefined,
  });
  for (let minute = 1; minute <= 5; minute++) down.push(batch(minute));
  await down.close(20);
  assert.equal(readdirSync(folder).length, 5);
  // As kill -9 leaves it in the middle of a write.
  writeFileSync(join(folder, '5000000099.batch.new'), 'half');
  const second = await open(folder);
  const stored: number[] = [];
  const up = createStoreQueue<ConversationBatch>({
    maxRows: 25,
    spool: second.spool,
    insert: async (batches) => {
      stored.push(...minutes(batches));
    },
    onDropped: () => assert.fail('nothing is dropped'),
    onError: () => undefined,
  });
  await until(() => stored.length === 5);
  assert.deepEqual(stored, [1, 2, 3, 4, 5]);
  await up.close(1000);
  assert.deepEqual(readdirSync(folder), []);
});

test('over its bound a batch is dropped and told; a damaged file costs itself only', async (t) => {
  const folder = folderFor(t);
  const { spool } = await open(folder, 6000);
  const pushed = Array.from({ length: 10 }, (_, minute) =>
    spool.push({ id: String(minute), batches: [batch(minute)], count: 10 }),
  );
  assert.ok(pushed.includes(true) && pushed.includes(false));
  const kept = pushed.filter(Boolean).length;
  await spool.settled();
  const [name] = readdirSync(folder).sort();
  writeFileSync(join(folder, name), 'damaged');
  const again = await open(folder);
  const seen: number[] = [];
  for (let one = await again.spool.first(); one; one = await again.spool.first()) {
    seen.push(...minutes(one.batches));
    await again.spool.shift();
  }
  assert.deepEqual([seen.length, seen[0], again.lost.length], [kept - 1, 1, 1]);
  assert.deepEqual(readdirSync(folder), []);
});

test('what is tried again, after a kill too, comes under the id that it had; a later batch with the same rows has another', async (t) => {
  const folder = folderFor(t);
  const asked: [id: string, minutes: number[]][] = [];
  const queueOf = async (isRefused: () => boolean) => {
    const { spool } = await open(folder);
    const queue = createStoreQueue<ConversationBatch>({
      maxRows: 10,
      spool,
      insert: async (batches, id) => {
        asked.push([id, minutes(batches)]);
        // Stored, and the answer is lost.
        if (isRefused()) throw new Error('gone');
      },
      onDropped: () => assert.fail('nothing is dropped'),
      onError: () => undefined,
    });
    return { queue, spool };
  };
  const first = await queueOf(() => true);
  for (let i = 0; i < 3; i++) first.queue.push(batch(7));
  await until(() => asked.length >= 2);
  // What was in memory while it was tried goes to the disk with its id.
  await first.queue.close(20);
  assert.equal(new Set(asked.map(([id]) => id)).size, 1);
  const second = await queueOf(() => false);
  await until(() => second.spool.isEmpty());
  const ids = asked.map(([id]) => id);
  assert.deepEqual([ids.at(-3), new Set(ids).size, second.queue.storedRows()], [ids[0], 3, 30]);
  await second.queue.close(1000);
});

test('batches that an earlier version left on disk are stored', async (t) => {
  const folder = folderFor(t);
  const { spool } = await open(folder);
  spool.push(batch(3) as unknown as Part<ConversationBatch>);
  await spool.settled();
  const again = await open(folder);
  const stored: number[] = [];
  const queue = createStoreQueue<ConversationBatch>({
    maxRows: 10,
    spool: again.spool,
    insert: async (batches) => {
      stored.push(...minutes(batches));
    },
    onDropped: () => assert.fail('nothing is dropped'),
    onError: () => undefined,
  });
  await until(() => again.spool.isEmpty());
  assert.deepEqual(stored, [3]);
  await queue.close(1000);
});
