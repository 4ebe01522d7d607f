// TCP segments of a capture -> the IPFIX messages in them, in bounded memory (RFC 7011 section 10.4)

/** One direction of a connection is a stream of its own. */
export interface TcpSegment {
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
  readonly sequence: number;
  readonly isSyn: boolean;
  /** FIN or RST. */
  readonly isEnd: boolean;
  readonly segment: Uint8Array;
}

export interface StreamMessage {
  /** Tells connections of the same addresses and ports apart. */
  readonly connection: number;
  readonly payload: Uint8Array;
}

export interface TcpStreams {
  /** Takes one segment; returns the messages that are whole with it, undefined where its stream is no IPFIX. */
  add(segment: TcpSegment): StreamMessage[] | undefined;
  /** Times that bytes of an IPFIX stream were missing. */
  lost(): number;
}

interface Stream {
  readonly connection: number;
  /** Sequence number of the byte that comes next. */
  next: number;
  /** Before the first whole message, or behind a gap: waits for a segment that a message begins with. */
  isAligned: boolean;
  isIpfix: boolean;
  /** The first bytes of a message that is not whole yet. */
  rest: Uint8Array;
  readonly ahead: Map<number, Uint8Array>;
  aheadBytes: number;
}

const MOST_STREAMS = 1_024;
const MOST_AHEAD_BYTES = 256 * 1024;
const MOST_AHEAD_SEGMENTS = 256;
const IPFIX = 10;
const HEADER_BYTES = 16;
const NOTHING = new Uint8Array(0);

export function createTcpStreams(): TcpStreams {
  const streams = new Map<string, Stream>();
  let connections = 0;
  let lost = 0;
  const open = (key: string, next: number, isAligned: boolean): Stream => {
    const oldest = streams.size >= MOST_STREAMS ? streams.keys().next().value : undefined;
    if (oldest !== undefined) streams.delete(oldest);
    const stream = {
      connection: ++connections,
      next,
      isAligned,
      isIpfix: false,
      rest: NOTHING,
      ahead: new Map<number, Uint8Array>(),
      aheadBytes: 0,
    };
    streams.set(key, stream);
    return stream;
  };
  const realign = (stream: Stream, next: number) => {
    lost++;
    stream.rest = NOTHING;
    stream.ahead.clear();
    stream.aheadBytes = 0;
    stream.isAligned = false;
    stream.next = next;
  };
  return {
    add({ sequence, isSyn, isEnd, segment, ...ends }) {
      const key = `${ends.source} ${ends.sourcePort} ${ends.destination} ${ends.destinationPort}`;
      if (isSyn) {
        open(key, (sequence + 1) >>> 0, true);
        return undefined;
      }
      if (segment.length === 0 && !isEnd) return streams.get(key)?.isIpfix ? [] : undefined;
      // A capture may begin in the middle of a connection.
      const stream = streams.get(key) ?? (beginsMessage(segment) ? open(key, sequence, true) : undefined);
      if (!stream) return undefined;
      const messages: StreamMessage[] = [];
      if (!take(stream, sequence, segment, messages)) realign(stream, (sequence + segment.length) >>> 0);
      if (isEnd) {
        if (stream.isIpfix && (stream.rest.length > 0 || stream.ahead.size > 0)) lost++;
        streams.delete(key);
      } else if (!stream.isIpfix && stream.rest.length === 0 && stream.ahead.size === 0) streams.delete(key);
      return stream.isIpfix ? messages : undefined;
    },
    lost: () => lost,
  };
}

const word = (bytes: Uint8Array, at: number) => (bytes[at] << 8) | bytes[at + 1];

/** RFC 7011 section 3.1: version, length, and a set that fits behind the header. */
const beginsMessage = (bytes: Uint8Array): boolean =>
  bytes.length >= HEADER_BYTES && word(bytes, 0) === IPFIX && word(bytes, 2) >= HEADER_BYTES;

/** False where bytes are missing for good, or those that follow are no messages. */
function take(stream: Stream, sequence: number, segment: Uint8Array, messages: StreamMessage[]): boolean {
  if (!stream.isAligned) {
    if (!beginsMessage(segment)) return true;
    stream.isAligned = true;
    stream.next = sequence;
  }
  const offset = (sequence - stream.next) | 0;
  if (offset > 0) {
    if (segment.length === 0) return !stream.isIpfix;
    if (stream.ahead.size >= MOST_AHEAD_SEGMENTS || stream.aheadBytes + segment.length > MOST_AHEAD_BYTES)
      return false;
    if (!stream.ahead.has(sequence)) {
      stream.ahead.set(sequence, segment.slice());
      stream.aheadBytes += segment.length;
    }
    return true;
  }
  if (!append(stream, segment, -offset, messages)) return false;
  for (let found = true; found && stream.ahead.size > 0; ) {
    found = false;
    for (const [start, bytes] of stream.ahead) {
      const before = (start - stream.next) | 0;
      if (before > 0) continue;
      stream.ahead.delete(start);
      stream.aheadBytes -= bytes.length;
      found = true;
      if (!append(stream, bytes, -before, messages)) return false;
    }
  }
  return true;
}

/** Appends what is new of a segment, and cuts messages off. */
function append(stream: Stream, segment: Uint8Array, known: number, messages: StreamMessage[]): boolean {
  if (segment.length <= known) return true;
  const bytes = new Uint8Array(Buffer.concat([stream.rest, segment.subarray(known)]));
  stream.next = (stream.next + segment.length - known) >>> 0;
  let at = 0;
  while (at + 4 <= bytes.length) {
    const length = word(bytes, at + 2);
    if (word(bytes, at) !== IPFIX || length < HEADER_BYTES) {
      stream.rest = NOTHING;
      return !stream.isIpfix;
    }
    stream.isIpfix = true;
    if (at + length > bytes.length) break;
    messages.push({ connection: stream.connection, payload: bytes.subarray(at, at + length) });
    at += length;
  }
  stream.rest = bytes.subarray(at);
  return true;
}
