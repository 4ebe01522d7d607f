import assert from 'node:assert/strict';
import test from 'node:test';
import { setImmediate as nextRound } from 'node:timers/promises';
import { createEventQueue } from '../../src/events/queue.ts';
import { createTurns } from '../../src/events/turns.ts';
import type { Event } from '../../src/model/event.ts';

const idle = async (isDone: () => boolean) => {
  for (let i = 0; i < 1000 && !isDone(); i++) await nextRound();
  assert.ok(isDone());
};

test('a sender with a thousand pieces waiting has one turn before a newcomer', async () => {
  const worked: string[] = [];
  const turns = createTurns<string>({
    maxBytes: 1 << 20,
    mayWork: () => true,
    work: (sender) => worked.push(sender),
  });
  for (let i = 0; i < 1000; i++) turns.push('flood', 'x', 100, false);
  turns.push('polite', 'x', 100, false);
  await idle(() => worked.length === 1001);
  assert.ok(worked.indexOf('polite') < 20, `at ${worked.indexOf('polite')}`);
});

test('pieces of one sender stay in order, however often they wait', async () => {
  const worked: number[] = [];
  let isOpen = true;
  const turns = createTurns<number>({
    maxBytes: 1 << 20,
    mayWork: () => isOpen,
    work: (_, i) => worked.push(i),
  });
  for (let i = 0; i < 3000; i++) turns.push('one', i, 10, true);
  await idle(() => worked.length > 100);
  isOpen = false;
  await nextRound();
  await nextRound();
  const before = worked.length;
  turns.push('one', 3000, 10, true);
  await nextRound();
  assert.equal(worked.length, before, 'none while there is no room');
  isOpen = true;
  turns.wake();
  await idle(() => worked.length === 3001);
  assert.deepEqual(
    worked,
    Array.from({ length: 3001 }, (_, i) => i),
  );
});

test('one sender has half of what may wait, and others find room', () => {
  const turns = createTurns<string>({ maxBytes: 100_000, mayWork: () => false, work: () => undefined });
  let taken = 0;
  while (turns.push('flood', 'x', 800, false)) taken++;
  assert.equal(taken, 50);
  assert.ok(turns.push('polite', 'x', 800, false));
  assert.ok(turns.push('flood', 'x', 800, true), 'what can be made to wait is not refused');
});

test('at the end all is worked, room or not', () => {
  const worked: string[] = [];
  const turns = createTurns<string>({
    maxBytes: 1000,
    mayWork: () => false,
    work: (sender) => worked.push(sender),
  });
  turns.push('a', 'x', 1, false);
  turns.push('b', 'x', 1, false);
  turns.end();
  assert.deepEqual(worked.sort(), ['a', 'b']);
});

const event = (sender: string): Event => ({
  kind: 'other',
  receivedAtMs: 1,
  observedAtMs: 1,
  sender,
  message: 'x',
  raw: 'x',
});

test('while the store is down each sender keeps its share of the queue', async () => {
  let isDown = true;
  let rooms = 0;
  const queue = createEventQueue({
    maxEvents: 1000,
    maxBytes: 1 << 30,
    store: async () => {
      if (isDown) throw new Error('down');
    },
    onEvents: () => undefined,
    onError: () => undefined,
    onRoom: () => rooms++,
  });
  const fill = (sender: string) => {
    let count = 0;
    while (queue.add(event(sender), false)) count++;
    return count;
  };
  assert.equal(fill('first'), 500);
  assert.equal(fill('second'), 250);
  assert.equal(fill('third'), 125);
  assert.ok(queue.hasRoomFor('fourth'));
  await queue.flush();
  isDown = false;
  await queue.flush();
  assert.ok(rooms > 0);
  assert.equal(fill('first'), 500, 'all of it is free again');
});
