// strangers in great numbers beside an exporter that was there before: it loses nothing, and they are bounded and counted
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createActivity } from '../../src/flows/activity.ts';
import { type ConversationBatch, conversations } from '../../src/flows/batch.ts';
import { createFolder, type Folder, type FolderOptions, type FolderReport } from '../../src/flows/folder.ts';
import { createStoreQueue } from '../../src/flows/store-queue.ts';
import { thinBatch } from '../../src/flows/thin.ts';
import { addressSet } from '../../src/model/addresses.ts';
import { type V9Record, v9Datagram } from './v9.ts';

const NOON = Date.UTC(2026, 10, 2, 12);
const GOOD = '192.0.2.1';
const RECORD: V9Record = {
  source: '10.1.1.1',
  destination: '198.51.100.9',
  destinationPort: 443,
  packets: 1,
};

const folder = (options: Partial<FolderOptions> = {}): Folder =>
  createFolder({ internal: addressSet('10.0.0.0/8'), ...options });
const stranger = (i: number) => `100.${64 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`;
const whole = (atMs: number, records = [RECORD]) => v9Datagram(records, { exportMs: atMs });
const bare = (atMs: number, records = [RECORD]) =>
  v9Datagram(records, { exportMs: atMs, withTemplate: false });

/** It has sent its template and a record every second for `seconds`, until NOON. */
function known(one: Folder, seconds = 61): void {
  const firstMs = NOON - seconds * 1000;
  for (let atMs = firstMs; atMs <= NOON; atMs += 1000)
    one.receive(GOOD, 4000, atMs === firstMs ? whole(atMs) : bare(atMs), atMs);
}

const countersOf = (reports: readonly FolderReport[], address: string) => {
  const totals: Record<string, number> = {};
  for (const { exporters } of reports)
    for (const one of exporters)
      if (one.address === address)
        for (const [name, count] of Object.entries(one.counters)) totals[name] = (totals[name] ?? 0) + count;
  return totals;
};
const packetsOf = (batches: readonly ConversationBatch[], exporter: string) =>
  batches
    .flatMap((batch) => [...conversations(batch)])
    .filter((row) => row.exporter === exporter)
    .reduce((sum, row) => sum + row.outPackets, 0);

for (const [kind, make] of [
  ['that each export', whole],
  ['that send nonsense', () => Buffer.from('this is no export of flows')],
] as const)
  test(`50,000 sources ${kind}: who was there before loses nothing, though it is silent for a while`, () => {
    const one = folder({ maxSessions: 500 });
    const reports: FolderReport[] = [];
    const batches: ConversationBatch[] = [];
    known(one);
    const flood = 50_000;
    for (let i = 0; i < flood; i++) {
      const atMs = NOON + i;
      one.receive(stranger(i), 4000, make(atMs), atMs);
      if (i % 10_000 !== 9999) continue;
      // A record every ten seconds, without a template.
      one.receive(GOOD, 4000, bare(atMs), atMs);
      batches.push(...one.drain());
      reports.push(one.report());
    }
    const good = countersOf(reports, GOOD);
    assert.deepEqual([good.records, good.folded, good.missedTemplates], [67, 67, 0]);
    assert.equal(packetsOf(batches, GOOD), 67);
    const sum = (of: (report: FolderReport) => number) => reports.reduce((total, one) => total + of(one), 0);
    assert.ok(reports.every(({ sessions }) => sessions <= 500));
    assert.ok(sum(({ sessionsEvicted }) => sessionsEvicted) > 40_000);
    // Every datagram is counted: by its exporter, in the sum of those that are gone, or as refused.
    const counted = sum(
      ({ exporters, gone, refused }) =>
        exporters.reduce((total, { counters }) => total + counters.datagrams, 0) +
        (gone.datagrams ?? 0) +
        Object.values(refused).reduce((total, count) => total + count, 0),
    );
    assert.equal(counted, flood + 67);
  });

test('a thousand strangers a second make room for others at the most; the rest is refused, which costs little', () => {
  const one = folder({ maxSessions: 100 });
  for (let i = 0; i < 20_000; i++)
    one.receive(stranger(i), 4000, Buffer.alloc(30), NOON + Math.floor(i / 8000) * 1000);
  const { sessions, sessionsEvicted, refused } = one.report();
  assert.deepEqual([sessions, sessionsEvicted, Object.keys(refused).length], [100, 3000, 1001]);
  assert.equal(
    Object.values(refused).reduce((sum, count) => sum + count, 0),
    20_000 - 3100,
  );
});

test('who never had a record goes before who has, and nobody else goes while there are such', () => {
  const one = folder({ maxSessions: 10 });
  for (let i = 0; i < 5; i++) one.receive(stranger(i), 4000, whole(NOON), NOON);
  for (let i = 100; i < 200; i++) one.receive(stranger(i), 4000, Buffer.alloc(30), NOON + i);
  for (let i = 0; i < 5; i++) one.receive(stranger(i), 4000, bare(NOON + 300), NOON + 300);
  const { exporters } = one.report();
  for (let i = 0; i < 5; i++)
    assert.equal(exporters.find(({ address }) => address === stranger(i))?.counters.folded, 2, String(i));
});

