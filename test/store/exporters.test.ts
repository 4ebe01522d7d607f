// exporters in PostgreSQL: a flood of forged senders does not fill the table, and those of devices are always recorded
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Kysely } from 'kysely';
import {
  type ExporterActivity,
  exporterByAddress,
  foremostExporters,
  listExporters,
  recordExporters,
} from '../../src/store/postgres/exporters.ts';
import { openPostgres } from '../../src/store/postgres/open.ts';
import type { Database } from '../../src/store/postgres/schema.ts';
import { postgresOwner } from '../../src/store/postgres/user.ts';
import { temporaryFolder } from './temporary.ts';

const NOON = Date.UTC(2026, 10, 2, 12);
const DAY = 86_400_000;
const MOST = { unknown: 30, strangers: 20 };

let database: Kysely<Database>;
const cleanups: (() => unknown)[] = [];
const later = { after: (run: () => unknown) => cleanups.unshift(run) };

before(async () => {
  const folder = temporaryFolder(later);
  const postgres = await openPostgres({ folder, owner: postgresOwner(folder) });
  later.after(() => postgres.close());
  database = postgres.database;
  await database
    .insertInto('devices')
    .values({
      id: 'd1',
      name: 'edge1',
      vendor: 'linux-nftables',
      address: '192.0.2.1',
      port: 22,
      username: 'x',
      credential: null,
      host_key: null,
      pull_interval_seconds: 3600,
      addresses: ['192.0.2.2'],
      exporters: ['192.0.2.3'],
      ticket_pattern: null,
      time_zone: 'UTC',
      owner_group: null,
      configuration_item: null,
      created_at: new Date(NOON),
      created_by: 'test',
    })
    .execute();
});

after(async () => {
  for (const cleanup of cleanups) await cleanup();
});

const activity = (address: string, isProven: boolean, lastSeenMs = NOON): ExporterActivity => ({
  address,
  versions: ['v9'],
  isProven,
  lastSeenMs,
  counters: { records: 1 },
  gauges: {},
});
const strangers = (from: number, count: number, lastSeenMs = NOON) =>
  Array.from({ length: count }, (_, i) =>
    activity(`100.64.${(from + i) >> 8}.${(from + i) & 255}`, false, lastSeenMs),
  );
const count = async () => (await listExporters(database, { limit: 10_000 })).length;

test('strangers, those that proved themselves and those of devices each find the room that is theirs', async () => {
  assert.equal(await recordExporters(database, strangers(0, 1200), MOST), 1180);
  assert.equal(await count(), 20);
  // Those that are there are counted on.
  assert.equal(await recordExporters(database, strangers(0, 1), MOST), 0);
  assert.equal((await exporterByAddress(database, '100.64.0.0'))?.counters.records, 2);
  const proven = Array.from({ length: 15 }, (_, i) => activity(`198.51.100.${i}`, true));
  assert.equal(await recordExporters(database, proven, MOST), 5);
  const own = ['192.0.2.1', '192.0.2.2', '192.0.2.3'].map((address) => activity(address, false, NOON - 1000));
  assert.equal(await recordExporters(database, own, MOST), 0);
  assert.equal((await exporterByAddress(database, '192.0.2.3'))?.device_id, 'd1');
  assert.deepEqual((await foremostExporters(database, 3)).map(({ address }) => address).sort(), [
    '192.0.2.1',
    '192.0.2.2',
    '192.0.2.3',
  ]);
});

test('who was heard once gives its row to others after a day', async () => {
  const lasting = { ...activity('100.64.0.7', false, NOON + 1_200_000) };
  await recordExporters(database, [lasting], MOST);
  assert.equal(await recordExporters(database, strangers(5000, 5, NOON + DAY - 1), MOST), 5);
  // 100.64.0.7 was heard for twenty minutes and the devices are known: these stay.
  assert.equal(await recordExporters(database, strangers(6000, 40, NOON + DAY + 1000), MOST), 21);
  assert.ok(await exporterByAddress(database, '100.64.0.7'));
  assert.ok(await exporterByAddress(database, '192.0.2.1'));
  assert.equal(await exporterByAddress(database, '100.64.0.3'), undefined);
});
