// settings + data folder -> a lookup that is always there, and refreshes of what it stands on
import { readFileSync } from 'node:fs';
import { CATEGORIES, type Category, type SourceStatus } from '../src/model/enrichment.ts';
import { PosternError } from '../src/model/errors.ts';
import type { BuildResult } from './build.ts';
import { type Lookup, openLookup } from './lookup.ts';
import type { LookupTables } from './pack.ts';
import { isDue, refreshSource } from './refresh.ts';
import type { SourceDefinition, UrlSetting } from './source.ts';
import { sources } from './sources/index.ts';
import { readRecords } from './status.ts';
import { buildTables } from './tables.ts';
import { buildInThread } from './thread.ts';

export interface EnrichmentOptions {
  /** Where fetched lists are kept; made where it is missing. */
  readonly folder: string;
  /** MMDB; undefined for none. */
  readonly asnDatabase?: string;
  readonly operator?: Readonly<Record<string, Category>>;
  readonly mayFetch: boolean;
  /** By urlSetting; 'off' or nothing leaves a list out. */
  readonly urls: Readonly<Partial<Record<UrlSetting, string>>>;
  readonly now: () => number;
  /** For a fetch; default two minutes. */
  readonly timeoutMs?: number;
}

export interface EnrichmentService {
  /** Of the newest tables; take it anew for each use. */
  lookup(): Lookup;
  tables(): LookupTables;
  status(): SourceStatus[];
  /** Builds the tables from what is on disk; calls that come while one builds share the next one. */
  reload(): Promise<void>;
  /** Fetches the lists that are due, and reloads where any was replaced; `force` fetches all. Never throws for a list. */
  refresh(options?: { force?: boolean; signal?: AbortSignal }): Promise<void>;
  /** Called with each new set of tables; returns how to stop that. */
  onTables(callback: (tables: LookupTables) => void): () => void;
}

/** Starts with tables that know the operator's list only; `reload` reads the rest. Throws for a wrong operator's list. */
export function createEnrichment(options: EnrichmentOptions): EnrichmentService {
  const operator = options.operator ?? {};
  let tables = buildTables({ operator });
  let lookup = openLookup(tables);
  let result: BuildResult | undefined;
  let running: Promise<void> | undefined;
  let waiting: Promise<void> | undefined;
  const callbacks = new Set<(tables: LookupTables) => void>();
  const urlOf = (source: SourceDefinition): string | undefined => {
    const url = options.urls[source.urlSetting];
    return url === '' || url === 'off' ? undefined : url;
  };
  const wanted = () =>
    sources.filter(
      (source) =>
        urlOf(source) !== undefined && !(source.kind === 'networks' && result?.read.mmdb !== undefined),
    );

  const build = async (): Promise<void> => {
    const { folder, asnDatabase = '' } = options;
    result = await buildInThread({ folder, mmdbPath: asnDatabase, operator });
    tables = result.tables;
    lookup = openLookup(tables);
    for (const callback of callbacks) callback(tables);
  };
  const reload = (): Promise<void> => {
    if (running === undefined) {
      running = build().finally(() => {
        running = undefined;
      });
      return running;
    }
    waiting ??= running
      .catch(() => undefined)
      .then(() => {
        waiting = undefined;
        return reload();
      });
    return waiting;
  };
  const fetchDue: EnrichmentService['refresh'] = async ({ force = false, signal } = {}) => {
    let isReplaced = false;
    for (const source of wanted()) {
      const url = urlOf(source) as string;
      if (signal?.aborted) break;
      const nowMs = options.now();
      if (!force && !isDue(source, url, options.folder, nowMs)) continue;
      const { folder, timeoutMs } = options;
      const outcome = await refreshSource(source, url, { folder, nowMs, timeoutMs, signal });
      isReplaced ||= outcome === 'replaced';
    }
    if (isReplaced) await reload();
  };
  let fetching: Promise<void> = Promise.resolve();
  const refresh: EnrichmentService['refresh'] = (request) => {
    if (!options.mayFetch) return Promise.resolve();
    fetching = fetching.catch(() => undefined).then(() => fetchDue(request));
    return fetching;
  };
  return {
    lookup: () => lookup,
    tables: () => tables,
    status: () => statusOf(options, result, urlOf),
    reload,
    refresh,
    onTables: (callback) => {
      callbacks.add(callback);
      return () => callbacks.delete(callback);
    },
  };
}

function statusOf(
  options: EnrichmentOptions,
  result: BuildResult | undefined,
  urlOf: (source: SourceDefinition) => string | undefined,
): SourceStatus[] {
  const records = readRecords(options.folder);
  const database: SourceStatus[] = [];
  if (options.asnDatabase !== undefined)
    database.push({
      name: 'mmdb',
      url: options.asnDatabase,
      entries: result?.read.mmdb?.entries ?? 0,
      asOfMs: result?.read.mmdb?.asOfMs,
      lastError: result?.errors.mmdb,
    });
  const lists = sources.flatMap((source): SourceStatus[] => {
    const url = urlOf(source);
    const record = records[source.name];
    const read = result?.read[source.name];
    if (url === undefined && read === undefined) return [];
    const lastError = record?.lastError ?? result?.errors[source.name];
    const { asOfMs, lastAttemptMs } = record ?? {};
    return [{ name: source.name, url, entries: read?.entries ?? 0, asOfMs, lastError, lastAttemptMs }];
  });
  return [...database, ...lists];
}

/** The operator's JSON file of categories. Throws PosternError 'bad-categories' that names the file and the entry. */
export function readCategories(path: string): Record<string, Category> {
  const refuse = (message: string, cause?: unknown) =>
    new PosternError('bad-categories', `POSTERN_CATEGORIES: ${path}: ${message}`, { subject: path, cause });
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw refuse(`it cannot be read as JSON (${(cause as Error).message})`, cause);
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw refuse('it must be an object of "AS64500" or prefix to category');
  for (const [key, category] of Object.entries(value)) {
    if (!CATEGORIES.includes(category as Category))
      throw refuse(`${key.slice(0, 60)} must be one of ${CATEGORIES.join(', ')}`);
  }
  const categories = value as Record<string, Category>;
  try {
    buildTables({ operator: categories });
  } catch (cause) {
    throw refuse(cause instanceof Error ? cause.message : String(cause), cause);
  }
  return categories;
}
