import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Kysely, sql } from 'kysely';
import { anyKey, createKey, findKey } from '../../src/store/postgres/api-keys.ts';
import { migratePostgres } from '../../src/store/postgres/migrate.ts';
import { openPostgres } from '../../src/store/postgres/open.ts';
import type { Database } from '../../src/store/postgres/schema.ts';
import { postgresOwner } from '../../src/store/postgres/user.ts';
import { temporaryFolder } from './temporary.ts';

const NOW = new Date('2026-01-02T03:04:05Z');

async function openTemporary(t: { after: (run: () => unknown) => void }, folder: string) {
  const postgres = await openPostgres({ folder, owner: postgresOwner(folder) });
  t.after(() => postgres.close());
  return postgres.database;
}

let database: Kysely<Database>;
const cleanups: (() => unknown)[] = [];
const later = { after: (run: () => unknown) => cleanups.unshift(run) };

before(async () => {
  database = await openTemporary(later, temporaryFolder(later));
});

after(async () => {
  for (const cleanup of cleanups) await cleanup();
});

async function insertDevice(database: Kysely<Database>, id: string): Promise<void> {
  await database
    .insertInto('devices')
    .values({
      id,
      name: id,
      vendor: 'linux-nftables',
      address: '192.0.2.1',
      port: 22,
      username: 'postern',
      credential: Buffer.from([0, 255]),
      host_key: null,
      pull_interval_seconds: 3600,
      addresses: ['192.0.2.1'],
      exporters: [],
      ticket_pattern: null,
      time_zone: 'UTC',
      owner_group: null,
      configuration_item: null,
      created_at: NOW,
      created_by: 'test',
    })
    .execute();
}

test('every table of the schema is there with its columns, and rows come back as typed', async () => {
  const source = readFileSync(new URL('../../src/store/postgres/schema.ts', import.meta.url), 'utf8');
  const interfaces = new Map(
    [...source.matchAll(/export interface (\w+) \{\n([\s\S]*?)\n\}/g)].map(([, name, body]) => [name, body]),
  );
  const fields = (name: string) => [...interfaces.get(name)!.matchAll(/^ {2}(\w+): (.+?);?$/gm)];
  const expected = fields('Database').map(([, table, type]) => [
    table,
    fields(type)
      .map(([, column]) => column)
      .sort(),
  ]);
  assert.ok(expected.length >= 14);
  const { rows } = await sql<{ table_name: string; column_name: string }>`
    SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'
      AND table_name NOT LIKE 'kysely%'`.execute(database);
  const found = Object.groupBy(rows, (row) => row.table_name);
  assert.deepEqual(
    Object.fromEntries(expected),
    Object.fromEntries(
      Object.entries(found).map(([table, list]) => [table, list!.map((row) => row.column_name).sort()]),
    ),
  );

  await insertDevice(database, 'd1');
  const device = await database.selectFrom('devices').selectAll().executeTakeFirstOrThrow();
  assert.deepEqual(device.created_at, NOW);
  assert.deepEqual(device.addresses, ['192.0.2.1']);
  assert.deepEqual(device.credential, Buffer.from([0, 255]));
  await database.deleteFrom('devices').execute();
  await migratePostgres(database as Kysely<unknown>);
});

test('the audit log can be added to and read, and nothing else', async () => {
  const entry = { at: NOW, actor: 'a', action: 'b', object: 'c', detail: '{"k":[1]}' };
  await database.insertInto('audit_log').values(entry).execute();
  await assert.rejects(database.updateTable('audit_log').set({ actor: 'x' }).execute(), /append-only/);
  await assert.rejects(database.deleteFrom('audit_log').execute(), /append-only/);
  await assert.rejects(sql`TRUNCATE audit_log`.execute(database), /append-only/);
  const [row] = await database.selectFrom('audit_log').selectAll().execute();
  assert.deepEqual({ ...row, id: undefined }, { ...entry, detail: { k: [1] }, id: undefined });
});

