import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDecoder } from './decode-all.ts';
import {
  buildIpfix,
  dataSet,
  type Field,
  ipfixTemplate,
  ipfixWithdrawal,
  set,
  u16,
  u32,
  VARIABLE,
} from './generate.ts';

const REVERSE = 29_305;

const PLAIN: readonly Field[] = [
  [8, 4],
  [12, 4],
  [1, 8],
];
const row = (bytes: number) => ['10.0.0.1', '198.18.0.1', bytes];

test('counters of 1 to 8 bytes (RFC 7011 section 6.2)', () => {
  for (let length = 1; length <= 8; length++) {
    const { decode } = createDecoder();
    const value = Math.min(2 ** (8 * length) - 2, 2 ** 53 - 3);
    const fields: readonly Field[] = [
      [8, 4],
      [12, 4],
      [1, length],
      [2, length],
      [7, length],
      [10, length],
    ];
    const row = ['10.0.0.1', '198.18.0.1', value, value - 1, length === 1 ? 200 : 60_001, 77];
    const [record] = decode(buildIpfix({}, ipfixTemplate(256, fields), dataSet(256, fields, [row])));
    assert.deepEqual(
      [record.bytes, record.packets, record.sourcePort, record.input],
      [value, value - 1, length === 1 ? 200 : 60_001, 77],
      `${length} bytes`,
    );
  }
});

test('elements of a size that they cannot have are skipped, not misread', () => {
  const { decode } = createDecoder();
  const fields: readonly Field[] = [
    [8, 3],
    [12, 5],
    [1, 9],
    [27, 15],
    [2, 4],
  ];
  const zeros = fields.slice(0, 4).map(([, length]) => new Uint8Array(length).fill(1));
  const [record] = decode(buildIpfix({}, ipfixTemplate(256, fields), dataSet(256, fields, [[...zeros, 7]])));
  assert.deepEqual([record.source, record.bytes, record.packets], [undefined, 0, 7]);
});

test('IPv6 flows', () => {
  const { decode } = createDecoder();
  const fields: readonly Field[] = [
    [27, 16],
    [28, 16],
    [1, 8],
  ];
  const [record] = decode(
    buildIpfix(
      {},
      ipfixTemplate(256, fields),
      dataSet(256, fields, [['2001:db8::1', 'fe80::ff:fe00:1201', 370]]),
    ),
  );
  assert.deepEqual(
    [record.source, record.destination, record.bytes],
    ['2001:db8::1', 'fe80::ff:fe00:1201', 370],
  );
});

test('a template with both families takes the one that is filled', () => {
  const { decode } = createDecoder();
  const fields: readonly Field[] = [
    [8, 4],
    [27, 16],
    [12, 4],
    [28, 16],
  ];
  const records = decode(
    buildIpfix(
      {},
      ipfixTemplate(256, fields),
      dataSet(256, fields, [
        ['10.0.0.1', '::', '198.18.0.1', '::'],
        ['0.0.0.0', '2001:db8::1', '0.0.0.0', '2001:db8::2'],
      ]),
    ),
  );
  assert.deepEqual(
    records.map(({ source, destination }) => [source, destination]),
    [
      ['10.0.0.1', '198.18.0.1'],
      ['2001:db8::1', '2001:db8::2'],
    ],
  );
});

test('variable length in its short and its long form, before and behind what is read', () => {
  const { decode, session } = createDecoder();
  const fields: readonly Field[] = [
    [82, VARIABLE],
    [8, 4],
    [12, 4],
    [460, VARIABLE, 5951],
    [1, 4],
    [83, VARIABLE],
  ];
  const rows = [0, 1, 254, 255, 700].map((length, i) => [
    'x'.repeat(length),
    `10.0.0.${i}`,
    '198.18.0.1',
    'y'.repeat(700 - length),
    1000 + i,
    '',
  ]);
  const records = decode(buildIpfix({}, ipfixTemplate(256, fields), dataSet(256, fields, rows)));
  assert.deepEqual(
    records.map(({ source, bytes }) => [source, bytes]),
    rows.map((values, i) => [values[1], 1000 + i]),
  );
  assert.equal(session.counters.records, 5);
});

test('a string that runs past the set ends it: whole records stay, the next set is read', () => {
  for (const lie of [[200], [255, 0xff, 0xff], [255, 0], [255]]) {
    const { decode, session } = createDecoder();
    const fields: readonly Field[] = [
      [8, 4],
      [12, 4],
      [1, 4],
      [82, VARIABLE],
    ];
    const good = dataSet(256, fields, [['10.0.0.1', '198.18.0.1', 5, 'eth0']]).subarray(4);
    const bad = dataSet(256, fields.slice(0, 3), [row(6)]).subarray(4);
    const records = decode(
      buildIpfix(
        {},
        ipfixTemplate(256, fields),
        ipfixTemplate(257, PLAIN),
        set(256, good, bad, Uint8Array.from(lie)),
        dataSet(257, PLAIN, [row(7)]),
      ),
    );
    assert.deepEqual(
      records.map((record) => record.bytes),
      [5, 7],
      `${lie}`,
    );
    assert.equal(session.counters.malformed['record-overrun'], 1, `${lie}`);
  }
});

