import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeDatagram } from '../../src/packets/decode.ts';
import { readNamedRecords } from '../../src/packets/fields.ts';
import { createRecordColumns } from '../../src/packets/records.ts';
import { changeRoom, createRoom, leaveRoom } from '../../src/packets/room.ts';
import { createSession, type ExporterSession, malformedTotal } from '../../src/packets/session.ts';
import { createDecoder, RECEIVED_AT_MS } from './decode-all.ts';
import {
  buildIpfix,
  buildV1,
  buildV5,
  buildV7,
  buildV9,
  dataSet,
  type Field,
  ipfixOptionsTemplate,
  ipfixTemplate,
  ipfixWithdrawal,
  type PlainFlow,
  seededRandom,
  set,
  USUAL_FIELDS,
  usualValues,
  VARIABLE,
  v9OptionsTemplate,
  v9Template,
} from './generate.ts';

const FLOW: PlainFlow = {
  source: '10.0.0.1',
  destination: '198.18.0.1',
  sourcePort: 1,
  destinationPort: 2,
  protocol: 17,
  bytes: 100,
  packets: 1,
};

const VARIABLE_FIELDS: readonly Field[] = [
  [82, VARIABLE],
  [8, 4],
  [27, 16],
  [12, 4],
  [28, 16],
  [1, 5],
  [306, 4],
  [305, 4],
  [225, 4],
];
const variableRow = (i: number) => [
  'x'.repeat(i % 300),
  '10.0.0.1',
  '::',
  '198.18.0.1',
  '::',
  i,
  9,
  1,
  '203.0.113.1',
];

/** One datagram of every kind that the decoder knows. */
const seeds = (): Uint8Array[] => [
  buildV1({}, [FLOW, FLOW]),
  buildV5({ sampling: 100 }, [FLOW, FLOW, FLOW]),
  buildV7({}, [FLOW, FLOW]),
  buildV9(
    {},
    v9Template(256, USUAL_FIELDS),
    dataSet(
      256,
      USUAL_FIELDS,
      [0, 1, 2, 3].map((i) => usualValues(i)),
    ),
  ),
  buildV9(
    { sourceId: 1 },
    v9OptionsTemplate(
      257,
      [[2, 4]],
      [
        [34, 4],
        [48, 2],
      ],
    ),
    dataSet(
      257,
      [
        [2, 4],
        [34, 4],
        [48, 2],
      ],
      [
        [1, 100, 1],
        [2, 200, 2],
      ],
    ),
  ),
  buildIpfix(
    {},
    ipfixTemplate(258, VARIABLE_FIELDS),
    dataSet(258, VARIABLE_FIELDS, [1, 254, 255, 270].map(variableRow)),
  ),
  buildIpfix(
    { domain: 3 },
    ipfixOptionsTemplate(
      259,
      [[302, 8]],
      [
        [305, 4],
        [306, 4],
        [160, 8],
      ],
    ),
    dataSet(
      259,
      [
        [302, 8],
        [305, 4],
        [306, 4],
        [160, 8],
      ],
      [[1, 1, 99, 1_600_000_000_000]],
    ),
    ipfixWithdrawal(256),
  ),
];

test('datagrams of 0, 1, 4 bytes and of unknown versions are counted and yield nothing', () => {
  const { decode, session } = createDecoder();
  const inputs = [[], [0], [0, 9], [0, 9, 0, 1], [0, 10, 0, 4], [0, 8, 0, 0], [255, 255, 255, 255]];
  assert.deepEqual(decode(...inputs.map((bytes) => Uint8Array.from(bytes))), []);
  assert.equal(session.counters.datagrams, inputs.length);
  assert.equal(session.counters.malformed['short-datagram'], 5);
  assert.equal(session.counters.malformed['unknown-version'], 2);
});

/** Up to three zero bytes behind a bare header are padding. */
const isPadding = (whole: Uint8Array, length: number) =>
  whole[1] >= 9 && whole.subarray(whole[1] === 9 ? 20 : 16, length).every((byte) => byte === 0);

test('a datagram truncated at every byte never throws and never yields more than the whole', () => {
  for (const whole of seeds()) {
    const full = createDecoder().decode(whole).length;
    for (let length = 0; length < whole.length; length++) {
      const { decode, session } = createDecoder();
      const records = decode(whole.slice(0, length));
      assert.ok(records.length <= full, `version ${whole[1]} at ${length}`);
      const { counters } = session;
      const noticed =
        malformedTotal(counters) +
        counters.missedTemplates +
        counters.templatesLearned +
        counters.optionsRecords +
        counters.records;
      const isBareHeader = length === (whole[1] === 9 ? 20 : 16);
      assert.ok(noticed > 0 || isBareHeader || isPadding(whole, length), `version ${whole[1]} at ${length}`);
    }
  }
});

