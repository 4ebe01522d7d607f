import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { ClickHouseClient } from '@clickhouse/client';
import { createFolder } from '../../src/flows/folder.ts';
import type { TranslationBatch } from '../../src/flows/translation-batch.ts';
import { addressSet, formatAddresses } from '../../src/model/addresses.ts';
import { insertTsv } from '../../src/store/clickhouse/insert.ts';
import { openClickHouse } from '../../src/store/clickhouse/open.ts';
import {
  insertTranslations,
  TRANSLATION_COLUMNS,
  translatedAddresses,
  translationLines,
} from '../../src/store/clickhouse/translations.ts';
import { buildIpfix, dataSet, type Field, ipfixTemplate } from '../packets/generate.ts';

const NOON = Date.UTC(2026, 10, 2, 12);
const BLOCK: readonly Field[] = [
  [323, 8],
  [8, 4],
  [225, 4],
  [361, 2],
  [362, 2],
  [230, 1],
];

let folder: string;
let client: ClickHouseClient;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-translations-'));
  client = await openClickHouse({ path: folder, flowDays: 30 });
});
after(async () => {
  await client?.close();
  await rm(folder, { recursive: true, force: true });
});

function blocks(exporter: string, translated: readonly string[], event = 16): TranslationBatch {
  const one = createFolder({ internal: addressSet('10.0.0.0/8') });
  const rows = translated.map((address) => [NOON, '10.0.0.5', address, 1024, 1535, event]);
  const datagram = buildIpfix({ seconds: NOON / 1000 }, ipfixTemplate(300, BLOCK), dataSet(300, BLOCK, rows));
  one.receive(exporter, 4000, datagram, NOON);
  return one.takeTranslations() as TranslationBatch;
}

test('what is stored is what was told, by either way into the store', async () => {
  const batch = blocks('192.0.2.9', ['198.51.100.7']);
  await insertTranslations(client, batch);
  await insertTsv(client, 'translations', TRANSLATION_COLUMNS, translationLines(batch));
  const result = await client.query({
    query: `SELECT * EXCEPT received_at FROM translations WHERE exporter = toIPv6('::ffff:192.0.2.9')`,
    format: 'JSONEachRow',
  });
  const row = {
    at: '2026-11-02 12:00:00.000',
    exporter: '::ffff:192.0.2.9',
    event: 'created',
    internal: '::ffff:10.0.0.5',
    internal_port: 0,
    translated: '::ffff:198.51.100.7',
    translated_port: 1024,
    translated_port_end: 1535,
    external: '::',
    external_port: 0,
    protocol: 0,
  };
  assert.deepEqual(await result.json(), [row, row]);
});

test('only named exporters tell which addresses are ours, and only since then', async () => {
  await insertTranslations(client, [
    blocks('192.0.2.1', ['198.51.100.7', '198.51.100.8']),
    blocks('192.0.2.66', ['203.0.113.9']),
  ]);
  const of = async (exporters: readonly string[], sinceMs = NOON - 86_400_000) =>
    formatAddresses(await translatedAddresses(client, exporters, sinceMs));
  assert.deepEqual(await of(['192.0.2.1']), ['198.51.100.7-198.51.100.8']);
  assert.deepEqual(await of(['192.0.2.1'], NOON + 86_400_000), []);
  assert.deepEqual(await of([]), []);
});
