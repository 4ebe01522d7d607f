import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDecoder } from './decode-all.ts';
import {
  addressBytes,
  buildV9,
  dataSet,
  type Field,
  set,
  USUAL_FIELDS,
  u16,
  u32,
  usualValues,
  v9OptionsTemplate,
  v9Template,
} from './generate.ts';

const ADDRESSES: readonly Field[] = [
  [8, 4],
  [12, 4],
  [1, 4],
];

const row = (bytes: number) => ['10.0.0.1', '198.18.0.1', bytes];

test('a template and its data in one packet', () => {
  const { decode } = createDecoder();
  const [record] = decode(
    buildV9({}, v9Template(256, USUAL_FIELDS), dataSet(256, USUAL_FIELDS, [usualValues(7)])),
  );
  assert.deepEqual(record, {
    source: '10.0.0.7',
    destination: '198.18.0.49',
    sourcePort: 1031,
    destinationPort: 443,
    protocol: 6,
    tcpFlags: 0x1b,
    direction: 0,
    input: 1,
    output: 2,
    bytes: 151,
    packets: 8,
    startMs: 1_700_000_000_000 - 5_007,
    endMs: 1_700_000_000_000 - 7,
    hasTimes: true,
    samplingRate: 1,
    samplingOrigin: 'none',
  });
});

test('data waits for its template, comes out late and in order, and the other sets of its packet do not', () => {
  const { decode, session } = createDecoder();
  const known = decode(
    buildV9(
      { sequence: 1 },
      v9Template(300, ADDRESSES),
      dataSet(256, ADDRESSES, [row(1), row(2)]),
      dataSet(300, ADDRESSES, [row(9)]),
    ),
    buildV9({ sequence: 2 }, dataSet(256, ADDRESSES, [row(3)])),
  );
  assert.deepEqual(
    known.map((record) => record.bytes),
    [9],
  );
  assert.equal(session.counters.missedTemplates, 2);
  assert.equal(session.counters.buffered, 2);
  const late = decode(buildV9({ sequence: 3 }, v9Template(256, ADDRESSES)));
  assert.deepEqual(
    late.map((record) => record.bytes),
    [1, 2, 3],
  );
  assert.equal(session.counters.decodedLate, 2);
  assert.equal(session.counters.buffered, 0);
  assert.equal(session.counters.records, 4);
});

test('what waits keeps the time of its own packet', () => {
  const fields: readonly Field[] = [...ADDRESSES, [22, 4], [21, 4]];
  const { decode } = createDecoder();
  decode(
    buildV9(
      { seconds: 1_600_000_000, uptimeMs: 50_000 },
      dataSet(256, fields, [[...row(1), 40_000, 49_000]]),
    ),
  );
  const [late] = decode(buildV9({ seconds: 1_600_000_060, uptimeMs: 110_000 }, v9Template(256, fields)));
  assert.deepEqual([late.startMs, late.endMs], [1_599_999_990_000, 1_599_999_999_000]);
});

test('the waiting room is bounded by sets, bytes and age; what is given up is counted', () => {
  const { decode, decodeAt, session } = createDecoder({ waitingSets: 3, waitingMs: 1_000 });
  for (let i = 0; i < 5; i++) decode(buildV9({ sequence: i }, dataSet(256, ADDRESSES, [row(i)])));
  assert.equal(session.counters.buffered, 3);
  assert.equal(session.counters.dropped, 2);
  const late = decodeAt(1_700_000_009_999, buildV9({ sequence: 5 }, v9Template(256, ADDRESSES)));
  assert.deepEqual(late, []);
  assert.equal(session.counters.dropped, 5);

  const small = createDecoder({ waitingBytes: 30 });
  small.decode(
    buildV9({}, dataSet(256, ADDRESSES, [row(1), row(2)])),
    buildV9({}, dataSet(257, ADDRESSES, [row(3)])),
  );
  assert.equal(small.session.waiting.bytes, 12);
  small.decode(buildV9({}, dataSet(256, ADDRESSES, [row(1), row(2), row(4)])));
  assert.equal(small.session.waiting.bytes, 12);
  assert.equal(small.session.counters.dropped, 2);
});

