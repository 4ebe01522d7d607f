// lookups a second of our flat tables beside maxmind's reader over the same ranges
import { type AsnResponse, Reader } from 'maxmind';
import { openLookup } from '../../enrichment/lookup.ts';
import { buildTables, type NetworkRange } from '../../enrichment/tables.ts';
import { formatAddress } from '../../src/model/addresses.ts';
import { writeMmdb } from '../enrichment/mmdb-writer.ts';

const RANGE_COUNT = 400_000;
const NETWORK_COUNT = 70_000;
const ADDRESS_COUNT = 1 << 20;

/** A fixed sequence of unsigned 32-bit numbers (xorshift32), so that every run measures the same. */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** As many IPv4 /22 to /24 ranges as the routing table has, spread as evenly as hashing does. */
function makeRanges(): NetworkRange[] {
  const next = sequence(42);
  const firsts = new Set<number>();
  while (firsts.size < RANGE_COUNT) firsts.add((next() & 0xffff_fc00) >>> 0);
  return [...firsts]
    .sort((a, b) => a - b)
    .map((first, i) => ({
      first,
      last: first + 1023,
      value: {
        asn: 1 + (i % NETWORK_COUNT),
        name: `Network ${i % NETWORK_COUNT}`,
        country: 'NL',
      },
    }));
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1];

/** Lookups a second over all addresses, median of the runs after one to warm up. */
function rate(runs: number, count: number, run: () => number): { perSecond: number; checksum: number } {
  let checksum = run();
  const seconds: number[] = [];
  for (let i = 0; i < runs; i++) {
    const began = process.hrtime.bigint();
    checksum = run();
    seconds.push(Number(process.hrtime.bigint() - began) / 1e9);
  }
  return { perSecond: count / median(seconds), checksum };
}

export function benchEnrich(): { name: string; perSecond: number }[] {
  const ranges = makeRanges();
  const began = performance.now();
  const tables = buildTables({ networks: ranges });
  const buildMs = performance.now() - began;
  const lookup = openLookup(tables);
  const next = sequence(7);
  const addresses = Uint32Array.from({ length: ADDRESS_COUNT }, next);
  const texts = Array.from(addresses.subarray(0, ADDRESS_COUNT / 8), (value) => formatAddress(value));
  const ours = rate(7, ADDRESS_COUNT, () => {
    let sum = 0;
    for (let i = 0; i < ADDRESS_COUNT; i++) sum += lookup.find(0, 0, 0xffff, addresses[i]);
    return sum;
  });
  const oursText = rate(5, texts.length, () => {
    let sum = 0;
    for (const text of texts) sum += lookup.enrich(text).asn;
    return sum;
  });
  const reader = new Reader<AsnResponse>(
    writeMmdb(
      ranges.map(({ first, value }) => ({
        prefix: `${formatAddress(first)}/22`,
        record: { autonomous_system_number: value.asn, autonomous_system_organization: value.name },
      })),
    ),
  );
  const peer = rate(3, texts.length, () => {
    let sum = 0;
    for (const text of texts) sum += reader.get(text)?.autonomous_system_number ?? 0;
    return sum;
  });
  if (peer.checksum !== oursText.checksum) throw new Error('the two do not agree about the networks');
  process.stderr.write(`${RANGE_COUNT} ranges built in ${buildMs.toFixed(0)} ms\n`);
  return [
    { name: 'find(words)', perSecond: ours.perSecond },
    { name: 'enrich(text)', perSecond: oursText.perSecond },
    { name: 'maxmind get(text)', perSecond: peer.perSecond },
  ];
}

if (import.meta.main) {
  const rows = benchEnrich();
  const peer = rows[rows.length - 1].perSecond;
  for (const { name, perSecond } of rows)
    console.log(
      `${name.padEnd(20)} ${(perSecond / 1e6).toFixed(2).padStart(8)} M lookups/s  ${(perSecond / peer).toFixed(1)} x maxmind`,
    );
}
