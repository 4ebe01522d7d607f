import assert from 'node:assert/strict';
import { test } from 'node:test';
import { restoreSession, storeSession } from '../../src/packets/stored.ts';
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

/** IPFIX options and then records of template 256, each in its observation domain. */
function ipfixRates(
  options: readonly {
    readonly domain?: number;
    readonly scope: readonly Field[];
    readonly fields: readonly Field[];
    readonly rows: readonly (readonly Value[])[];
  }[],
  fields: readonly Field[],
  rows: readonly (readonly Value[])[],
  domain = 7,
) {
  const { decode } = createDecoder();
  for (const one of options) {
    const all = [...one.scope, ...one.fields];
    decode(
      buildIpfix(
        { domain: one.domain ?? domain },
        ipfixOptionsTemplate(300, one.scope, one.fields),
        dataSet(300, all, one.rows),
      ),
    );
  }
  return decode(buildIpfix({ domain }, ipfixTemplate(256, fields), dataSet(256, fields, rows))).map(
    ({ samplingRate, samplingOrigin }) => [samplingRate, samplingOrigin],
  );
}

test('v9 scope 3, a line card: what cards state differently is nobody’s, what they state alike is everybody’s', () => {
  const decoder = createDecoder();
  sendOptions(decoder, [[3, 4]], [[34, 4]], [[1, 1000]]);
  assert.deepEqual(ratesOf(decoder, PLAIN, [row()]), [1000], 'the only card of its source id');
  sendOptions(decoder, [[3, 4]], [[34, 4]], [[2, 1000]]);
  assert.deepEqual(ratesOf(decoder, PLAIN, [row()]), [1000]);
  sendOptions(decoder, [[3, 4]], [[34, 4]], [[2, 50]]);
  assert.deepEqual(ratesOf(decoder, PLAIN, [row()]), [undefined]);
  const withCard: readonly Field[] = [...PLAIN, [141, 4]];
  assert.deepEqual(
    ratesOf(decoder, withCard, [
      [...row(), 1],
      [...row(), 2],
      [...row(), 3],
      [...row(), 2],
    ]),
    [1000, 50, undefined, 50],
  );
  sendOptions(decoder, [[1, 4]], [[34, 4]], [[0, 10]]);
  assert.deepEqual(ratesOf(decoder, PLAIN, [row()]), [10], 'the whole exporter');
  assert.deepEqual(
    ratesOf(decoder, withCard, [
      [...row(), 1],
      [...row(), 3],
    ]),
    [1000, 10],
  );
});

test('v9 scope 4, a cache: two that differ are not the whole exporter', () => {
  const decoder = createDecoder();
  sendOptions(
    decoder,
    [[4, 4]],
    [[34, 4]],
    [
      [1, 100],
      [2, 200],
    ],
  );
  assert.deepEqual(ratesOf(decoder, PLAIN, [row()]), [undefined]);
});

test('v9 scope 5 and IPFIX scope 145, a template: its own records and no others', () => {
  const decoder = createDecoder();
  sendOptions(decoder, [[5, 2]], [[34, 4]], [[256, 64]]);
  assert.deepEqual(ratesOf(decoder, PLAIN, [row()]), [64]);
  sendOptions(decoder, [[5, 2]], [[34, 4]], [[256, 64]]);
  const other = decoder.decode(
    buildV9({ sourceId: 1 }, v9Template(257, PLAIN), dataSet(257, PLAIN, [row()])),
  );
  assert.deepEqual([other[0].samplingRate, other[0].samplingOrigin], [1, 'none']);
  const scope: readonly Field[] = [[145, 2]];
  const fields: readonly Field[] = [[34, 4]];
  assert.deepEqual(ipfixRates([{ scope, fields, rows: [[256, 32]] }], PLAIN, [row()]), [[32, 'exporter']]);
  assert.deepEqual(ipfixRates([{ scope, fields, rows: [[999, 32]] }], PLAIN, [row()]), [[1, 'none']]);
});

