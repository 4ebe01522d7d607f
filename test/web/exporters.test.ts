// two routers export the same traffic: what the API says of them, and of the traffic
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findDuplicatesJob } from '../../jobs/find-duplicates.ts';
import { recordExporters } from '../../src/store/postgres/exporters.ts';
import { type Router, show, someFlows, totalOf } from '../flows/paths.ts';
import { startWeb } from './service.ts';

const { ask, services } = await startWeb({ POSTERN_METRICS_OPEN: 'on' });
const nowMs = Date.now();
const MINUTES = 50;
const startMs = Math.floor(nowMs / 60_000) * 60_000 - MINUTES * 60_000;
const flows = someFlows(MINUTES, 20);
const EDGE: Router = { exporter: '192.0.2.1', interface: 7 };
const CORE: Router = { exporter: '192.0.2.2', interface: 3, samplingRate: 10 };
/** Other traffic, one way. */
const OTHER: Router = { exporter: '192.0.2.3', interface: 1, passes: (_flow, way) => way === 'out' };
await recordExporters(
  services.postgres,
  [EDGE, CORE, OTHER].map(({ exporter, samplingRate = 1 }) => ({
    address: exporter,
    versions: ['v9'],
    lastSeenMs: nowMs,
    counters: { datagrams: 5 },
    gauges: { samplingRate },
  })),
);
for (const router of [EDGE, CORE]) await show(services.clickhouse, router, flows, startMs);
const others = someFlows(MINUTES, 20, 2).map((flow) => ({ ...flow, internal: '10.2.0.1' }));
await show(services.clickhouse, OTHER, others, startMs);
const read = async (exporter: string) => (await ask('soc', 'GET', `/v1/exporters/${exporter}`)).body;
/** Answers are kept for a while: another number of externals is another question. */
const summary = async (externals: number) =>
  (await ask('soc', 'GET', `/v1/flows/summary?scope=10.1.0.0/16&externals=${externals}`)).body;
const outOf = (body: { series: { outPackets: number }[] }) =>
  body.series.reduce((sum, one) => sum + one.outPackets, 0);

test('before anything was found every exporter counts, and is shown so', async () => {
  const { duplicates, interfaces, shownTwice } = await read('192.0.2.2');
  assert.deepEqual([duplicates, shownTwice], [[], { elected: 0, leftOut: 0 }]);
  assert.deepEqual([interfaces[0].elected, interfaces[0].duplicateOf], [true, []]);
  assert.ok(outOf(await summary(1)) > 1.5 * totalOf(flows).out);
});

test('the job elects one; both say so, by interface, with the share and since when', async () => {
  await findDuplicatesJob.run({}, services, new AbortController().signal);
  const edge = await read('192.0.2.1');
  const core = await read('192.0.2.2');
  assert.deepEqual(edge.shownTwice, { elected: 1, leftOut: 0 });
  assert.deepEqual(core.shownTwice, { elected: 0, leftOut: 1 });
  const [fromEdge] = edge.duplicates;
  const [fromCore] = core.duplicates;
  assert.deepEqual(
    [fromEdge.interface, fromEdge.other, fromEdge.elected],
    [7, { exporter: '192.0.2.2', interface: 3 }, true],
  );
  assert.deepEqual(
    [fromCore.interface, fromCore.other, fromCore.elected],
    [3, { exporter: '192.0.2.1', interface: 7 }, false],
  );
  assert.ok(fromCore.shareOut > 0.9 && fromCore.shareIn > 0.9);
  assert.equal(fromCore.since, new Date(startMs).toISOString());
  const [outside] = core.interfaces;
  assert.deepEqual(
    [outside.elected, outside.duplicateOf],
    [false, [{ exporter: '192.0.2.1', interface: 7 }]],
  );
  assert.equal(edge.interfaces[0].elected, true);
  const lack = core.lacks.find((one: { lack: string }) => one.lack === 'shown-twice');
  assert.match(lack.reason, /interface 3 is shown by 192\.0\.2\.1 \(interface 7\)/);
  assert.deepEqual(
    edge.lacks.filter((one: { lack: string }) => one.lack === 'shown-twice'),
    [],
  );
});

test('which interfaces show both directions, and how much of each', async () => {
  const [edge] = (await read('192.0.2.1')).interfaces;
  const [core] = (await read('192.0.2.2')).interfaces;
  const [other] = (await read('192.0.2.3')).interfaces;
  assert.deepEqual(
    [edge, core, other].map(({ showsBothDirections }) => showsBothDirections),
    [true, true, false],
  );
  const all = totalOf(flows);
  assert.equal(edge.outPacketsPerSecond, Math.round((all.out / 3600) * 1000) / 1000);
  assert.equal(edge.inPacketsPerSecond, Math.round((all.in / 3600) * 1000) / 1000);
  // What is sampled is scaled.
  assert.ok(Math.abs(core.inPacketsPerSecond - all.in / 3600) < 0.1 * (all.in / 3600));
  assert.deepEqual([other.outPackets > 0, other.inPackets, other.elected], [true, 0, true]);
});

test('the list has the short form, the metrics a gauge, and a summary counts each packet once', async () => {
  const { items } = (await ask('soc', 'GET', '/v1/exporters')).body;
  assert.deepEqual(
    items.map((one: { address: string; shownTwice: unknown }) => [one.address, one.shownTwice]),
    [
      ['192.0.2.1', { elected: 1, leftOut: 0 }],
      ['192.0.2.2', { elected: 0, leftOut: 1 }],
      ['192.0.2.3', { elected: 0, leftOut: 0 }],
    ],
  );
  assert.match((await ask(null, 'GET', '/metrics')).text, /^postern_flow_duplicate_paths 1$/m);
  assert.equal(outOf(await summary(2)), totalOf(flows).out);
});
