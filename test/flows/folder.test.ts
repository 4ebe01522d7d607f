import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildTables } from '../../enrichment/tables.ts';
import { conversations } from '../../src/flows/batch.ts';
import type { ExporterGauges } from '../../src/flows/exporters.ts';
import { createFolder, type Folder, type FolderOptions } from '../../src/flows/folder.ts';
import { addressSet, parseAddress } from '../../src/model/addresses.ts';
import { buildIpfix, dataSet, type Field, ipfixTemplate } from '../packets/generate.ts';
import { v9Datagram } from './v9.ts';

const NOON = Date.UTC(2026, 10, 2, 12);
const RECORD = {
  source: '10.1.1.1',
  destination: '198.51.100.9',
  destinationPort: 443,
  packets: 4,
  bytes: 400,
};

const folder = (options: Partial<FolderOptions> = {}): Folder =>
  createFolder({ internal: addressSet('10.0.0.0/8'), ...options });

const TIMED: readonly Field[] = [
  [8, 4],
  [12, 4],
  [11, 2],
  [4, 1],
  [1, 4],
  [2, 4],
  [152, 8],
  [153, 8],
];

function ipfixDatagram(
  one: typeof RECORD & { readonly startMs: number; readonly endMs: number },
  exportMs: number,
  sequence: number,
): Uint8Array {
  const { source, destination, destinationPort, bytes, packets, startMs, endMs } = one;
  const values = [source, destination, destinationPort, 6, bytes, packets, startMs, endMs];
  return buildIpfix(
    { seconds: exportMs / 1000, sequence },
    ipfixTemplate(256, TIMED),
    dataSet(256, TIMED, [values]),
  );
}

const rowsOf = (one: Folder) => one.drain().flatMap((batch) => [...conversations(batch)]);

test('a datagram becomes conversations at the time that it states', () => {
  const one = folder();
  const record = { ...RECORD, startMs: NOON - 91_000, endMs: NOON - 90_000 };
  one.receive('192.0.2.2', 40_000, v9Datagram([record], { exportMs: NOON }), NOON);
  const [row] = rowsOf(one);
  assert.equal(row.minuteMs, NOON - 120_000);
  assert.deepEqual(
    [row.internal, row.external, row.externalPort, row.outPackets],
    ['10.1.1.1', '198.51.100.9', 443, 4],
  );
});

test('times of an exporter whose clock is wrong are told by how long before its export they were', () => {
  for (const wrongMs of [-1_500_000, 1_500_000, 40 * 365 * 86_400_000]) {
    const one = folder();
    const exportMs = NOON + wrongMs;
    const record = { ...RECORD, startMs: exportMs - 91_000, endMs: exportMs - 90_000 };
    one.receive('192.0.2.2', 40_000, v9Datagram([record], { exportMs }), NOON);
    const [row] = rowsOf(one);
    assert.equal(row.minuteMs, NOON - 120_000, String(wrongMs));
  }
});

test('templates belong to address and source port: another session does not read by them', () => {
  const one = folder();
  one.receive('192.0.2.2', 40_000, v9Datagram([RECORD], { exportMs: NOON }), NOON);
  one.receive('192.0.2.2', 40_001, v9Datagram([RECORD], { exportMs: NOON, withTemplate: false }), NOON);
  one.receive('192.0.2.2', 40_000, v9Datagram([RECORD], { exportMs: NOON, withTemplate: false }), NOON);
  const { exporters, sessions } = one.report();
  assert.equal(sessions, 2);
  assert.deepEqual(
    exporters.map(({ address, versions, counters }) => [
      address,
      versions,
      counters.records,
      counters.missedTemplates,
    ]),
    [['192.0.2.2', ['v9'], 2, 1]],
  );
});

