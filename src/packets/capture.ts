// what the readers of both capture formats share
import { PosternError } from '../model/errors.ts';

export interface CapturedFrame {
  readonly atMs: number;
  readonly linkType: number;
  readonly bytes: Uint8Array;
}

/** What a capture held that gave no datagram. */
export interface CaptureStatistics {
  frames: number;
  datagrams: number;
  /** Neither UDP nor IPFIX over TCP, or of a link type that is not read. */
  other: number;
  fragments: number;
  fragmentsLost: number;
  /** Cut off by the snap length. */
  snapped: number;
  /** Times that bytes of an IPFIX stream over TCP were missing. */
  streamGaps: number;
  /** Connections of IPFIX over TLS that began: they cannot be read. */
  encrypted: number;
  /** The file ends inside a frame: what came before it was read. */
  isTruncated: boolean;
}

export const createCaptureStatistics = (): CaptureStatistics => ({
  frames: 0,
  datagrams: 0,
  other: 0,
  fragments: 0,
  fragmentsLost: 0,
  snapped: 0,
  streamGaps: 0,
  encrypted: 0,
  isTruncated: false,
});

/** Longer frames than any link has mean a broken file. */
export const MOST_FRAME_BYTES = 256 * 1024;

export const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export const corrupt = (subject: string | undefined, what: string) =>
  new PosternError('capture-corrupt', `corrupt capture ${subject ?? ''}: ${what}`, { subject });
