import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDecoder, type Decoder } from './decode-all.ts';
import {
  buildIpfix,
  dataSet,
  type Field,
  ipfixOptionsTemplate,
  ipfixTemplate,
  type Value,
} from './generate.ts';

const EXPORT_SECONDS = 1_700_000_000;
const EXPORT_MS = EXPORT_SECONDS * 1000;

function timesOf(fields: readonly Field[], values: readonly Value[], decoder: Decoder = createDecoder()) {
  const all: readonly Field[] = [[8, 4], [12, 4], ...fields];
  const [{ startMs, endMs, hasTimes }] = decoder.decode(
    buildIpfix(
      { seconds: EXPORT_SECONDS },
      ipfixTemplate(256, all),
      dataSet(256, all, [['10.0.0.1', '198.18.0.1', ...values]]),
    ),
  );
  return [startMs, endMs, hasTimes];
}

const START_MS = EXPORT_MS - 61_250;
const END_MS = EXPORT_MS - 1_500;

/** NTP 64-bit (RFC 7011 section 6.1.9). */
const ntp = (ms: number) =>
  (BigInt(Math.floor(ms / 1000) + 2_208_988_800) << 32n) | BigInt(Math.floor(((ms % 1000) / 1000) * 2 ** 32));

test('seconds (150, 151)', () => {
  assert.deepEqual(
    timesOf(
      [
        [150, 4],
        [151, 4],
      ],
      [EXPORT_SECONDS - 60, EXPORT_SECONDS - 1],
    ),
    [EXPORT_MS - 60_000, EXPORT_MS - 1_000, true],
  );
});

test('milliseconds (152, 153)', () => {
  assert.deepEqual(
    timesOf(
      [
        [152, 8],
        [153, 8],
      ],
      [START_MS, END_MS],
    ),
    [START_MS, END_MS, true],
  );
});

test('microseconds and nanoseconds (154 to 157) are NTP time stamps', () => {
  for (const [first, last] of [
    [154, 155],
    [156, 157],
  ]) {
    const [start, end] = timesOf(
      [
        [first, 8],
        [last, 8],
      ],
      [ntp(START_MS), ntp(END_MS)],
    );
    assert.ok(Math.abs(Number(start) - START_MS) < 0.001, `${start}`);
    assert.ok(Math.abs(Number(end) - END_MS) < 0.001, `${end}`);
  }
});

test('plain micro- and nanoseconds since 1970 in their place are understood', () => {
  assert.deepEqual(
    timesOf(
      [
        [154, 8],
        [155, 8],
      ],
      [BigInt(START_MS) * 1000n, BigInt(END_MS) * 1000n],
    ),
    [START_MS, END_MS, true],
  );
  const [start] = timesOf(
    [
      [156, 8],
      [157, 8],
    ],
    [BigInt(START_MS) * 1_000_000n, BigInt(END_MS) * 1_000_000n],
  );
  assert.ok(Math.abs(Number(start) - START_MS) < 0.01);
});

test('deltas before the export time (158, 159)', () => {
  assert.deepEqual(
    timesOf(
      [
        [158, 4],
        [159, 4],
      ],
      [61_250_000, 1_500_000],
    ),
    [START_MS, END_MS, true],
  );
});

test('durations (161, 162) give the missing end or start', () => {
  assert.deepEqual(
    timesOf(
      [
        [152, 8],
        [161, 4],
      ],
      [START_MS, 5_000],
    ),
    [START_MS, START_MS + 5_000, true],
  );
  assert.deepEqual(
    timesOf(
      [
        [153, 8],
        [162, 4],
      ],
      [END_MS, 2_000_000],
    ),
    [END_MS - 2_000, END_MS, true],
  );
  assert.deepEqual(timesOf([[152, 8]], [START_MS]), [START_MS, START_MS, true]);
});

test('an event time (323) is both where there is no flow time; without any, the export time is', () => {
  assert.deepEqual(timesOf([[323, 8]], [END_MS]), [END_MS, END_MS, true]);
  assert.deepEqual(timesOf([], []), [EXPORT_MS, EXPORT_MS, false]);
});

const UPTIMES: readonly Field[] = [
  [22, 4],
  [21, 4],
];

test('uptimes count from the systemInitTimeMilliseconds (160) of the record', () => {
  const init = EXPORT_MS - 1_000_000;
  assert.deepEqual(timesOf([...UPTIMES, [160, 8]], [900_000, 990_000, init]), [
    EXPORT_MS - 100_000,
    EXPORT_MS - 10_000,
    true,
  ]);
});

test('uptimes count from the 160 that options data gave, across their wrap after 49.7 days', () => {
  const options: readonly Field[] = [
    [144, 4],
    [160, 8],
  ];
  const decoder = createDecoder();
  const init = EXPORT_MS - 2 ** 32 - 5_000;
  decoder.decode(
    buildIpfix(
      { seconds: EXPORT_SECONDS },
      ipfixOptionsTemplate(300, options.slice(0, 1), options.slice(1)),
      dataSet(300, options, [[1, init]]),
    ),
  );
  assert.deepEqual(timesOf(UPTIMES, [2 ** 32 - 1_000, 3_000], decoder), [
    EXPORT_MS - 6_000,
    EXPORT_MS - 2_000,
    true,
  ]);
});

test('uptimes of an exporter that never says when it started end at the export time', () => {
  assert.deepEqual(timesOf(UPTIMES, [2_666_794_170, 2_666_796_170]), [EXPORT_MS - 2_000, EXPORT_MS, true]);
});
