// which files `postern decode` reads, and what it says about the others
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import {
  EXPORTER,
  EXPORTER_V6,
  fragmentHeader,
  frameOf,
  interfaceBlock,
  ipv4,
  ipv6,
  pcap,
  section,
  simplePacketBlock,
  tcp,
  udp,
} from './capture-files.ts';
import { buildIpfix, buildV5, buildV9, dataSet, type Field, ipfixTemplate, v9Template } from './generate.ts';
import { decode, decodeWith } from './run-decode.ts';

const root = mkdtempSync(join(tmpdir(), 'decode-files-'));
after(() => rmSync(root, { recursive: true }));

const file = (name: string, bytes: Uint8Array | string) => {
  const path = join(root, name);
  writeFileSync(path, bytes);
  return path;
};
const folderOf = (name: string) => {
  mkdirSync(join(root, name));
  return join(root, name);
};

const PLAIN: readonly Field[] = [[8, 4]];
const TYPED: readonly Field[] = [
  [4, 1],
  [6, 1],
];
const FLOW = {
  source: '10.0.0.1',
  destination: '198.18.0.1',
  sourcePort: 1,
  destinationPort: 53,
  protocol: 17,
  bytes: 60,
  packets: 1,
};
const V5 = pcap([frameOf(ipv4(EXPORTER, udp(EXPORTER, buildV5({}, [FLOW]))))], { linkType: 101 });

test('a folder: its files by name, templates before their data, hidden files and folders left out', () => {
  const folder = folderOf('export');
  file('export/2-data.dat', buildV9({}, dataSet(256, PLAIN, [['10.0.0.1']])));
  file('export/1-template.dat', buildV9({}, v9Template(256, PLAIN)));
  file('export/3.pcap', V5);
  file('export/.hidden', 'not flows');
  mkdirSync(join(folder, 'deeper'));
  const { status, records, stderr } = decode(folder);
  assert.equal(status, 0, stderr);
  assert.deepEqual(
    records.map(({ version, exporter }) => [version, exporter]),
    [
      [9, 'file'],
      [5, '192.0.2.1'],
    ],
  );
  assert.match(stderr, /^3 files, /);
  assert.doesNotMatch(stderr, /without their template/);
});

test('an empty folder is an error that says so', () => {
  const { status, stderr } = decode(folderOf('empty'));
  assert.equal(status, 2);
  assert.match(stderr, /cannot read the folder .*empty: it is empty/);
});

test('- is standard input: a capture or a datagram', () => {
  assert.deepEqual(
    decodeWith(V5, '-').records.map(({ exporter }) => exporter),
    ['192.0.2.1'],
  );
  const { status, records } = decodeWith(buildV5({}, [FLOW]), '-');
  assert.deepEqual([status, records.length], [0, 1]);
  assert.equal(decodeWith(new Uint8Array(0), '-').status, 2);
});

test('compressed captures and files of nfcapd: what to do is said', () => {
  for (const [bytes, hint] of [
    [gzipSync(V5), /compressed: use gunzip first, or `zcat FILE \| postern decode -`/],
    [Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 1, 2, 3), /zstd -d/],
    [Uint8Array.of(0x0c, 0xa5, 1, 0, 0, 0, 0, 0), /nfreplay/],
  ] as const) {
    const { status, stderr } = decode(file('other', bytes));
    assert.equal(status, 2);
    assert.match(stderr, hint);
  }
});

test('raw datagrams of years apart: templates do not grow old', () => {
  const template = file('t.dat', buildV9({ seconds: 1_400_000_000 }, v9Template(256, PLAIN)));
  const data = file('d.dat', buildV9({ seconds: 1_700_000_000 }, dataSet(256, PLAIN, [['10.0.0.1']])));
  assert.equal(decode(template, data).records.length, 1);
  assert.equal(decode(data, template).records.length, 1);
});

test('a file of IPFIX messages one after another (RFC 5655), whole and cut off', () => {
  const rows = Array.from({ length: 300 }, (_, i) => [`10.0.${i >> 8}.${i & 255}`]);
  const messages = [
    buildIpfix({}, ipfixTemplate(256, PLAIN)),
    ...Array.from({ length: 100 }, (_, i) => buildIpfix({ sequence: i * 300 }, dataSet(256, PLAIN, rows))),
  ];
  const bytes = Buffer.concat(messages);
  assert.ok(bytes.length > 65_535);
  const { status, records, stderr } = decode(file('flows.ipfix', bytes));
  assert.deepEqual([status, records.length], [0, 30_000]);
  assert.match(stderr, /101 datagrams, 30000 flow records, 0 options records\n$/);
  const cut = decode(file('cut.ipfix', bytes.subarray(0, -10)));
  assert.deepEqual([cut.status, cut.records.length], [0, 29_700]);
  assert.match(cut.stderr, /malformed: message-length/);
});

