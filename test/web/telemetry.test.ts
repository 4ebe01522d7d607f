import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFolder } from '../../src/flows/folder.ts';
import { addressSet } from '../../src/model/addresses.ts';
import { insertConversations } from '../../src/store/clickhouse/conversations.ts';
import { insertEvents } from '../../src/store/clickhouse/event-insert.ts';
import { addSenders } from '../../src/store/clickhouse/senders.ts';
import { putAlert } from '../../src/store/postgres/alerts.ts';
import { recordPullFailure, recordPullSuccess } from '../../src/store/postgres/devices.ts';
import { recordExporters } from '../../src/store/postgres/exporters.ts';
import { recordColumns } from '../flows/records.ts';
import { alertFixture } from './alert.ts';
import { startWeb } from './service.ts';

const { ask, services } = await startWeb({ POSTERN_METRICS_OPEN: 'on' });
const nowMs = Date.now();
const MINUTE = 60_000;

const register = async (name: string, address: string): Promise<string> => {
  const device = { name, vendor: 'cisco-ios', address, username: 'postern', pullIntervalSeconds: 60 };
  return (await ask('admin', 'POST', '/v1/devices', device)).body.id;
};
const seeing = await register('seeing', '192.0.2.1');
const oneWay = await register('one-way', '192.0.2.2');
await register('silent', '192.0.2.3');

const counters = { datagrams: 5 };
await recordExporters(services.postgres, [
  { address: '192.0.2.1', versions: ['9'], lastSeenMs: nowMs, counters, gauges: { clockOffsetMs: 2 } },
  { address: '192.0.2.2', versions: ['5'], lastSeenMs: nowMs, counters, gauges: {} },
  { address: '198.51.100.9', versions: ['10'], lastSeenMs: nowMs, counters, gauges: {} },
]);
async function fold(exporter: string, records: Parameters<typeof recordColumns>[0]): Promise<void> {
  const folder = createFolder({ internal: addressSet('10.0.0.0/8') });
  folder.fold(exporter, recordColumns(records), nowMs);
  await insertConversations(services.clickhouse, folder.drain());
}
const time = { startMs: nowMs - 5 * MINUTE, endMs: nowMs - 5 * MINUTE + 1000 };
const out = { ...time, source: '10.1.0.7', destination: '203.0.113.50', destinationPort: 443, protocol: 6 };
const back = { ...time, source: '203.0.113.50', destination: '10.1.0.7', sourcePort: 443, protocol: 6 };
await fold('192.0.2.1', [
  { ...out, packets: 10, bytes: 1000 },
  { ...back, packets: 8, bytes: 8000 },
]);
await fold('192.0.2.2', [{ ...out, source: '10.2.0.1', packets: 3, bytes: 300 }]);
await insertEvents(services.clickhouse, [
  {
    kind: 'other',
    receivedAtMs: nowMs - MINUTE,
    observedAtMs: nowMs,
    sender: '192.0.2.1',
    message: 'x',
    raw: 'x',
  },
]);
await addSenders(services.clickhouse, [
  {
    sender: '192.0.2.1',
    host: '',
    identity: '',
    origin: '',
    originBasis: '',
    lines: 1,
    unread: 0,
    dropped: 0,
    refused: 0,
    lastAtMs: nowMs - MINUTE,
    zonedOffsetMs: 0,
    zonelessOffsetMs: 0,
    zoneMinutes: 0,
  },
]);
await recordPullSuccess(services.postgres, seeing, new Date(nowMs));
await recordPullSuccess(services.postgres, oneWay, new Date(nowMs - 3_600_000));
await recordPullFailure(services.postgres, oneWay, new Date(nowMs), 'login-refused', 'the login was refused');

test('an exporter tells what it lacks, and the lines of its vendor that would change it', async () => {
  const { body, status } = await ask('soc', 'GET', '/v1/exporters/192.0.2.2');
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual(
    body.interfaces.map((one: { showsBothDirections: boolean }) => one.showsBothDirections),
    [false],
  );
  const { body: seen } = await ask('soc', 'GET', '/v1/exporters/192.0.2.1');
  assert.equal(seen.interfaces[0].showsBothDirections, true);
  assert.equal((await ask('soc', 'GET', '/v1/exporters/192.0.2.200')).status, 404);
});

test('exporters are listed with their device, and unknown ones are marked', async () => {
  const { body } = await ask('network', 'GET', '/v1/exporters?limit=2');
  const rest = (await ask('network', 'GET', `/v1/exporters?limit=2&cursor=${body.next}`)).body;
  assert.deepEqual(
    [...body.items, ...rest.items].map(({ address, device, unknown }) => [address, device?.name, unknown]),
    [
      ['192.0.2.1', 'seeing', false],
      ['192.0.2.2', 'one-way', false],
      ['198.51.100.9', undefined, true],
    ],
  );
  assert.deepEqual(body.items[0].counters, { datagrams: 5, clockOffsetMs: 2 });
});

