// old days of conversations by the hour: sums and addresses stay, nothing is counted twice
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClickHouseClient } from '@clickhouse/client';
import { rollUpFlowsJob } from '../../jobs/roll-up-flows.ts';
import { createBatch } from '../../src/flows/batch.ts';
import { dropHours, dropMinutes, rollUpDay } from '../../src/store/clickhouse/conversation-hours.ts';
import { conversationSummary, insertConversations } from '../../src/store/clickhouse/conversations.ts';
import { startWeb } from '../web/service.ts';

const { services } = await startWeb({ POSTERN_FLOW_DAYS: '30', POSTERN_FLOW_HOUR_DAYS: '60' });
const { clickhouse } = services;
const DAY_MS = 86_400_000;
const today = Math.floor(Date.now() / DAY_MS) * DAY_MS;
const dayOf = (atMs: number) => new Date(atMs).toISOString().slice(0, 10);

/** A conversation in each minute of the first two hours of a day, of two hosts. */
async function fill(startMs: number): Promise<void> {
  const batch = createBatch(240, ['192.0.2.1']);
  for (let row = 0; row < 240; row++) {
    batch.minute[row] = startMs / 60_000 + (row % 120);
    batch.internal.set([0, 0, 0xffff, 0x0a00_0001 + (row >= 120 ? 1 : 0)], row * 4);
    batch.external.set([0, 0, 0xffff, 0xcb00_7132], row * 4);
    batch.externalPort[row] = 443;
    batch.protocol[row] = 6;
    batch.outBytes[row] = 1000;
    batch.outPackets[row] = 10;
    batch.outFlows[row] = 1;
    batch.samplingRate[row] = row % 120 < 60 ? 1 : 100;
    batch.tcpFlags[row] = 1 << (row % 8);
    batch.asn[row] = 64_500;
  }
  await insertConversations(clickhouse, batch);
}

const count = async (client: ClickHouseClient, table: string) => {
  const result = await client.query({ query: `SELECT count() AS n FROM ${table}`, format: 'JSONEachRow' });
  const [{ n }] = await result.json<{ n: number }>();
  return Number(n);
};

const run = () => rollUpFlowsJob.run({}, services, new AbortController().signal);
const summary = (startMs: number, scope: string[] = []) =>
  conversationSummary(clickhouse, { scope, fromMs: startMs, untilMs: startMs + DAY_MS, groupBy: 'hour' });

test('a day that is old enough is kept by the hour, with the same sums for each host', async () => {
  const old = today - 32 * DAY_MS;
  const young = today - 3 * DAY_MS;
  await fill(old);
  await fill(young);
  const before = await summary(old, ['10.0.0.2']);
  assert.equal(before.series.length, 2);
  await run();
  assert.equal(await count(clickhouse, 'conversation_hours'), 4);
  assert.equal(await count(clickhouse, 'conversations'), 240);
  assert.deepEqual(await summary(old, ['10.0.0.2']), before);
  assert.equal((await summary(young)).series.length, 2);
  // Nothing is left to do.
  await run();
  assert.equal(await count(clickhouse, 'conversation_hours'), 4);
});

test('lines that come late for such a day are added; a run that was killed leaves nothing twice', async () => {
  const old = today - 33 * DAY_MS;
  await fill(old);
  await run();
  const once = await summary(old);
  await fill(old);
  const late = await summary(old);
  assert.equal(late.series[0].outBytes, 2 * once.series[0].outBytes);
  await run();
  assert.deepEqual((await summary(old)).series, late.series);

  const killed = today - 34 * DAY_MS;
  await fill(killed);
  const whole = await summary(killed);
  await rollUpDay(clickhouse, dayOf(killed));
  await services.postgres
    .insertInto('cursors')
    .values({ name: `roll-up-flows ${dayOf(killed)}`, at: new Date() })
    .execute();
  await run();
  assert.deepEqual(await summary(killed), whole);
});

test('what is no day is refused', async () => {
  for (const drop of [dropHours, dropMinutes, rollUpDay])
    await assert.rejects(drop(clickhouse, "2026-01-01' OR '1"), TypeError);
});
