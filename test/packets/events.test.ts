// records that tell of events: by the templates of RFC 8158, Cisco's NSEL (233, 40005) and HSL in NetFlow v9
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressText } from '../../src/flows/batch.ts';
import { decodeDatagram } from '../../src/packets/decode.ts';
import { createRecordColumns, FIREWALL_EVENT, HAS, type RecordColumns } from '../../src/packets/records.ts';
import { createSession } from '../../src/packets/session.ts';
import {
  buildIpfix,
  buildV9,
  dataSet,
  type Field,
  ipfixTemplate,
  type Value,
  v9Template,
} from './generate.ts';

const AT = 1_700_000_000_250;

function decode(
  version: 9 | 10,
  fields: readonly Field[],
  rows: readonly (readonly Value[])[],
): RecordColumns {
  const columns = createRecordColumns(16);
  // Leftovers that must not show through.
  columns.source.fill(0x0a0a0a0a);
  columns.destination.fill(0x0b0b0b0b);
  columns.portRangeEnd.fill(4711);
  columns.event.fill(99);
  const seconds = Math.floor(AT / 1000);
  const data = dataSet(300, fields, rows);
  const datagram =
    version === 9
      ? buildV9({ seconds }, v9Template(300, fields), data)
      : buildIpfix({ seconds }, ipfixTemplate(300, fields), data);
  decodeDatagram(createSession('192.0.2.1'), datagram, AT, columns, () => assert.fail('too many records'));
  assert.equal(columns.count, rows.length);
  return columns;
}

const has = (columns: RecordColumns, i: number, bit: number) => (columns.present[i] & bit) !== 0;

const NAT44: readonly Field[] = [
  [323, 8],
  [8, 4],
  [225, 4],
  [4, 1],
  [7, 2],
  [227, 2],
  [12, 4],
  [226, 4],
  [11, 2],
  [228, 2],
  [463, 4],
  [230, 1],
];
const SESSION = [AT, '10.0.0.5', '198.51.100.7', 6, 40_000, 2048, '203.0.113.9', '203.0.113.9', 443, 443, 1];

for (const version of [9, 10] as const)
  test(`NAT44 sessions, version ${version}`, () => {
    const columns = decode(version, NAT44, [
      [...SESSION, 4],
      [...SESSION, 5],
      [...SESSION, 0],
    ]);
    for (const [i, event] of [4, 5].entries()) {
      assert.ok(has(columns, i, HAS.event));
      assert.equal(columns.event[i], event);
      assert.equal(addressText(columns.source, i), '10.0.0.5');
      assert.equal(addressText(columns.postNatSource, i), '198.51.100.7');
      assert.equal(columns.postNatSourcePort[i], 2048);
      assert.equal(addressText(columns.destination, i), '203.0.113.9');
      assert.equal(columns.portRangeEnd[i], 0);
      assert.equal(columns.startMs[i], AT);
      assert.ok(has(columns, i, HAS.addresses));
    }
    assert.ok(!has(columns, 2, HAS.event), 'the reserved value 0 is no event');
  });

test('NAT64 sessions keep the addresses of both families', () => {
  const fields: readonly Field[] = [
    [323, 8],
    [27, 16],
    [225, 4],
    [4, 1],
    [7, 2],
    [227, 2],
    [28, 16],
    [226, 4],
    [11, 2],
    [228, 2],
    [230, 1],
  ];
  const columns = decode(10, fields, [
    [AT, 'fd00::5', '198.51.100.7', 17, 5000, 6000, '64:ff9b::cb00:7109', '203.0.113.9', 53, 53, 6],
  ]);
  assert.equal(columns.event[0], 6);
  assert.equal(addressText(columns.source, 0), 'fd00::5');
  assert.equal(addressText(columns.destination, 0), '64:ff9b::cb00:7109');
  assert.equal(addressText(columns.postNatSource, 0), '198.51.100.7');
  assert.equal(addressText(columns.postNatDestination, 0), '203.0.113.9');
});

test('a binding names no destination, and none is left over from the record before', () => {
  const fields: readonly Field[] = [
    [323, 8],
    [8, 4],
    [225, 4],
    [4, 1],
    [7, 2],
    [227, 2],
    [230, 1],
  ];
  const columns = decode(10, fields, [[AT, '10.0.0.5', '198.51.100.7', 17, 5000, 6000, 8]]);
  assert.equal(columns.event[0], 8);
  assert.ok(!has(columns, 0, HAS.addresses));
  assert.equal(addressText(columns.source, 0), '10.0.0.5');
  assert.deepEqual([...columns.destination.subarray(0, 4)], [0, 0, 0, 0]);
  assert.equal(columns.postNatSourcePort[0], 6000);
});

