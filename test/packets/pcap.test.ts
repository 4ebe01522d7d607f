import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createCaptureStatistics } from '../../src/packets/capture.ts';
import { isCapture, readCapture, readCaptureFile } from '../../src/packets/pcap.ts';
import {
  EXPORTER,
  EXPORTER_V6,
  ethernet,
  fragmentHeader,
  frameOf,
  interfaceBlock,
  ipv4,
  ipv6,
  packetBlock,
  pcap,
  section,
  udp,
} from './capture-files.ts';
import { seededRandom } from './generate.ts';

const PAYLOAD = Uint8Array.from({ length: 100 }, (_, i) => i);
const PACKET = ipv4(EXPORTER, udp(EXPORTER, PAYLOAD));
const PACKET_V6 = ipv6(EXPORTER_V6, udp(EXPORTER_V6, PAYLOAD));

const read = (bytes: Uint8Array) => [...readCapture(bytes)];

function assertOne(bytes: Uint8Array, ends = EXPORTER) {
  const datagrams = read(bytes);
  assert.equal(datagrams.length, 1);
  const { atMs: _, payload, ...found } = datagrams[0];
  assert.deepEqual(found, ends);
  assert.deepEqual(payload, PAYLOAD);
}

test('Ethernet, with none, one and two VLAN tags', () => {
  for (const tags of [[], [0x8100], [0x88a8, 0x8100]])
    assertOne(pcap([frameOf(ethernet(0x0800, PACKET, tags))]));
  assertOne(pcap([frameOf(ethernet(0x86dd, PACKET_V6, [0x8100]))]), EXPORTER_V6);
});

test('Linux cooked v1 and v2, raw IP, loopback', () => {
  const cooked = Uint8Array.from([...new Uint8Array(14), 0x08, 0x00, ...PACKET]);
  const cooked2 = Uint8Array.from([0x86, 0xdd, ...new Uint8Array(18), ...PACKET_V6]);
  assertOne(pcap([frameOf(cooked)], { linkType: 113 }));
  assertOne(pcap([frameOf(cooked2)], { linkType: 276 }), EXPORTER_V6);
  for (const linkType of [12, 14, 101, 228]) assertOne(pcap([frameOf(PACKET)], { linkType }));
  assertOne(pcap([frameOf(PACKET_V6)], { linkType: 229 }), EXPORTER_V6);
  assertOne(pcap([frameOf(Uint8Array.from([2, 0, 0, 0, ...PACKET]))], { linkType: 0 }));
  assertOne(pcap([frameOf(Uint8Array.from([0, 0, 0, 24, ...PACKET_V6]))], { linkType: 108 }), EXPORTER_V6);
});

test('Ethernet padding behind the IP packet is not part of the payload', () => {
  assertOne(pcap([frameOf(ethernet(0x0800, Uint8Array.from([...PACKET, 0, 0, 0, 0, 0])))]));
});

test('both byte orders, micro- and nanoseconds', () => {
  for (const isBig of [false, true])
    for (const isNano of [false, true]) {
      const frame = frameOf(ethernet(0x0800, PACKET), 1_700_000_000, isNano ? 250_000_000 : 250_000);
      const [datagram] = read(pcap([frame], { isBig, isNano }));
      assert.equal(datagram.atMs, 1_700_000_000_250);
    }
});

test('IPv4 and IPv6 fragments are put together, in any order', () => {
  const body = udp(EXPORTER, PAYLOAD);
  const parts = [
    ipv4(EXPORTER, body.slice(40, 80), 0x2000 | 5),
    ipv4(EXPORTER, body.slice(80), 10),
    ipv4(EXPORTER, body.slice(0, 40), 0x2000),
  ];
  assertOne(pcap(parts.map((part) => frameOf(ethernet(0x0800, part)))));
  const sixes = [0, 56].map((offset) => {
    const end = offset === 0 ? 56 : body.length;
    return Uint8Array.from([...fragmentHeader(offset, offset === 0, 9), ...body.slice(offset, end)]);
  });
  assertOne(pcap(sixes.map((part) => frameOf(ethernet(0x86dd, ipv6(EXPORTER_V6, part, 44))))), EXPORTER_V6);
});

test('fragments that come twice, as captures of several interfaces have them, are no overlap', () => {
  const body = udp(EXPORTER, PAYLOAD);
  const parts = [ipv4(EXPORTER, body.slice(0, 56), 0x2000), ipv4(EXPORTER, body.slice(56), 7)];
  const read = (order: readonly number[], statistics = createCaptureStatistics()) => {
    const frames = order.map((part) => frameOf(parts[part]));
    const found = [...readCapture(pcap(frames, { linkType: 101 }), statistics)];
    return [found.length, statistics.fragmentsLost];
  };
  assert.deepEqual(read([0, 0, 1, 1]), [1, 0]);
  assert.deepEqual(read([1, 0, 1, 0]), [1, 0]);
  // One that is still incomplete at the end is lost too.
  assert.deepEqual(read([0, 0]), [0, 1]);
  // The same number again, for other bytes, is another datagram.
  const other = udp(
    EXPORTER,
    PAYLOAD.map((byte) => byte ^ 255),
  );
  const next = [ipv4(EXPORTER, other.slice(0, 56), 0x2000), ipv4(EXPORTER, other.slice(56), 7)];
  const both = [...parts, ...next].map((part) => frameOf(part));
  const found = [...readCapture(pcap(both, { linkType: 101 }))];
  assert.deepEqual(
    found.map(({ payload }) => payload[0]),
    [0, 255],
  );
});