test('those that came before a restart are known again, and strangers do not become so by waiting', () => {
  const first = folder();
  known(first);
  first.receive(stranger(1), 4000, whole(NOON), NOON);
  const sessions = new Map(first.storeSessions(true));
  const one = folder({ maxSessions: 20, sessions });
  one.receive(GOOD, 4000, bare(NOON), NOON);
  one.receive(stranger(1), 4000, bare(NOON), NOON);
  for (let i = 100; i < 200; i++) one.receive(stranger(i), 4000, whole(NOON + i), NOON + i);
  one.receive(GOOD, 4000, bare(NOON + 300), NOON + 300);
  one.receive(stranger(1), 4000, bare(NOON + 300), NOON + 300);
  const { exporters } = one.report();
  const found = (address: string) => exporters.find((one) => one.address === address);
  assert.deepEqual([found(GOOD)?.counters.folded, found(GOOD)?.isProven], [2, true]);
  assert.deepEqual([found(stranger(1))?.counters.missedTemplates, found(stranger(1))?.isProven], [1, false]);
});

test('an exporter of an hour ago makes room, so that no place is lost for ever', () => {
  const one = folder({ maxSessions: 2 });
  known(one);
  const laterMs = NOON + 3_700_000;
  for (let i = 0; i < 3; i++) one.receive(stranger(i), 4000, whole(laterMs + i), laterMs + i);
  one.receive(GOOD, 4000, bare(laterMs + 10), laterMs + 10);
  const { exporters, gone } = one.report();
  const again = exporters.find(({ address }) => address === GOOD);
  assert.deepEqual([again?.counters.folded, again?.counters.missedTemplates, gone.folded], [0, 1, 64]);
});

const pairs = (from: number, count: number): V9Record[] =>
  Array.from({ length: count }, (_, i) => ({
    ...RECORD,
    source: `10.${((from + i) >> 16) & 255}.${((from + i) >> 8) & 255}.${(from + i) & 255}`,
  }));

for (const [who, sourceOf] of [
  ['one exporter', () => stranger(0)],
  ['a thousand exporters', (i: number) => stranger(i % 1000)],
] as const)
  test(`a full table: ${who} with ever new conversations cannot take the rows of another`, () => {
    const one = folder({ maxConversations: 5000 });
    known(one);
    one.drain();
    for (let i = 0; i < 1000; i++) one.receive(sourceOf(i), 4000, whole(NOON, pairs(i * 20, 20)), NOON);
    for (let i = 0; i < 10; i++)
      one.receive(GOOD, 4000, bare(NOON, [{ ...RECORD, destination: `203.0.113.${i}` }]), NOON);
    const report = one.report();
    const good = countersOf([report], GOOD);
    assert.equal(good.overflow, 0);
    const lost = report.exporters.reduce((sum, { counters }) => sum + counters.overflow, 0);
    // 16 of 17 parts are what anybody gets.
    assert.ok(lost > 20_000 - 4750 && lost < 20_000 - 4600, String(lost));
    assert.equal(packetsOf(one.drain(), GOOD), 10);
  });

test('a full table is no bound where it can be emptied', () => {
  const batches: ConversationBatch[] = [];
  const one: Folder = folder({
    maxConversations: 5000,
    onFull: () => batches.push(...one.drain()),
  });
  for (let i = 0; i < 1000; i++) one.receive(stranger(0), 4000, whole(NOON, pairs(i * 20, 20)), NOON);
  batches.push(...one.drain());
  assert.equal(packetsOf(batches, stranger(0)), 20_000);
});

test('a batch names the exporters that have rows in it, and which of them are strangers', () => {
  const one = folder();
  known(one);
  one.drain();
  one.receive(stranger(5), 4000, whole(NOON), NOON);
  one.receive(GOOD, 4000, bare(NOON), NOON);
  const [batch] = one.drain();
  assert.deepEqual(batch.exporters, [stranger(5), GOOD]);
  assert.deepEqual([...batch.exporter], [0, 1]);
  assert.deepEqual([...(batch.strangers ?? [])], [1, 0]);
  one.receive(stranger(6), 4000, whole(NOON), NOON);
  assert.deepEqual(one.drain()[0].exporters, [stranger(6)]);
});

test('a number that is given anew brings nothing along of the interfaces of who had it', () => {
  const one = folder({ maxSessions: 1 });
  const record = { ...RECORD, input: 7, output: 8 };
  const egress = v9Datagram([{ ...record, direction: 1 }], { exportMs: NOON });
  const ingress = v9Datagram([{ ...record, direction: 0 }], { exportMs: NOON });
  // All three numbers are taken, and free again after two drains.
  for (let i = 0; i < 3; i++) one.receive(stranger(i), 4000, ingress, NOON);
  one.receive(stranger(2), 4000, egress, NOON);
  assert.equal(countersOf([one.report()], stranger(2)).duplicates, 1);
  for (let i = 0; i < 3; i++) {
    one.drain();
    one.receive(stranger(10), 4000, whole(NOON), NOON);
  }
  for (let i = 20; i < 22; i++) one.receive(stranger(i), 4000, egress, NOON);
  const report = one.report();
  assert.deepEqual([report.gone.duplicates, countersOf([report], stranger(21)).duplicates], [undefined, 0]);
  assert.equal(countersOf([report], stranger(21)).folded, 1);
});

