import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { ClickHouseClient } from '@clickhouse/client';
import { openClickHouse } from '../../src/store/clickhouse/open.ts';
import { gatherEvidence } from '../../src/watches/evidence.ts';
import { question, T0 } from '../analytics/fixtures.ts';

let client: ClickHouseClient;
let folder: string;
const options = {
  baselineDays: 14,
  enrich: () => ({
    asn: 64500,
    name: 'NAME',
    country: '',
    category: 'vps' as const,
    categorySource: 'operator',
  }),
};

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-evidence-'));
  client = await openClickHouse({ path: folder });
  const rows: string[] = [];
  const row = (
    atMs: number,
    internal: string,
    external: string,
    out: number,
    back: number,
    rate = 1,
    asn = 64500,
    category = 'vps',
  ) =>
    rows.push(
      [
        Math.floor(atMs / 1000),
        '::ffff:192.0.2.2',
        7,
        `::ffff:${internal}`,
        `::ffff:${external}`,
        443,
        17,
        out * 100,
        out,
        1,
        back * 100,
        back,
        1,
        rate,
        0,
        '::',
        asn,
        category,
      ].join('\t'),
    );
  // Two hours of normal traffic to a CDN, both ways; then a one-way stream to a new address, sampled 1:10.
  for (let minute = -120; minute < 5; minute++)
    row(T0 + minute * 60_000, '10.20.0.10', '198.51.100.1', 100, 90, 1, 64501, 'cdn');
  for (let minute = 0; minute < 5; minute++)
    row(T0 + minute * 60_000, '10.20.0.10', '203.0.113.50', 3000, 10, 10);
  row(T0 - 3_600_000, '10.99.0.1', '203.0.113.50', 5, 5);
  row(T0 + 60_000, '10.99.0.1', '203.0.113.50', 999_999, 5);
  await client.command({
    query: `INSERT INTO conversations (minute, exporter, interface, internal, external, external_port, protocol, out_bytes, out_packets, out_flows,
      in_bytes, in_packets, in_flows, sampling_rate, tcp_flags, translated, asn, category) FORMAT TSV\n${rows.join('\n')}\n`,
  });
});
after(async () => {
  await client.close();
  await rm(folder, { recursive: true });
});

test("only S, only the question's destinations, scaled totals and raw samples", async () => {
  const found = await gatherEvidence(client, question, T0 + 300_000, options);
  const relay = found.groups.find((group) => group.key === '203.0.113.50');
  assert.ok(relay);
  assert.equal(found.groups.length, 2);
  assert.deepEqual(
    relay.observed.map((minute) => minute.outPackets),
    [30_000, 30_000, 30_000, 30_000, 30_000],
  );
  assert.equal(relay.sampledOutPackets, 15_000);
  assert.equal(relay.sampledInPackets, 50);
  assert.equal(relay.maxSamplingRate, 10);
  assert.equal(relay.addressHourShare, 0);
  assert.equal(relay.otherInternals, 1);
  assert.equal(relay.returnVisible, true);
  assert.equal(found.baselineMinutes, 120);
  assert.ok(Math.abs(found.usualReturnRatio.cdn - 0.9) < 1e-9);
  assert.deepEqual(found.dataGaps, []);
});

test('with any destination the usual ones are there with their history', async () => {
  const found = await gatherEvidence(client, { ...question, destinations: ['any'] }, T0 + 300_000, options);
  const cdn = found.groups.find((group) => group.key === '198.51.100.1');
  assert.equal(cdn?.addressHourShare, 1);
  assert.equal(cdn?.baseline.length, 120);
});

test('evidence after the time of asking is not looked at', async () => {
  const found = await gatherEvidence(client, question, T0 - 1, options);
  assert.equal(found.groups.filter((group) => group.level === 'address').length, 0);
  assert.ok(found.dataGaps.includes('no flows since the change'));
});

test('without flows before the change the gap is named', async () => {
  const found = await gatherEvidence(
    client,
    { ...question, exporters: ['192.0.2.99'] },
    T0 + 300_000,
    options,
  );
  assert.ok(found.dataGaps.some((gap) => gap.startsWith('no flows from the exporters of')));
});
