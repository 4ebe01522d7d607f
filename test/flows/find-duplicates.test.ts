import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { ClickHouseClient } from '@clickhouse/client';
import { findDuplicates } from '../../src/flows/find-duplicates.ts';
import { dropMinutes, rollUpDay } from '../../src/store/clickhouse/conversation-hours.ts';
import { conversationSummary } from '../../src/store/clickhouse/conversations.ts';
import { putDuplicates } from '../../src/store/clickhouse/duplicate-paths.ts';
import { openClickHouse } from '../../src/store/clickhouse/open.ts';
import { type Flow, type Router, show, someFlows, totalOf } from './paths.ts';

const START = Date.UTC(2026, 10, 2, 12);
const MINUTE = 60_000;
const MINUTES = 40;
let folder: string;
let client: ClickHouseClient;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-duplicates-'));
  client = await openClickHouse({ path: folder });
});
after(async () => {
  await client?.close();
  await rm(folder, { recursive: true, force: true });
});

const EDGE: Router = { exporter: '192.0.2.1', interface: 7 };
const CORE: Router = { exporter: '192.0.2.2', interface: 3 };

/** What is found after the traffic, and what a summary counts of it. */
async function seen(
  routers: readonly Router[],
  flows: readonly Flow[],
  atMinutes: readonly number[] = [MINUTES + 3],
) {
  for (const table of ['conversations', 'exporter_minutes', 'duplicate_paths', 'conversation_hours'])
    await client.command({ query: `TRUNCATE TABLE ${table}` });
  for (const router of routers) await show(client, router, flows, START);
  let found: Awaited<ReturnType<typeof findDuplicates>> = [];
  for (const minute of atMinutes) found = await findDuplicates(client, START + minute * MINUTE);
  return {
    found: found.map(
      (one) => `${one.exporter}/${one.interface} of ${one.elected.exporter}/${one.elected.interface}`,
    ),
    rows: found,
    ...(await counted()),
  };
}

async function counted(groupBy: 'minute' | 'hour' = 'minute') {
  const summary = await conversationSummary(client, {
    scope: ['10.1.0.0/16'],
    fromMs: START - 10 * MINUTE,
    untilMs: START + (MINUTES + 20) * MINUTE,
    groupBy,
    externals: 1000,
  });
  const sum = (of: readonly { outPackets: number; inPackets: number }[]) => ({
    out: of.reduce((total, one) => total + one.outPackets, 0),
    in: of.reduce((total, one) => total + one.inPackets, 0),
  });
  assert.deepEqual(sum(summary.series), sum(summary.externals));
  return { counted: sum(summary.series), series: summary.series };
}

const isNear = (actual: number, expected: number, share: number, what: string) =>
  assert.ok(Math.abs(actual - expected) <= share * expected, `${what}: ${actual}, not about ${expected}`);

test('two routers on a path: one is elected, and each packet counts once', async () => {
  const flows = someFlows(MINUTES, 20);
  const result = await seen([EDGE, CORE], flows);
  assert.deepEqual(result.found, ['192.0.2.2/3 of 192.0.2.1/7']);
  assert.deepEqual(result.counted, totalOf(flows));
  const [one] = result.rows;
  assert.ok(one.shareOut > 0.95 && one.shareIn > 0.95 && one.isWhole, JSON.stringify(one));
  // Nothing is known of a time before the two were there, so it began with them.
  assert.equal(one.sinceMs, START);
  // The same by the hour, of minutes and once these are gone.
  assert.deepEqual((await counted('hour')).counted, totalOf(flows));
  await rollUpDay(client, '2026-11-02');
  await dropMinutes(client, '2026-11-02');
  assert.deepEqual((await counted('hour')).counted, totalOf(flows));
});

const side = (flow: Flow) => (flow.internalPort + Number(flow.external.split('.').pop())) % 2;

test('one of the two samples 1:100: the other is elected, and counts as it is', async () => {
  const flows = someFlows(MINUTES, 20);
  const result = await seen([{ ...EDGE, samplingRate: 100 }, CORE], flows);
  assert.deepEqual(result.found, ['192.0.2.1/7 of 192.0.2.2/3']);
  assert.deepEqual(result.counted, totalOf(flows));
});

for (const [edge, core] of [
  [10, 10],
  [100, 100],
  [10, 100],
  [100, 1],
])
  test(`sampled 1:${edge} and 1:${core}, each other packets: what the elected did not sample is not added`, async () => {
    const flows = someFlows(MINUTES, 100);
    const routers = [
      { ...EDGE, samplingRate: edge },
      { ...CORE, samplingRate: core },
    ];
    const { found, counted, rows } = await seen(routers, flows);
    assert.equal(found.length, 1);
    assert.ok(rows[0].isWhole, JSON.stringify(rows));
    const better = edge <= core ? EDGE : CORE;
    if (edge !== core) assert.equal(rows[0].elected.exporter, better.exporter);
    // As much as the elected alone would tell.
    const elected = routers.find(({ exporter }) => exporter === rows[0].elected.exporter)!;
    const alone = await seen([elected], flows);
    isNear(counted.out, alone.counted.out, 0.03, 'out');
    isNear(counted.in, alone.counted.in, 0.03, 'in');
  });

