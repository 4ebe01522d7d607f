// values one by one -> bytes of ClickHouse's binary formats: little-endian numbers, texts behind their length

export interface BlockWriter {
  /** LEB128. */
  varint(value: number): void;
  /** `size` bytes, two's complement; 8 bytes hold what a double holds exactly. */
  integer(value: number, size: number): void;
  text(value: string): void;
  raw(bytes: Uint8Array): void;
  /** All so far; the writer is not used after that. */
  bytes(): Buffer;
}

const FIRST_BYTES = 1 << 20;
const TWO_32 = 2 ** 32;
/** Up to this a loop is quicker than the call that encodes. */
const SHORT = 24;
/** UTF-16 unit -> UTF-8, and a length. */
const BYTES_PER_UNIT = 3;
const VARINT_BYTES = 8;

export function createBlockWriter(): BlockWriter {
  let buffer = Buffer.allocUnsafe(FIRST_BYTES);
  let at = 0;
  const reserve = (byteCount: number): void => {
    if (at + byteCount <= buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(buffer.length * 2, at + byteCount));
    buffer.copy(larger, 0, 0, at);
    buffer = larger;
  };
  const varint = (value: number): void => {
    reserve(VARINT_BYTES);
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) buffer[at++] = (rest % 128) | 128;
    buffer[at++] = rest;
  };
  /** False where it is not all ASCII; nothing is written then. */
  const shortText = (value: string): boolean => {
    const { length } = value;
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code > 127) return false;
      buffer[at + 1 + i] = code;
    }
    buffer[at] = length;
    at += length + 1;
    return true;
  };
  const text = (value: string): void => {
    reserve(value.length * BYTES_PER_UNIT + VARINT_BYTES);
    if (value.length <= SHORT && shortText(value)) return;
    // The length stands in front, but is known only afterwards: the room that it takes is guessed from the units.
    const guess = varintBytes(value.length);
    const byteCount = buffer.write(value, at + guess);
    const needed = varintBytes(byteCount);
    if (needed !== guess) buffer.copyWithin(at + needed, at + guess, at + guess + byteCount);
    varint(byteCount);
    at += byteCount;
  };
  return {
    varint,
    integer: (value, size) => {
      reserve(size);
      const low = value >>> 0;
      for (let i = 0; i < Math.min(size, 4); i++) buffer[at + i] = low >>> (8 * i);
      if (size === 8) {
        const high = Math.floor(value / TWO_32);
        for (let i = 0; i < 4; i++) buffer[at + 4 + i] = high >>> (8 * i);
      }
      at += size;
    },
    text,
    raw: (bytes) => {
      reserve(bytes.length);
      buffer.set(bytes, at);
      at += bytes.length;
    },
    bytes: () => buffer.subarray(0, at),
  };
}

function varintBytes(value: number): number {
  let count = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) count++;
  return count;
}
