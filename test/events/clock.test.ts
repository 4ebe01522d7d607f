import assert from 'node:assert/strict';
import test from 'node:test';
import { createClock, stampKind } from '../../src/events/clock.ts';
import { parseEvent } from '../../src/events/parse.ts';
import { happenedAt } from '../../src/model/event.ts';

const START_MS = Date.UTC(2026, 10, 2, 2, 0, 0);
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Small numbers that look like chance and are the same on every run. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

interface Sending {
  readonly offsetMs: (atMs: number) => number;
  readonly minutes: number;
  readonly everyMs?: number;
  readonly wholeSeconds?: boolean;
  readonly stamps?: 'zoned' | 'zoneless';
}

/** Lines that take up to 400 ms to come. */
function measure({ offsetMs, minutes, everyMs = 3000, wholeSeconds = false, stamps = 'zoned' }: Sending) {
  const clock = createClock(stamps);
  const next = chance(7);
  for (let atMs = START_MS; atMs < START_MS + minutes * MINUTE_MS; atMs += everyMs) {
    const stamped = atMs + offsetMs(atMs);
    clock.add(wholeSeconds ? Math.floor(stamped / 1000) * 1000 : stamped, atMs + Math.floor(next() * 400));
  }
  return clock;
}

const near = (actual: number | undefined, expected: number, withinMs: number) =>
  assert.ok(
    Math.abs((actual ?? 0) - expected) <= withinMs,
    `${actual} is not within ${withinMs} of ${expected}`,
  );

test('a clock 90 s ahead is known after two minutes, whole seconds or not', () => {
  near(measure({ offsetMs: () => 90_000, minutes: 2 }).estimate?.offsetMs, 90_000, 400);
  near(measure({ offsetMs: () => 90_000, minutes: 2, wholeSeconds: true }).estimate?.offsetMs, 90_000, 1000);
  assert.equal(measure({ offsetMs: () => 90_000, minutes: 1 }).estimate, undefined, 'too soon to say');
});

test('a clock 90 s behind is known after six minutes, not before: it might be late lines', () => {
  assert.equal(measure({ offsetMs: () => -90_000, minutes: 4 }).estimate, undefined);
  near(measure({ offsetMs: () => -90_000, minutes: 6 }).estimate?.offsetMs, -90_000, 400);
});

test('a right clock has no offset, whatever the way and the stamp take away', () => {
  assert.equal(measure({ offsetMs: () => 0, minutes: 20 }).estimate, undefined);
  assert.equal(
    measure({ offsetMs: () => 0, minutes: 20, wholeSeconds: true, everyMs: 29_000 }).estimate,
    undefined,
  );
});

test('local time is a zone, taken off whole; what the clock is off beside it is too', () => {
  const local = (offset: number) =>
    measure({ offsetMs: () => offset, minutes: 2, wholeSeconds: true, stamps: 'zoneless' }).estimate;
  assert.deepEqual(local(HOUR_MS), { offsetMs: HOUR_MS, zoneMinutes: 60 });
  assert.deepEqual(local(-5 * HOUR_MS), { offsetMs: -5 * HOUR_MS, zoneMinutes: -300 });
  assert.deepEqual(local(5.5 * HOUR_MS), { offsetMs: 5.5 * HOUR_MS, zoneMinutes: 330 });
  const both = local(HOUR_MS + 90_000);
  assert.equal(both?.zoneMinutes, 60);
  near(both?.offsetMs, HOUR_MS + 90_000, 1000);
});

test('an hour is no zone where the lines state one', () => {
  const { estimate } = measure({ offsetMs: () => HOUR_MS, minutes: 2 });
  assert.equal(estimate?.zoneMinutes, undefined);
  near(estimate?.offsetMs, HOUR_MS, 400);
});

test('the hour of summer time that begins or ends is followed within two minutes', () => {
  for (const [before, after] of [
    [1, 2],
    [2, 1],
  ]) {
    const changeMs = START_MS + 20 * MINUTE_MS;
    const offsetMs = (atMs: number) => (atMs < changeMs ? before : after) * HOUR_MS;
    const sending = { offsetMs, wholeSeconds: true, stamps: 'zoneless' } as const;
    assert.equal(measure({ ...sending, minutes: 20 }).estimate?.zoneMinutes, before * 60);
    assert.equal(measure({ ...sending, minutes: 22 }).estimate?.zoneMinutes, after * 60);
  }
});

