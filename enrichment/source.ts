// what a published list is: where it comes from, how big it may be, how it reads
import { addressSet } from '../src/model/addresses.ts';
import type { Category } from '../src/model/enrichment.ts';
import { PosternError } from '../src/model/errors.ts';
import type { CategoryRange, NetworkRange } from './tables.ts';

/** The settings that hold lists' addresses. */
export const URL_SETTINGS = [
  'POSTERN_IPTOASN_URL',
  'POSTERN_TOR_EXITS_URL',
  'POSTERN_AWS_RANGES_URL',
  'POSTERN_GOOGLE_CLOUD_RANGES_URL',
  'POSTERN_AZURE_RANGES_URL',
  'POSTERN_CLOUDFLARE_RANGES_URL',
  'POSTERN_FASTLY_RANGES_URL',
  'POSTERN_ORACLE_RANGES_URL',
  'POSTERN_DIGITALOCEAN_RANGES_URL',
  'POSTERN_LINODE_RANGES_URL',
  'POSTERN_VULTR_RANGES_URL',
] as const;
export type UrlSetting = (typeof URL_SETTINGS)[number];

interface Source<Range> {
  /** Also the file's name in the data folder. */
  readonly name: string;
  readonly urlSetting: UrlSetting;
  /** '' where the publisher has no lasting address. */
  readonly defaultUrl: string;
  readonly maxBytes: number;
  readonly refreshEveryMs: number;
  /** Throws where the bytes are not this list; skips single lines that cannot be read. */
  readonly parse: (bytes: Uint8Array) => readonly Range[];
}

export type SourceDefinition =
  | (Source<NetworkRange> & { readonly kind: 'networks' })
  | (Source<CategoryRange> & { readonly kind: 'tor' | 'provider' });

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
export const MIB = 1 << 20;

/** Nobody is given more of the address space than this by a list: a wrong line must not colour the whole Internet. */
const SHORTEST_V4_PREFIX = 8;
const SHORTEST_V6_PREFIX = 16;

export function unreadable(message: string): PosternError {
  return new PosternError('enrichment-unreadable', message);
}

/** Prefixes as text -> ranges of one category. Throws where half or more of them cannot be read. */
export function prefixRanges(prefixes: readonly unknown[], category: Category): CategoryRange[] {
  const ranges = prefixes.flatMap((prefix) => prefixRange(prefix, category) ?? []);
  if (ranges.length * 2 <= prefixes.length)
    throw unreadable(`only ${ranges.length} of ${prefixes.length} prefixes can be read`);
  return ranges;
}

function prefixRange(prefix: unknown, value: Category): CategoryRange | undefined {
  if (typeof prefix !== 'string' || prefix === 'any' || prefix.length > 64) return undefined;
  try {
    const { v4, v6 } = addressSet(prefix.trim());
    if (v4.length === 2)
      return v4[1] - v4[0] < 2 ** (32 - SHORTEST_V4_PREFIX)
        ? { first: v4[0], last: v4[1], value }
        : undefined;
    return v6[1] - v6[0] < 1n << BigInt(128 - SHORTEST_V6_PREFIX)
      ? { first: v6[0], last: v6[1], value }
      : undefined;
  } catch {
    return undefined;
  }
}

/** The bytes as a JSON object; throws otherwise. */
export function jsonObject(bytes: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(textOf(bytes));
  } catch (cause) {
    throw new PosternError('enrichment-unreadable', 'this is not JSON', { cause });
  }
  return objectOf(value, 'the whole');
}

export function objectOf(value: unknown, what: string): Record<string, unknown> {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw unreadable(`${what} is not a JSON object`);
  return value as Record<string, unknown>;
}

/** The list under a key; throws where there is none. */
export function listOf(object: Record<string, unknown>, key: string): readonly unknown[] {
  const value = object[key];
  if (!Array.isArray(value)) throw unreadable(`it has no list "${key}"`);
  return value;
}

export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

/** Lines that are not empty and no comment. */
export function linesOf(bytes: Uint8Array): string[] {
  return textOf(bytes)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}
