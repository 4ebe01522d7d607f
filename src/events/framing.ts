// the bytes of one TCP connection -> messages (RFC 6587: octet counting and non-transparent framing, told apart message by message)

export interface FrameReader {
  /** The next bytes, cut anywhere. */
  push(chunk: Uint8Array): void;
  /** What is left when the connection closes counts as a message. */
  end(): void;
}

/** A copy without the line end, cut to the bound; `isTruncated` where it was longer or the connection broke off within. */
export type FrameSink = (message: Buffer, isTruncated: boolean) => void;

/** RFC 6587 section 3.4.1 sets no bound on MSG-LEN; beyond this it is no syslog. */
const MAX_COUNT_DIGITS = 8;
const NEWLINE = 10;
const RETURN = 13;
const SPACE = 32;
const DIGIT_ZERO = 48;
const DIGIT_NINE = 57;
const LESS_THAN = 60;

type State = 'start' | 'count' | 'counted-first' | 'counted' | 'line';

/** At most `maxBytes` of a message are held; the rest is passed over. */
export function createFrameReader(maxBytes: number, sink: FrameSink): FrameReader {
  let state: State = 'start';
  let digits = '';
  let left = 0;
  let parts: Buffer[] = [];
  let held = 0;
  let isTruncated = false;

  const keep = (bytes: Uint8Array) => {
    const room = maxBytes - held;
    if (bytes.length > room) isTruncated = true;
    if (room <= 0 || bytes.length === 0) return;
    // A copy: the socket's buffer is used again.
    const part = Buffer.from(bytes.subarray(0, room));
    parts.push(part);
    held += part.length;
    // Bytes that trickle in one by one must not become as many buffers.
    if (parts.length >= 256) parts = [Buffer.concat(parts)];
  };
  const emit = () => {
    let message = parts.length === 1 ? parts[0] : Buffer.concat(parts);
    while (message.length > 0 && isTrailer(message[message.length - 1])) message = message.subarray(0, -1);
    const wasTruncated = isTruncated;
    state = 'start';
    digits = '';
    parts = [];
    held = 0;
    isTruncated = false;
    if (message.length > 0) sink(message, wasTruncated);
  };
  /** What looked like a count was the start of a line. */
  const becomeLine = (text: string) => {
    keep(Buffer.from(text, 'latin1'));
    state = 'line';
  };
  /** One byte of what decides about the framing; returns false where the byte is to be looked at again in the new state. */
  const decide = (byte: number): boolean => {
    if (state === 'start') {
      if (isTrailer(byte)) return true;
      // SYSLOG-FRAME = MSG-LEN SP SYSLOG-MSG, MSG-LEN = NONZERO-DIGIT *DIGIT
      state = byte > DIGIT_ZERO && byte <= DIGIT_NINE ? 'count' : 'line';
      return false;
    }
    if (state === 'count') {
      if (byte >= DIGIT_ZERO && byte <= DIGIT_NINE && digits.length < MAX_COUNT_DIGITS) {
        digits += String.fromCharCode(byte);
        return true;
      }
      if (byte === SPACE) {
        state = 'counted-first';
        return true;
      }
      becomeLine(digits);
      return false;
    }
    if (byte === LESS_THAN) {
      state = 'counted';
      left = Number(digits);
    } else becomeLine(`${digits} `);
    return false;
  };

  const push = (chunk: Uint8Array): void => {
    let at = 0;
    while (at < chunk.length) {
      if (state === 'counted') {
        const until = Math.min(chunk.length, at + left);
        keep(chunk.subarray(at, until));
        left -= until - at;
        at = until;
        if (left === 0) emit();
      } else if (state === 'line') {
        const newline = chunk.indexOf(NEWLINE, at);
        const until = newline < 0 ? chunk.length : newline;
        keep(chunk.subarray(at, until));
        at = until + 1;
        if (newline >= 0) emit();
      } else if (decide(chunk[at])) at++;
    }
  };
  const end = () => {
    if (state === 'count') becomeLine(digits);
    if (state === 'counted-first') becomeLine(`${digits} `);
    if (state === 'counted') isTruncated = true;
    emit();
  };
  return { push, end };
}

/** Some senders end messages with NUL or add a line end to a counted one. */
const isTrailer = (byte: number) => byte === NEWLINE || byte === RETURN || byte === 0;