test('a fragment that overlaps another or lies behind the last one spoils its datagram', () => {
  const body = udp(EXPORTER, PAYLOAD);
  for (const parts of [
    [ipv4(EXPORTER, body.slice(0, 48), 0x2000), ipv4(EXPORTER, body.slice(40), 5)],
    [ipv4(EXPORTER, body.slice(0, 40), 0x2000), ipv4(EXPORTER, body.slice(0, 40), 9)],
    [
      ipv4(EXPORTER, body.slice(0, 40), 0x2000),
      ipv4(EXPORTER, body.slice(40, 80), 5),
      ipv4(EXPORTER, body.slice(80), 0x2000 | 20),
    ],
  ]) {
    const statistics = createCaptureStatistics();
    const frames = parts.map((part) => frameOf(part));
    assert.deepEqual([...readCapture(pcap(frames, { linkType: 101 }), statistics)], []);
    assert.ok(statistics.fragmentsLost > 0);
  }
});

test('statistics add up over several captures', () => {
  const statistics = createCaptureStatistics();
  const piece = frameOf(ipv4(EXPORTER, udp(EXPORTER, PAYLOAD).slice(0, 48), 0x2000));
  const capture = pcap([piece, frameOf(PACKET)], { linkType: 101 });
  for (let i = 0; i < 3; i++) assert.equal([...readCapture(capture, statistics)].length, 1);
  assert.deepEqual([statistics.frames, statistics.datagrams, statistics.fragmentsLost], [6, 3, 3]);
});

test('fragments that never complete, overlap or flood are given up and counted', () => {
  const body = udp(EXPORTER, PAYLOAD);
  const statistics = createCaptureStatistics();
  const flood = Array.from({ length: 1_000 }, (_, id) =>
    frameOf(ipv4(EXPORTER, body.slice(0, 40), 0x2000, id)),
  );
  const overlap = [
    frameOf(ipv4(EXPORTER, body.slice(0, 48), 0x2000, 5_000)),
    frameOf(ipv4(EXPORTER, body.slice(40), 5, 5_000)),
  ];
  assert.deepEqual([...readCapture(pcap([...flood, ...overlap], { linkType: 101 }), statistics)], []);
  assert.equal(statistics.fragments, 1_002);
  assert.ok(statistics.fragmentsLost >= 700);
});

test('what is not UDP, and frames that the snap length cut, are counted', () => {
  const statistics = createCaptureStatistics();
  const frames = [
    frameOf(ethernet(0x0806, new Uint8Array(28))),
    frameOf(ethernet(0x0800, ipv4(EXPORTER, new Uint8Array(20), 0, 1, 6))),
    frameOf(ethernet(0x0800, PACKET).slice(0, 60)),
    frameOf(new Uint8Array(3)),
  ];
  assert.deepEqual([...readCapture(pcap(frames), statistics)], []);
  assert.deepEqual([statistics.frames, statistics.other, statistics.snapped], [4, 3, 1]);
});

test('a file cut off at any byte yields what is whole and says that it is cut', () => {
  const frame = frameOf(ethernet(0x0800, PACKET));
  const whole = pcap([frame, frame]);
  const frameBytes = frame.bytes.length + 16;
  for (let length = 24; length <= whole.length; length++) {
    const statistics = createCaptureStatistics();
    const found = [...readCapture(whole.slice(0, length), statistics)].length;
    assert.equal(found, Math.floor((length - 24) / frameBytes));
    assert.equal(statistics.isTruncated, (length - 24) % frameBytes !== 0, `${length}`);
  }
});

test('what is no capture is refused with a code', () => {
  for (const bytes of [new Uint8Array(0), new Uint8Array(100), pcap([]).slice(0, 20)])
    assert.throws(() => read(bytes), { code: 'capture-format' });
  assert.throws(() => [...readCaptureFile('/nowhere/at/all.pcap')], { code: 'file-unreadable' });
  const huge = pcap([frameOf(new Uint8Array(4))]);
  huge.set([255, 255, 255, 127], 24 + 8);
  assert.throws(() => read(huge), { code: 'capture-corrupt' });
  assert.equal(isCapture(pcap([])), true);
  assert.equal(isCapture(section()), true);
  assert.equal(isCapture(Uint8Array.of(0, 9, 0, 1)), false);
});

test('mutated captures throw only errors with a code', () => {
  const random = seededRandom(99);
  const frame = ethernet(0x0800, PACKET);
  const seeds = [
    pcap([frameOf(frame), frameOf(ethernet(0x86dd, PACKET_V6)), frameOf(ipv4(EXPORTER, PAYLOAD, 0x2000))]),
    new Uint8Array(
      Buffer.concat([section(), interfaceBlock(1), packetBlock(0, 1n, frame), packetBlock(0, 2n, frame)]),
    ),
  ];
  for (let i = 0; i < 4_000; i++) {
    const bytes = seeds[i % 2].slice();
    for (let change = 0; change < 3; change++)
      bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    try {
      read(bytes);
    } catch (error) {
      assert.match(String((error as { code?: unknown }).code), /^capture-/);
    }
  }
});

test('a file is read in pieces: memory stays far below its size', (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'pcap-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'large.pcap');
  const frames = Array.from({ length: 40_000 }, () =>
    frameOf(ethernet(0x0800, ipv4(EXPORTER, udp(EXPORTER, new Uint8Array(1_400))))),
  );
  writeFileSync(file, pcap(frames));
  let datagrams = 0;
  let most = 0;
  for (const { payload } of readCaptureFile(file)) {
    datagrams++;
    most = Math.max(most, payload.buffer.byteLength);
  }
  assert.equal(datagrams, 40_000);
  assert.ok(most <= 2 * 1024 * 1024, 'the buffer behind a payload is one piece of the file');
});
