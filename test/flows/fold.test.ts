import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ConversationBatch, conversations } from '../../src/flows/batch.ts';
import { createFolder, type Folder, type FolderOptions } from '../../src/flows/folder.ts';
import { addressSet } from '../../src/model/addresses.ts';
import type { Conversation } from '../../src/model/flow.ts';
import { recordColumns, type TestRecord } from './records.ts';

const MINUTE = 60_000;
const NOON = Date.UTC(2026, 10, 2, 12);
const EXPORTER = '192.0.2.2';
const OUT = { source: '10.1.1.1', destination: '198.51.100.9', destinationPort: 443 };
const BACK = { source: '198.51.100.9', destination: '10.1.1.1', sourcePort: 443 };

function folder(options: Partial<FolderOptions> = {}): Folder {
  return createFolder({ internal: addressSet('10.0.0.0/8', '2001:db8:10::/48'), ...options });
}

const all = (batches: ConversationBatch[]): Conversation[] =>
  batches.flatMap((batch) => [...conversations(batch)]);

function fold(records: TestRecord[], options: Partial<FolderOptions> = {}) {
  const one = folder(options);
  one.fold(EXPORTER, recordColumns(records), NOON);
  const { counters } = one.report().exporters[0];
  return { rows: all(one.drain()), counters };
}

test('both directions become one conversation, with each way counted apart and TCP flags united', () => {
  const { rows, counters } = fold([
    { ...OUT, bytes: 1000, packets: 10, tcpFlags: 2, output: 7 },
    { ...OUT, bytes: 500, packets: 5, tcpFlags: 16, output: 7 },
    { ...BACK, bytes: 90, packets: 3, tcpFlags: 18, input: 7 },
  ]);
  assert.equal(counters.folded, 3);
  assert.deepEqual(rows, [
    {
      minuteMs: NOON,
      exporter: EXPORTER,
      interface: 7,
      internal: '10.1.1.1',
      external: '198.51.100.9',
      externalPort: 443,
      protocol: 6,
      outBytes: 1500,
      outPackets: 15,
      outFlows: 2,
      inBytes: 90,
      inPackets: 3,
      inFlows: 1,
      samplingRate: 1,
      samplingOrigin: 'none',
      internalPorts: 1,
      tcpFlags: 18,
      asn: 0,
      category: 'unknown',
    },
  ]);
});

test('each part of the key keeps conversations apart', () => {
  const variants: TestRecord[] = [
    OUT,
    { ...OUT, source: '10.1.1.2' },
    { ...OUT, destination: '198.51.100.10' },
    { ...OUT, destinationPort: 444 },
    { ...OUT, protocol: 17 },
    { ...OUT, output: 3 },
    { ...OUT, samplingRate: 100 },
    { ...OUT, postNatSource: '203.0.113.1' },
    { ...OUT, startMs: NOON - MINUTE, endMs: NOON - MINUTE },
    { ...OUT, source: '2001:db8:10::1', destination: '2001:db8:99::1' },
    { ...OUT, source: '2001:db8:10::1', destination: '2001:db8:98::1' },
  ];
  const { rows } = fold([...variants, ...variants].map((record) => ({ ...record, packets: 1 })));
  assert.equal(rows.length, variants.length);
  for (const row of rows) assert.equal(row.outPackets, 2);
});

test('exporters are kept apart', () => {
  const one = folder();
  one.fold('192.0.2.2', recordColumns([OUT]), NOON);
  one.fold('192.0.2.3', recordColumns([OUT]), NOON);
  assert.deepEqual(
    all(one.drain()).map((row) => row.exporter),
    ['192.0.2.2', '192.0.2.3'],
  );
});

test('a record over several minutes is spread by time, adds up, and is one flow in its first minute', () => {
  const { rows, counters } = fold([
    {
      ...OUT,
      bytes: 10_007,
      packets: 101,
      startMs: NOON - 150_000,
      endMs: NOON - 30_000,
      reverseBytes: 1001,
      reversePackets: 7,
    },
  ]);
  assert.deepEqual([counters.spread, counters.longFlows], [1, 1]);
  assert.deepEqual(
    rows.map((row) => (row.minuteMs - NOON) / MINUTE),
    [-3, -2, -1],
  );
  // 30 s, 60 s and 30 s of 120 s.
  assert.deepEqual(
    rows.map((row) => row.outBytes),
    [2502, 5003, 2502],
  );
  assert.deepEqual(
    rows.map((row) => row.outFlows),
    [1, 0, 0],
  );
  assert.deepEqual(
    rows.map((row) => row.inFlows),
    [1, 0, 0],
  );
  const sum = (of: (row: Conversation) => number) => rows.reduce((total, row) => total + of(row), 0);
  assert.equal(
    sum((row) => row.outBytes),
    10_007,
  );
  assert.equal(
    sum((row) => row.outPackets),
    101,
  );
  assert.equal(
    sum((row) => row.inBytes),
    1001,
  );
  assert.equal(
    sum((row) => row.inPackets),
    7,
  );
});

