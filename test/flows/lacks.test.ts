import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXPORTING, type Lack, LINES } from '../../src/flows/export-lines.ts';
import { type ExporterSight, lacksOf } from '../../src/flows/lacks.ts';

const NOW = Date.UTC(2026, 10, 2, 3, 0, 0);
const GOOD: ExporterSight = {
  versions: ['v9'],
  counters: {
    datagrams: 1000,
    records: 20_000,
    samplingRate: 1,
    clockOffsetMs: 40,
    spread: 15_000,
    longFlows: 10,
  },
  lastSeenMs: NOW - 1000,
  nowMs: NOW,
  interfaces: [{ index: 3, outPackets: 5000, inPackets: 4800 }],
};

test('an exporter that shows all lacks nothing', () => {
  assert.deepEqual(lacksOf(GOOD), []);
});

const CASES: readonly (readonly [Lack, Partial<ExporterSight>, RegExp])[] = [
  ['no-flows', { lastSeenMs: NOW - 3_600_000 }, /60 minutes/],
  ['one-way', { interfaces: [{ index: 7, outPackets: 900, inPackets: 0 }] }, /interface 7,/],
  ['coarse-sampling', { counters: { ...GOOD.counters, samplingRate: 1000 } }, /one packet in 1000/],
  ['long-active-timeout', { counters: { ...GOOD.counters, longFlows: 10_000 } }, /50%/],
  ['late-templates', { counters: { ...GOOD.counters, missedTemplates: 300 } }, /300 data sets/],
  ['wrong-clock', { counters: { ...GOOD.counters, clockOffsetMs: -90_000 } }, /90 s ahead/],
  ['old-version', { versions: ['v5'] }, /v5 tells no IPv6/],
];
for (const [lack, sight, reason] of CASES)
  test(`${lack} is told with its figure, what it costs and what to do`, () => {
    const [one, ...others] = lacksOf({ ...GOOD, ...sight }, 'junos');
    assert.deepEqual([one.lack, others.length], [lack, 0]);
    assert.match(one.reason, reason);
    assert.ok(one.analytics.length > 0);
    assert.deepEqual(one.lines, { junos: LINES[lack].junos });
  });

test('an export that adds nothing may stop, one that shows more than the elected or only one way may not', () => {
  const duplicate = {
    exporter: '192.0.2.2',
    interface: 3,
    elected: { exporter: '192.0.2.1', interface: 7 },
    sinceMs: NOW,
    foundAtMs: NOW,
    shareOut: 0.99,
    shareIn: 0.97,
    samplingRate: 1,
    isWhole: true,
    missed: 0,
    challenged: 0,
  };
  const [one, ...others] = lacksOf({ ...GOOD, duplicates: [duplicate] }, 'fortios');
  assert.deepEqual([one.lack, others.length], ['shown-twice', 0]);
  assert.match(one.reason, /interface 3 is shown by 192\.0\.2\.1 \(interface 7\)/);
  assert.deepEqual(one.lines, { fortios: LINES['shown-twice'].fortios });
  for (const more of [{ isWhole: false }, { shareIn: 0 }, { shareOut: 0.8 }])
    assert.deepEqual(lacksOf({ ...GOOD, duplicates: [{ ...duplicate, ...more }] }), []);
});

test('few packets prove nothing; a host gets the lines of softflowd, an unknown sender those of all', () => {
  assert.deepEqual(lacksOf({ ...GOOD, interfaces: [{ index: 1, outPackets: 99, inPackets: 0 }] }), []);
  const sight = { ...GOOD, versions: ['v5'] };
  assert.deepEqual(Object.keys(lacksOf(sight, 'linux-nftables')[0].lines), ['softflowd']);
  assert.deepEqual(Object.keys(lacksOf(sight)[0].lines), [...EXPORTING]);
});

test('each lack has lines for each vendor', () => {
  for (const [lack, byVendor] of Object.entries(LINES))
    for (const vendor of EXPORTING) assert.ok(byVendor[vendor].length > 0, `${lack} ${vendor}`);
});

test('lines for FortiOS leave each table and entry that they enter', () => {
  const counted = (lines: readonly string[], word: RegExp) => lines.filter((line) => word.test(line)).length;
  for (const [lack, { fortios }] of Object.entries(LINES)) {
    assert.equal(counted(fortios, /^ *config /), counted(fortios, /^ *end$/), lack);
    assert.equal(counted(fortios, /^ *edit /), counted(fortios, /^ *next$/), lack);
  }
});
