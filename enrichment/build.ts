// files of the data folder + the operator's list -> tables, with what each file gave
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Category } from '../src/model/enrichment.ts';
import { PosternError } from '../src/model/errors.ts';
import { readMmdb } from './mmdb.ts';
import type { LookupTables } from './pack.ts';
import type { SourceDefinition } from './source.ts';
import { sources } from './sources/index.ts';
import { parseIptoasn } from './sources/iptoasn.ts';
import { buildTables, type CategoryRange, type NetworkRange } from './tables.ts';

/** Plain data, so that it can be posted to a thread. */
export interface BuildTask {
  /** Where refreshed lists are; each under its source's name. */
  readonly folder: string;
  /** An MMDB; '' for none. */
  readonly mmdbPath: string;
  readonly operator: Readonly<Record<string, Category>>;
}

export interface BuildResult {
  readonly tables: LookupTables;
  /** By source name ('mmdb' for the database); sources without a file are absent. */
  readonly read: Readonly<Record<string, { readonly entries: number; readonly asOfMs?: number }>>;
  readonly errors: Readonly<Record<string, string>>;
}

/** Reads what is there; what cannot be read is in `errors` and left out. Takes seconds for the whole Internet. */
export function buildFromFiles(task: BuildTask): BuildResult {
  const read: Record<string, { entries: number; asOfMs?: number }> = {};
  const errors: Record<string, string> = {};
  const attempt = <T>(name: string, run: () => readonly T[] | undefined): readonly T[] => {
    try {
      const ranges = run();
      if (ranges === undefined) return [];
      read[name] = { ...read[name], entries: ranges.length };
      return ranges;
    } catch (error) {
      errors[name] = error instanceof Error ? error.message : String(error);
      return [];
    }
  };
  let networks: readonly NetworkRange[] = [];
  if (task.mmdbPath !== '')
    networks = attempt('mmdb', () => {
      const { ranges, builtAtMs } = readMmdb(task.mmdbPath);
      read.mmdb = { entries: 0, asOfMs: builtAtMs };
      return ranges;
    });
  const tor: CategoryRange[] = [];
  const providers: { name: string; ranges: readonly CategoryRange[] }[] = [];
  for (const source of sources) {
    const path = join(task.folder, source.name);
    if (source.kind === 'networks') {
      if (networks.length === 0) networks = attempt(source.name, () => readSource(source, path));
      continue;
    }
    const ranges = attempt(source.name, () => readSource(source, path));
    if (source.kind === 'provider') providers.push({ name: source.name, ranges });
    else for (const range of ranges) tor.push(range);
  }
  return { tables: buildTables({ networks, tor, providers, operator: task.operator }), read, errors };
}

/** undefined where there is no such file. */
export function readSource<S extends SourceDefinition>(
  source: S,
  path: string,
): ReturnType<S['parse']> | undefined {
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined) return undefined;
  if (size > source.maxBytes)
    throw new PosternError('enrichment-unreadable', `${path} is larger than ${source.maxBytes} bytes`);
  return source.parse(readFileSync(path)) as ReturnType<S['parse']>;
}

/** An ASN table that a user names: an MMDB where the name ends so, else the IPtoASN form. Throws PosternError. */
export function readNetworks(path: string): readonly NetworkRange[] {
  if (path.endsWith('.mmdb')) return readMmdb(path).ranges;
  try {
    return parseIptoasn(readFileSync(path));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PosternError('enrichment-unreadable', `${path} is no readable ASN table: ${reason}`, {
      subject: path,
      cause,
    });
  }
}
