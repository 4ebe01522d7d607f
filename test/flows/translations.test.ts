// events of exporters never become conversations, and what they tell of translations is kept, bounded
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { test } from 'node:test';
import { addressText, conversations } from '../../src/flows/batch.ts';
import { startCollector } from '../../src/flows/collector.ts';
import { createFolder, type FolderOptions } from '../../src/flows/folder.ts';
import { CREATED, DELETED, type TranslationBatch } from '../../src/flows/translation-batch.ts';
import { addressSet } from '../../src/model/addresses.ts';
import {
  buildIpfix,
  buildV9,
  dataSet,
  type Field,
  ipfixTemplate,
  type Value,
  v9Template,
} from '../packets/generate.ts';

const AT = 1_700_000_040_000;
const EXPORTER = '192.0.2.1';
const INTERNAL = addressSet('10.0.0.0/8', 'fd00::/8');

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
  [230, 1],
];
const NSEL: readonly Field[] = [
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
  [323, 8],
  [152, 8],
  [231, 4],
  [232, 4],
];

function exported(
  version: 9 | 10,
  fields: readonly Field[],
  rows: readonly (readonly Value[])[],
): Uint8Array {
  const seconds = Math.floor(AT / 1000);
  const data = dataSet(300, fields, rows);
  return version === 9
    ? buildV9({ seconds }, v9Template(300, fields), data)
    : buildIpfix({ seconds }, ipfixTemplate(300, fields), data);
}

function fold(
  version: 9 | 10,
  fields: readonly Field[],
  rows: readonly (readonly Value[])[],
  options: Partial<FolderOptions> = {},
) {
  const folder = createFolder({ internal: INTERNAL, ...options });
  folder.receive(EXPORTER, 40_000, exported(version, fields, rows), AT);
  return folder;
}

interface Plain {
  readonly at: number;
  readonly event: number;
  readonly internal: string;
  readonly translated: string;
  readonly external: string;
  readonly protocol: number;
}

const plain = (batch: TranslationBatch | undefined): Plain[] =>
  Array.from({ length: batch?.count ?? 0 }, (_, i) => {
    const of = batch as TranslationBatch;
    const range = of.translatedPortEnd[i] === of.translatedPort[i] ? '' : `-${of.translatedPortEnd[i]}`;
    return {
      at: of.atMs[i] - AT,
      event: of.event[i],
      internal: `${addressText(of.internal, i)} ${of.internalPort[i]}`,
      translated: `${addressText(of.translated, i)} ${of.translatedPort[i]}${range}`,
      external: `${addressText(of.external, i)} ${of.externalPort[i]}`,
      protocol: of.protocol[i],
    };
  });

const counted = (folder: ReturnType<typeof createFolder>) => folder.report().exporters[0].counters;
const rowsOf = (folder: ReturnType<typeof createFolder>) =>
  folder.drain().flatMap((batch) => [...conversations(batch)]);

const nat44 = (event: number, at = AT, destination = '203.0.113.9') => [
  ...[at, '10.0.0.5', '198.51.100.7', 6, 40_000, 2048, destination, destination, 443, 443, event],
];

for (const version of [9, 10] as const)
  test(`sessions of NAT44 are translations, not traffic; version ${version}`, () => {
    const folder = fold(version, NAT44, [nat44(4, AT - 5000), nat44(5), nat44(18), nat44(3)]);
    const session = {
      internal: '10.0.0.5 40000',
      translated: '198.51.100.7 2048',
      external: '203.0.113.9 443',
      protocol: 6,
    };
    assert.deepEqual(plain(folder.takeTranslations()), [
      { at: -5000, event: CREATED, ...session },
      { at: 0, event: DELETED, ...session },
    ]);
    assert.equal(folder.takeTranslations(), undefined);
    assert.deepEqual(rowsOf(folder), []);
    const { events, translations, folded, translationsDropped } = counted(folder);
    assert.deepEqual([events, translations, folded, translationsDropped], [4, 2, 0, 0]);
  });

test('the session behind a translated destination is that of the outside address', () => {
  const row = [AT, '10.0.0.5', '198.51.100.7', 6, 40_000, 2048, '10.0.0.1', '203.0.113.9', 8443, 443, 4];
  const [only] = plain(fold(10, NAT44, [row]).takeTranslations());
  assert.equal(only.external, '203.0.113.9 443');
});

test('a session from outside is one of the internal host that it reaches', () => {
  const row = [AT, '203.0.113.9', '203.0.113.9', 6, 51_000, 51_000, '198.51.100.7', '10.0.0.5', 80, 8080, 4];
  assert.deepEqual(plain(fold(10, NAT44, [row]).takeTranslations()), [
    {
      at: 0,
      event: CREATED,
      internal: '10.0.0.5 8080',
      translated: '198.51.100.7 80',
      external: '203.0.113.9 51000',
      protocol: 6,
    },
  ]);
});

