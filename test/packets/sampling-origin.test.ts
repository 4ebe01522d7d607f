import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDecoder, type Decoder } from './decode-all.ts';
import { buildV9, dataSet, type Field, v9OptionsTemplate, v9Template } from './generate.ts';

const PLAIN: readonly Field[] = [
  [8, 4],
  [12, 4],
  [10, 4],
];
const ROW = ['10.0.0.1', '198.18.0.1', 7];
const INTERFACE_SCOPE: readonly Field[] = [[2, 4]];
const SYSTEM_SCOPE: readonly Field[] = [[1, 4]];

function sendOptions({ decode }: Decoder, scope: readonly Field[], fields: readonly Field[], row: number[]) {
  decode(buildV9({}, v9OptionsTemplate(300, scope, fields), dataSet(300, [...scope, ...fields], [row])));
}

function read({ decode }: Decoder, more: readonly Field[] = [], values: number[] = []) {
  const fields = [...PLAIN, ...more];
  const [record] = decode(buildV9({}, v9Template(256, fields), dataSet(256, fields, [[...ROW, ...values]])));
  return [record.samplingRate, record.samplingOrigin];
}

test('a rate comes with where it is stated, and the nearest statement wins', () => {
  const decoder = createDecoder();
  assert.deepEqual(read(decoder), [1, 'none']);
  assert.deepEqual(read(decoder, [[34, 4]], [20]), [20, 'record']);
  assert.deepEqual(read(decoder, [[34, 4]], [0]), [1, 'none']);
  sendOptions(decoder, SYSTEM_SCOPE, [[34, 4]], [0, 50]);
  assert.deepEqual(read(decoder), [50, 'exporter']);
  assert.deepEqual(read(decoder, [[48, 1]], [3]), [50, 'exporter']);
  sendOptions(
    decoder,
    SYSTEM_SCOPE,
    [
      [48, 1],
      [50, 4],
    ],
    [0, 3, 400],
  );
  assert.deepEqual(read(decoder, [[48, 1]], [3]), [400, 'sampler']);
  assert.deepEqual(
    read(
      decoder,
      [
        [48, 1],
        [34, 4],
      ],
      [3, 20],
    ),
    [20, 'record'],
  );
  sendOptions(decoder, INTERFACE_SCOPE, [[34, 4]], [7, 1000]);
  assert.deepEqual(read(decoder), [1000, 'interface']);
  assert.deepEqual(read(decoder, [[48, 1]], [3]), [400, 'sampler']);
});

test('an exporter with one sampler that its records do not name', () => {
  const decoder = createDecoder();
  sendOptions(
    decoder,
    SYSTEM_SCOPE,
    [
      [48, 1],
      [50, 4],
    ],
    [0, 3, 400],
  );
  assert.deepEqual(read(decoder), [400, 'sampler']);
});
