// the service's open parts, handed to jobs and routes; types only
import type { ClickHouseClient } from '@clickhouse/client';
import type { Kysely } from 'kysely';
import type { PoolConfig } from 'pg';
import type { EnrichmentService } from '../enrichment/service.ts';
import type { AnalyticDefinition, Parameters } from './analytics/definition.ts';
import type { Enrichment } from './model/enrichment.ts';
import type { Logger } from './model/logger.ts';
import type { Settings } from './settings.ts';
import type { Mirrors } from './snapshots/repository.ts';
import type { Database } from './store/postgres/schema.ts';

export interface JobQueues {
  /** Adds a job; `delayMs` from now. Jobs with the definition's dedupe key that still wait are replaced. */
  add(name: string, payload: Record<string, unknown>, options?: { delayMs?: number }): Promise<void>;
  /** Makes a job repeat at an interval under an id of its own, or stops that with null. */
  every(
    name: string,
    schedulerId: string,
    payload: Record<string, unknown>,
    everyMs: number | null,
  ): Promise<void>;
  counts(): Promise<Record<string, Record<string, number>>>;
}

export interface Services {
  readonly settings: Settings;
  readonly log: Logger;
  /** Absolute; everything that this instance keeps lies below it. */
  readonly dataFolder: string;
  readonly postgres: Kysely<Database>;
  /** For those that need connections of their own, to listen on or to hold a lock. */
  readonly postgresConnection: PoolConfig;
  readonly clickhouse: ClickHouseClient;
  readonly jobs: JobQueues;
  /** Seals and opens credentials under the key of the data folder or environment (AES-256-GCM). */
  readonly seal: {
    readonly seal: (plain: string) => Buffer;
    readonly open: (sealed: Buffer) => string;
    readonly hash: (text: string) => string;
  };
  /** Copies of the git repositories that configurations are read from. */
  readonly mirrors: Mirrors;
  /** The tables that threads share, and their refresh. */
  readonly enrichment: EnrichmentService;
  /** What is known about an external address now. */
  readonly enrich: (address: string) => Enrichment;
  /** What an analytic judges by: its own parameters with the operator's. */
  readonly parametersOf: (analytic: AnalyticDefinition) => Parameters;
  readonly now: () => number;
}