test('no host of the internet becomes one of ours because an exporter says so', () => {
  const of = (source: string, translated: string) => [
    ...[AT, source, translated, 6, 40_000, 2048, '203.0.113.9', '203.0.113.9', 443, 443, 4],
  ];
  const folder = fold(10, NAT44, [
    of('203.0.113.77', '198.51.100.7'),
    of('10.0.0.5', '10.0.0.5'),
    of('10.0.0.5', '0.0.0.0'),
  ]);
  assert.equal(folder.takeTranslations(), undefined);
  assert.equal(counted(folder).events, 3);
});

test('NAT64: the outside is that of IPv4, and ICMPv6 is ICMP there', () => {
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
  const row = (protocol: number, event: number) => [
    ...[
      AT,
      'fd00::5',
      '198.51.100.7',
      protocol,
      5000,
      6000,
      '64:ff9b::cb00:7109',
      '203.0.113.9',
      53,
      53,
      event,
    ],
  ];
  const folder = fold(10, fields, [row(17, 6), row(58, 7)]);
  assert.deepEqual(plain(folder.takeTranslations()), [
    {
      at: 0,
      event: CREATED,
      internal: 'fd00::5 5000',
      translated: '198.51.100.7 6000',
      external: '203.0.113.9 53',
      protocol: 17,
    },
    {
      at: 0,
      event: DELETED,
      internal: 'fd00::5 5000',
      translated: '198.51.100.7 6000',
      external: '203.0.113.9 0',
      protocol: 1,
    },
  ]);
  assert.deepEqual(rowsOf(folder), []);
});

test('bindings and blocks of ports name no destination', () => {
  const binding: readonly Field[] = [
    [323, 8],
    [8, 4],
    [225, 4],
    [4, 1],
    [7, 2],
    [227, 2],
    [230, 1],
  ];
  const block: readonly Field[] = [
    [323, 8],
    [8, 4],
    [225, 4],
    [361, 2],
    [362, 2],
    [230, 1],
  ];
  const [bound] = plain(
    fold(10, binding, [[AT, '10.0.0.5', '198.51.100.7', 17, 5000, 6000, 8]]).takeTranslations(),
  );
  assert.deepEqual(
    [bound.internal, bound.translated, bound.external],
    ['10.0.0.5 5000', '198.51.100.7 6000', ':: 0'],
  );
  // 14 and 15: as Junos counts.
  const folder = fold(
    10,
    block,
    [16, 17, 14, 15].map((event) => [AT, '10.0.0.5', '198.51.100.7', 1024, 1535, event]),
  );
  assert.deepEqual(
    plain(folder.takeTranslations()).map(({ event, translated, external }) => [event, translated, external]),
    [CREATED, DELETED, CREATED, DELETED].map((event) => [event, '198.51.100.7 1024-1535', ':: 0']),
  );
  const { events, noAddresses } = counted(folder);
  assert.deepEqual([events, noAddresses], [4, 0]);
});

const nsel = (event: number, sent: number, back: number, startMs = AT - 60_000) => [
  ...['10.0.0.5', 40_000, '203.0.113.9', 443, 6, '198.51.100.7', '203.0.113.9', 2048, 443],
  ...[event, AT, startMs, sent, back],
];

test('NSEL: begins and denials are no traffic; updates and ends are, both ways', () => {
  const folder = fold(9, NSEL, [nsel(1, 0, 0), nsel(5, 100, 200), nsel(2, 900, 3000), nsel(3, 60, 0)]);
  const found = rowsOf(folder);
  const sum = (of: (row: (typeof found)[number]) => number) =>
    found.reduce((total, row) => total + of(row), 0);
  assert.deepEqual([sum((row) => row.outBytes), sum((row) => row.inBytes)], [1000, 3200]);
  assert.ok(found.every((row) => row.internal === '10.0.0.5' && row.translated === '198.51.100.7'));
  assert.equal(
    sum((row) => row.outFlows),
    2,
  );
  const { events, denied, folded } = counted(folder);
  assert.deepEqual([events, denied, folded], [1, 1, 2]);
  assert.deepEqual(
    plain(folder.takeTranslations()).map(({ event, at, external }) => [event, at, external]),
    [
      [CREATED, -60_000, '203.0.113.9 443'],
      [DELETED, 0, '203.0.113.9 443'],
    ],
  );
});

