// what the tests of sessions share: bounds for a busy machine, a target on the loopback, how a failure looks
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { PosternError } from '../../src/model/errors.ts';
import type { PullBounds, PullTarget } from '../../src/snapshots/pull.ts';
import { type PlayedDevice, type Playing, play } from './play.ts';

export const PATIENT: Partial<PullBounds> = {
  connectMs: 5000,
  loginMs: 10_000,
  promptMs: 5000,
  commandMs: 10_000,
  pullMs: 20_000,
  settleMs: 20,
};
export const OPTIONS = { now: () => performance.now(), bounds: PATIENT };

export async function start(
  context: TestContext,
  device: PlayedDevice,
  hostKey?: string | Buffer,
): Promise<Playing> {
  const playing = await play(device, hostKey);
  context.after(playing.stop);
  return playing;
}

export const targetAt = (port: number, more: Partial<PullTarget> = {}): PullTarget => ({
  name: 'edge1',
  address: '127.0.0.1',
  port,
  username: 'reader',
  credential: { password: 'correct horse' },
  ...more,
});

/** The error says what is wrong, is about the device, and holds no password. */
export const failsWith =
  (code: string, message = /./) =>
  (error: unknown): true => {
    assert.ok(error instanceof PosternError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    assert.equal(error.subject, 'edge1');
    assert.doesNotMatch(error.message, /correct horse/);
    return true;
  };