test('templates of two source ids with one template id do not mix', () => {
  const { decode } = createDecoder();
  const other: readonly Field[] = [
    [1, 4],
    [12, 4],
    [8, 4],
  ];
  decode(
    buildV9({ sourceId: 1 }, v9Template(256, ADDRESSES)),
    buildV9({ sourceId: 2 }, v9Template(256, other)),
  );
  const records = decode(
    buildV9({ sourceId: 1 }, dataSet(256, ADDRESSES, [row(5)])),
    buildV9({ sourceId: 2 }, dataSet(256, other, [[6, '198.18.0.2', '10.0.0.2']])),
  );
  assert.deepEqual(
    records.map(({ source, bytes }) => [source, bytes]),
    [
      ['10.0.0.1', 5],
      ['10.0.0.2', 6],
    ],
  );
});

test('a template sent again changes nothing, one with other fields replaces it', () => {
  const { decode, session } = createDecoder();
  const template = v9Template(256, ADDRESSES);
  decode(buildV9({}, template), buildV9({}, template));
  assert.equal(session.counters.templatesLearned, 1);
  assert.equal(session.counters.templatesRedefined, 0);
  const longer: readonly Field[] = [[4, 1], ...ADDRESSES];
  const [record] = decode(
    buildV9({}, v9Template(256, longer)),
    buildV9({}, dataSet(256, longer, [[17, ...row(8)]])),
  );
  assert.deepEqual([record.protocol, record.source, record.bytes], [17, '10.0.0.1', 8]);
  assert.equal(session.counters.templatesRedefined, 1);
  assert.equal(session.templates.size, 1);
});

test('several templates in one set, then zero padding up to its end', () => {
  const { decode, session } = createDecoder();
  const one = v9Template(256, ADDRESSES).subarray(4);
  const two = v9Template(257, ADDRESSES).subarray(4);
  decode(buildV9({}, set(0, one, two, u16(0))), buildV9({}, set(0, one, u32(0))));
  assert.equal(session.counters.templatesLearned, 2);
  assert.equal(session.counters.malformed.template, 0);
});

test('up to three bytes of padding behind the last record are not a record', () => {
  const { decode, session } = createDecoder();
  const padded = set(256, dataSet(256, ADDRESSES, [row(1)]).subarray(4), new Uint8Array(3));
  assert.equal(decode(buildV9({}, v9Template(256, ADDRESSES), padded)).length, 1);
  assert.equal(session.counters.malformed['short-set'], 0);
});

test('a packet filled up with zeros, as PAN-OS and ACI send it, yields its records and is not malformed', () => {
  const { decode, session } = createDecoder();
  const records = decode(
    buildV9({}, v9Template(256, ADDRESSES), dataSet(256, ADDRESSES, [row(1)]), new Uint8Array(1_000)),
  );
  assert.equal(records.length, 1);
  assert.ok(Object.values(session.counters.malformed).every((count) => count === 0));
});

test('set length 0 to 3 and a length beyond the packet end it; the sets before stay', () => {
  for (const length of [0, 1, 3, 17, 65_535]) {
    const { decode, session } = createDecoder();
    const broken = buildV9(
      {},
      v9Template(256, ADDRESSES),
      dataSet(256, ADDRESSES, [row(1)]),
      u16(256),
      u16(length),
      new Uint8Array(12).fill(7),
    );
    assert.equal(decode(broken).length, 1, `length ${length}`);
    assert.equal(session.counters.malformed['set-length'], 1, `length ${length}`);
  }
});

