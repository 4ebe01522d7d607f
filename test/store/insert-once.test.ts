// the same insert again: after a lost answer, after a restart, as blocks and as text
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { ClickHouseClient } from '@clickhouse/client';
import { createFolder } from '../../src/flows/folder.ts';
import { addressSet } from '../../src/model/addresses.ts';
import { insertAttempts } from '../../src/store/clickhouse/attempts.ts';
import { insertConversations } from '../../src/store/clickhouse/conversations.ts';
import { openClickHouse } from '../../src/store/clickhouse/open.ts';
import { insertTranslations } from '../../src/store/clickhouse/translations.ts';
import { recordColumns } from '../flows/records.ts';
import { buildIpfix, dataSet, type Field, ipfixTemplate } from '../packets/generate.ts';
import { temporaryFolder } from './temporary.ts';

const MIDNIGHT = Date.UTC(2026, 10, 3);
const HOST = '10.0.0.5';
const NAT: readonly Field[] = [
  [323, 8],
  [8, 4],
  [225, 4],
  [361, 2],
  [362, 2],
  [230, 1],
];

/** Conversations of two days, so of two partitions, attempts toward a host, and translations. */
function batches() {
  const one = createFolder({ internal: addressSet('10.0.0.0/8'), hosts: addressSet(HOST) });
  const flow = { source: HOST, destination: '198.51.100.1', destinationPort: 443, packets: 3, bytes: 300 };
  const knock = {
    source: '198.51.100.9',
    destination: HOST,
    destinationPort: 22,
    protocol: 6,
    tcpFlags: 2,
    packets: 1,
  };
  for (const atMs of [MIDNIGHT - 60_000, MIDNIGHT + 60_000])
    one.fold('192.0.2.1', recordColumns([flow, knock]), atMs);
  const rows = [[MIDNIGHT, HOST, '203.0.113.7', 1024, 1535, 16]];
  const told = buildIpfix({ seconds: MIDNIGHT / 1000 }, ipfixTemplate(300, NAT), dataSet(300, NAT, rows));
  one.receive('192.0.2.1', 4000, told, MIDNIGHT);
  return {
    conversations: one.drain(),
    attempts: one.takeAttempts()!,
    translations: one.takeTranslations()!,
  };
}

async function sums(client: ClickHouseClient): Promise<number[]> {
  const one = (text: string) => `toUInt32((SELECT ${text}))`;
  const result = await client.query({
    query: `SELECT [${[
      'sum(out_packets) FROM conversations',
      'sum(out_packets) FROM exporter_minutes',
      'count() FROM attempts',
      'count() FROM translations',
      'sum(events) FROM translated_addresses',
    ]
      .map(one)
      .join(', ')}] AS sums`,
    format: 'JSONEachRow',
  });
  return ((await result.json()) as { sums: number[] }[])[0].sums;
}

async function store(client: ClickHouseClient, id?: string): Promise<void> {
  const { conversations, attempts, translations } = batches();
  await insertConversations(client, conversations, id);
  await insertAttempts(client, attempts, id);
  await insertTranslations(client, translations, id);
}

async function open(t: TestContext, folder: string): Promise<ClickHouseClient> {
  const client = await openClickHouse({ path: folder, flowDays: 10_000 });
  t.after(() => client.close());
  return client;
}

test('the same id is stored once, with all that is summed from it, and after a restart too; without an id all is stored', async (t) => {
  const folder = join(temporaryFolder(t), 'engine');
  const client = await open(t, folder);
  await store(client, 'a');
  const once = await sums(client);
  assert.deepEqual(once, [6, 6, once[2], 1, 1]);
  assert.ok(once[2] > 0);
  const times = (factor: number) => once.map((sum) => sum * factor);
  await store(client, 'a');
  assert.deepEqual(await sums(client), once);
  await store(client, 'b');
  assert.deepEqual(await sums(client), times(2));
  await store(client);
  await store(client);
  assert.deepEqual(await sums(client), times(4));
  await client.close();
  const again = await open(t, folder);
  await store(again, 'b');
  assert.deepEqual(await sums(again), times(4));
  await store(again, 'c');
  assert.deepEqual(await sums(again), times(5));
});

test('text for a server goes by the same ids', async (t) => {
  const client = await open(t, join(temporaryFolder(t), 'engine'));
  // The client of the engine in this process, without what tells that it is one.
  const asServer = new Proxy(client, {});
  await store(asServer, 'a');
  const once = await sums(client);
  await store(asServer, 'a');
  assert.deepEqual(await sums(client), once);
  await store(asServer);
  assert.deepEqual(
    await sums(client),
    once.map((sum) => sum * 2),
  );
});
