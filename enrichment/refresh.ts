// a published list's address -> its file in the data folder, replaced whole or not at all
import { createWriteStream, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { PosternError } from '../src/model/errors.ts';
import { HOUR_MS, type SourceDefinition } from './source.ts';
import { type FetchRecord, readRecords, writeRecord } from './status.ts';
import { checkInThread } from './thread.ts';

/** A new list with less than this share of the old one's entries is taken for damaged. */
const SMALLEST_SHARE = 0.1;
/** After a failure the next attempt waits this long, or the list's own interval where that is less. */
const RETRY_AFTER_MS = HOUR_MS;
const DEFAULT_TIMEOUT_MS = 120_000;

export interface RefreshOptions {
  readonly folder: string;
  readonly nowMs: number;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export type RefreshOutcome = 'replaced' | 'unchanged' | 'failed';

export function isDue(source: SourceDefinition, url: string, folder: string, nowMs: number): boolean {
  const record = readRecords(folder)[source.name];
  if (record === undefined || record.url !== url || !existsSync(join(folder, source.name))) {
    return record === undefined || record.url !== url || nowMs - record.lastAttemptMs >= RETRY_AFTER_MS;
  }
  const waitMs =
    record.lastError === undefined ? source.refreshEveryMs : Math.min(RETRY_AFTER_MS, source.refreshEveryMs);
  return nowMs - record.lastAttemptMs >= waitMs;
}

/** Fetches one list. Never throws: a failure is recorded, and the old file stays. */
export async function refreshSource(
  source: SourceDefinition,
  url: string,
  options: RefreshOptions,
): Promise<RefreshOutcome> {
  const { folder, nowMs } = options;
  mkdirSync(folder, { recursive: true });
  const path = join(folder, source.name);
  const known = readRecords(folder)[source.name];
  // What was fetched from elsewhere is no measure for this list, and its etag says nothing.
  const previous = known?.url === url && existsSync(path) ? known : undefined;
  const fresh = `${path}.${process.pid}.new`;
  try {
    const response = await request(source, url, previous, options);
    const isUnchanged = response.status === 304 && previous !== undefined;
    if (isUnchanged) await response.body?.cancel();
    else await download(response, fresh, source.maxBytes);
    const entries = isUnchanged
      ? previous.entries
      : await checkedEntries(source, fresh, previous?.entries ?? 0);
    if (!isUnchanged) renameSync(fresh, path);
    writeRecord(folder, source.name, {
      url,
      etag: response.headers.get('etag') ?? (isUnchanged ? previous.etag : undefined),
      lastModified:
        response.headers.get('last-modified') ?? (isUnchanged ? previous.lastModified : undefined),
      entries,
      asOfMs: nowMs,
      lastAttemptMs: nowMs,
    });
    return isUnchanged ? 'unchanged' : 'replaced';
  } catch (error) {
    rmSync(fresh, { force: true });
    const kept = known ?? { url, entries: 0 };
    writeRecord(folder, source.name, { ...kept, lastAttemptMs: nowMs, lastError: messageOf(error, options) });
    return 'failed';
  }
}

async function request(
  source: SourceDefinition,
  url: string,
  previous: FetchRecord | undefined,
  options: RefreshOptions,
): Promise<Response> {
  const signals = [AbortSignal.timeout(options.timeoutMs ?? DEFAULT_TIMEOUT_MS)];
  if (options.signal) signals.push(options.signal);
  const headers: Record<string, string> = { 'user-agent': 'postern' };
  if (previous?.etag !== undefined) headers['if-none-match'] = previous.etag;
  if (previous?.lastModified !== undefined) headers['if-modified-since'] = previous.lastModified;
  const response = await fetch(url, { headers, signal: AbortSignal.any(signals) });
  const isUsable = response.status === 200 || (response.status === 304 && previous !== undefined);
  const announced = Number(response.headers.get('content-length') ?? 0);
  if (isUsable && announced <= source.maxBytes) return response;
  await response.body?.cancel();
  if (!isUsable) throw new PosternError('enrichment-fetch', `the server answered ${response.status}`);
  throw tooLarge(source.maxBytes);
}

async function download(response: Response, path: string, maxBytes: number): Promise<void> {
  if (response.body === null) throw new PosternError('enrichment-fetch', 'the answer is empty');
  let byteCount = 0;
  const bounded = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      byteCount += chunk.length;
      done(byteCount > maxBytes ? tooLarge(maxBytes) : null, chunk);
    },
  });
  await pipeline(Readable.fromWeb(response.body as ReadableStream), bounded, createWriteStream(path));
}

const tooLarge = (maxBytes: number) =>
  new PosternError('enrichment-fetch', `the list is larger than ${maxBytes} bytes`);

async function checkedEntries(source: SourceDefinition, path: string, before: number): Promise<number> {
  const entries = await checkInThread(source.name, path);
  if (entries === 0) throw new PosternError('enrichment-unreadable', 'the list holds nothing');
  if (entries < before * SMALLEST_SHARE)
    throw new PosternError('enrichment-unreadable', `the list shrank from ${before} to ${entries} entries`);
  return entries;
}

function messageOf(error: unknown, options: RefreshOptions): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError')
    return `no whole answer within ${options.timeoutMs ?? DEFAULT_TIMEOUT_MS} ms`;
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : '';
  return `${error.message}${cause}`.slice(0, 500);
}
