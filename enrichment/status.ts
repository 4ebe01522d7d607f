// what is known about each list on disk: one small JSON file beside them
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** One list's fetches. Times are epoch milliseconds. */
export interface FetchRecord {
  readonly url: string;
  readonly etag?: string;
  readonly lastModified?: string;
  readonly entries: number;
  /** Last time that the publisher gave or confirmed the data on disk. */
  readonly asOfMs?: number;
  readonly lastAttemptMs: number;
  /** Of the last attempt; undefined where it went well. */
  readonly lastError?: string;
}

export type FetchRecords = Readonly<Record<string, FetchRecord>>;

const FILE = 'status.json';

/** Nothing known where the file is absent or damaged: the worst of it is one fetch too many. */
export function readRecords(folder: string): FetchRecords {
  try {
    const value: unknown = JSON.parse(readFileSync(join(folder, FILE), 'utf8'));
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return {};
    return Object.fromEntries(Object.entries(value).filter(([, record]) => isRecord(record)));
  } catch {
    return {};
  }
}

function isRecord(value: unknown): value is FetchRecord {
  const record = value as Partial<FetchRecord> | null;
  return (
    typeof record?.url === 'string' &&
    typeof record.entries === 'number' &&
    typeof record.lastAttemptMs === 'number'
  );
}

export function writeRecord(folder: string, name: string, record: FetchRecord): void {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, FILE);
  const records = { ...readRecords(folder), [name]: record };
  writeFileSync(`${path}.${process.pid}.new`, `${JSON.stringify(records, null, 2)}\n`);
  renameSync(`${path}.${process.pid}.new`, path);
}
