// what the API and the metrics say of exporters, out of what is stored of them
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordExporters } from '../../src/store/postgres/exporters.ts';
import { figuresOf } from '../../src/web/exporter-figures.ts';
import { startWeb } from './service.ts';

const { ask, services } = await startWeb({ POSTERN_METRICS_OPEN: 'on' });
const nowMs = Date.now();
const COUNTERS = {
  datagrams: 900,
  records: 9000,
  optionsRecords: 0,
  sequenceGaps: 100,
  reordered: 7,
  repeatedDatagrams: 2,
  droppedSamples: 5,
  restarts: 1,
};
const GAUGES = {
  clockOffsetMs: 3_600_250,
  templates: 3,
  samplingRate: 1000,
  samplingOrigin: 3,
  datagramsPerSecond: 12.5,
  recordsPerSecond: 125,
  enterprise: 2636,
  recordLagMs: -7_198_500,
  recordZoneMs: 7_200_000,
};
await recordExporters(services.postgres, [
  { address: '192.0.2.1', versions: ['v9'], lastSeenMs: nowMs, counters: COUNTERS, gauges: GAUGES },
  {
    address: '192.0.2.2',
    versions: ['ipfix'],
    lastSeenMs: nowMs - 600_000,
    counters: COUNTERS,
    gauges: GAUGES,
  },
  { address: '192.0.2.3', versions: ['v5'], lastSeenMs: nowMs, counters: { datagrams: 1 }, gauges: {} },
]);

test('GET /v1/exporters and /v1/exporters/{address} say rate, loss, sampling, clock and maker', async () => {
  const { body, status } = await ask('soc', 'GET', '/v1/exporters');
  assert.equal(status, 200, JSON.stringify(body));
  const [one, silent, plain] = body.items;
  assert.deepEqual(one.rate, { datagramsPerSecond: 12.5, recordsPerSecond: 125 });
  assert.deepEqual(one.loss, {
    unit: 'datagrams',
    lost: 100,
    share: 0.1,
    reordered: 7,
    repeated: 2,
    droppedSamples: 5,
    restarts: 1,
  });
  assert.deepEqual(one.sampling, { rate: 1000, origin: 'sampler' });
  assert.deepEqual(one.clock, {
    offsetSeconds: 3600.25,
    flowsOffsetSeconds: -7198.5,
    flowsMovedSeconds: 7200,
  });
  assert.deepEqual([one.madeBy, one.templates, one.device], ['juniper', 3, null]);
  assert.deepEqual(silent.rate, { datagramsPerSecond: 0, recordsPerSecond: 0 });
  assert.deepEqual([silent.loss.unit, silent.loss.share], ['records', 0.010989]);
  assert.deepEqual([plain.sampling, plain.madeBy], [{ rate: 1, origin: 'none' }, null]);
  const detail = (await ask('soc', 'GET', '/v1/exporters/192.0.2.1')).body;
  assert.deepEqual([detail.loss, detail.clock, detail.vendor], [one.loss, one.clock, null]);
  const clock = detail.lacks.filter(({ lack }: { lack: string }) => lack === 'wrong-clock');
  assert.match(clock[0].reason, /120 minutes ahead of its own headers; times are moved by 120 minutes/);
  assert.match(clock[1].reason, /3600 s behind/);
});

test('the metrics have the same by exporter, and the drops of the kernel', async () => {
  const { text } = await ask(null, 'GET', '/metrics');
  for (const line of [
    'postern_exporter_datagrams_total{exporter="192.0.2.1"} 900',
    'postern_exporter_records_total{exporter="192.0.2.1"} 9000',
    'postern_exporter_lost_total{exporter="192.0.2.1"} 100',
    'postern_exporter_reordered_total{exporter="192.0.2.1"} 7',
    'postern_exporter_restarts_total{exporter="192.0.2.1"} 1',
    'postern_exporter_sampling_rate{exporter="192.0.2.1"} 1000',
    'postern_exporter_sampling_rate{exporter="192.0.2.3"} 1',
    'postern_exporter_clock_offset_seconds{exporter="192.0.2.1"} 3600.25',
    'postern_flow_kernel_drops_total 0',
  ])
    assert.ok(text.includes(`\n${line}\n`), line);
});

test('an origin or enterprise that is not known is no error', () => {
  const { madeBy, sampling } = figuresOf(
    { versions: [], counters: { enterprise: 4242, samplingOrigin: 99 }, last_seen_at: new Date(0) },
    nowMs,
  );
  assert.deepEqual([madeBy, sampling.origin], ['enterprise 4242', 'none']);
});