test('external addresses are enriched from tables, which may come later and be replaced', () => {
  const tablesOf = (asn: number, category: 'vps' | 'cdn') =>
    buildTables({
      networks: [
        {
          first: parseAddress('198.51.100.0'),
          last: parseAddress('198.51.100.255'),
          value: { asn, name: 'N', country: 'CH' },
        },
      ],
      operator: { '198.51.100.0/24': category },
    });
  const one = folder();
  const found = () => {
    one.receive('192.0.2.2', 40_000, v9Datagram([RECORD], { exportMs: NOON }), NOON);
    const [{ asn, category }] = rowsOf(one);
    return [asn, category];
  };
  assert.deepEqual(found(), [0, 'unknown']);
  one.setTables(tablesOf(64_500, 'vps'));
  assert.deepEqual(found(), [64_500, 'vps']);
  one.setTables(tablesOf(64_501, 'cdn'));
  assert.deepEqual(found(), [64_501, 'cdn']);
  one.setTables(undefined);
  assert.deepEqual(found(), [0, 'unknown']);
});

test('once anybody is allowed, others are counted by address and not read', () => {
  const one = folder({ allowed: addressSet('192.0.2.0/28') });
  const datagram = v9Datagram([RECORD], { exportMs: NOON });
  for (const source of ['192.0.2.2', '192.0.2.99', '192.0.2.99', '2001:db8::7'])
    one.receive(source, 40_000, datagram, NOON);
  const report = one.report();
  assert.deepEqual(report.refused, { '192.0.2.99': 2, '2001:db8::7': 1 });
  assert.deepEqual(
    report.exporters.map(({ address }) => address),
    ['192.0.2.2'],
  );
  assert.deepEqual(one.report().refused, {});
  one.setAllowed(addressSet('192.0.2.99'));
  one.receive('192.0.2.2', 40_000, datagram, NOON);
  one.receive('192.0.2.99', 40_000, datagram, NOON);
  assert.deepEqual(one.report().refused, { '192.0.2.2': 1 });
  assert.deepEqual(
    rowsOf(one).map(({ exporter }) => exporter),
    ['192.0.2.2', '192.0.2.99'],
  );
});

test('senders that are told apart are bounded', () => {
  const one = folder({ allowed: addressSet('192.0.2.1') });
  for (let i = 0; i < 1500; i++) one.receive(`203.0.${i >> 8}.${i & 255}`, 1, Buffer.alloc(0), NOON);
  const { refused } = one.report();
  assert.equal(Object.keys(refused).length, 1001);
  assert.equal(refused.other, 500);
});

test('sessions are bounded: the longest unseen go, and what they counted stays', () => {
  const one = folder({ maxSessions: 10 });
  const datagram = v9Datagram([RECORD], { exportMs: NOON });
  for (let port = 1; port <= 25; port++) {
    one.receive(
      '192.0.2.2',
      999,
      v9Datagram([RECORD], { exportMs: NOON, withTemplate: port === 1 }),
      NOON + port,
    );
    one.receive('192.0.2.2', port, datagram, NOON + port);
  }
  const report = one.report();
  assert.ok(report.sessions <= 10);
  assert.equal(report.sessionsEvicted, 26 - report.sessions);
  // The session in use kept its template throughout.
  assert.equal(report.exporters[0].counters.records, 50);
  assert.equal(report.exporters[0].counters.missedTemplates, 0);
});

test('exporters are bounded, and a number is given anew only when no conversation bears it', () => {
  const one = folder({ maxSessions: 2 });
  const send = (address: string, atMs: number) =>
    one.receive(address, 1, v9Datagram([RECORD], { exportMs: atMs }), atMs);
  // Two have a place at a time, and there are six numbers.
  for (let i = 1; i <= 8; i++) send(`192.0.2.${i}`, NOON + i);
  const { exporters, gone, sessions, sessionsEvicted } = one.report();
  assert.deepEqual([sessions, sessionsEvicted], [2, 6]);
  assert.deepEqual(
    exporters.map(({ address, counters }) => [address, counters.folded, counters.overflow]),
    [
      ['192.0.2.7', 0, 1],
      ['192.0.2.8', 0, 1],
    ],
  );
  assert.deepEqual([gone.records, gone.folded, gone.overflow], [6, 6, undefined]);
  const names = () => rowsOf(one).map(({ exporter }) => exporter);
  assert.deepEqual(
    names(),
    [1, 2, 3, 4, 5, 6].map((i) => `192.0.2.${i}`),
  );
  one.drain();
  for (const address of ['192.0.2.11', '192.0.2.2', '192.0.2.1']) send(address, NOON + 200);
  assert.deepEqual(names(), ['192.0.2.11', '192.0.2.2', '192.0.2.1']);
});