test('blocks of ports: first and last, or how many and how far apart', () => {
  const head: readonly Field[] = [
    [323, 8],
    [8, 4],
    [225, 4],
    [230, 1],
    [361, 2],
  ];
  const row = [AT, '10.0.0.5', '198.51.100.7', 16, 1024];
  const blockOf = (fields: readonly Field[], ...values: number[]) => {
    const columns = decode(10, [...head, ...fields], [[...row, ...values]]);
    assert.equal(columns.event[0], 16);
    return [columns.postNatSourcePort[0], columns.portRangeEnd[0]];
  };
  assert.deepEqual(blockOf([[362, 2]], 1535), [1024, 1535]);
  assert.deepEqual(blockOf([[364, 2]], 512), [1024, 1535]);
  assert.deepEqual(
    blockOf(
      [
        [363, 2],
        [364, 2],
      ],
      4,
      128,
    ),
    [1024, 1024 + 127 * 4],
  );
  assert.deepEqual(blockOf([[364, 2]], 65_535), [1024, 65_535]);
  assert.deepEqual(blockOf([[364, 2]], 0), [1024, 1024]);
  assert.deepEqual(blockOf([]), [1024, 1024]);
});

test('NSEL: 233 and 40005, with the translated addresses of either numbering', () => {
  const newer: readonly Field[] = [
    [148, 4],
    [8, 4],
    [7, 2],
    [12, 4],
    [11, 2],
    [4, 1],
    [225, 4],
    [226, 4],
    [227, 2],
    [228, 2],
    [233, 1],
    [33_002, 2],
    [323, 8],
    [152, 8],
    [231, 4],
    [232, 4],
  ];
  const older = newer.map(
    ([id, length]): Field => [
      ({ 225: 40_001, 226: 40_002, 227: 40_003, 228: 40_004, 233: 40_005 } as Record<number, number>)[id] ??
        id,
      length,
    ],
  );
  for (const fields of [newer, older]) {
    const row = (event: number, sent: number, back: number) => [
      ...[7, '10.0.0.5', 40_000, '203.0.113.9', 443, 6, '198.51.100.7', '203.0.113.9', 2048, 443],
      ...[event, 0, AT, AT - 60_000, sent, back],
    ];
    const columns = decode(9, fields, [
      row(1, 0, 0),
      row(2, 900, 3000),
      row(3, 0, 0),
      row(5, 10, 20),
      row(0, 5, 6),
    ]);
    assert.deepEqual(
      [...columns.event.subarray(0, 4)],
      [1, 2, 3, 5].map((event) => FIREWALL_EVENT + event),
    );
    assert.equal(addressText(columns.postNatSource, 0), '198.51.100.7');
    assert.equal(columns.postNatSourcePort[0], 2048);
    assert.deepEqual([columns.bytes[1], columns.reverseBytes[1]], [900, 3000]);
    assert.ok(!has(columns, 4, HAS.event), 'ignore is no event');
    assert.deepEqual(
      [columns.startMs[1], columns.endMs[1]],
      [AT - 60_000, AT],
      'an end counts since the begin',
    );
    assert.deepEqual(
      [columns.startMs[3], columns.endMs[3]],
      [AT, AT],
      'an update counts since the one before',
    );
  }
});

test('a NAT event counts before that of a firewall, and sizes beyond the usual are read', () => {
  const fields: readonly Field[] = [
    [8, 4],
    [12, 4],
    [233, 2],
    [230, 4],
  ];
  const columns = decode(10, fields, [
    ['10.0.0.5', '203.0.113.9', 2, 4],
    ['10.0.0.5', '203.0.113.9', 2, 0],
    ['10.0.0.5', '203.0.113.9', 0, 0],
    ['10.0.0.5', '203.0.113.9', 0, 300],
  ]);
  assert.deepEqual([...columns.event.subarray(0, 2)], [4, FIREWALL_EVENT + 2]);
  assert.ok(!has(columns, 2, HAS.event));
  assert.ok(columns.event[3] < FIREWALL_EVENT);
});

test('records of traffic have no event', () => {
  const fields: readonly Field[] = [
    [8, 4],
    [12, 4],
    [1, 4],
  ];
  assert.ok(!has(decode(10, fields, [['10.0.0.5', '203.0.113.9', 10]]), 0, HAS.event));
});
