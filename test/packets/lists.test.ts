// structured data (RFC 6313): decoded, bounded, and no harm to what stands beside it
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type NamedRecord, readNamedRecords } from '../../src/packets/fields.ts';
import type { ListValue } from '../../src/packets/lists.ts';
import { createSession } from '../../src/packets/session.ts';
import { createDecoder } from './decode-all.ts';
import {
  addressBytes,
  buildIpfix,
  dataSet,
  type Field,
  integer,
  ipfixTemplate,
  seededRandom,
  u8,
  u16,
  u32,
  VARIABLE,
} from './generate.ts';

const concat = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

/** A list between two plain fields. */
const around = (id: number, enterprise?: number): readonly Field[] => [
  [8, 4],
  enterprise === undefined ? [id, VARIABLE] : [id, VARIABLE, enterprise],
  [12, 4],
];
const SUB: readonly Field[] = [
  [27, 16],
  [2, 2],
];
const sub = ipfixTemplate(400, SUB);

function decode(id: number, list: Uint8Array, ...templates: readonly Uint8Array[]): NamedRecord {
  const fields = around(id);
  const message = buildIpfix(
    {},
    ...templates,
    ipfixTemplate(256, fields),
    dataSet(256, fields, [['10.0.0.1', list, '198.18.0.1']]),
  );
  const session = createSession('192.0.2.1');
  const records: NamedRecord[] = [];
  readNamedRecords(session, message, 1_700_000_000_000, (record) => records.push(record));
  assert.equal(records.length, 1);
  const [{ sourceIPv4Address, destinationIPv4Address }] = records;
  assert.deepEqual([sourceIPv4Address, destinationIPv4Address], ['10.0.0.1', '198.18.0.1']);
  const columns = createDecoder().decode(message);
  assert.deepEqual([columns[0].source, columns[0].destination], ['10.0.0.1', '198.18.0.1']);
  return records[0];
}

const basicList = (semantic: number, id: number, length: number, ...values: readonly Uint8Array[]) =>
  concat(u8(semantic), u16(id), u16(length), ...values);

test('basicList: semantic, element and values; units of its elements too (RFC 6313 section 4.5.1)', () => {
  const { basicList: value, units } = decode(291, basicList(3, 1, 4, u32(5), u32(7)));
  assert.deepEqual(value, { semantic: 'allOf', element: 'octetDeltaCount', values: [5, 7] });
  assert.deepEqual(units, { octetDeltaCount: 'octets' });
  const text = (value: string) => concat(u8(value.length), Buffer.from(value));
  const long = concat(u8(255), u16(300), Buffer.alloc(300, 'x'));
  assert.deepEqual(decode(291, basicList(4, 82, VARIABLE, text('eth0'), long, text(''))).basicList, {
    semantic: 'ordered',
    element: 'interfaceName',
    values: ['eth0', 'x'.repeat(300), ''],
  });
  assert.deepEqual(decode(484, basicList(255, 483, 4)).bgpSourceCommunityList, {
    semantic: 'undefined',
    element: 'bgpCommunity',
    values: [],
  });
});

test('basicList of an enterprise element, known and unknown, and of a semantic that is not named', () => {
  const owned = (id: number, enterprise: number) =>
    concat(u8(9), u16(id | 0x8000), u16(2), u32(enterprise), u16(443), u16(80));
  assert.deepEqual(decode(291, owned(115, 35_632)).basicList, {
    semantic: '9',
    element: 'ntopUntunneledL4SrcPort',
    values: [443, 80],
  });
  assert.deepEqual(decode(291, owned(7, 99_999)).basicList, {
    semantic: '9',
    element: 'enterprise99999.7',
    values: ['01bb', '0050'],
  });
});

test('subTemplateList: records of another template of the domain (RFC 6313 section 4.5.2)', () => {
  const row = (last: number) => concat(addressBytes(`2001:db8::${last}`), u16(last));
  const list = concat(u8(3), u16(400), row(1), row(2));
  assert.deepEqual(decode(292, list, sub).subTemplateList, {
    semantic: 'allOf',
    template: 400,
    records: [
      { sourceIPv6Address: '2001:db8::1', packetDeltaCount: 1 },
      { sourceIPv6Address: '2001:db8::2', packetDeltaCount: 2 },
    ],
  });
  // Without its template: its number and bytes.
  assert.deepEqual(decode(292, concat(u8(0), u16(999), u32(0xdeadbeef))).subTemplateList, {
    semantic: 'noneOf',
    template: 999,
    bytes: 'deadbeef',
  });
});