test('reports hold what happened since the last one, and nothing of those who were silent', () => {
  const one = folder();
  const datagram = v9Datagram([RECORD, RECORD], { exportMs: NOON });
  one.receive('192.0.2.2', 1, datagram, NOON);
  one.receive('192.0.2.3', 1, datagram, NOON);
  one.report();
  one.receive('192.0.2.3', 1, datagram, NOON);
  const { exporters } = one.report();
  assert.deepEqual(
    exporters.map(({ address, counters }) => [
      address,
      counters.datagrams,
      counters.records,
      counters.folded,
    ]),
    [['192.0.2.3', 1, 2, 2]],
  );
});

test('local time in flows under a right header is measured, shown, and corrected after six reports', () => {
  for (const hours of [-5, 2, 5.75]) {
    const one = folder();
    const zoneMs = hours * 3_600_000;
    let lastMinute = 0;
    for (let report = 0; report < 8; report++) {
      const nowMs = NOON + report * 5000;
      const times = { startMs: nowMs - 60_000 + zoneMs, endMs: nowMs - 1500 + zoneMs };
      one.receive('192.0.2.2', 40_000, ipfixDatagram({ ...RECORD, ...times }, nowMs, report), nowMs);
      const [{ gauges }] = one.report().exporters;
      assert.equal(gauges.recordLagMs, 1500 - zoneMs);
      assert.equal(gauges.recordZoneMs, report < 5 ? 0 : -zoneMs);
      lastMinute = rowsOf(one)[0].minuteMs;
    }
    assert.equal(lastMinute, NOON - 60_000, `${hours} hours`);
  }
});

test('flows that ended long ago, one here and there, or replayed ones, are not taken for another time zone', () => {
  const one = folder();
  const send = (nowMs: number, endMs: number) => {
    one.receive('192.0.2.2', 40_000, ipfixDatagram({ ...RECORD, startMs: endMs, endMs }, nowMs, 0), nowMs);
    return one.report().exporters[0].gauges.recordZoneMs;
  };
  // An idle connection that softflowd held for an hour.
  assert.equal(send(NOON, NOON - 3_601_000), 0);
  assert.equal(send(NOON + 10_000, NOON - 2000), 0);
  assert.equal(send(NOON + 20_000, NOON + 20_000 - 3_601_000), 0);
  // Replayed: at one's own pace, from some time ago.
  for (let i = 3; i < 20; i++)
    assert.equal(send(NOON + i * 10_000, NOON - 7_900_000 + i * 60_000), 0, String(i));
});

test('the rate of datagrams and records is of the last minute, the maker that of its elements', () => {
  const one = folder();
  let gauges: ExporterGauges | undefined;
  for (let second = 0; second < 200; second++) {
    const nowMs = NOON + second * 1000;
    const count = second < 90 ? 1 : 3;
    for (let i = 0; i < count; i++)
      one.receive('192.0.2.2', 40_000, v9Datagram([RECORD, RECORD], { exportMs: nowMs }), nowMs);
    if (second % 10 === 9) gauges = one.report().exporters[0].gauges;
  }
  assert.deepEqual([gauges?.datagramsPerSecond, gauges?.recordsPerSecond, gauges?.enterprise], [3, 6, 0]);
});

test('a clock that jumps, forward and back: each datagram is judged by its own header', () => {
  const one = folder();
  const offsets = [0, 3_600_000, 0, -86_400_000, 31_536_000_000, 0];
  offsets.forEach((offsetMs, i) => {
    const nowMs = NOON + i * 60_000;
    const exportMs = nowMs + offsetMs;
    const record = { ...RECORD, startMs: exportMs - 2000, endMs: exportMs - 1000 };
    one.receive('192.0.2.2', 40_000, ipfixDatagram(record, exportMs, i), nowMs);
    const [{ gauges, counters }] = one.report().exporters;
    assert.equal(gauges.clockOffsetMs, 0 - offsetMs);
    assert.equal(counters.badTimes ?? 0, 0);
  });
  assert.deepEqual(
    rowsOf(one).map(({ minuteMs }) => minuteMs),
    offsets.map((_, i) => NOON + (i - 1) * 60_000),
  );
});
