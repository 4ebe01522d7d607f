// what a BullMQ job is: a name, a payload of ids, how often it is tried, and what it runs
import type { Static, TSchema } from 'typebox';
import type { Services } from '../src/services.ts';

export interface JobDefinition<Payload extends TSchema = TSchema> {
  /** The BullMQ queue's and the job's name, kebab-case. */
  readonly name: string;
  /** Ids, not objects. */
  readonly payload: Payload;
  readonly attempts: number;
  /** First delay between attempts; grows exponentially with jitter. */
  readonly backoffMs: number;
  readonly timeoutMs: number;
  /** How many run at once in one process. */
  readonly concurrency: (services: Services) => number;
  /** Jobs with the same key that still wait are one job. */
  readonly dedupeKey: (payload: Static<Payload>) => string;
  /** Runs itself at this interval where given. */
  readonly everyMs?: (services: Services) => number;
  readonly run: (payload: Static<Payload>, services: Services, signal: AbortSignal) => Promise<void>;
}

/** Keeps the payload's type while the registry holds definitions of all kinds. */
export function defineJob<Payload extends TSchema>(
  definition: JobDefinition<Payload>,
): JobDefinition<Payload> {
  return definition;
}
