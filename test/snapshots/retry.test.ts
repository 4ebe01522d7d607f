import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PosternError } from '../../src/model/errors.ts';
import { backoffMs, pullPolitely, retry } from '../../src/snapshots/retry.ts';
import { createSlots, createTurns } from '../../src/snapshots/turns.ts';
import { play } from './play.ts';
import { EDGE, shellVendor } from './vendors.ts';

const OPTIONS = { attempts: 4, firstDelayMs: 1, maxDelayMs: 4 };
const failing = (code: string, times: number) => {
  let count = 0;
  return {
    count: () => count,
    run: async () => {
      count++;
      if (count <= times) throw new PosternError(code, 'no');
      return 'done';
    },
  };
};

describe('retry', () => {
  test('tries again where the reason may pass', async () => {
    const { run, count } = failing('connect-timeout', 3);
    assert.equal(await retry(run, OPTIONS), 'done');
    assert.equal(count(), 4);
  });

  for (const code of [
    'login-failed',
    'host-key-changed',
    'enable-failed',
    'command-refused',
    'output-too-large',
  ])
    test(`never after ${code}`, async () => {
      const { run, count } = failing(code, 9);
      await assert.rejects(retry(run, OPTIONS), { code });
      assert.equal(count(), 1);
    });

  test('gives up with the last error, and at once when stopped', async () => {
    const endless = failing('truncated', 99);
    await assert.rejects(retry(endless.run, OPTIONS), { code: 'truncated' });
    assert.equal(endless.count(), 4);
    const stopped = failing('truncated', 99);
    const signal = AbortSignal.timeout(20);
    await assert.rejects(
      retry(stopped.run, { ...OPTIONS, firstDelayMs: 60_000, maxDelayMs: 60_000, signal }),
      {
        code: 'truncated',
      },
    );
    assert.equal(stopped.count(), 1);
  });

  test('waits twice as long each time, half of it by chance, up to a bound', () => {
    const at = (attempt: number, random: number) =>
      backoffMs(attempt, { attempts: 9, firstDelayMs: 1000, maxDelayMs: 6000, random: () => random });
    assert.deepEqual([at(1, 0), at(1, 1), at(2, 0), at(2, 1), at(4, 1)], [500, 1000, 1000, 2000, 6000]);
  });
});

describe('turns and slots', () => {
  const tick = () => new Promise((resolve) => setTimeout(resolve, 5));

  test('one at a time for a key, a failure does not block the next', async () => {
    const turn = createTurns();
    let running = 0;
    const most: Record<string, number> = {};
    const job = (key: string) => async () => {
      running++;
      most[key] = Math.max(most[key] ?? 0, running);
      await tick();
      running--;
      if (key === 'a') throw new Error('no');
    };
    await Promise.allSettled([turn('a', job('a')), turn('a', job('a')), turn('a', job('a'))]);
    assert.equal(most.a, 1);
    await Promise.all([turn('b', job('b')), turn('c', job('c'))]);
    assert.equal(most.c, 2);
  });

  test('so many at once, in order', async () => {
    const inSlot = createSlots(2);
    let running = 0;
    let most = 0;
    const order: number[] = [];
    await Promise.all(
      [0, 1, 2, 3, 4, 5].map((i) =>
        inSlot(async () => {
          order.push(i);
          most = Math.max(most, ++running);
          await tick();
          running--;
        }),
      ),
    );
    assert.equal(most, 2);
    assert.deepEqual(order, [0, 1, 2, 3, 4, 5]);
  });
});

test('pullPolitely pulls one device once at a time', async (t) => {
  const playing = await play(EDGE);
  t.after(playing.stop);
  const target = {
    name: 'edge1',
    address: '127.0.0.1',
    port: playing.port,
    username: 'reader',
    credential: { password: 'correct horse' },
  };
  const settings = {
    POSTERN_SSH_CONNECT_TIMEOUT_SECONDS: 5,
    POSTERN_SSH_LOGIN_TIMEOUT_SECONDS: 5,
    POSTERN_SSH_COMMAND_TIMEOUT_SECONDS: 5,
    POSTERN_PULL_TIMEOUT_SECONDS: 20,
    POSTERN_PULL_MAX_BYTES: 1_000_000,
    POSTERN_PULL_ATTEMPTS: 2,
    POSTERN_PULL_CONCURRENCY: 2,
  };
  const now = () => performance.now();
  const [a, b] = await Promise.all([
    pullPolitely(target, shellVendor, { settings, now }),
    pullPolitely(target, shellVendor, { settings, now }),
  ]);
  assert.ok(b.beganAtMs >= a.beganAtMs + a.durationMs);
  await assert.rejects(
    pullPolitely({ ...target, credential: { password: 'no' } }, shellVendor, { settings, now }),
    { code: 'login-failed' },
  );
  assert.equal(playing.passwords.filter((password) => password === 'no').length, 1);
});