test('IPFIX scopes: lineCardId (141), ingressInterface (10), and domain 0 that speaks of one domain (149)', () => {
  const fields: readonly Field[] = [
    [305, 4],
    [306, 4],
  ];
  const cards = [
    {
      scope: [[141, 4]] as const,
      fields,
      rows: [
        [1, 1, 99],
        [2, 1, 9],
      ],
    },
  ];
  const withCard: readonly Field[] = [...PLAIN, [141, 4]];
  const rows = [1, 2, 3].map((card) => [...row(), card]);
  assert.deepEqual(ipfixRates(cards, withCard, rows), [
    [100, 'interface'],
    [10, 'interface'],
    [1, 'none'],
  ]);
  assert.deepEqual(ipfixRates(cards, PLAIN, [row()]), [[1, 'none']]);
  const ports = [{ scope: [[10, 4]] as const, fields, rows: [[2, 1, 99]] }];
  assert.deepEqual(ipfixRates(ports, PLAIN, [row(2, 5), row(5, 2), row(5, 6)]), [
    [100, 'interface'],
    [100, 'interface'],
    [1, 'none'],
  ]);
  const one = [{ domain: 0, scope: [[149, 4]] as const, fields, rows: [[7, 1, 99]] }];
  assert.deepEqual(ipfixRates(one, PLAIN, [row()]), [[100, 'exporter']]);
  assert.deepEqual(ipfixRates(one, PLAIN, [row()], 8), [[1, 'none']]);
});

test('a sampler that options tie to an interface holds there for records that name no sampler', () => {
  const decoder = createDecoder();
  const fields: readonly Field[] = [
    [48, 1],
    [49, 1],
    [50, 4],
  ];
  sendOptions(decoder, [[2, 4]], fields, [
    [1, 1, 2, 1000],
    [2, 2, 2, 50],
  ]);
  assert.deepEqual(ratesOf(decoder, PLAIN, [row(1, 2), row(2, 1), row(8, 9)]), [1000, 50, undefined]);
});

test('IPFIX selectors by id (302): count-based (304 to 306), several at once; a time-based one (307, 308)', () => {
  const fields: readonly Field[] = [
    [304, 2],
    [305, 4],
    [306, 4],
  ];
  const times: readonly Field[] = [
    [304, 2],
    [307, 4],
    [308, 4],
  ];
  const scope: readonly Field[] = [[302, 8]];
  const selected: readonly Field[] = [...PLAIN, [302, 8]];
  const rows = [1, 2, 3, 4].map((id) => [...row(), id]);
  assert.deepEqual(
    ipfixRates(
      [
        {
          scope,
          fields,
          rows: [
            [1, 1, 1, 999],
            [2, 1, 5, 45],
          ],
        },
        { scope, fields: times, rows: [[3, 2, 1000, 3000]] },
      ],
      selected,
      rows,
    ),
    [
      [1000, 'sampler'],
      [10, 'sampler'],
      [4, 'sampler'],
      [1, 'none'],
    ],
  );
});

test('rates of all scopes outlive a restart', () => {
  const before = createDecoder();
  sendOptions(before, [[3, 4]], [[34, 4]], [[1, 1000]]);
  sendOptions(before, [[3, 4]], [[34, 4]], [[2, 50]]);
  sendOptions(before, [[5, 2]], [[34, 4]], [[257, 64]]);
  const after = createDecoder();
  restoreSession(after.session, JSON.parse(JSON.stringify(storeSession(before.session))));
  const withCard: readonly Field[] = [...PLAIN, [141, 4]];
  assert.deepEqual(ratesOf(after, withCard, [[...row(), 2]]), [50]);
  const [record] = after.decode(
    buildV9({ sourceId: 1 }, v9Template(257, PLAIN), dataSet(257, PLAIN, [row()])),
  );
  assert.equal(record.samplingRate, 64);
});

test('a flood of line cards and templates is bounded', () => {
  const decoder = createDecoder({ samplersPerDomain: 10 });
  const rows = Array.from({ length: 1_000 }, (_, i) => [i, 5]);
  sendOptions(decoder, [[3, 4]], [[34, 4]], rows);
  sendOptions(decoder, [[5, 4]], [[34, 4]], rows);
  const [{ sampling }] = decoder.session.domains.values();
  assert.deepEqual([sampling.byPart.size, sampling.byTemplate.size], [10, 10]);
});