test('the memory behind a datagram in a larger buffer is never read', () => {
  const whole = seeds()[3];
  const buffer = new Uint8Array(whole.length + 2_000).fill(0xaa);
  buffer.set(whole.subarray(0, whole.length - 10));
  const { decode } = createDecoder();
  assert.equal(decode(buffer.subarray(0, whole.length - 10)).length, 0);
});

/** Changes lengths, counts, ids and element sizes, where flipping plain bytes would mostly change values. */
function mutate(seed: Uint8Array, random: () => number): Uint8Array {
  const bytes = seed.slice();
  const changes = 1 + Math.floor(random() * 4);
  for (let i = 0; i < changes; i++) {
    const at = Math.floor(random() * bytes.length);
    switch (Math.floor(random() * 5)) {
      case 0:
        bytes[at] = Math.floor(random() * 256);
        break;
      case 1:
        bytes.set(
          [
            [0, 0],
            [255, 255],
            [0, 4],
            [1, 0],
            [127, 255],
            [0, 1],
          ][Math.floor(random() * 6)],
          Math.min(at & ~1, bytes.length - 2),
        );
        break;
      case 2:
        return bytes.slice(0, at);
      case 3:
        bytes.copyWithin(at, Math.floor(random() * bytes.length));
        break;
      default:
        bytes[at] ^= 1 << Math.floor(random() * 8);
    }
  }
  return bytes;
}

test('50,000 mutated datagrams: no exception, bounds hold, and a sound exporter beside them loses nothing', () => {
  const random = seededRandom(20_260);
  const inputs = seeds();
  const hostile = createDecoder(
    { templates: 64, domains: 32, waitingSets: 16, waitingBytes: 8_192, readersPerMinute: 200 },
    64,
  );
  const sound = createDecoder();
  let soundRecords = 0;
  for (let i = 0; i < 50_000; i++) {
    const datagram = mutate(inputs[Math.floor(random() * inputs.length)], random);
    const { session } = hostile;
    hostile.decodeAt(RECEIVED_AT_MS + i, datagram);
    assert.ok(session.templates.size <= 64 && session.domains.size <= 32);
    assert.ok(session.waiting.sets <= 16 && session.waiting.bytes <= 8_192);
    if (i % 1_000 === 0) soundRecords += sound.decode(inputs[3]).length;
  }
  const { counters } = hostile.session;
  assert.equal(soundRecords, 200);
  assert.equal(counters.datagrams, 50_000);
  assert.ok(counters.records > 10_000, 'the mutations still reach the readers');
  assert.ok(malformedTotal(counters) > 5_000 && counters.templatesEvicted > 0);
  for (const count of Object.values(counters.malformed)) assert.ok(Number.isSafeInteger(count));
});

test('reading fields by name survives the same, and names as many records as the columns hold', () => {
  const random = seededRandom(4_711);
  const inputs = seeds();
  const columns = createDecoder();
  const named = createDecoder();
  for (let i = 0; i < 5_000; i++) {
    const datagram = mutate(inputs[Math.floor(random() * inputs.length)], random);
    const before = named.session.counters.optionsRecords;
    let count = 0;
    readNamedRecords(named.session, datagram, RECEIVED_AT_MS, (record) => {
      count++;
      JSON.stringify(record);
    });
    const options = named.session.counters.optionsRecords - before;
    assert.equal(count - options, columns.decode(datagram).length, `datagram ${i}`);
  }
});

const TWO: readonly Field[] = [
  [8, 4],
  [12, 4],
];
const flooded = (session: ExporterSession, i: number) => {
  const columns = createRecordColumns(64);
  const take = (datagram: Uint8Array) =>
    decodeDatagram(session, datagram, RECEIVED_AT_MS + i, columns, () => undefined);
  take(buildV9({ sourceId: i }, v9Template(256 + (i % 1000), [...TWO, [1 + (i % 60), 1 + (i % 8)]])));
  // Data that nobody sent a template of, and a rate for each of many samplers.
  take(buildV9({ sourceId: i % 3 }, set(2000 + (i % 500), new Uint8Array(300))));
  take(
    buildIpfix(
      {},
      ipfixOptionsTemplate(700, [[302, 4]], [[34, 4]]),
      dataSet(
        700,
        [
          [302, 4],
          [34, 4],
        ],
        [[i, 100]],
      ),
    ),
  );
};