test('a day may be covered, not more: an hour by the minute, a longer time in as many steps', () => {
  const hour = fold([{ ...OUT, packets: 6000, startMs: NOON - 60 * MINUTE, endMs: NOON }]);
  assert.equal(hour.counters.badTimes, 0);
  assert.equal(hour.rows.filter((row) => row.outPackets > 0).length, 60);
  const eight = fold([{ ...OUT, packets: 4801, startMs: NOON - 480 * MINUTE, endMs: NOON }]);
  assert.equal(eight.counters.badTimes, 0);
  assert.deepEqual(
    eight.rows.map((row) => (row.minuteMs - NOON) / MINUTE),
    Array.from({ length: 61 }, (_, i) => i * 8 - 480),
  );
  // 480 minutes and a rest of one packet, which rounding gives to the middle; the last row is where the flow ended.
  assert.ok(eight.rows.every((row, i) => Math.abs(row.outPackets - (i === 60 ? 0 : 80)) <= 1));
  assert.equal(
    eight.rows.reduce((sum, row) => sum + row.outPackets, 0),
    4801,
  );
  const uneven = fold([{ ...OUT, packets: 4801, startMs: NOON - 487 * MINUTE, endMs: NOON - 3 * MINUTE }]);
  assert.equal(
    uneven.rows.reduce((sum, row) => sum + row.outPackets, 0),
    4801,
  );
  const longer = fold([{ ...OUT, packets: 6000, startMs: NOON - 1440 * MINUTE - 1, endMs: NOON }]);
  assert.equal(longer.counters.badTimes, 1);
  assert.deepEqual(
    longer.rows.map((row) => [row.minuteMs, row.outPackets]),
    [[NOON, 6000]],
  );
});

const BAD_TIMES: [string, number, number][] = [
  ['far in the future', NOON + 2 * 3_600_000, NOON + 2 * 3_600_000],
  ['of another day', NOON - 25 * 3_600_000, NOON - 25 * 3_600_000],
  ['that end before they start', NOON, NOON - 5000],
  ['of the epoch', 0, 0],
  ['that are no number', Number.NaN, NOON],
  ['that never end', NOON, Number.POSITIVE_INFINITY],
];
for (const [name, startMs, endMs] of BAD_TIMES)
  test(`times ${name} are counted, and the record stands at its time of receipt`, () => {
    const { rows, counters } = fold([{ ...OUT, packets: 4, startMs, endMs }]);
    assert.equal(counters.badTimes, 1);
    assert.deepEqual(
      rows.map((row) => [row.minuteMs, row.outPackets]),
      [[NOON, 4]],
    );
  });

test('a few milliseconds of clock drift are no bad times', () => {
  const { rows, counters } = fold([{ ...OUT, startMs: NOON - 4 * MINUTE + 3, endMs: NOON - 4 * MINUTE }]);
  assert.equal(counters.badTimes, 0);
  assert.equal(rows[0].minuteMs, NOON - 4 * MINUTE);
});

test('a biflow fills both directions from one record, whichever way it is told', () => {
  const told = fold([{ ...OUT, bytes: 900, packets: 9, reverseBytes: 80, reversePackets: 2 }]).rows[0];
  const mirrored = fold([{ ...BACK, bytes: 80, packets: 2, reverseBytes: 900, reversePackets: 9 }]).rows[0];
  assert.deepEqual([told.outBytes, told.outPackets, told.outFlows], [900, 9, 1]);
  assert.deepEqual([told.inBytes, told.inPackets, told.inFlows], [80, 2, 1]);
  assert.deepEqual(mirrored, told);
});

test('a biflow without replies is one-way', () => {
  const [row] = fold([{ ...OUT, bytes: 900, packets: 9, reverseBytes: 0, reversePackets: 0 }]).rows;
  assert.deepEqual([row.inBytes, row.inPackets, row.inFlows], [0, 0, 0]);
});