test('templates without fields, without bytes, with 65,535 fields or with an id below 256 are refused and counted', () => {
  const refused = [
    set(0, u16(256), u16(0)),
    v9Template(256, [
      [8, 0],
      [12, 0],
    ]),
    set(0, u16(256), u16(65_535), u16(8), u16(4)),
    v9Template(255, ADDRESSES),
    v9Template(256, ADDRESSES).subarray(0, 14),
    set(1, u16(256), u16(3), u16(4), u32(0)),
    set(1, u16(256), u16(0), u16(0)),
  ];
  for (const [i, template] of refused.entries()) {
    const { decode, session } = createDecoder();
    decode(buildV9({}, template));
    const { malformed, templatesLearned } = session.counters;
    assert.equal(malformed.template + malformed['set-length'], 1, `case ${i}`);
    assert.equal(templatesLearned, 0, `case ${i}`);
  }
});

test('a template with more fields than the bound is counted and its neighbour in the set kept', () => {
  const { decode, session } = createDecoder({ fieldsPerTemplate: 4 });
  const wide = v9Template(256, [...ADDRESSES, ...ADDRESSES]).subarray(4);
  decode(buildV9({}, set(0, wide, v9Template(257, ADDRESSES).subarray(4))));
  assert.equal(session.counters.malformed['template-too-large'], 1);
  assert.equal(session.counters.templatesLearned, 1);
});

test('fields of length 0 in a template take no bytes', () => {
  const { decode } = createDecoder();
  const fields: readonly Field[] = [
    [4, 0],
    [8, 4],
    [6, 0],
    [12, 4],
    [1, 4],
  ];
  const [record] = decode(buildV9({}, v9Template(256, fields), dataSet(256, ADDRESSES, [row(77)])));
  assert.deepEqual(
    [record.source, record.destination, record.bytes, record.protocol],
    ['10.0.0.1', '198.18.0.1', 77, 0],
  );
});

test('10,000 templates from one exporter: the oldest go, all are counted, the refreshed one stays', () => {
  const { decode, session } = createDecoder();
  decode(buildV9({ sourceId: 9 }, v9Template(400, ADDRESSES)));
  for (let i = 0; i < 10_000; i++) {
    decode(buildV9({ sourceId: i % 5 }, v9Template(256 + i, [...ADDRESSES, [i + 1, 2]])));
    if (i % 1_000 === 0) decode(buildV9({ sourceId: 9 }, v9Template(400, ADDRESSES)));
  }
  assert.equal(session.counters.templatesLearned, 10_001);
  assert.equal(session.templates.size, 4_096);
  assert.equal(session.counters.templatesEvicted, 10_001 - 4_096);
  const held = [...session.domains.values()].reduce((sum, domain) => sum + domain.templates.size, 0);
  assert.equal(held, 4_096);
  const kept = decode(buildV9({ sourceId: 9 }, dataSet(400, ADDRESSES, [row(3)])));
  assert.equal(kept.length, 1);
  for (const template of session.templates) session.templateBytes -= template.byteCount;
  assert.equal(session.templateBytes, 0);
});

test('template bytes and domains are bounded too', () => {
  const { decode, session } = createDecoder({ templateBytes: 10_000, domains: 8 });
  const wide: readonly Field[] = Array.from({ length: 300 }, (_, i) => [i + 1, 1]);
  for (let i = 0; i < 20; i++) decode(buildV9({ sourceId: 1 }, v9Template(256 + i, wide)));
  assert.ok(session.templateBytes <= 10_000);
  for (let i = 0; i < 100; i++) decode(buildV9({ sourceId: i }, v9Template(256, ADDRESSES)));
  assert.equal(session.domains.size, 8);
  assert.equal(session.templates.size, 8);
});

test('a template flood does not become a compiler flood', () => {
  const { decode, session } = createDecoder({ readersPerMinute: 5 });
  let records = 0;
  for (let i = 0; i < 10; i++) {
    // Field orders that no other test uses, so that no reader is there yet.
    const fields: readonly Field[] = [
      [8, 4],
      [210, 100 + i],
      [12, 4],
    ];
    const data = dataSet(256, fields, [['10.0.0.1', new Uint8Array(100 + i), '198.18.0.1']]);
    records += decode(buildV9({ sourceId: i }, v9Template(256, fields), data)).length;
  }
  assert.equal(records, 5);
  assert.equal(session.counters.dropped, 5);
});