test('enterprise elements are skipped by length and never taken for IANA elements of their number', () => {
  const { decode } = createDecoder();
  const fields: readonly Field[] = [
    [8, 4, 9],
    [8, 4],
    [1, 8, 6_876],
    [12, 4],
    [1, 4],
    [4, 2, 35_632],
  ];
  const [record] = decode(
    buildIpfix(
      {},
      ipfixTemplate(256, fields),
      dataSet(256, fields, [['1.1.1.1', '10.0.0.1', 999, '198.18.0.1', 5, 4242]]),
    ),
  );
  assert.deepEqual([record.source, record.bytes, record.protocol], ['10.0.0.1', 5, 0]);
});

test('RFC 5103 biflow: reverse elements are the other direction', () => {
  const { decode } = createDecoder();
  const fields: readonly Field[] = [...PLAIN, [2, 4], [1, 4, REVERSE], [2, 4, REVERSE]];
  const [record] = decode(
    buildIpfix({}, ipfixTemplate(256, fields), dataSet(256, fields, [[...row(100), 2, 64_000, 50]])),
  );
  assert.deepEqual(
    [record.bytes, record.packets, record.reverseBytes, record.reversePackets],
    [100, 2, 64_000, 50],
  );
});

test('initiator and responder counters (231, 232, 298, 299) are the two directions', () => {
  const { decode } = createDecoder();
  const fields: readonly Field[] = [
    [8, 4],
    [12, 4],
    [231, 4],
    [232, 4],
    [298, 4],
    [299, 4],
  ];
  const [record] = decode(
    buildIpfix(
      {},
      ipfixTemplate(256, fields),
      dataSet(256, fields, [['10.0.0.1', '198.18.0.1', 500, 0, 6, 0]]),
    ),
  );
  assert.deepEqual(
    [record.bytes, record.reverseBytes, record.packets, record.reversePackets],
    [500, 0, 6, 0],
  );
});

test('23 and 24 are post-counters: no reverse direction, and the count only where 1 and 2 have none', () => {
  const { decode } = createDecoder();
  const fields: readonly Field[] = [...PLAIN, [2, 4], [23, 4], [24, 4]];
  const records = decode(
    buildIpfix(
      {},
      ipfixTemplate(256, fields),
      dataSet(256, fields, [
        [...row(100), 2, 90, 1],
        [...row(0), 0, 32, 1],
      ]),
    ),
  );
  assert.deepEqual(
    records.map(({ bytes, packets, reverseBytes }) => [bytes, packets, reverseBytes]),
    [
      [100, 2, undefined],
      [32, 1, undefined],
    ],
  );
});

test('reverse bytes without reverse packets beside forward packets are no knowledge of the return direction', () => {
  const { decode } = createDecoder();
  const fields: readonly Field[] = [...PLAIN, [2, 4], [232, 4]];
  const [record] = decode(
    buildIpfix({}, ipfixTemplate(256, fields), dataSet(256, fields, [[...row(9), 3, 70_000]])),
  );
  assert.equal(record.reversePackets, undefined);
});

test('total counters stand in where there are no delta counters, and deltas win where there are both', () => {
  const { decode } = createDecoder();
  const totals: readonly Field[] = [
    [8, 4],
    [12, 4],
    [85, 8],
    [86, 8],
  ];
  const both: readonly Field[] = [...totals, [1, 4], [2, 4]];
  const records = decode(
    buildIpfix(
      {},
      ipfixTemplate(256, totals),
      ipfixTemplate(257, both),
      dataSet(256, totals, [['10.0.0.1', '198.18.0.1', 900, 9]]),
      dataSet(257, both, [['10.0.0.1', '198.18.0.1', 900, 9, 100, 1]]),
    ),
  );
  assert.deepEqual(
    records.map(({ bytes, packets }) => [bytes, packets]),
    [
      [900, 9],
      [100, 1],
    ],
  );
});

test('TCP flags of one and of two bytes', () => {
  for (const length of [1, 2]) {
    const { decode } = createDecoder();
    const fields: readonly Field[] = [...PLAIN, [6, length]];
    const [record] = decode(
      buildIpfix({}, ipfixTemplate(256, fields), dataSet(256, fields, [[...row(1), 0x12]])),
    );
    assert.equal(record.tcpFlags, 0x12);
  }
});