test('IPFIX over TCP: templates belong to the connection', () => {
  const ends = { ...EXPORTER, destinationPort: 4739 };
  const template = buildIpfix({}, ipfixTemplate(256, PLAIN));
  const data = (sequence: number) =>
    buildIpfix({ sequence }, dataSet(256, PLAIN, [['10.0.0.1'], ['10.0.0.2']]));
  const segment = (sequence: number, bytes: Uint8Array, flags = 0x10) =>
    frameOf(ipv4(ends, tcp(ends, sequence, bytes, flags), 0, 1, 6));
  const none = new Uint8Array(0);
  const frames = [
    segment(0, none, 2),
    segment(1, template),
    segment(1 + template.length, data(0), 0x11),
    // The same port again, without a template.
    segment(50_000, none, 2),
    segment(50_001, data(0)),
  ];
  const capture = file('tcp.pcap', pcap(frames, { linkType: 101 }));
  const { records, stderr } = decode(capture);
  assert.equal(records.length, 2);
  assert.match(stderr, /1 files, 2 exporters, 3 datagrams, 2 flow records/);
  assert.match(stderr, /1 data sets without their template/);
  assert.equal(decode('--port', '4739', capture).records.length, 2);
  assert.equal(decode('--port', '4740', capture).records.length, 0);
});

test('a large v9 datagram in fragments, over IPv4 and IPv6', () => {
  const rows = Array.from({ length: 600 }, (_, i) => [`10.0.${i >> 8}.${i & 255}`]);
  const payload = buildV9({}, v9Template(256, PLAIN), dataSet(256, PLAIN, rows));
  const four = udp(EXPORTER, payload);
  const six = udp(EXPORTER_V6, payload);
  const frames = [
    ipv4(EXPORTER, four.slice(1_480), 185),
    ipv4(EXPORTER, four.slice(0, 1_480), 0x2000),
    ipv6(EXPORTER_V6, Uint8Array.from([...fragmentHeader(0, true, 5), ...six.slice(0, 1_448)]), 44),
    ipv6(EXPORTER_V6, Uint8Array.from([...fragmentHeader(1_448, false, 5), ...six.slice(1_448)]), 44),
  ].map((bytes) => frameOf(bytes));
  const { records } = decode(file('fragments.pcap', pcap(frames, { linkType: 101 })));
  const of = (exporter: string) => records.filter((record) => record.exporter === exporter);
  assert.deepEqual(
    ['192.0.2.1', '2001:db8::1'].map((exporter) =>
      of(exporter).map(({ sourceIPv4Address }) => [sourceIPv4Address]),
    ),
    [rows, rows],
  );
});

test('a frame without a time (simple packet block) takes the time of the export', () => {
  const packet = ipv4(EXPORTER, udp(EXPORTER, buildV5({ seconds: 1_600_000_000 }, [FLOW])));
  const bytes = Buffer.concat([section(), interfaceBlock(101), simplePacketBlock(packet)]);
  const { records } = decode(file('simple.pcapng', bytes));
  assert.deepEqual(
    records.map(({ time }) => time),
    ['2020-09-13T12:26:40.000Z'],
  );
});

test('names of enumerated values beside the values', () => {
  const datagram = buildV9(
    {},
    v9Template(256, TYPED),
    dataSet(256, TYPED, [
      [6, 0x12],
      [250, 0],
    ]),
  );
  const { records } = decode(file('typed.dat', datagram));
  assert.deepEqual(
    records.map(({ protocolIdentifier, tcpControlBits, names }) => [
      protocolIdentifier,
      tcpControlBits,
      names,
    ]),
    [
      [6, 18, { protocolIdentifier: 'TCP', tcpControlBits: 'SYN ACK' }],
      [250, 0, undefined],
    ],
  );
});

test('a capture without flow export: the ports that it held are told', () => {
  const dns = { ...EXPORTER, destinationPort: 53 };
  const frames = [1, 2, 3].map(() => frameOf(ipv4(dns, udp(dns, new Uint8Array(30)))));
  const { status, stderr } = decode(file('dns.pcap', pcap(frames, { linkType: 101 })));
  assert.equal(status, 0);
  assert.match(stderr, /3 other UDP datagrams \(most to port 53\); no flow export was recognised: --port N/);
});