test('of those that come a moment ago, who goes on sending stays', () => {
  const one = folder({ maxSessions: 20 });
  one.receive(stranger(0), 4000, whole(NOON), NOON);
  for (let i = 1; i < 500; i++) {
    one.receive(stranger(i), 4000, whole(NOON + i), NOON + i);
    if (i % 10 === 0) one.receive(stranger(0), 4000, bare(NOON + i), NOON + i);
  }
  assert.equal(countersOf([one.report()], stranger(0)).folded, 50);
});

const NEXT = v9Datagram([RECORD], { exportMs: NOON, withTemplate: false, sequence: 1 });

test('reports of many exporters come in parts that add up', () => {
  const one = folder();
  for (let i = 0; i < 250; i++) one.receive(stranger(i), 4000, whole(NOON), NOON);
  const parts: FolderReport[] = [];
  do {
    parts.push(one.report(100));
    // Heard while the report is under way: of those that are told already it is for the next one.
    if (parts.length === 1) one.receive(stranger(0), 4000, NEXT, NOON);
  } while (parts[parts.length - 1].isMore);
  assert.deepEqual(
    parts.map(({ exporters }) => exporters.length),
    [100, 100, 50],
  );
  assert.equal(countersOf(parts, stranger(0)).records, 1);
  const next = one.report();
  assert.deepEqual(
    next.exporters.map(({ address, counters }) => [address, counters]),
    [[stranger(0), { datagrams: 1, bytes: NEXT.length, records: 1, folded: 1 }]],
  );
});

function batchOf(rows: readonly (readonly [exporter: string, count: number])[]): ConversationBatch {
  const one = folder();
  known(one);
  one.drain();
  for (const [exporter, count] of rows)
    for (let from = 0; from < count; from += 20)
      one.receive(exporter, 4000, whole(NOON, pairs(from, Math.min(20, count - from))), NOON);
  const [batch] = one.drain();
  return batch;
}

test('where rows have to be dropped, those with many lose theirs, and strangers share one share', () => {
  const batch = batchOf([
    [stranger(1), 400],
    [stranger(2), 400],
    [GOOD, 90],
  ]);
  const { kept, dropped } = thinBatch(batch, 200);
  assert.deepEqual([kept.count, dropped.count], [200, 690]);
  assert.equal(packetsOf([kept], GOOD), 90);
  const rows = [...conversations(kept), ...conversations(dropped)].map((row) => JSON.stringify(row)).sort();
  assert.deepEqual(rows, [...conversations(batch)].map((row) => JSON.stringify(row)).sort());
  assert.equal(thinBatch(batch, 2000).dropped.count, 0);
  assert.equal(thinBatch(batch, 0).kept.count, 0);
});

test('a store that takes nothing: what a flood brings is dropped first, and counted by exporter', async () => {
  const activity = createActivity();
  const kept: ConversationBatch[] = [];
  let isDown = true;
  const queue = createStoreQueue({
    maxRows: 20_000,
    thin: thinBatch,
    insert: async (batches) => {
      if (isDown) throw new Error('down');
      kept.push(...batches);
    },
    onDropped: activity.dropped,
    onError: () => undefined,
  });
  for (let i = 0; i < 30; i++)
    queue.push(
      batchOf([
        [stranger(1), 980],
        [GOOD, 10],
      ]),
    );
  assert.ok(queue.waitingRows() <= 20_000);
  isDown = false;
  while (queue.waitingRows() > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  await queue.close(1000);
  const pending = new Map(activity.takePending().map((one) => [one.address, one.counters.droppedRows]));
  assert.equal(packetsOf(kept, GOOD), 300);
  assert.equal(pending.get(GOOD), undefined);
  assert.equal((pending.get(stranger(1)) ?? 0) + packetsOf(kept, stranger(1)), 30 * 980);
});

test('exporters that wait for PostgreSQL are bounded, strangers before those that are known', () => {
  const activity = createActivity();
  const report = (address: string, isProven: boolean): FolderReport => ({
    exporters: [
      { address, versions: ['v9'], lastSeenMs: NOON, isProven, counters: { records: 1 }, gauges: GAUGES },
    ],
    refused: {},
    sessions: 1,
    sessionsEvicted: 0,
    gone: {},
    isMore: false,
  });
  for (let i = 0; i < 12_000; i++) activity.add(report(stranger(i), false));
  activity.add(report(GOOD, true));
  const { counters } = activity.totals();
  assert.deepEqual([counters.records, counters.exportersNotRecorded], [12_001, 2000]);
  const pending = activity.takePending();
  assert.equal(pending.length, 10_001);
  assert.equal(pending.at(-1)?.address, GOOD);
});

const GAUGES = { clockOffsetMs: 0, templates: 1, sessions: 1, samplingRate: 0, samplingOrigin: 0 };