test('options data is counted apart and never becomes a flow record', () => {
  const { decode, session } = createDecoder();
  const records = decode(
    buildV9(
      {},
      v9OptionsTemplate(257, [[1, 4]], [[41, 4]]),
      dataSet(
        257,
        [
          [1, 4],
          [41, 4],
        ],
        [[1, 76]],
      ),
    ),
  );
  assert.deepEqual(records, []);
  assert.deepEqual([session.counters.records, session.counters.optionsRecords], [0, 1]);
});

test('reserved set ids are counted and skipped', () => {
  const { decode, session } = createDecoder();
  const records = decode(
    buildV9({}, v9Template(256, ADDRESSES), set(77, new Uint8Array(8)), dataSet(256, ADDRESSES, [row(1)])),
  );
  assert.equal(records.length, 1);
  assert.equal(session.counters.malformed['reserved-set'], 1);
});

test('a data set shorter than one record is counted', () => {
  const { decode, session } = createDecoder();
  decode(buildV9({}, v9Template(256, ADDRESSES), set(256, addressBytes('10.0.0.1'))));
  assert.equal(session.counters.malformed['short-set'], 1);
});

test('records that only have counters behind the observation point are egress records, by IE 61 or without it', () => {
  const addresses: readonly Field[] = [
    [8, 4],
    [12, 4],
  ];
  const values = ['10.0.0.1', '198.18.0.1'];
  const directionOf = (more: readonly Field[], counts: number[]) => {
    const fields = [...addresses, ...more];
    const { decode } = createDecoder();
    const [record] = decode(
      buildV9({}, v9Template(256, fields), dataSet(256, fields, [[...values, ...counts]])),
    );
    return [record.direction, record.packets];
  };
  const post: readonly Field[] = [
    [23, 4],
    [24, 4],
  ];
  assert.deepEqual(directionOf(post, [100, 2]), [1, 2]);
  assert.deepEqual(directionOf([...post, [61, 1]], [100, 2, 0]), [0, 2]);
  assert.deepEqual(directionOf([...post, [2, 4]], [100, 2, 5]), [undefined, 5]);
  assert.deepEqual(directionOf([...post, [1, 4]], [100, 2, 5]), [undefined, 2]);
});

test('a template redefined in the middle of a datagram: data before it by the old layout, data behind it by the new', () => {
  const { decode, session } = createDecoder();
  const longer: readonly Field[] = [[4, 1], ...ADDRESSES];
  decode(buildV9({}, v9Template(256, ADDRESSES)));
  const records = decode(
    buildV9(
      {},
      dataSet(256, ADDRESSES, [row(1), row(2)]),
      v9Template(256, longer),
      dataSet(256, longer, [[17, ...row(3)]]),
    ),
  );
  assert.deepEqual(
    records.map(({ protocol, bytes }) => [protocol, bytes]),
    [
      [0, 1],
      [0, 2],
      [17, 3],
    ],
  );
  assert.equal(session.counters.templatesRedefined, 1);
  // As options, the same id is no flow template any more, and back again.
  decode(buildV9({}, v9OptionsTemplate(256, [[1, 4]], [[34, 4]])));
  assert.deepEqual(
    decode(
      buildV9(
        {},
        dataSet(
          256,
          [
            [1, 4],
            [34, 4],
          ],
          [[0, 100]],
        ),
      ),
    ),
    [],
  );
  const [last] = decode(buildV9({}, v9Template(256, longer), dataSet(256, longer, [[6, ...row(4)]])));
  assert.deepEqual([last.protocol, last.bytes, last.samplingRate], [6, 4, 100]);
});
