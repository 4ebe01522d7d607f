import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { ClickHouseClient } from '@clickhouse/client';
import { createBatch } from '../../src/flows/batch.ts';
import { createFolder } from '../../src/flows/folder.ts';
import { addressSet } from '../../src/model/addresses.ts';
import { conversationSummary, insertConversations } from '../../src/store/clickhouse/conversations.ts';
import { openClickHouse } from '../../src/store/clickhouse/open.ts';
import { recordColumns, setAddress, type TestRecord } from './records.ts';

const NOON = Date.UTC(2026, 10, 2, 12);
const HOUR = 3_600_000;
let folder: string;
let client: ClickHouseClient;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-conversations-'));
  client = await openClickHouse({ path: folder });
});
after(async () => {
  await client?.close();
  await rm(folder, { recursive: true, force: true });
});

async function store(exporter: string, records: TestRecord[], atMs: number): Promise<void> {
  const one = createFolder({ internal: addressSet('10.0.0.0/8', '2001:db8:10::/48') });
  one.fold(exporter, recordColumns(records), atMs);
  await insertConversations(client, one.drain());
}

async function select(query: string): Promise<Record<string, unknown>[]> {
  const result = await client.query({ query, format: 'JSONEachRow' });
  return result.json();
}

test('a row comes back as it went in: both families, translation, counts beyond 32 bits', async () => {
  await store(
    '2001:db8:ffff::1',
    [
      {
        source: '10.1.1.1',
        destination: '10.0.0.254',
        postNatDestination: '192.0.2.66',
        destinationPort: 443,
        protocol: 17,
        output: 4_000_000_000,
        bytes: 2 ** 40 + 7,
        packets: 3_000_000_000,
        samplingRate: 100,
        tcpFlags: 255,
      },
      {
        source: '2001:db8:99::a',
        destination: '2001:db8:10:1:2:3:4:5',
        sourcePort: 53,
        bytes: 9,
        packets: 1,
      },
    ],
    NOON,
  );
  const rows = await select('SELECT * FROM conversations ORDER BY protocol');
  const empty = { asn: 0, category: 'unknown', minute: '2026-11-02 12:00:00', exporter: '2001:db8:ffff::1' };
  assert.deepEqual(rows, [
    {
      ...empty,
      interface: 0,
      internal: '2001:db8:10:1:2:3:4:5',
      external: '2001:db8:99::a',
      external_port: 53,
      protocol: 6,
      out_bytes: 0,
      out_packets: 0,
      out_flows: 0,
      in_bytes: 9,
      in_packets: 1,
      in_flows: 1,
      sampling_rate: 1,
      sampling_origin: 'none',
      tcp_flags: 0,
      translated: '::',
      internal_ports: 1,
    },
    {
      ...empty,
      interface: 4_000_000_000,
      internal: '::ffff:10.1.1.1',
      external: '::ffff:192.0.2.66',
      external_port: 443,
      protocol: 17,
      out_bytes: 2 ** 40 + 7,
      out_packets: 3_000_000_000,
      out_flows: 1,
      in_bytes: 0,
      in_packets: 0,
      in_flows: 0,
      sampling_rate: 100,
      sampling_origin: 'record',
      tcp_flags: 255,
      translated: '::ffff:10.0.0.254',
      internal_ports: 1,
    },
  ]);
});

test('counts that no counter can have are clamped, not refused', async () => {
  const batch = createBatch(3, ['192.0.2.9']);
  batch.outBytes.set([Number.NaN, -5, 1e30]);
  for (let row = 0; row < 3; row++) {
    batch.minute[row] = NOON / 60_000;
    setAddress(batch.internal, row, `10.9.9.${row}`);
  }
  await insertConversations(client, batch);
  const rows = await select(
    "SELECT toString(out_bytes) AS b, toString(exporter) AS e FROM conversations WHERE exporter = toIPv6('192.0.2.9') ORDER BY internal",
  );
  assert.deepEqual(rows, [
    { b: '0', e: '::ffff:192.0.2.9' },
    { b: '0', e: '::ffff:192.0.2.9' },
    { b: '18446744073709551615', e: '::ffff:192.0.2.9' },
  ]);
});

test('a batch larger than one statement is stored whole', async () => {
  const batch = createBatch(120_001, ['192.0.2.10']);
  batch.minute.fill(NOON / 60_000);
  await insertConversations(client, [batch, createBatch(0, [])]);
  const rows = await select("SELECT count() AS n FROM conversations WHERE exporter = toIPv6('192.0.2.10')");
  assert.deepEqual(rows, [{ n: 120_001 }]);
});

test('the summary is scaled for sampling, bounded in time and scope, and ordered by volume', async () => {
  const day = NOON + 24 * HOUR;
  const out = { source: '10.5.0.1', destination: '198.51.100.1', destinationPort: 443 };
  await store('192.0.2.2', [{ ...out, bytes: 10, packets: 2, samplingRate: 100 }], day);
  await store('192.0.2.2', [{ ...out, bytes: 10, packets: 1, destination: '198.51.100.2' }], day + HOUR);
  await store('192.0.2.2', [{ ...out, bytes: 5, packets: 1, source: '10.6.0.1' }], day);
  await store(
    '192.0.2.2',
    [{ source: '198.51.100.1', destination: '10.5.0.1', bytes: 7, packets: 1 }],
    day + 2 * HOUR,
  );
  const question = { fromMs: day, untilMs: day + 2 * HOUR, groupBy: 'hour' as const };
  const summary = await conversationSummary(client, {
    ...question,
    scope: ['10.5.0.0/24', '2001:db8:10::/48'],
  });
  const nothingBack = { inBytes: 0, inPackets: 0, inFlows: 0 };
  assert.deepEqual(summary.series, [
    { atMs: day, outBytes: 1000, outPackets: 200, outFlows: 1, ...nothingBack },
    { atMs: day + HOUR, outBytes: 10, outPackets: 1, outFlows: 1, ...nothingBack },
  ]);
  assert.deepEqual(
    summary.externals.map(({ address, outBytes, internals }) => [address, outBytes, internals]),
    [
      ['198.51.100.1', 1000, 1],
      ['198.51.100.2', 10, 1],
    ],
  );
  const all = await conversationSummary(client, { ...question, scope: [], externals: 1 });
  assert.deepEqual(
    all.externals.map(({ address, internals }) => [address, internals]),
    [['198.51.100.1', 2]],
  );
});

test('a summary over too much is refused', async () => {
  const question = { scope: [], fromMs: 0, untilMs: NOON, groupBy: 'minute' as const };
  await assert.rejects(conversationSummary(client, question), RangeError);
  await assert.rejects(conversationSummary(client, { ...question, fromMs: Number.NaN }), RangeError);
  await assert.rejects(
    conversationSummary(client, { ...question, fromMs: NOON - HOUR, scope: ["10.0.0.0' OR 1"] }),
    TypeError,
  );
});
