// the blocks of a pcapng file -> frames (IETF draft-ietf-opsawg-pcapng)
import type { ByteSource } from './byte-source.ts';
import { type CapturedFrame, type CaptureStatistics, corrupt, MOST_FRAME_BYTES, viewOf } from './capture.ts';

interface Interface {
  readonly linkType: number;
  /** Captured bytes of a frame at most; 0: no bound. */
  readonly snapBytes: number;
  readonly unitsPerSecond: bigint;
  readonly offsetMs: number;
}

const SECTION = 0x0a0d0d0a;
const INTERFACE = 1;
/** Obsolete; as the enhanced one but for 16 bits each of interface and drops. */
const PACKET = 2;
const SIMPLE_PACKET = 3;
const ENHANCED_PACKET = 6;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const MOST_INTERFACES = 65_536;
const MOST_BLOCK_BYTES = 64 * 1024 * 1024;

/** The four bytes of the first block type are read already. */
export function* readPcapng(
  source: ByteSource,
  subject: string | undefined,
  statistics: CaptureStatistics,
): Iterable<CapturedFrame> {
  let isLittle = readSection(source, subject);
  let interfaces: Interface[] = [];
  for (let head = source.read(4); head; head = source.read(4)) {
    const type = viewOf(head).getUint32(0, isLittle);
    if (type === SECTION) {
      // Each section has its own byte order and interfaces.
      isLittle = readSection(source, subject);
      interfaces = [];
      continue;
    }
    const body = readBody(source, isLittle, subject);
    if (!body) {
      statistics.isTruncated = true;
      return;
    }
    if (type === INTERFACE && interfaces.length < MOST_INTERFACES)
      interfaces.push(readInterface(body, isLittle));
    const frame = readPacket(type, body, isLittle, interfaces);
    if (frame) yield frame;
  }
  if (source.rest() > 0) statistics.isTruncated = true;
}

/** Section header behind its type; returns the byte order. */
function readSection(source: ByteSource, subject: string | undefined): boolean {
  const head = source.read(8);
  if (!head) throw corrupt(subject, 'no section header');
  const view = viewOf(head);
  const isLittle = view.getUint32(4, true) === BYTE_ORDER_MAGIC;
  if (!isLittle && view.getUint32(4) !== BYTE_ORDER_MAGIC) throw corrupt(subject, 'unknown byte order');
  const length = view.getUint32(0, isLittle);
  if (length < 28 || length > MOST_BLOCK_BYTES || length % 4 !== 0 || !source.read(length - 12))
    throw corrupt(subject, 'section header');
  return isLittle;
}

/** The body of a block whose type was read; undefined where the file ends inside it. */
function readBody(source: ByteSource, isLittle: boolean, subject: string | undefined): DataView | undefined {
  const head = source.read(4);
  if (!head) return undefined;
  const length = viewOf(head).getUint32(0, isLittle);
  if (length < 12 || length > MOST_BLOCK_BYTES || length % 4 !== 0)
    throw corrupt(subject, `a block of ${length} bytes`);
  const rest = source.read(length - 8);
  return rest && viewOf(rest.subarray(0, length - 12));
}

/** Its frames are counted and not read. */
const NO_INTERFACE: Interface = { linkType: -1, snapBytes: 0, unitsPerSecond: 1_000_000n, offsetMs: 0 };

function readInterface(body: DataView, isLittle: boolean): Interface {
  if (body.byteLength < 8) return NO_INTERFACE;
  let unitsPerSecond = 1_000_000n;
  let offsetMs = 0;
  for (let offset = 8; offset + 4 <= body.byteLength; ) {
    const code = body.getUint16(offset, isLittle);
    const length = body.getUint16(offset + 2, isLittle);
    const value = offset + 4;
    if (code === 0 || value + length > body.byteLength) break;
    if (code === 9 && length === 1) unitsPerSecond = resolution(body.getUint8(value));
    if (code === 14 && length === 8) offsetMs = Number(body.getBigInt64(value, isLittle)) * 1000;
    offset = value + Math.ceil(length / 4) * 4;
  }
  return {
    linkType: body.getUint16(0, isLittle),
    snapBytes: body.getUint32(4, isLittle),
    unitsPerSecond,
    offsetMs,
  };
}

/** if_tsresol: a power of ten, or of two where the top bit is set. */
const resolution = (value: number): bigint =>
  value & 0x80 ? 2n ** BigInt(value & 0x7f) : 10n ** BigInt(value);

function timeMs(units: bigint, { unitsPerSecond, offsetMs }: Interface): number {
  const fraction = Number(units % unitsPerSecond) / Number(unitsPerSecond);
  return offsetMs + Number(units / unitsPerSecond) * 1000 + fraction * 1000;
}

function readPacket(
  type: number,
  body: DataView,
  isLittle: boolean,
  interfaces: readonly Interface[],
): CapturedFrame | undefined {
  if (type !== ENHANCED_PACKET && type !== PACKET && type !== SIMPLE_PACKET) return undefined;
  const isSimple = type === SIMPLE_PACKET;
  const start = isSimple ? 4 : 20;
  if (body.byteLength < start) return undefined;
  const index = isSimple ? 0 : type === PACKET ? body.getUint16(0, isLittle) : body.getUint32(0, isLittle);
  const origin = interfaces[index] ?? NO_INTERFACE;
  const stated = body.getUint32(isSimple ? 0 : 12, isLittle);
  // A simple packet block states the length on the wire; what was captured of it follows from the interface.
  const captured = isSimple && origin.snapBytes > 0 ? Math.min(stated, origin.snapBytes) : stated;
  const byteCount = Math.min(captured, body.byteLength - start, MOST_FRAME_BYTES);
  const units = isSimple
    ? 0n
    : (BigInt(body.getUint32(4, isLittle)) << 32n) | BigInt(body.getUint32(8, isLittle));
  return {
    // A simple packet block has no time.
    atMs: isSimple ? 0 : timeMs(units, origin),
    linkType: origin.linkType,
    bytes: new Uint8Array(body.buffer, body.byteOffset + start, byteCount),
  };
}