test('a begin that counts is traffic, as PAN-OS and RouterOS export it', () => {
  assert.equal(rowsOf(fold(9, NSEL, [nsel(1, 60, 0, AT)]))[0].outBytes, 60);
  const fields: readonly Field[] = [...NAT44, [1, 4], [2, 4]];
  const folder = fold(10, fields, [[...nat44(4), 500, 5]]);
  assert.deepEqual(
    rowsOf(folder).map(({ internal, external, outBytes, outPackets }) => [
      internal,
      external,
      outBytes,
      outPackets,
    ]),
    [['10.0.0.5', '203.0.113.9', 500, 5]],
  );
  assert.equal(plain(folder.takeTranslations()).length, 1);
});

test('the end of a connection of days is an end now, whatever its begin was', () => {
  const [end] = plain(fold(9, NSEL, [nsel(2, 900, 3000, AT - 5 * 86_400_000)]).takeTranslations());
  assert.deepEqual([end.event, end.at], [DELETED, 0]);
});

test('attempts toward hosts: neither begins nor what was denied before it came to the host', () => {
  const row = (event: number, back: number) => [
    ...['10.0.0.5', 22, '203.0.113.9', 51_000, 6, '10.0.0.5', '203.0.113.9', 22, 51_000],
    ...[event, AT, AT, back, 0],
  ];
  const hosts = addressSet('10.0.0.5', '203.0.113.9');
  for (const event of [1, 3])
    assert.equal(fold(9, NSEL, [row(event, 0)], { hosts }).takeAttempts(), undefined);
  const knock: readonly Field[] = [...NAT44, [2, 4]];
  const begin = (packets: number) => [...nat44(4), packets];
  assert.equal(fold(10, knock, [begin(0)], { hosts }).takeAttempts(), undefined);
  assert.ok(fold(10, knock, [begin(1)], { hosts }).takeAttempts(), 'what is traffic, is one');
});

test('bounded: what finds no room is counted, and strangers leave room for others', () => {
  const rows = Array.from({ length: 30 }, (_, i) => nat44(4, AT, `203.0.113.${i}`));
  const folder = fold(10, NAT44, rows, { maxTranslations: 20 });
  const { translations, translationsDropped } = counted(folder);
  assert.equal(translations + translationsDropped, 30);
  assert.ok(translations >= 18 && translations < 20, `${translations} kept`);
  assert.equal(folder.takeTranslations()?.count, translations);
  folder.receive(EXPORTER, 40_000, exported(10, NAT44, rows.slice(0, 5)), AT);
  assert.equal(folder.takeTranslations()?.count, 5, 'room again after they were taken');
});

test('bounded: nothing is lost where they are taken when there is no room', () => {
  const taken: TranslationBatch[] = [];
  const rows = Array.from({ length: 30 }, (_, i) => nat44(4, AT, `203.0.113.${i}`));
  const folder = createFolder({
    internal: INTERNAL,
    maxTranslations: 10,
    onTranslationsFull: () => {
      const batch = folder.takeTranslations();
      if (batch) taken.push(batch);
    },
  });
  folder.receive(EXPORTER, 40_000, exported(10, NAT44, rows), AT);
  taken.push(folder.takeTranslations() as TranslationBatch);
  const externals = taken.flatMap(plain).map(({ external }) => external);
  assert.deepEqual(
    externals,
    rows.map((_, i) => `203.0.113.${i} 443`),
  );
  assert.equal(counted(folder).translationsDropped, 0);
});

test('they leave a collector thread, and what is held when it stops is not lost', async () => {
  const batches: TranslationBatch[] = [];
  const conversationRows: number[] = [];
  const collector = await startCollector({
    host: '127.0.0.1',
    ports: [0],
    threads: 1,
    receiveBufferBytes: 1_048_576,
    flushMs: 60_000,
    maxConversations: 10_000,
    maxSessions: 100,
    internal: INTERNAL,
    onBatch: ({ count }) => conversationRows.push(count),
    onTranslations: (batch) => batches.push(batch),
    onReport: () => {},
    onFailure: (error) => {
      throw error;
    },
  });
  const socket = createSocket('udp4');
  const send = (event: number) =>
    new Promise((resolve) =>
      socket.send(exported(10, NAT44, [nat44(event, Date.now())]), collector.ports[0], '127.0.0.1', resolve),
    );
  await send(4);
  const deadline = Date.now() + 10_000;
  while (batches.length === 0 && Date.now() < deadline) await collector.flush();
  assert.deepEqual(
    batches.flatMap(plain).map(({ event }) => event),
    [CREATED],
  );
  await send(5);
  await collector.stop();
  socket.close();
  assert.deepEqual(
    batches.flatMap(plain).map(({ event }) => event),
    [CREATED, DELETED],
  );
  assert.deepEqual(conversationRows, []);
});
