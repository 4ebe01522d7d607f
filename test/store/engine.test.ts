import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { statementText } from '../../src/store/clickhouse/engine-statement.ts';
import { insertBlock } from '../../src/store/clickhouse/insert.ts';
import { clientForWork, engineOf, openClickHouse } from '../../src/store/clickhouse/open.ts';
import { temporaryFolder } from './temporary.ts';

async function open(t: TestContext) {
  const path = join(temporaryFolder(t), 'engine');
  const client = await openClickHouse({ path });
  t.after(() => client.close());
  return { client, path };
}
/** Long for any machine, and little memory. */
const LONG = 'SELECT sum(cityHash64(number)) AS sum FROM numbers(400000000)';

test('parameters arrive as they are, whatever is in them', async (t) => {
  const { client } = await open(t);
  const text = `it's \\ a "{b:UInt32}" \n\t\0 %s é 🚪 \\' ; SELECT 1`;
  const query_params = {
    text,
    texts: [text, '', "'"],
    numbers: [-1, 9_007_199_254_740_991],
    big: 18_446_744_073_709_551_615n,
    flag: true,
    address: '2001:db8::1',
  };
  const result = await client.query({
    query: `SELECT {text:String} AS text, {texts:Array(String)} AS texts, {numbers:Array(Int64)} AS numbers,
      toString({big:UInt64}) AS big, {flag:UInt8} AS flag, toString({address:IPv6}) AS address`,
    query_params,
    format: 'JSONEachRow',
    clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
  });
  const big = query_params.big.toString();
  assert.deepEqual(await result.json(), [{ ...query_params, big, flag: 1 }]);
  await assert.rejects(client.query({ query: 'SELECT {none:String}', query_params: { other: 1 } }), {
    code: '456',
  });
  assert.throws(() => statementText({ query: '', query_params: {}, clickhouse_settings: { 'a; DROP': 1 } }));
  assert.throws(() => statementText({ query: 'SELECT {a:String}', query_params: { a: null } }), TypeError);
});

test('answers do not wait for the long questions of jobs, nor for each other', async (t) => {
  const { client } = await open(t);
  const ended: string[] = [];
  const ask = async (name: string, from: typeof client, query: string) => {
    await (await from.query({ query, format: 'JSONEachRow' })).json();
    ended.push(name);
  };
  const idle = 'SELECT sleep(2)';
  const long = [1, 2].map(() => ask('work', clientForWork(client), idle));
  const slow = ask('slow answer', client, idle);
  for (let i = 0; i < 5; i++) await ask('answer', client, 'SELECT 1');
  assert.deepEqual(ended, Array(5).fill('answer'));
  await Promise.all([...long, slow]);
});

test('what is given up before its turn is never run; an error says what a server would', async (t) => {
  const { client } = await open(t);
  const abort = new AbortController();
  const work = clientForWork(client);
  const long = [1, 2].map(async () => (await work.query({ query: LONG })).text());
  const givenUp = work.command({
    query: 'CREATE TABLE never (x UInt8) ENGINE = Memory',
    abort_signal: abort.signal,
  });
  abort.abort(new Error('enough'));
  await assert.rejects(givenUp, /enough/);
  await Promise.all(long);
  await assert.rejects(client.query({ query: 'SELECT * FROM never' }), { code: '60', type: 'UNKNOWN_TABLE' });
});

test('a block that the engine refuses leaves nothing behind; the next one is stored', async (t) => {
  const { client, path } = await open(t);
  const columns = ['day', 'sender'];
  const block = (rows: number) => () => {
    const text = (value: string) => Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);
    const head = Buffer.from([columns.length, rows]);
    return Buffer.concat([
      head,
      text('day'),
      text('Date'),
      Buffer.alloc(2),
      text('sender'),
      text('IPv6'),
      Buffer.alloc(16),
    ]);
  };
  await assert.rejects(insertBlock(client, 'senders', columns, block(200)), /end of|eof|cannot read/i);
  assert.deepEqual(readdirSync(`${path}.blocks`), []);
  assert.equal(await insertBlock(client, 'senders', columns, block(1)), true);
  const result = await client.query({
    query: 'SELECT toUInt32(count()) AS n FROM senders',
    format: 'JSONEachRow',
  });
  assert.deepEqual(await result.json(), [{ n: 1 }]);
  assert.ok(engineOf(client) && engineOf(clientForWork(client)));
});

test('a close lets what runs end, refuses what waits, and the folder can be opened again', async (t) => {
  const { client, path } = await open(t);
  const asked = Array.from({ length: 12 }, async () => (await client.query({ query: LONG })).text());
  const outcomes = Promise.allSettled(asked);
  await new Promise((resolve) => setTimeout(resolve, 50));
  await client.close();
  const all = await outcomes;
  const refused = all.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []));
  assert.ok(refused.length >= 1 && refused.length < 12, `${refused.length} refused`);
  assert.ok(refused.every((reason) => /engine is closed/.test(reason)));
  await assert.rejects(client.query({ query: 'SELECT 1' }), /closed/);
  assert.equal(existsSync(`${path}.blocks`), false);
  const again = await openClickHouse({ path });
  await again.close();
});