test('what sessions hold together is bounded, each finds some room, and what they held is free when they end', () => {
  const room = createRoom(400_000, 100);
  const sessions = Array.from({ length: 100 }, (_, i) => createSession(`192.0.2.${i}`, {}, 'udp', room));
  for (let i = 0; i < 20_000; i++) {
    flooded(sessions[i % sessions.length], Math.floor(i / sessions.length));
    assert.ok(room.bytes <= room.maxBytes);
  }
  assert.ok(room.bytes > room.maxBytes / 2);
  assert.equal(
    sessions.reduce((sum, { heldBytes }) => sum + heldBytes, 0),
    room.bytes,
  );
  // What was pushed out is not held any more: going on for as long again changes little.
  const small = createRoom(100_000_000, 100);
  const one = createSession('192.0.2.201', { domains: 8, templates: 8, samplersPerDomain: 8 }, 'udp', small);
  for (let i = 0; i < 3000; i++) flooded(one, i);
  const { heldBytes } = one;
  for (let i = 3000; i < 9000; i++) flooded(one, i);
  assert.ok(Math.abs(one.heldBytes - heldBytes) < 5000, `${heldBytes}, then ${one.heldBytes}`);
  const late = createSession('192.0.2.200', {}, 'udp', room);
  const columns = createRecordColumns(64);
  const good = buildV9({}, v9Template(256, TWO), dataSet(256, TWO, [['10.0.0.1', '198.18.0.1']]));
  // Others have that layout, so it needs no reader of its own.
  decodeDatagram(createSession('192.0.2.202'), good, RECEIVED_AT_MS, columns, () => undefined);
  decodeDatagram(late, good, RECEIVED_AT_MS, columns, () => undefined);
  assert.equal(columns.count, 2);
  const other = createRoom(10_000_000, 100);
  changeRoom(late, other);
  assert.equal(other.bytes, late.heldBytes);
  for (const session of sessions) leaveRoom(session);
  assert.equal(room.bytes, 0);
});

test('sessions of strangers make few readers together, and a layout that is known costs none', () => {
  const room = createRoom(10_000_000, 5);
  let records = 0;
  const hear = (session: ExporterSession, fields: readonly Field[]) => {
    const columns = createRecordColumns(64);
    const datagram = buildV9({}, v9Template(256, fields), set(256, new Uint8Array(600)));
    decodeDatagram(session, datagram, RECEIVED_AT_MS, columns, () => undefined);
    records += Math.min(1, columns.count);
    return session.counters.dropped;
  };
  // Gaps that no other test leaves.
  const layout = (i: number): Field[] => [
    [8, 4],
    [210, 300 + i],
    [12, 4],
  ];
  const sessions = Array.from({ length: 50 }, (_, i) => createSession(`192.0.2.${i}`, {}, 'udp', room));
  const dropped = sessions.map((session, i) => hear(session, layout(i)));
  assert.deepEqual([records, dropped.reduce((sum, count) => sum + count)], [5, 45]);
  assert.equal(hear(createSession('192.0.2.99', {}, 'udp', room), layout(0)), 0);
  // They take of the same memory, and give it back with their template.
  const narrow = createRoom(100_000, 100);
  const many = Array.from({ length: 20 }, (_, i) => createSession(`192.0.2.${i}`, {}, 'udp', narrow));
  const refused = many.map((session, i) => hear(session, layout(100 + i)));
  assert.equal(
    refused.reduce((sum, count) => sum + count),
    16,
  );
  for (const session of many) leaveRoom(session);
  assert.equal(narrow.bytes, 0);
});

test('once enough templates pushed out others in a minute more are refused, and known ones go on', () => {
  const { decode, session } = createDecoder({ templates: 16, changesPerMinute: 100 });
  for (let i = 0; i < 5000; i++) decode(buildV9({}, v9Template(256 + i, TWO)));
  const { templatesEvicted, templatesRefused } = session.counters;
  assert.deepEqual([templatesEvicted, templatesRefused], [100, 5000 - 116]);
  const last = 256 + 115;
  decode(buildV9({}, v9Template(last, TWO)));
  assert.equal(decode(buildV9({}, dataSet(last, TWO, [['10.0.0.1', '198.18.0.1']]))).length, 1);
  assert.equal(session.counters.templatesRefused, 5000 - 116);
});

test('withdrawing all templates thousands of times takes no time, whatever there is of the other kind', () => {
  const session = createSession('192.0.2.1', {}, 'stream');
  const columns = createRecordColumns(64);
  const take = (datagram: Uint8Array) =>
    decodeDatagram(session, datagram, RECEIVED_AT_MS, columns, () => undefined);
  for (let i = 0; i < 4000; i++) take(buildIpfix({}, ipfixOptionsTemplate(256 + i, [[302, 4]], [[34, 4]])));
  const all = buildIpfix({}, ...Array.from({ length: 8000 }, () => ipfixWithdrawal(2)));
  const began = performance.now();
  take(all);
  const tookMs = performance.now() - began;
  // Looking at each template for each of them takes half a second.
  assert.ok(tookMs < 100, `${tookMs} ms`);
  assert.equal(session.templates.size, 4000);
  take(buildIpfix({}, ipfixWithdrawal(3, true)));
  assert.equal(session.templates.size, 0);
});
