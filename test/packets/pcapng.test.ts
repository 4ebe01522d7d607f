import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCaptureStatistics } from '../../src/packets/capture.ts';
import { readCapture } from '../../src/packets/pcap.ts';
import {
  block,
  EXPORTER,
  ethernet,
  interfaceBlock,
  ipv4,
  oldPacketBlock,
  packetBlock,
  section,
  simplePacketBlock,
  udp,
} from './capture-files.ts';

const PAYLOAD = Uint8Array.from({ length: 100 }, (_, i) => i);
const PACKET = ipv4(EXPORTER, udp(EXPORTER, PAYLOAD));
const FRAME = ethernet(0x0800, PACKET);
const MS = 1_700_000_000_250n;

function read(...blocks: readonly Uint8Array[]) {
  const statistics = createCaptureStatistics();
  const found = [...readCapture(new Uint8Array(Buffer.concat(blocks)), statistics)];
  for (const { payload } of found) assert.deepEqual(payload, PAYLOAD);
  return { times: found.map(({ atMs }) => atMs), statistics };
}

test('several interfaces and sections, each with its link type and time; unknown blocks are skipped', () => {
  const { times } = read(
    section(),
    interfaceBlock(1),
    interfaceBlock(101, 9),
    block(5, new Uint8Array(24)),
    packetBlock(0, MS * 1_000n, FRAME),
    packetBlock(1, MS * 1_000_000n, PACKET),
    section(),
    interfaceBlock(1, 3),
    packetBlock(0, MS, FRAME),
  );
  assert.deepEqual(times, [1_700_000_000_250, 1_700_000_000_250, 1_700_000_000_250]);
});

test('both byte orders, in one file too', () => {
  const { times } = read(
    section(true),
    interfaceBlock(1, 6, { isBig: true }),
    packetBlock(0, MS * 1_000n, FRAME, true),
    section(),
    interfaceBlock(101),
    packetBlock(0, MS * 1_000n, PACKET),
  );
  assert.deepEqual(times, [1_700_000_000_250, 1_700_000_000_250]);
});

test('if_tsresol in powers of ten and of two, if_tsoffset', () => {
  const { times } = read(
    section(),
    interfaceBlock(1, 0),
    interfaceBlock(1, 0x80 | 10),
    interfaceBlock(1, 6, { offsetSeconds: 1_700_000_000 }),
    interfaceBlock(1, 12),
    packetBlock(0, 1_700_000_000n, FRAME),
    packetBlock(1, 1_700_000_000n * 1024n + 256n, FRAME),
    packetBlock(2, 250_000n, FRAME),
    packetBlock(3, 1_000_000_250_000_000_000n, FRAME),
  );
  assert.deepEqual(times, [1_700_000_000_000, 1_700_000_000_250, 1_700_000_000_250, 1_000_000_250]);
});

test('simple and obsolete packet blocks; the former have no time, and their length follows from the interface', () => {
  const { times } = read(
    section(),
    interfaceBlock(1),
    simplePacketBlock(FRAME),
    oldPacketBlock(0, MS * 1_000n, FRAME),
  );
  assert.deepEqual(times, [0, 1_700_000_000_250]);
  // Cut to 141 of 142 bytes, and padded by 3: the padding is no part of it.
  const cut = read(
    section(),
    interfaceBlock(1, 6, { snapBytes: FRAME.length - 1 }),
    simplePacketBlock(FRAME.slice(0, -1), FRAME.length),
  );
  assert.deepEqual([cut.times.length, cut.statistics.snapped], [0, 1]);
});

test('a frame of an interface that the section does not have is counted', () => {
  const { times, statistics } = read(
    section(),
    packetBlock(0, 0n, FRAME),
    interfaceBlock(1),
    packetBlock(7, 0n, FRAME),
  );
  assert.deepEqual([times.length, statistics.frames, statistics.other], [0, 2, 2]);
});

test('lengths that make no sense are refused with a code; a file cut off yields what is whole', () => {
  const whole = Buffer.concat([section(), interfaceBlock(1), packetBlock(0, MS * 1_000n, FRAME)]);
  const headBytes = section().length + interfaceBlock(1).length;
  for (let length = headBytes; length < whole.length; length++) {
    const { times, statistics } = read(whole.subarray(0, length));
    assert.deepEqual([times.length, statistics.isTruncated], [0, length > headBytes], `${length}`);
  }
  for (const length of [0, 8, 13, 0x7fff_fffc]) {
    const bytes = Buffer.from(whole);
    bytes.writeUInt32LE(length, headBytes + 4);
    assert.throws(() => read(bytes), { code: 'capture-corrupt' }, `${length}`);
  }
});
