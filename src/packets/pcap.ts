// pcap or pcapng, file or bytes -> UDP datagrams and IPFIX messages over TCP, one after another in bounded memory
import { PosternError } from '../model/errors.ts';
import { type ByteSource, openBytes } from './byte-source.ts';
import {
  type CapturedFrame,
  type CaptureStatistics,
  corrupt,
  createCaptureStatistics,
  MOST_FRAME_BYTES,
  viewOf,
} from './capture.ts';
import { createFragments } from './fragments.ts';
import { readFrame, type UdpDatagram } from './frames.ts';
import { readPcapng } from './pcapng.ts';
import { createTcpStreams, type TcpSegment } from './tcp-streams.ts';

export interface CapturedDatagram extends UdpDatagram {
  /** Epoch milliseconds, with a fraction where the capture is finer. */
  readonly atMs: number;
  /** Over TCP: tells the connections of the same addresses and ports apart. */
  readonly connection?: number;
}

const PCAPNG = 0x0a0d0d0a;
/** Fractions of a second in one unit of the time stamp, by magic number as read in big-endian order. */
const PCAP_MAGIC: Readonly<Record<number, { perSecond: number; isLittle: boolean }>> = {
  2712847316: { perSecond: 1e6, isLittle: false }, // a1b2c3d4
  2712812621: { perSecond: 1e9, isLittle: false }, // a1b23c4d
  3569595041: { perSecond: 1e6, isLittle: true }, // d4c3b2a1
  1295823521: { perSecond: 1e9, isLittle: true }, // 4d3cb2a1
};

/** True where the first four bytes are those of a capture. */
export function isCapture(bytes: Uint8Array): boolean {
  if (bytes.length < 4) return false;
  const magic = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  return magic === PCAPNG || PCAP_MAGIC[magic] !== undefined;
}

/** As readCapture, from a file. */
export function readCaptureFile(path: string, statistics?: CaptureStatistics): Iterable<CapturedDatagram> {
  return readCapture(path, statistics);
}

/**
 * UDP datagrams, and IPFIX messages over TCP when they are whole, in the file's order. A file that ends inside a frame yields
 * what came before and sets isTruncated. Throws PosternError 'file-unreadable', 'capture-format' where it is no capture,
 * 'capture-corrupt' where lengths make no sense.
 */
export function* readCapture(
  input: Uint8Array | string,
  statistics: CaptureStatistics = createCaptureStatistics(),
): Iterable<CapturedDatagram> {
  const source = openBytes(input);
  try {
    yield* readCaptureFrom(source, typeof input === 'string' ? input : undefined, statistics);
  } finally {
    source.close();
  }
}

/** As readCapture; the source stays open. Statistics add up over several captures. */
export function* readCaptureFrom(
  source: ByteSource,
  subject: string | undefined,
  statistics: CaptureStatistics,
): Iterable<CapturedDatagram> {
  const fragments = createFragments();
  const streams = createTcpStreams();
  try {
    for (const { linkType, bytes, atMs } of readFrames(source, subject, statistics)) {
      statistics.frames++;
      const result = readFrame(linkType, bytes, atMs, fragments);
      if (result === 'other') statistics.other++;
      else if (result === 'snapped') statistics.snapped++;
      else if (result === 'fragment') statistics.fragments++;
      else if ('payload' in result) {
        statistics.datagrams++;
        yield { atMs, ...result };
      } else {
        const { source: from, sourcePort, destination, destinationPort } = result;
        const messages = streams.add(result);
        if (!messages) statistics.other++;
        if (beginsTls(result)) statistics.encrypted++;
        for (const message of messages ?? []) {
          statistics.datagrams++;
          yield { atMs, source: from, sourcePort, destination, destinationPort, ...message };
        }
      }
    }
  } finally {
    statistics.fragmentsLost += fragments.lost();
    statistics.streamGaps += streams.lost();
  }
}

/** iana.org/assignments/service-names-port-numbers: ipfixs. */
const IPFIX_TLS_PORT = 4740;

/** RFC 8446 sections 5.1 and 4: a handshake record with a ClientHello. */
const beginsTls = ({ destinationPort, segment }: TcpSegment): boolean =>
  destinationPort === IPFIX_TLS_PORT && segment[0] === 22 && segment[1] === 3 && segment[5] === 1;

function readFrames(
  source: ByteSource,
  subject: string | undefined,
  statistics: CaptureStatistics,
): Iterable<CapturedFrame> {
  const head = source.read(4);
  const magic = head ? viewOf(head).getUint32(0) : 0;
  if (magic === PCAPNG) return readPcapng(source, subject, statistics);
  const format = PCAP_MAGIC[magic];
  const header = source.read(20);
  if (!format || !header)
    throw new PosternError('capture-format', `not a pcap or pcapng file: ${subject ?? 'input'}`, { subject });
  // The upper bits of the link type say whether frames end in a checksum.
  const linkType = viewOf(header).getUint32(16, format.isLittle) & 0xffff;
  return readPcap(source, linkType, format, subject, statistics);
}

/** pcap-savefile(5). */
function* readPcap(
  source: ByteSource,
  linkType: number,
  { perSecond, isLittle }: { perSecond: number; isLittle: boolean },
  subject: string | undefined,
  statistics: CaptureStatistics,
): Iterable<CapturedFrame> {
  for (let header = source.read(16); header; header = source.read(16)) {
    const view = viewOf(header);
    const atMs = view.getUint32(0, isLittle) * 1000 + (view.getUint32(4, isLittle) * 1000) / perSecond;
    const byteCount = view.getUint32(8, isLittle);
    if (byteCount > MOST_FRAME_BYTES) throw corrupt(subject, `a frame of ${byteCount} bytes`);
    const bytes = source.read(byteCount);
    if (!bytes) {
      statistics.isTruncated = true;
      return;
    }
    yield { atMs, linkType, bytes };
  }
  if (source.rest() > 0) statistics.isTruncated = true;
}