test('what belongs to a device goes with it', async () => {
  for (const id of ['d1', 'd2']) {
    await insertDevice(database, id);
    await database
      .insertInto('device_health')
      .values({
        device_id: id,
        last_attempt_at: NOW,
        last_success_at: null,
        consecutive_failures: 1,
        last_error_code: null,
        last_error: null,
      })
      .execute();
    await database
      .insertInto('exporters')
      .values({
        address: id,
        device_id: id,
        first_seen_at: NOW,
        last_seen_at: NOW,
        counters: '{}',
        versions: [],
      })
      .execute();
  }
  await database.deleteFrom('devices').where('id', '=', 'd1').execute();
  assert.deepEqual(await database.selectFrom('device_health').select('device_id').execute(), [
    { device_id: 'd2' },
  ]);
  const exporters = await database
    .selectFrom('exporters')
    .select(['address', 'device_id'])
    .orderBy('address')
    .execute();
  assert.deepEqual(exporters, [
    { address: 'd1', device_id: null },
    { address: 'd2', device_id: 'd2' },
  ]);
});

test('a key is found by its text, kept as a hash, and gone when revoked', async () => {
  assert.equal(await anyKey(database), false);
  const { id, key } = await createKey(database, 'one', 'soc', NOW.getTime());
  assert.equal(await anyKey(database), true);
  const found = await findKey(database, key);
  assert.equal(found?.id, id);
  assert.equal(found?.role, 'soc');
  assert.ok(!JSON.stringify(found).includes(key));
  assert.equal(await findKey(database, `${key}x`), undefined);
  assert.equal(await findKey(database, ''), undefined);
  await database.updateTable('api_keys').set({ revoked_at: NOW }).execute();
  assert.equal(await findKey(database, key), undefined);
});

const LEAVER = `
  import { openPostgres } from ${JSON.stringify(new URL('../../src/store/postgres/open.ts', import.meta.url).href)};
  import { createKey } from ${JSON.stringify(new URL('../../src/store/postgres/api-keys.ts', import.meta.url).href)};
  import { postgresOwner } from ${JSON.stringify(new URL('../../src/store/postgres/user.ts', import.meta.url).href)};
  const folder = process.argv[1];
  const { database } = await openPostgres({ folder, owner: postgresOwner(folder) });
  process.stdout.write((await createKey(database, 'kept', 'admin', 0)).key + '\\n');
  setInterval(() => {}, 1000);`;

test('a server whose parent was killed is ended by the next start, and what was committed is there', async (t) => {
  const folder = temporaryFolder(t);
  const child = spawn(process.execPath, ['--input-type=module', '-e', LEAVER, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [key] = (await once(child.stdout, 'data')).map(String);
  const orphan = Number(readFileSync(join(folder, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0]);
  child.kill('SIGKILL');
  await once(child, 'close');
  process.kill(orphan, 0);
  const database = await openTemporary(t, folder);
  assert.notEqual(
    Number(readFileSync(join(folder, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0]),
    orphan,
  );
  assert.equal((await findKey(database, key.trim()))?.name, 'kept');
});

test('a folder too long for a socket address works', async (t) => {
  const folder = join(temporaryFolder(t), 'x'.repeat(120));
  mkdirSync(folder);
  const database = await openTemporary(t, folder);
  assert.equal(await anyKey(database), false);
});

test('a server that does not answer is named without its password', async () => {
  const url = 'postgres://someone:secret@127.0.0.1:1/x';
  await assert.rejects(openPostgres({ url, folder: '/nowhere' }), (error: Error & { code: string }) => {
    assert.equal(error.code, 'postgres-unreachable');
    assert.match(error.message, /127\.0\.0\.1:1 \(DATABASE_URL\).*ECONNREFUSED/);
    assert.ok(!/secret|\n/.test(error.message));
    return true;
  });
});
