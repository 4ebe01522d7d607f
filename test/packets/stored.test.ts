import assert from 'node:assert/strict';
import { test } from 'node:test';
import { restoreSession, storeSession } from '../../src/packets/stored.ts';
import { createDecoder } from './decode-all.ts';
import {
  buildIpfix,
  buildV9,
  dataSet,
  type Field,
  ipfixTemplate,
  VARIABLE,
  v9OptionsTemplate,
  v9Template,
} from './generate.ts';

const PLAIN: readonly Field[] = [
  [8, 4],
  [12, 4],
  [10, 4],
  [1, 4],
];
const ROW = ['10.0.0.1', '198.18.0.1', 3, 1500];

test('templates, sampling and the exporter start outlive a restart, through JSON', () => {
  const before = createDecoder();
  const open: readonly Field[] = [...PLAIN, [82, VARIABLE], [77, 4, 9]];
  before.decode(
    buildV9({ sourceId: 4 }, v9Template(256, PLAIN)),
    buildV9(
      { sourceId: 4 },
      v9OptionsTemplate(257, [[2, 4]], [[34, 4]]),
      dataSet(
        257,
        [
          [2, 4],
          [34, 4],
        ],
        [[3, 500]],
      ),
    ),
    buildIpfix({ domain: 4 }, ipfixTemplate(256, open)),
  );
  const after = createDecoder();
  assert.equal(restoreSession(after.session, JSON.parse(JSON.stringify(storeSession(before.session)))), 3);
  const records = after.decode(
    buildV9({ sourceId: 4 }, dataSet(256, PLAIN, [ROW])),
    buildIpfix({ domain: 4 }, dataSet(256, open, [[...ROW, 'eth0', 1]])),
  );
  assert.deepEqual(
    records.map(({ bytes, samplingRate }) => [bytes, samplingRate]),
    [
      [1500, 500],
      [1500, 1],
    ],
  );
  assert.equal(after.session.counters.missedTemplates, 0);
});

test('a damaged or hostile store costs templates, never an exception, and keeps to the bounds', () => {
  const template = { id: 256, scopeFields: 0, isOptions: false, fields: [8, 4, 0] };
  const domain = {
    version: 9,
    id: 1,
    systemInitMs: 0,
    rate: 0,
    samplers: [],
    interfaces: [],
    templates: [template],
  };
  const bad: unknown[] = [
    null,
    'text',
    [],
    { domains: 5 },
    { domains: [null, 1, { ...domain, version: 5 }, { ...domain, id: -1 }, { ...domain, templates: {} }] },
    { domains: [{ ...domain, samplers: [[1], ['a', 2], [3, -1], 7], rate: Number.NaN, templates: [] }] },
    ...[
      { ...template, id: 1 },
      { ...template, fields: [8, 4] },
      { ...template, fields: [8, 0, 0] },
      { ...template, fields: [8, 70_000, 0] },
      { ...template, fields: [8, '4', 0] },
      { ...template, scopeFields: 2 },
      { ...template, fields: Array.from({ length: 3_000 }, () => 1) },
    ].map((one) => ({ domains: [{ ...domain, templates: [one] }] })),
  ];
  for (const stored of bad)
    assert.equal(restoreSession(createDecoder().session, stored), 0, JSON.stringify(stored));
  const many = Array.from({ length: 100 }, (_, i) => ({ ...template, id: 256 + i }));
  const { session } = createDecoder({ templates: 10 });
  assert.equal(restoreSession(session, { domains: [{ ...domain, templates: many }] }), 10);
});
