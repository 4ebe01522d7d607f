import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDecoder, type Decoder } from './decode-all.ts';
import {
  buildIpfix,
  buildV9,
  dataSet,
  type Field,
  ipfixOptionsTemplate,
  ipfixTemplate,
  type Value,
  v9OptionsTemplate,
  v9Template,
} from './generate.ts';

const PLAIN: readonly Field[] = [
  [8, 4],
  [12, 4],
  [10, 4],
  [14, 4],
  [1, 4],
];
const row = (input = 1, output = 2): Value[] => ['10.0.0.1', '198.18.0.1', input, output, 1500];

/** Sends options data: template 300, then one record each. */
function sendOptions(
  { decode }: Decoder,
  scope: readonly Field[],
  fields: readonly Field[],
  rows: readonly (readonly Value[])[],
  sourceId = 1,
): void {
  decode(
    buildV9({ sourceId }, v9OptionsTemplate(300, scope, fields), dataSet(300, [...scope, ...fields], rows)),
  );
}

function ratesOf(
  { decode }: Decoder,
  fields: readonly Field[],
  rows: readonly (readonly Value[])[],
  sourceId = 1,
) {
  return decode(buildV9({ sourceId }, v9Template(256, fields), dataSet(256, fields, rows))).map(
    ({ samplingRate, samplingOrigin }) => (samplingOrigin === 'none' ? undefined : samplingRate),
  );
}

test('a sampler table (48, 49, 50) gives the rate of the records that name the sampler', () => {
  const decoder = createDecoder();
  const fields: readonly Field[] = [
    [48, 1],
    [49, 1],
    [50, 4],
  ];
  sendOptions(decoder, [[1, 4]], fields, [
    [1, 1, 2, 1000],
    [1, 2, 2, 50],
  ]);
  const withSampler: readonly Field[] = [...PLAIN, [48, 1]];
  assert.deepEqual(
    ratesOf(decoder, withSampler, [
      [...row(), 1],
      [...row(), 2],
      [...row(), 9],
      [...row(), 1],
    ]),
    [1000, 50, undefined, 1000],
  );
  assert.deepEqual(ratesOf(decoder, PLAIN, [row()]), [undefined], 'two samplers and no id: not known');
});

test('the only sampler of a domain holds for records that name none', () => {
  const decoder = createDecoder();
  sendOptions(
    decoder,
    [[1, 4]],
    [
      [48, 1],
      [50, 4],
    ],
    [[1, 7, 512]],
  );
  assert.deepEqual(ratesOf(decoder, PLAIN, [row()]), [512]);
});

test('34 in options without sampler or interface is the rate of the whole domain', () => {
  const decoder = createDecoder();
  sendOptions(
    decoder,
    [[1, 4]],
    [
      [34, 4],
      [35, 1],
    ],
    [[1, 100, 2]],
  );
  assert.deepEqual(ratesOf(decoder, PLAIN, [row()]), [100]);
  assert.deepEqual(ratesOf(decoder, PLAIN, [row()], 2), [undefined], 'another source id');
});

test('domain 0 speaks for the whole exporter', () => {
  const decoder = createDecoder();
  sendOptions(decoder, [[1, 4]], [[34, 4]], [[1, 100]], 0);
  assert.deepEqual(ratesOf(decoder, PLAIN, [row()], 77), [100]);
});

test('interface scope: the rate of the input, else of the output interface, else of the domain', () => {
  const decoder = createDecoder();
  sendOptions(
    decoder,
    [[2, 4]],
    [[34, 4]],
    [
      [1, 1000],
      [2, 200],
    ],
  );
  assert.deepEqual(ratesOf(decoder, PLAIN, [row(1, 2), row(5, 2), row(5, 6)]), [1000, 200, undefined]);
  sendOptions(decoder, [[1, 4]], [[34, 4]], [[1, 30]]);
  assert.deepEqual(ratesOf(decoder, PLAIN, [row(1, 2), row(5, 6)]), [1000, 30]);
});

test('the rate in the record itself (34) wins, and 0 there says nothing', () => {
  const decoder = createDecoder();
  sendOptions(decoder, [[1, 4]], [[34, 4]], [[1, 100]]);
  const stated: readonly Field[] = [...PLAIN, [34, 4]];
  assert.deepEqual(
    ratesOf(decoder, stated, [
      [...row(), 8],
      [...row(), 0],
    ]),
    [8, 100],
  );
});

test('packet interval and space (305, 306): (interval + space) / interval, in options by selector and in records', () => {
  const { decode } = createDecoder();
  const options: readonly Field[] = [
    [302, 8],
    [304, 2],
    [305, 4],
    [306, 4],
  ];
  decode(
    buildIpfix(
      {},
      ipfixOptionsTemplate(300, options.slice(0, 1), options.slice(1)),
      dataSet(300, options, [[5, 1, 10, 990]]),
    ),
  );
  const selected: readonly Field[] = [...PLAIN, [302, 8]];
  const stated: readonly Field[] = [...PLAIN, [305, 4], [306, 4]];
  const rates = decode(
    buildIpfix(
      {},
      ipfixTemplate(256, selected),
      ipfixTemplate(257, stated),
      dataSet(256, selected, [[...row(), 5]]),
      dataSet(257, stated, [
        [...row(), 1, 0],
        [...row(), 1, 63],
      ]),
    ),
  ).map((record) => record.samplingRate);
  assert.deepEqual(rates, [100, 1, 64]);
});

test('size of population (309, 310) and probability (311)', () => {
  const probability = new Uint8Array(8);
  new DataView(probability.buffer).setFloat64(0, 0.01);
  const cases: readonly [readonly Field[], readonly Value[]][] = [
    [
      [
        [309, 4],
        [310, 4],
      ],
      [1, 100],
    ],
    [[[311, 8]], [probability]],
  ];
  for (const [fields, values] of cases) {
    const { decode } = createDecoder();
    const scope: readonly Field[] = [[149, 4]];
    decode(
      buildIpfix(
        {},
        ipfixOptionsTemplate(300, scope, fields),
        dataSet(300, [...scope, ...fields], [[0, ...values]]),
      ),
    );
    const [record] = decode(buildIpfix({}, ipfixTemplate(256, PLAIN), dataSet(256, PLAIN, [row()])));
    assert.equal(record.samplingRate, 100);
  }
});

test('a flood of samplers is bounded', () => {
  const decoder = createDecoder({ samplersPerDomain: 10 });
  const rows = Array.from({ length: 1_000 }, (_, i) => [1, i, 5]);
  sendOptions(
    decoder,
    [[1, 4]],
    [
      [48, 4],
      [50, 4],
    ],
    rows,
  );
  const [domain] = decoder.session.domains.values();
  assert.equal(domain.sampling.bySampler.size, 10);
});
