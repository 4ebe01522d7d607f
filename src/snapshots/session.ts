// what the two kinds of session share: bounds, byte count, steps, errors
import { setTimeout as sleep } from 'node:timers/promises';
import type { DeviceDefinition } from '../../devices/definition.ts';
import { PosternError } from '../model/errors.ts';
import type { Connection } from './connect.ts';
import type { PullBounds, PullTarget, StepName } from './target.ts';

export interface Session {
  readonly connection: Connection;
  readonly target: PullTarget;
  readonly definition: DeviceDefinition;
  readonly bounds: PullBounds;
  readonly note: (name: StepName, detail: string, byteCount?: number) => void;
  /** An error about this device; `screen` is masked already. */
  readonly fail: (code: string, message: string, screen?: string) => PosternError;
  /** Adds received bytes; gives the error when they are too many. */
  readonly count: (byteCount: number) => PosternError | undefined;
  readonly byteCount: () => number;
  /** The error of a channel that was not opened; or why the connection is gone, which is known a moment later. */
  readonly refused: (error: PosternError) => Promise<never>;
  /** Waits for work no longer than a time and no longer than the connection lives; `lostCode` is what losing it means here. */
  readonly within: <T>(
    work: Promise<T>,
    timeoutMs: number,
    onTimeout: () => PosternError,
    lostCode: 'connection-lost' | 'truncated',
  ) => Promise<T>;
}

const LOSS_MS = 50;

export function createSession(
  parts: Pick<Session, 'connection' | 'target' | 'definition' | 'bounds' | 'note'>,
): Session {
  const { connection, target, bounds } = parts;
  let total = 0;
  const fail: Session['fail'] = (code, message, screen) =>
    new PosternError(
      code,
      `${target.name}: ${message}${screen ? `. Last on the screen:\n${screen.replace(/^/gm, '  | ')}` : ''}`,
      { subject: target.name },
    );
  return {
    ...parts,
    fail,
    byteCount: () => total,
    refused: async (error) => {
      await Promise.race([connection.lost, sleep(LOSS_MS)]);
      throw error;
    },
    count: (byteCount) => {
      total += byteCount;
      return total > bounds.maxByteCount
        ? fail(
            'output-too-large',
            `more than ${bounds.maxByteCount} bytes came; if the configuration really is that large, raise POSTERN_PULL_MAX_BYTES`,
          )
        : undefined;
    },
    within: async (work, timeoutMs, onTimeout, lostCode) => {
      const { promise: timedOut, reject } = Promise.withResolvers<never>();
      const timer = setTimeout(() => reject(onTimeout()), timeoutMs);
      work.catch(() => {});
      try {
        return await Promise.race([work, timedOut, connection.lost]);
      } catch (error) {
        if (lostCode === 'truncated' && error instanceof PosternError && error.code === 'connection-lost')
          throw fail(
            'truncated',
            'the device closed the connection in the middle of its output; nothing of it is kept',
          );
        throw error;
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
