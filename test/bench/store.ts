// a watch's whole evidence out of 100 million conversations: milliseconds, and what a row takes on disk
//
//   node test/bench/store.ts [--rows 100000000] [--questions 100] [--days 14] [--folder DIR]
//
// 20,000 internal hosts, each with some 40 destinations of its own and some of half a million; packets both ways. With
// --folder what was filled once is kept and used again.
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { ClickHouseClient } from '@clickhouse/client';
import { conversationSummary } from '../../src/store/clickhouse/conversations.ts';
import { putDuplicates } from '../../src/store/clickhouse/duplicate-paths.ts';
import { openClickHouse } from '../../src/store/clickhouse/open.ts';
import { gatherEvidence } from '../../src/watches/evidence.ts';
import { question } from '../analytics/fixtures.ts';

const END_MS = Date.UTC(2026, 10, 20);
const DAY_MS = 86_400_000;
const HOSTS = 20_000;
const PART_ROWS = 2_000_000;

/** `number` is the row: host, minute and destination follow from it, so that every run holds the same. */
const FILL = `
  INSERT INTO conversations (minute, exporter, interface, internal, external, external_port, protocol, out_bytes, out_packets,
    out_flows, in_bytes, in_packets, in_flows, sampling_rate, tcp_flags, translated, asn, category)
  SELECT toStartOfMinute(fromUnixTimestamp(toUInt32({start:UInt32} + intDiv(number * 86400, {perDay:UInt64})))) AS at,
    toIPv6(concat('::ffff:192.0.2.', toString(1 + host % 4))), 1 + host % 3,
    toIPv6(concat('::ffff:10.', toString(20 + intDiv(host, 65536)), '.', toString(intDiv(host, 256) % 256), '.', toString(host % 256))),
    toIPv6(concat('::ffff:', toString(100 + destination % 80), '.', toString(intDiv(destination, 80) % 250), '.',
      toString(intDiv(destination, 20000) % 250), '.', toString(1 + destination % 250))),
    if(destination % 7 = 0, 53, 443), if(destination % 7 = 0, 17, 6),
    40 + h % 20000, 1 + h % 40, 1, 60 + intDiv(h, 7) % 400000, 1 + intDiv(h, 11) % 300, 1, 1, 27, toIPv6('::'),
    64500 + destination % 900, ['unknown', 'cdn', 'vps', 'hosting'][1 + destination % 4]
  FROM (
    SELECT number, cityHash64(number, {start:UInt32}) AS h, toUInt32(h % ${HOSTS}) AS host,
      toUInt32(if(intDiv(h, 1000000) % 10 < 9, cityHash64(host, intDiv(h, 65536) % 40) % 500000, intDiv(h, 4096) % 500000)) AS destination
    FROM numbers({from:UInt64}, {count:UInt64})
  ) AS row`;

async function fill(client: ClickHouseClient, rows: number, days: number): Promise<void> {
  const perDay = Math.ceil(rows / days);
  for (let day = 0; day < days; day++) {
    const start = (END_MS - (days - day) * DAY_MS) / 1000;
    for (let from = 0; from < perDay; from += PART_ROWS)
      await client.command({
        query: FILL,
        query_params: { start, perDay, from, count: Math.min(PART_ROWS, perDay - from) },
      });
    process.stderr.write(`\rday ${day + 1} of ${days} `);
  }
  process.stderr.write('\n');
}

/** Each conversation has to be looked for under another path, though it is there in one only. */
const DUPLICATES = [1, 2].map((index) => ({
  exporter: '192.0.2.1',
  interface: index,
  elected: { exporter: '192.0.2.2', interface: index },
  sinceMs: END_MS - 14 * DAY_MS,
  foundAtMs: END_MS,
  shareOut: 1,
  shareIn: 1,
  samplingRate: 1,
  isWhole: true,
  missed: 0,
  challenged: 0,
}));

const percentile = (sorted: readonly number[], share: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];

async function timed(count: number, ask: (index: number) => Promise<unknown>): Promise<string> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const began = performance.now();
    await ask(i);
    times.push(performance.now() - began);
  }
  times.sort((a, b) => a - b);
  return `p50 ${percentile(times, 0.5).toFixed(0)} ms, p95 ${percentile(times, 0.95).toFixed(0)} ms, most ${times.at(-1)!.toFixed(0)} ms`;
}

const scopeOf = (i: number, size: 24 | 32) => {
  const host = (i * 7919) % HOSTS;
  const net = `10.20.${Math.floor(host / 256)}`;
  return size === 24 ? `${net}.0/24` : `${net}.${host % 256}`;
};

async function askEvidence(client: ClickHouseClient, count: number, note: string): Promise<void> {
  const options = {
    baselineDays: 14,
    enrich: () => ({ asn: 64_500, name: '', country: '', category: 'vps' as const, categorySource: 'x' }),
  };
  for (const size of [32, 24] as const) {
    const text = await timed(count, (i) => {
      const sinceMs = END_MS - 3_600_000 - (i % 10) * 60_000;
      const asked = { ...question, scope: [scopeOf(i, size)], fromMs: sinceMs, untilMs: sinceMs + DAY_MS };
      return gatherEvidence(client, asked, sinceMs + 1_800_000, options);
    });
    process.stdout.write(`evidence of a ${size === 24 ? '/24 of hosts' : 'host'}${note}: ${text}\n`);
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rows: { type: 'string', default: '100000000' },
      questions: { type: 'string', default: '100' },
      days: { type: 'string', default: '14' },
      folder: { type: 'string' },
    },
  });
  const folder = values.folder ?? (await mkdtemp(join(tmpdir(), 'postern-store-')));
  const isFilled = values.folder !== undefined && existsSync(values.folder);
  const client = await openClickHouse({ path: folder });
  try {
    if (!isFilled) {
      const began = performance.now();
      await fill(client, Number(values.rows), Number(values.days));
      process.stdout.write(`filled in ${((performance.now() - began) / 1000).toFixed(0)} s\n`);
    }
    const size = await client.query({
      query: `SELECT sum(rows) AS rows, sum(bytes_on_disk) AS bytes FROM system.parts
        WHERE database = currentDatabase() AND table = 'conversations' AND active`,
      format: 'JSONEachRow',
    });
    const [{ rows, bytes }] = await size.json<{ rows: string; bytes: string }>();
    process.stdout.write(`${rows} rows, ${(Number(bytes) / Number(rows)).toFixed(1)} bytes each on disk\n`);
    const count = Number(values.questions);
    await client.command({ query: 'TRUNCATE TABLE duplicate_paths' });
    await askEvidence(client, count, '');
    await putDuplicates(client, DUPLICATES, END_MS);
    await askEvidence(client, count, ', two of its paths shown by others, too');
    const text = await timed(20, (i) =>
      conversationSummary(client, {
        scope: [scopeOf(i, 32)],
        fromMs: END_MS - 14 * DAY_MS,
        untilMs: END_MS,
        groupBy: 'hour',
      }),
    );
    process.stdout.write(`14 days of one host by the hour: ${text}\n`);
  } finally {
    await client.close();
    if (values.folder === undefined) await rm(folder, { recursive: true, force: true });
  }
}

await main();