test('the summary of flows is of a scope and a time', async () => {
  const { body } = await ask('network', 'GET', '/v1/flows/summary?scope=10.1.0.0/16,10.9.9.9');
  const [one, ...others] = body.externals;
  assert.deepEqual(others, []);
  assert.deepEqual(
    [one.address, one.outPackets, one.inPackets, one.internals, one.name],
    ['203.0.113.50', 10, 8, 1, ''],
  );
  assert.equal(body.series.length, 1);
  const all = (await ask('network', 'GET', '/v1/flows/summary?groupBy=hour')).body;
  assert.equal(all.externals[0].outPackets, 13);
  const until = new Date(nowMs - 60 * MINUTE).toISOString();
  assert.deepEqual((await ask('network', 'GET', `/v1/flows/summary?until=${until}`)).body.series, []);
  const cases: [string, string | undefined][] = [
    ['scope=nowhere', 'scope'],
    ['groupBy=day', 'groupBy'],
    ['from=2030-01-01T00:00:00Z', 'from'],
    ['from=1990-01-01T00:00:00Z', undefined],
    ['until=later', 'until'],
    ['until=2026-01-01T23:59:60Z', 'until'],
    ['scope=%00', 'querystring'],
  ];
  for (const [query, field] of cases)
    assert.deepEqual((await ask('network', 'GET', `/v1/flows/summary?${query}`)).body.field, field, query);
  assert.equal((await ask('network', 'GET', '/v1/flows/counters')).body.droppedRows, 0);
});

type Stream = { telemetry: string; arrives: boolean; reason: string };

test('coverage says what arrives for each device, and what that lets an analytic see', async () => {
  const read = async () => (await ask('network', 'GET', '/v1/coverage')).body.items;
  const arriving = (streams: Stream[]) =>
    streams.filter(({ arrives }) => arrives).map(({ telemetry }) => telemetry);
  const before = await read();
  assert.deepEqual(
    before.map((item: { device: { name: string }; analytics: { sight: string; streams: Stream[] }[] }) => [
      item.device.name,
      item.analytics[0].sight,
      arriving(item.analytics[0].streams).sort(),
    ]),
    [
      ['one-way', 'blind', ['flow-export']],
      ['seeing', 'partly', ['config-pull', 'flow-export', 'return-flows', 'syslog']],
      ['silent', 'blind', []],
    ],
  );
  const pull = before[0].analytics[0].streams.find((one: Stream) => one.telemetry === 'config-pull');
  assert.match(pull.reason, /the login was refused/);
  await ask('change', 'PUT', '/v1/tickets/jira/OPS-1', { state: 'Approved' });
  const after = await read();
  assert.ok(arriving(after[1].analytics[0].streams).includes('tickets'));
});

test('an address is enriched, and the sources say how old they are', async () => {
  const { body } = await ask('soc', 'GET', '/v1/enrichment/addresses/::ffff:203.0.113.50');
  assert.deepEqual([body.address, body.asn, body.category], ['203.0.113.50', 0, 'unknown']);
  assert.equal((await ask('soc', 'GET', '/v1/enrichment/addresses/nowhere')).body.field, 'address');
  const { items } = (await ask('soc', 'GET', '/v1/enrichment/sources')).body;
  assert.ok(
    items.some(({ name, asOf }: { name: string; asOf: unknown }) => name === 'tor-exits' && asOf === null),
  );
});

test('metrics are read without a key where that is set, and say what is so now', async () => {
  await putAlert(
    services.postgres,
    alertFixture('al_1', { severity: 'high' }),
    { deviceId: seeing },
    new Date(),
  );
  const { status, type, text } = await ask(null, 'GET', '/metrics');
  assert.equal(status, 200);
  assert.match(type, /^text\/plain/);
  const value = (sample: string) =>
    text
      .split('\n')
      .find((line) => line.startsWith(`${sample} `))
      ?.slice(sample.length + 1);
  assert.equal(value('postern_alerts{severity="high",status="open"}'), '1');
  assert.equal(value('postern_device_pull_failures{device="one-way"}'), '1');
  assert.equal(Number(value('postern_device_last_pull_timestamp_seconds{device="seeing"}')), nowMs / 1000);
  assert.equal(value('postern_device_last_pull_timestamp_seconds{device="silent"}'), '0');
  assert.ok(value('postern_exporter_last_seen_timestamp_seconds{exporter="198.51.100.9",known="false"}'));
  assert.equal(value('postern_flow_total{counter="droppedRows"}'), '0');
  assert.match(text, /^postern_jobs\{queue="pull-device",state="\w+"\} \d+$/m);
  assert.match(text, /^process_cpu_seconds_total /m);
  await ask('soc', 'POST', '/v1/alerts/al_1/close', {});
  const later = (await ask(null, 'GET', '/metrics')).text;
  assert.doesNotMatch(later, /postern_alerts\{severity="high",status="open"\}/);
});