test('subTemplateMultiList: several templates, each with its length (RFC 6313 section 4.5.3)', () => {
  const first = concat(addressBytes('2001:db8::1'), u16(1));
  const list = concat(
    u8(1),
    ...[concat(u16(400), u16(4 + first.length), first), concat(u16(401), u16(6), u16(0xbeef))],
    concat(u16(400), u16(4)),
  );
  assert.deepEqual(decode(293, list, sub).subTemplateMultiList, {
    semantic: 'exactlyOneOf',
    lists: [
      { template: 400, records: [{ sourceIPv6Address: '2001:db8::1', packetDeltaCount: 1 }] },
      { template: 401, bytes: 'beef' },
      { template: 400, records: [] },
    ],
  });
});

test('lists in lists', () => {
  const inner = basicList(3, 82, VARIABLE, concat(u8(2), Buffer.from('ab')));
  const nested: readonly Field[] = [[291, VARIABLE]];
  const list = concat(u8(3), u16(401), u8(inner.length), inner);
  assert.deepEqual(decode(292, list, ipfixTemplate(401, nested)).subTemplateList, {
    semantic: 'allOf',
    template: 401,
    records: [{ basicList: { semantic: 'allOf', element: 'interfaceName', values: ['ab'] } }],
  });
});

test('bytes that are no list are hex, and the fields beside them are read', () => {
  for (const [id, list] of [
    [291, u8(3)],
    [291, concat(u8(3), u16(1), u16(0), u8(1))],
    [291, basicList(3, 1, 4, u16(1))],
    [291, basicList(3, 82, VARIABLE, u8(5), u8(1))],
    [291, basicList(3, 82, VARIABLE, u8(255), u8(1))],
    [291, concat(u8(3), u16(0x8001), u16(4))],
    [292, u16(3)],
    [293, concat(u8(3), u16(400))],
    [293, concat(u8(3), u16(400), u16(3))],
    [293, concat(u8(3), u16(400), u16(40), u8(1))],
    [293, new Uint8Array(0)],
  ] as const) {
    const name = { 291: 'basicList', 292: 'subTemplateList', 293: 'subTemplateMultiList' }[id];
    assert.equal(decode(id, list, sub)[name], Buffer.from(list).toString('hex'));
  }
});

test('hostile lists: templates that hold themselves, depth and count are bounded', () => {
  const self: readonly Field[] = [[292, VARIABLE]];
  let list: Uint8Array = concat(u8(3), u16(402));
  for (let depth = 0; depth < 60; depth++) {
    const length = list.length < 255 ? u8(list.length) : concat(u8(255), u16(list.length));
    list = concat(u8(3), u16(402), length, list);
  }
  const text = JSON.stringify(decode(292, list, ipfixTemplate(402, self)));
  assert.equal(text.split('"template":402').length - 1, 8, 'beyond 8 lists in lists, hex');
  const many = decode(291, basicList(3, 4, 1, new Uint8Array(60_000))).basicList as ListValue;
  assert.deepEqual([many.values?.length, many.omitted], [4_096, 60_000 - 4_096]);
});

test('mutated lists: no exception, little time, and nothing lost beside them', () => {
  const random = seededRandom(6_313);
  const inner = basicList(3, 1, 2, u16(5), u16(6));
  const seeds = [
    [291, basicList(3, 82, VARIABLE, u8(1), u8(65), u8(2), u16(0x4142))],
    [292, concat(u8(3), u16(400), integer(1, 16), u16(1), integer(2, 16), u16(2))],
    [293, concat(u8(3), u16(403), u16(5 + inner.length), u8(inner.length), inner)],
  ] as const;
  for (let i = 0; i < 6_000; i++) {
    const [id, seed] = seeds[i % 3];
    const bytes = seed.slice();
    for (let change = 0; change <= i % 4; change++)
      bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    JSON.stringify(decode(id, bytes, sub, ipfixTemplate(403, [[291, VARIABLE]])));
  }
});