test('one of the two tells its flows a minute later: they are the same, and none counts twice', async () => {
  const flows = someFlows(MINUTES, 20).filter((flow) => flow.minute < MINUTES - 1);
  const lateMinutes = (flow: Flow) => flow.internalPort % 2;
  for (const routers of [
    [EDGE, { ...CORE, lateMinutes }],
    [{ ...EDGE, lateMinutes }, CORE],
  ]) {
    const { found, counted } = await seen(routers, flows);
    assert.deepEqual(found, ['192.0.2.2/3 of 192.0.2.1/7']);
    isNear(counted.out, totalOf(flows).out, 0.02, 'out');
  }
});

test('two routers share the load: they show the same pairs of addresses and ports, but other flows, and are summed', async () => {
  // Many flows a pair, so that most conversations pass both.
  const flows = someFlows(MINUTES, 60).map((flow) => ({
    ...flow,
    internal: '10.1.0.9',
    external: `198.51.100.${1 + (flow.internalPort % 5)}`,
  }));
  const by = (which: number) => (flow: Flow) => flow.internalPort % 7 < 3 === (which === 0);
  for (const samplingRate of [1, 10]) {
    const routers = [
      { ...EDGE, samplingRate, passes: by(0) },
      { ...CORE, samplingRate, passes: by(1) },
    ];
    const { found, counted } = await seen(routers, flows);
    assert.deepEqual(found, []);
    isNear(counted.out, totalOf(flows).out, samplingRate === 1 ? 0 : 0.1, 'out');
  }
});

test('out by one router and in by the other: no duplicates, and each is needed', async () => {
  const flows = someFlows(MINUTES, 20);
  const { found, counted } = await seen(
    [
      { ...EDGE, passes: (_flow, way) => way === 'out' },
      { ...CORE, passes: (_flow, way) => way === 'in' },
    ],
    flows,
  );
  assert.deepEqual(found, []);
  assert.deepEqual(counted, totalOf(flows));
});

test('one that shows the way out only is a duplicate in that way, and the one that shows both is elected', async () => {
  const flows = someFlows(MINUTES, 20);
  const routers = [
    { ...EDGE, passes: (_: Flow, way: 'out' | 'in') => way === 'out' },
    { ...CORE, samplingRate: 10 },
  ];
  const { found, rows } = await seen(routers, flows);
  assert.deepEqual(found, ['192.0.2.1/7 of 192.0.2.2/3']);
  assert.ok(rows[0].shareOut > 0.9 && rows[0].shareIn === 0);
});

test('a core router before two edges that share the load: whatever is elected, each packet counts once', async () => {
  const flows = someFlows(MINUTES, 20);
  const second = { exporter: '192.0.2.9', interface: 1 };
  for (const samplingRate of [1, 10]) {
    const routers = [
      { ...EDGE, passes: (flow: Flow) => side(flow) === 0 },
      { ...second, passes: (flow: Flow) => side(flow) === 1 },
      { ...CORE, samplingRate },
    ];
    const { found, counted } = await seen(routers, flows);
    assert.deepEqual(
      found.sort(),
      samplingRate === 1
        ? ['192.0.2.1/7 of 192.0.2.2/3', '192.0.2.9/1 of 192.0.2.2/3']
        : ['192.0.2.2/3 of 192.0.2.1/7', '192.0.2.2/3 of 192.0.2.9/1'],
    );
    assert.deepEqual(counted, totalOf(flows));
  }
});

test('what only the one that is not elected shows counts', async () => {
  const flows = someFlows(MINUTES, 20);
  // Each hides some hosts, so that it does not matter which is elected.
  const host = (flow: Flow) => Number(flow.internal.split('.').pop());
  const { found, counted } = await seen(
    [
      { ...EDGE, passes: (flow) => host(flow) > 3 },
      { ...CORE, passes: (flow) => host(flow) < 27 },
    ],
    flows,
  );
  assert.equal(found.length, 1);
  assert.deepEqual(counted, totalOf(flows));
});

test('the elected one falls silent: the other counts from then on, and nothing is lost', async () => {
  const flows = someFlows(MINUTES, 20);
  const isUp = (flow: Flow) => flow.minute < 34;
  const { found, series } = await seen([{ ...EDGE, passes: isUp }, CORE], flows, [33, MINUTES + 3]);
  assert.deepEqual(found, ['192.0.2.2/3 of 192.0.2.1/7']);
  assert.equal(series.length, MINUTES);
  series.forEach((minute, i) => {
    const there = totalOf(flows.filter((flow) => flow.minute === i));
    assert.deepEqual([minute.outPackets, minute.inPackets], [there.out, there.in], `minute ${i}`);
  });
});

test('a question about very many duplicates is not too long to be asked, nor too slow', async () => {
  const flows = someFlows(MINUTES, 20);
  const { rows } = await seen([EDGE, CORE], flows);
  const many = Array.from({ length: 400 }, (_, i) => ({
    ...rows[0],
    exporter: `2001:db8:1111:2222:3333:4444:5555:${i.toString(16)}`,
    elected: { exporter: `2001:db8:1111:2222:3333:4444:6666:${i.toString(16)}`, interface: i },
    samplingRate: 1000,
    sinceMs: rows[0].sinceMs - 1000,
  }));
  await putDuplicates(client, many, START);
  assert.deepEqual((await counted('hour')).counted, totalOf(flows));
});
