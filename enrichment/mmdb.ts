// a MaxMind DB of AS numbers -> ranges of networks
import { readFileSync, statSync } from 'node:fs';
import { Reader, type Response } from 'maxmind';
import { formatAddress } from '../src/model/addresses.ts';
import { PosternError } from '../src/model/errors.ts';
import type { Network } from './pack.ts';
import type { NetworkRange } from './tables.ts';

const MAX_FILE_BYTES = 1 << 30;
const SEPARATOR_BYTES = 16;
const V6_BITS = 128;
const V4_BITS = 32;

export interface MmdbNetworks {
  readonly ranges: readonly NetworkRange[];
  /** When the database was built, where it says. */
  readonly builtAtMs?: number;
}

/**
 * Reads all networks of a database with MaxMind's (autonomous_system_number, autonomous_system_organization) or IPinfo's
 * schema (asn "AS64500", as_name or name, country_code). Throws PosternError 'mmdb-unreadable', whose message names the file.
 */
export function readMmdb(path: string): MmdbNetworks {
  try {
    if (statSync(path).size > MAX_FILE_BYTES) throw new Error(`it is larger than ${MAX_FILE_BYTES} bytes`);
    const ranges = enumerate(readFileSync(path));
    if (ranges.ranges.length === 0) throw new Error('it holds no AS numbers');
    return ranges;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PosternError('mmdb-unreadable', `${path} is no readable ASN database: ${reason}`, {
      subject: path,
      cause,
    });
  }
}

/** maxmind reads metadata and records; the tree is walked here, since it offers single addresses only. */
function enumerate(bytes: Buffer): MmdbNetworks {
  const reader = new Reader<Response>(bytes, { cache: new Map() });
  const { nodeCount, nodeByteSize, ipVersion, buildEpoch, searchTreeSize } = reader.metadata;
  const isSound =
    Number.isSafeInteger(nodeCount) &&
    nodeCount > 0 &&
    (ipVersion === 4 || ipVersion === 6) &&
    searchTreeSize + SEPARATOR_BYTES < bytes.length;
  if (!isSound) throw new Error('its metadata does not match its size');
  const child = childReader(bytes, nodeByteSize);
  const ranges: NetworkRange[] = [];
  const networks = new Map<number, Network | undefined>();
  const networkAt = (pointer: number, address: number | bigint) => {
    if (!networks.has(pointer)) networks.set(pointer, networkOf(reader.get(formatAddress(address))));
    return networks.get(pointer);
  };
  const v4Start = ipVersion === 4 ? 0 : v4Root(child, nodeCount);
  walkV4(child, nodeCount, v4Start, (first, last, pointer) =>
    add(ranges, first, last, networkAt(pointer, first)),
  );
  if (ipVersion === 6)
    walkV6(child, nodeCount, v4Start, (first, last, pointer) =>
      add(ranges, first, last, networkAt(pointer, first)),
    );
  const builtAtMs = buildEpoch.getTime();
  return { ranges, builtAtMs: Number.isFinite(builtAtMs) ? builtAtMs : undefined };
}

type Child = (node: number, bit: 0 | 1) => number;

/** The three record sizes of the format: 24, 28 and 32 bits. */
function childReader(bytes: Buffer, nodeByteSize: number): Child {
  if (nodeByteSize === 6) return (node, bit) => bytes.readUIntBE(node * 6 + bit * 3, 3);
  if (nodeByteSize === 8) return (node, bit) => bytes.readUInt32BE(node * 8 + bit * 4);
  return (node, bit) => {
    const at = node * 7;
    const middle = bytes[at + 3];
    return bit === 0
      ? (middle >>> 4) * 0x100_0000 + bytes.readUIntBE(at, 3)
      : (middle & 15) * 0x100_0000 + bytes.readUIntBE(at + 4, 3);
  };
}

/** IPv4 lies below 96 zero bits. */
function v4Root(child: Child, nodeCount: number): number {
  let node = 0;
  for (let depth = 0; depth < V6_BITS - V4_BITS && node < nodeCount; depth++) node = child(node, 0);
  return node;
}

function walkV4(
  child: Child,
  nodeCount: number,
  root: number,
  emit: (first: number, last: number, pointer: number) => void,
): void {
  const spend = budget(nodeCount);
  const visit = (node: number, depth: number, first: number): void => {
    if (node === nodeCount) return;
    if (node > nodeCount) {
      emit(first, first + 2 ** (V4_BITS - depth) - 1, node);
      return;
    }
    if (depth === V4_BITS) throw new Error('its search tree is deeper than an IPv4 address');
    spend();
    visit(child(node, 0), depth + 1, first);
    visit(child(node, 1), depth + 1, first + 2 ** (V4_BITS - 1 - depth));
  };
  visit(root, 0, 0);
}

/** Leaves out the IPv4 part and what points to it (IPv4-mapped, 6to4, Teredo). */
function walkV6(
  child: Child,
  nodeCount: number,
  v4Start: number,
  emit: (first: bigint, last: bigint, pointer: number) => void,
): void {
  const spend = budget(nodeCount);
  const visit = (node: number, depth: number, first: bigint): void => {
    if (node === nodeCount || (node === v4Start && node < nodeCount)) return;
    if (node > nodeCount) {
      emit(first, first | ((1n << BigInt(V6_BITS - depth)) - 1n), node);
      return;
    }
    if (depth === V6_BITS) throw new Error('its search tree is deeper than an IPv6 address');
    spend();
    visit(child(node, 0), depth + 1, first);
    visit(child(node, 1), depth + 1, first | (1n << BigInt(V6_BITS - 1 - depth)));
  };
  visit(0, 0, 0n);
}

/** A sound tree reaches each node about once; a loop would reach them without end. */
function budget(nodeCount: number): () => void {
  let left = nodeCount * 2 + 256;
  return () => {
    if (--left < 0) throw new Error('its search tree loops');
  };
}

/** Neighbours of one network become one range. */
function add(
  ranges: NetworkRange[],
  first: number | bigint,
  last: number | bigint,
  value: Network | undefined,
): void {
  if (value === undefined) return;
  const previous = ranges[ranges.length - 1];
  const touches =
    previous?.value === value &&
    (typeof first === 'number' ? previous.last === first - 1 : previous.last === first - 1n);
  if (touches) ranges[ranges.length - 1] = { first: previous.first, last, value };
  else ranges.push({ first, last, value });
}

function networkOf(record: unknown): Network | undefined {
  if (record === null || typeof record !== 'object') return undefined;
  const fields = record as Record<string, unknown>;
  const text = (...keys: string[]): string => {
    for (const key of keys) if (typeof fields[key] === 'string') return fields[key];
    return '';
  };
  const asn = asnOf(fields.autonomous_system_number ?? fields.asn);
  if (asn === undefined) return undefined;
  const country = [text('country_code'), text('country')].find((code) => /^[A-Z]{2}$/.test(code)) ?? '';
  return { asn, name: text('autonomous_system_organization', 'as_name', 'name').slice(0, 200), country };
}

function asnOf(value: unknown): number | undefined {
  const text = typeof value === 'string' ? value.replace(/^AS/i, '') : value;
  const asn = typeof text === 'string' && /^\d{1,10}$/.test(text) ? Number(text) : text;
  return typeof asn === 'number' && Number.isInteger(asn) && asn > 0 && asn <= 0xffff_ffff ? asn : undefined;
}
