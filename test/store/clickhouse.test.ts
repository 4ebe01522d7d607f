import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ClickHouseClient } from '@clickhouse/client';
import { insertTsv, tsvText } from '../../src/store/clickhouse/insert.ts';
import { openClickHouse } from '../../src/store/clickhouse/open.ts';
import { temporaryFolder } from './temporary.ts';

const rows = async (client: ClickHouseClient, query: string, query_params = {}) =>
  (await client.query({ query, query_params, format: 'JSONEachRow' })).json<Record<string, unknown>>();

const ttl = async (client: ClickHouseClient, name: string) => {
  const [{ engine_full }] = await rows(
    client,
    'SELECT engine_full FROM system.tables WHERE name = {name:String}',
    { name },
  );
  return /toIntervalDay\((\d+)\)/.exec(String(engine_full))?.[1];
};

test('the tables are there, keep hostile text as it is, and take parameters', async (t) => {
  const client = await openClickHouse({ path: temporaryFolder(t) });
  t.after(() => client.close());
  const hostile = "a\tb\n\nDROP TABLE events;\n'\\ \0 \u{1f6aa}";
  const at = '2001-02-03 04:05:06.789';
  await insertTsv(
    client,
    'events',
    ['received_at', 'observed_at', 'kind', 'sender', 'message'],
    `${at}\t${at}\tcommand\t192.0.2.1\t${tsvText(hostile)}\n${at}\t${at}\tother\t2001:db8::1\t\n`,
  );
  const found = await rows(
    client,
    'SELECT *, toUnixTimestamp64Milli(observed_at) AS ms FROM events WHERE sender = {sender:IPv6} AND message = {message:String}',
    { sender: '::ffff:192.0.2.1', message: hostile },
  );
  assert.equal(found.length, 1);
  assert.equal(found[0].message, hostile);
  assert.equal(Number(found[0].ms), Date.UTC(2001, 1, 3, 4, 5, 6, 789));
  assert.equal(found[0].severity, -1);
});

test('an empty line is refused, because the engine would run what follows it', async (t) => {
  const client = await openClickHouse({ path: temporaryFolder(t) });
  t.after(() => client.close());
  const columns = ['kind', 'message'];
  await assert.rejects(insertTsv(client, 'events', columns, 'a\tb\n\nDROP TABLE events\n'), TypeError);
  await assert.rejects(insertTsv(client, 'events', columns, '\nDROP TABLE events\n'), TypeError);
  await insertTsv(client, 'events', columns, '');
  assert.deepEqual(await rows(client, 'SELECT count() AS n FROM events'), [{ n: 0 }]);
});

test('retention follows the settings, and without it old evidence stays', async (t) => {
  const path = temporaryFolder(t);
  let client = await openClickHouse({ path });
  assert.equal(await ttl(client, 'conversations'), undefined);
  await insertTsv(client, 'conversations', ['minute', 'internal'], '2001-02-03 04:05:00\t10.0.0.1\n');
  assert.deepEqual(await rows(client, 'SELECT count() AS n FROM conversations'), [{ n: 1 }]);
  await client.close();
  client = await openClickHouse({ path, flowDays: 30, eventDays: 90 });
  assert.equal(await ttl(client, 'conversations'), '30');
  assert.equal(await ttl(client, 'events'), '90');
  await client.close();
  client = await openClickHouse({ path, flowDays: 7 });
  assert.equal(await ttl(client, 'conversations'), '7');
  assert.equal(await ttl(client, 'events'), undefined);
  await client.close();
});

test('a schema of a later version is refused', async (t) => {
  const path = temporaryFolder(t);
  const client = await openClickHouse({ path });
  await client.command({ query: "INSERT INTO schema_migrations (number, name) VALUES (999, 'later')" });
  await client.close();
  await assert.rejects(openClickHouse({ path }), { code: 'newer-schema' });
});

test('memory is bounded', async (t) => {
  const client = await openClickHouse({ path: temporaryFolder(t), memoryMiB: 256 });
  t.after(() => client.close());
  await assert.rejects(
    client.query({ query: 'SELECT groupArray(number) FROM numbers(200000000)', format: 'JSONEachRow' }),
    /MEMORY_LIMIT_EXCEEDED|memory limit/i,
  );
});

test('a server that does not answer and a folder that cannot be are refused in one line', async () => {
  await assert.rejects(
    openClickHouse({ url: 'http://someone:secret@127.0.0.1:1/postern' }),
    (error: Error & { code: string }) => {
      assert.equal(error.code, 'clickhouse-unreachable');
      assert.match(error.message, /127\.0\.0\.1:1/);
      assert.ok(!/secret|\n/.test(error.message));
      return true;
    },
  );
  await assert.rejects(openClickHouse({ url: 'http://someone:secret@127.0.0.1:99999/postern' }), {
    code: 'bad-setting',
    message: 'CLICKHOUSE_URL is no URL that can be read',
  });
  await assert.rejects(openClickHouse({ path: '/dev/null/x' }), { code: 'clickhouse-folder' });
});

const WRITER = `
  import { openClickHouse } from ${JSON.stringify(new URL('../../src/store/clickhouse/open.ts', import.meta.url).href)};
  import { insertTsv } from ${JSON.stringify(new URL('../../src/store/clickhouse/insert.ts', import.meta.url).href)};
  const client = await openClickHouse({ path: process.argv[1] });
  for (let batch = 1; ; batch++) {
    let lines = '';
    for (let i = 0; i < 1000; i++) lines += '2026-01-01 00:00:00\\t10.0.0.' + (i % 256) + '\\n';
    await insertTsv(client, 'conversations', ['minute', 'internal'], lines);
    process.stdout.write(batch + '\\n');
  }`;

test('rows that were acknowledged survive kill -9', async (t) => {
  const path = join(temporaryFolder(t), 'engine');
  const child = spawn(process.execPath, ['--input-type=module', '-e', WRITER, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
    if (output.split('\n').length > 10) child.kill('SIGKILL');
  });
  await once(child, 'close');
  const acknowledged = output.trim().split('\n').length * 1000;
  assert.ok(acknowledged >= 10_000);
  const client = await openClickHouse({ path });
  t.after(() => client.close());
  const [{ n }] = await rows(client, 'SELECT count() AS n FROM conversations');
  assert.ok(Number(n) >= acknowledged, `${n} of ${acknowledged} rows`);
});
