// an attempt that may fail for a reason that passes -> its result, later
import { setTimeout as sleep } from 'node:timers/promises';
import type { DeviceDefinition } from '../../devices/definition.ts';
import { PosternError } from '../model/errors.ts';
import { pull } from './pull.ts';
import { boundsOf, type PullOptions, type PullResult, type PullTarget } from './target.ts';
import { createSlots, createTurns } from './turns.ts';

/** Never a refused login: repeating it locks accounts. Never a changed host key: a person must look. */
const TRANSIENT: ReadonlySet<string> = new Set([
  'address-unknown',
  'connect-timeout',
  'connection-refused',
  'unreachable',
  'handshake-failed',
  'login-timeout',
  'connection-lost',
  'prompt-timeout',
  'command-timeout',
  'pull-timeout',
  'truncated',
]);

export interface RetryOptions {
  /** In all, the first included. */
  readonly attempts: number;
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
  readonly signal?: AbortSignal;
  /** 0 to 1. */
  readonly random?: () => number;
  readonly onRetry?: (error: unknown, attempt: number, delayMs: number) => void;
}

export function isTransient(error: unknown): boolean {
  return error instanceof PosternError && TRANSIENT.has(error.code);
}

/** Delay before the attempt after `attempt` (1-based): doubles, and half of it is chance, so that devices do not come back in step. */
export function backoffMs(
  attempt: number,
  { firstDelayMs, maxDelayMs, random = Math.random }: RetryOptions,
): number {
  const ceiling = Math.min(maxDelayMs, firstDelayMs * 2 ** (attempt - 1));
  return Math.round(ceiling / 2 + (random() * ceiling) / 2);
}

/** Runs until it succeeds, fails for a reason that stays, or is out of attempts; then throws the last error. */
export async function retry<T>(run: (attempt: number) => Promise<T>, options: RetryOptions): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await run(attempt);
    } catch (error) {
      if (attempt >= options.attempts || !isTransient(error) || options.signal?.aborted) throw error;
      const delayMs = backoffMs(attempt, options);
      options.onRetry?.(error, attempt, delayMs);
      await sleep(delayMs, undefined, { signal: options.signal }).catch(() => {
        throw error;
      });
    }
  }
}

export interface PoliteOptions extends Omit<PullOptions, 'bounds'> {
  readonly settings: Parameters<typeof boundsOf>[0] & {
    readonly POSTERN_PULL_ATTEMPTS: number;
    readonly POSTERN_PULL_CONCURRENCY: number;
  };
  readonly onRetry?: RetryOptions['onRetry'];
}

const FIRST_DELAY_MS = 2000;
const MAX_DELAY_MS = 60_000;
/** Of this process; jobs of one device are one job over all processes by their dedupe key. */
const turnOf = createTurns();
const slots = new Map<number, ReturnType<typeof createSlots>>();

/** pull() with the settings' bounds and retries, one at a time for a device, so many at once in this process. Throws as pull does. */
export function pullPolitely(
  target: PullTarget,
  definition: DeviceDefinition,
  { settings, onRetry, ...options }: PoliteOptions,
): Promise<PullResult> {
  const limit = settings.POSTERN_PULL_CONCURRENCY;
  const inSlot = slots.get(limit) ?? createSlots(limit);
  slots.set(limit, inSlot);
  const bounds = boundsOf(settings);
  // The slot is free while a device that failed is waited for; its turn is not.
  return turnOf(`${target.address} ${target.port}`, () =>
    retry(() => inSlot(() => pull(target, definition, { ...options, bounds })), {
      attempts: settings.POSTERN_PULL_ATTEMPTS,
      firstDelayMs: FIRST_DELAY_MS,
      maxDelayMs: MAX_DELAY_MS,
      signal: options.signal,
      onRetry,
    }),
  );
}