test('counts stay as exported under sampling, and an impossible rate is 1', () => {
  const { rows } = fold([
    { ...OUT, packets: 3, samplingRate: 1000 },
    { ...BACK, packets: 1, samplingRate: 1000 },
    { ...OUT, packets: 5, samplingRate: 0 },
    { ...OUT, packets: 5, samplingRate: Number.NaN },
  ]);
  assert.deepEqual(
    rows.map((row) => [row.samplingRate, row.outPackets, row.inPackets]),
    [
      [1000, 3, 1],
      [1, 10, 0],
    ],
  );
});

test('egress records of what was metered at ingress are not counted twice', () => {
  const { rows, counters } = fold([
    { ...OUT, packets: 5, direction: 0, input: 1, output: 2 },
    { ...OUT, packets: 5, direction: 1, input: 1, output: 2 },
    // Interface 3 is not metered at ingress: the egress record is the only sight.
    { ...OUT, source: '10.3.3.3', packets: 7, direction: 1, input: 3, output: 2 },
  ]);
  assert.equal(counters.duplicates, 1);
  assert.deepEqual(
    rows.map((row) => [row.internal, row.outPackets]),
    [
      ['10.1.1.1', 5],
      ['10.3.3.3', 7],
    ],
  );
});

test('ingress metering of one interface and egress metering of another: each packet once, either way', () => {
  // 1 is outside, 2 and 3 inside; ingress metering on 1 and 2, egress metering on 1 and 3.
  const { rows, counters } = fold([
    { ...OUT, packets: 5, direction: 0, input: 2, output: 1 },
    { ...OUT, packets: 5, direction: 1, input: 2, output: 1 },
    { ...BACK, packets: 4, direction: 0, input: 1, output: 2 },
    { ...OUT, source: '10.3.3.3', packets: 7, direction: 1, input: 3, output: 1 },
    { ...BACK, destination: '10.3.3.3', packets: 6, direction: 0, input: 1, output: 3 },
    { ...BACK, destination: '10.3.3.3', packets: 6, direction: 1, input: 1, output: 3 },
  ]);
  assert.equal(counters.duplicates, 2);
  assert.deepEqual(
    rows.map((row) => [row.internal, row.outPackets, row.inPackets]),
    [
      ['10.1.1.1', 5, 4],
      ['10.3.3.3', 7, 6],
    ],
  );
});

test('ingress metering of IPv4 alone hides no egress record of IPv6', () => {
  const six = { source: '2001:db8:10::1', destination: '2001:db8:9::1', packets: 3 };
  const { counters } = fold([
    { ...OUT, packets: 5, direction: 0, input: 1, output: 2 },
    { ...six, direction: 1, input: 1, output: 2 },
    { ...six, direction: 0, input: 1, output: 2 },
    { ...six, direction: 1, input: 1, output: 2 },
    { ...OUT, packets: 5, direction: 1, input: 1, output: 2 },
  ]);
  assert.deepEqual([counters.duplicates, counters.folded, counters.bothExternal], [2, 3, 0]);
});

test('a direction that is neither ingress nor egress hides nothing', () => {
  const { counters } = fold([
    { ...OUT, packets: 5, direction: 255, input: 1, output: 2 },
    { ...OUT, packets: 5, direction: 1, input: 1, output: 2 },
  ]);
  assert.deepEqual([counters.duplicates, counters.folded], [0, 2]);
});

test('both ways of a probe count although it calls one of them egress, with no interface or one for both', () => {
  for (const index of [0, 7]) {
    const { rows, counters } = fold([
      { ...OUT, packets: 5, direction: 0, input: index, output: index },
      { ...BACK, packets: 3, direction: 1, input: index, output: index },
    ]);
    assert.equal(counters.duplicates, 0);
    assert.deepEqual(
      rows.map((row) => [row.outPackets, row.inPackets]),
      [[5, 3]],
    );
  }
});

test('ingress metering that ended an hour ago no longer hides egress records', () => {
  const one = folder();
  one.fold(EXPORTER, recordColumns([{ ...OUT, direction: 0, input: 1, output: 2 }]), NOON);
  const egress = recordColumns([{ ...OUT, direction: 1, input: 1, output: 2 }]);
  one.fold(EXPORTER, egress, NOON + 59 * MINUTE);
  one.fold(EXPORTER, egress, NOON + 62 * MINUTE);
  const { counters } = one.report().exporters[0];
  assert.deepEqual([counters.duplicates, counters.folded], [1, 2]);
});