test('a clock that drifts a second a minute is followed both ways', () => {
  for (const sign of [1, -1]) {
    const offsetMs = (atMs: number) => sign * (10_000 + (atMs - START_MS) / 60);
    near(measure({ offsetMs, minutes: 60 }).estimate?.offsetMs, sign * 70_000, 2500);
  }
});

test('a clock that was set right is right again', () => {
  const setMs = START_MS + 30 * MINUTE_MS;
  const ahead = (atMs: number) => (atMs < setMs ? 90_000 : 0);
  assert.equal(measure({ offsetMs: ahead, minutes: 36 }).estimate, undefined);
  const behind = (atMs: number) => (atMs < setMs ? -90_000 : 0);
  assert.equal(measure({ offsetMs: behind, minutes: 33 }).estimate, undefined);
});

test('the batch of a relay that was cut off for an hour shifts nothing, fast, slow or first of all', () => {
  for (const drainMinutes of [0.1, 3, 20])
    for (const offset of [0, 90_000]) {
      const clock = measure({ offsetMs: () => offset, minutes: 30 });
      const before = clock.estimate;
      const cutMs = START_MS + 30 * MINUTE_MS;
      const backMs = cutMs + HOUR_MS;
      // Every line since the cut, in order, while new ones queue behind them.
      const drainMs = drainMinutes * MINUTE_MS;
      for (let share = 0; share < 1; share += 0.001)
        clock.add(cutMs + share * (HOUR_MS + drainMs) + offset, backMs + share * drainMs);
      assert.deepEqual(clock.estimate, before, `${drainMinutes} minutes, ${offset} ms ahead`);
      for (let atMs = backMs + drainMs; atMs < backMs + drainMs + 5 * MINUTE_MS; atMs += 3000)
        clock.add(atMs + offset, atMs + 50);
      near(clock.estimate?.offsetMs, offset, 400);
    }
  const first = createClock('zoned');
  for (let i = 0; i < 1000; i++) first.add(START_MS + i * 3600, START_MS + HOUR_MS + i * 100);
  assert.equal(first.estimate, undefined);
});

test('single lines from another time shift nothing', () => {
  const clock = measure({ offsetMs: () => 0, minutes: 10 });
  const atMs = START_MS + 11 * MINUTE_MS;
  clock.add(atMs + 86_400_000, atMs);
  clock.add(atMs, atMs);
  for (let i = 1; i < 100; i++) clock.add(atMs + i * 3000, atMs + i * 3000 + 20);
  assert.equal(clock.estimate, undefined);
});

test('a line an hour is enough, in its time', () => {
  near(measure({ offsetMs: () => 90_000, minutes: 300, everyMs: HOUR_MS }).estimate?.offsetMs, 90_000, 400);
});

test('what a time was written with is told from the line', () => {
  const kind = (line: string) => stampKind(parseEvent(line, '192.0.2.1', START_MS + 1234));
  assert.equal(kind('<34>1 2026-11-02T01:59:00.123+01:00 h sshd - - - x'), 'zoned');
  assert.equal(kind('<34>2026-11-02T01:59:00Z h sshd[1]: x'), 'zoned');
  assert.equal(kind('<34>Nov  2 01:59:00 h sshd[1]: x'), 'zoneless');
  assert.equal(kind('<34>2026-11-02T01:59:00 h sshd[1]: x'), 'zoneless');
  assert.equal(
    kind('<34>Nov  2 01:59:00 h audispd: type=SYSCALL msg=audit(1793584740.101:7): arch=c000003e syscall=54'),
    'zoned',
  );
  assert.equal(kind('no time at all'), undefined);
});

test('taken off, the time of a line is ours', () => {
  const clock = measure({ offsetMs: () => HOUR_MS, minutes: 2, wholeSeconds: true, stamps: 'zoneless' });
  const receivedAtMs = START_MS + 3 * MINUTE_MS;
  const event = parseEvent('<86>Nov  2 03:03:00 h sshd[1]: x', '192.0.2.1', receivedAtMs);
  assert.equal(happenedAt({ ...event, clockOffsetMs: clock.estimate?.offsetMs }), receivedAtMs);
});