test('NAT: addresses and ports behind the translation stand beside those before it', () => {
  const { decode } = createDecoder();
  const fields: readonly Field[] = [...PLAIN, [225, 4], [226, 4], [227, 2], [228, 2]];
  const [both, one] = decode(
    buildIpfix(
      {},
      ipfixTemplate(256, fields),
      dataSet(256, fields, [
        [...row(1), '203.0.113.1', '198.18.0.9', 40_000, 8443],
        [...row(2), '203.0.113.1', '0.0.0.0', 40_001, 0],
      ]),
    ),
  );
  assert.deepEqual(
    [
      both.source,
      both.natSource,
      both.natSourcePort,
      both.destination,
      both.natDestination,
      both.natDestinationPort,
    ],
    ['10.0.0.1', '203.0.113.1', 40_000, '198.18.0.1', '198.18.0.9', 8443],
  );
  assert.deepEqual([one.natSource, one.natDestination], ['203.0.113.1', undefined]);
});

test('NAT to IPv6 addresses (281, 282)', () => {
  const { decode } = createDecoder();
  const fields: readonly Field[] = [...PLAIN, [281, 16], [282, 16]];
  const [record] = decode(
    buildIpfix({}, ipfixTemplate(256, fields), dataSet(256, fields, [[...row(1), '2001:db8::5', '::']])),
  );
  assert.deepEqual([record.natSource, record.natDestination], ['2001:db8::5', undefined]);
});

test('a withdrawn template is gone; its data waits until it is defined again', () => {
  const { decode, session } = createDecoder();
  decode(
    buildIpfix({ domain: 7 }, ipfixTemplate(256, PLAIN)),
    buildIpfix({ domain: 8 }, ipfixTemplate(256, PLAIN)),
  );
  assert.deepEqual(
    decode(
      buildIpfix({ domain: 7 }, ipfixWithdrawal(256)),
      buildIpfix({ domain: 7 }, dataSet(256, PLAIN, [row(1)])),
    ),
    [],
  );
  assert.deepEqual([session.counters.templatesWithdrawn, session.counters.missedTemplates], [1, 1]);
  assert.equal(decode(buildIpfix({ domain: 8 }, dataSet(256, PLAIN, [row(1)]))).length, 1);
  assert.equal(decode(buildIpfix({ domain: 7 }, ipfixTemplate(256, PLAIN))).length, 1);
});

test('set id 2 withdraws all templates of its domain, and nothing of another', () => {
  const { decode, session } = createDecoder();
  for (const domain of [1, 2])
    decode(buildIpfix({ domain }, ipfixTemplate(256, PLAIN), ipfixTemplate(257, PLAIN)));
  decode(buildIpfix({ domain: 1 }, ipfixWithdrawal(2)));
  assert.equal(session.counters.templatesWithdrawn, 2);
  assert.equal(session.templates.size, 2);
});

test('a message longer than its datagram is read as far as whole sets go; a shorter one hides what follows', () => {
  const long = createDecoder();
  const sets = [ipfixTemplate(256, PLAIN), dataSet(256, PLAIN, [row(1)])];
  assert.equal(long.decode(buildIpfix({ length: 9_000 }, ...sets)).length, 1);
  assert.equal(long.session.counters.malformed['message-length'], 1);
  const short = createDecoder();
  assert.equal(short.decode(buildIpfix({ length: 16 + sets[0].length }, ...sets)).length, 0);
  assert.equal(short.session.counters.templatesLearned, 1);
  assert.deepEqual(short.decode(buildIpfix({ length: 15 }, ...sets)), []);
  assert.equal(short.session.counters.malformed['message-length'], 1);
});

test('options templates need a scope that is part of their fields', () => {
  const { decode, session } = createDecoder();
  for (const scope of [0, 3])
    decode(buildIpfix({}, set(3, u16(256), u16(2), u16(scope), u16(149), u16(4), u16(41), u16(4), u32(0))));
  assert.equal(session.counters.malformed.template, 2);
  assert.equal(session.counters.templatesLearned, 0);
});

test('a template of 65,535 fields in a datagram that holds some of them is refused without a loop', () => {
  const { decode, session } = createDecoder();
  const many = Array.from({ length: 16_000 }, () => u32((8 << 16) | 4));
  const records = decode(
    buildIpfix({ length: 64_100 }, set(2, u16(256), u16(65_535), ...many).subarray(0, 64_084)),
    buildIpfix({}, ipfixTemplate(257, PLAIN), dataSet(257, PLAIN, [row(1)])),
  );
  assert.equal(records.length, 1);
  assert.equal(session.counters.templatesLearned, 1);
});