test('what is not between inside and outside is counted by kind', () => {
  const { rows, counters } = fold([
    { source: '10.1.1.1', destination: '10.2.2.2' },
    { source: '192.0.2.1', destination: '198.51.100.1' },
    { source: '10.1.1.1', destination: '239.1.1.1' },
    {},
  ]);
  assert.equal(rows.length, 0);
  const { bothInternal, bothExternal, localScope, noAddresses, folded } = counters;
  assert.deepEqual([bothInternal, bothExternal, localScope, noAddresses, folded], [1, 1, 1, 1, 0]);
});

const many = (count: number): TestRecord[] =>
  Array.from({ length: count }, (_, i) => ({ ...OUT, packets: 1, source: `10.2.${i >> 8}.${i & 255}` }));

test('over the bound new conversations are dropped and counted, known ones go on', () => {
  const { rows, counters } = fold([...many(1200), ...many(10)], { maxConversations: 1000 });
  assert.equal(rows.length, 1000);
  assert.equal(counters.overflow, 200);
  assert.equal(counters.folded, 1010);
  assert.equal(rows[5].outPackets, 2);
});

test('onFull is asked before anything is dropped, and a drain inside it loses nothing', () => {
  const taken: ConversationBatch[] = [];
  const one: Folder = folder({ maxConversations: 20_000, onFull: () => taken.push(...one.drain()) });
  for (let i = 0; i < 50; i++) {
    const records = many(1000).map((record) => ({ ...record, destinationPort: i }));
    one.fold(EXPORTER, recordColumns(records), NOON);
  }
  const { counters } = one.report().exporters[0];
  assert.equal(counters.overflow, 0);
  assert.ok(taken.length > 1);
  assert.equal(all([...taken, ...one.drain()]).length, 50_000);
});

test('a second drain begins only when the first is taken, and rows come in the order they were first seen', () => {
  const one = folder();
  one.fold(EXPORTER, recordColumns(many(10)), NOON);
  assert.equal(one.beginDrain(), true);
  one.fold(EXPORTER, recordColumns(many(3)), NOON);
  assert.equal(one.nextBatch(6)?.count, 6);
  assert.equal(one.beginDrain(), false);
  const rest = one.nextBatch(6);
  assert.equal(rest?.count, 4);
  assert.equal(one.nextBatch(6), undefined);
  assert.equal(one.beginDrain(), true);
  assert.deepEqual(
    all([one.nextBatch(6) ?? assert.fail()]).map((row) => row.internal),
    ['10.2.0.0', '10.2.0.1', '10.2.0.2'],
  );
});

test('sums agree with a plain map over random records, through growth and several drains', () => {
  const one = folder();
  const expected = new Map<string, number>();
  const batches: ConversationBatch[] = [];
  let state = 42;
  const random = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
  for (let round = 0; round < 40; round++) {
    const records: TestRecord[] = Array.from({ length: 2000 }, () => {
      const inside = `10.0.${random(40)}.${random(40)}`;
      const outside =
        random(3) === 0 ? `2001:db8:99::${1 + random(98)}` : `198.51.${random(20)}.${random(20)}`;
      const isOut = random(2) === 0;
      const packets = random(100);
      const key = `${inside} ${outside} ${isOut}`;
      expected.set(key, (expected.get(key) ?? 0) + packets);
      return { source: isOut ? inside : outside, destination: isOut ? outside : inside, packets };
    });
    one.fold(EXPORTER, recordColumns(records), NOON);
    if (round % 15 === 14) batches.push(...one.drain());
  }
  const found = new Map<string, number>();
  for (const row of all([...batches, ...one.drain()]))
    for (const [isOut, packets, flows] of [
      [true, row.outPackets, row.outFlows],
      [false, row.inPackets, row.inFlows],
    ] as const) {
      const key = `${row.internal} ${row.external} ${isOut}`;
      if (flows > 0) found.set(key, (found.get(key) ?? 0) + packets);
    }
  const missing = [...expected].filter(([key, packets]) => found.get(key) !== packets);
  assert.ok(expected.size > 20_000);
  assert.deepEqual(missing, []);
  assert.equal(found.size, expected.size);
});
