import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDecoder } from './decode-all.ts';
import { buildV9, dataSet, type Field, v9Template } from './generate.ts';

const FOUR: readonly Field[] = [
  [8, 4],
  [12, 4],
];
const SIX: readonly Field[] = [
  [27, 16],
  [28, 16],
];
const bytesOf = (last: number) => Uint8Array.from([0x20, 1, 0x0d, 0xb8, ...Array(11).fill(0xff), last]);
const four = (last: number) => [`10.0.0.${last}`, `198.51.100.${last}`];
const six = (last: number) => [bytesOf(last), bytesOf(last + 1)];

/** The prefix of IPv4 is not written again for each record: no record may be left with the prefix of another. */
test('records of both families in turn, in one datagram and over several', () => {
  const { decode } = createDecoder();
  decode(buildV9({}, v9Template(256, FOUR), v9Template(257, SIX)));
  const fours = dataSet(256, FOUR, [four(1), four(2), four(3)]);
  const sixes = dataSet(257, SIX, [six(10), six(20)]);
  const name = (last: number) => `2001:db8:ffff:ffff:ffff:ffff:ffff:ff${last.toString(16).padStart(2, '0')}`;
  const asFour = [1, 2, 3].map((last) => `10.0.0.${last} 198.51.100.${last}`);
  const asSix = [10, 20].map((last) => `${name(last)} ${name(last + 1)}`);
  for (const [sets, expected] of [
    [[fours], asFour],
    [
      [sixes, fours],
      [...asSix, ...asFour],
    ],
    [
      [fours, sixes, fours],
      [...asFour, ...asSix, ...asFour],
    ],
    [[sixes], asSix],
    [[fours], asFour],
    [
      [sixes, sixes, sixes, fours, sixes, fours],
      [...asSix, ...asSix, ...asSix, ...asFour, ...asSix, ...asFour],
    ],
  ] as const) {
    const records = decode(buildV9({}, ...sets));
    assert.deepEqual(
      records.map(({ source, destination }) => `${source} ${destination}`),
      expected,
    );
  }
});
