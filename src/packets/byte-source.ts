// a file or bytes in memory -> consecutive pieces, with bounded memory
import { closeSync, openSync, readSync } from 'node:fs';
import { PosternError } from '../model/errors.ts';

export interface ByteSource {
  /** The next `length` bytes, or undefined where fewer are left. What was returned stays valid. */
  read(length: number): Uint8Array | undefined;
  /** The next bytes, at most `length` of them, without taking them. */
  peek(length: number): Uint8Array;
  /** Bytes left behind the last piece when read() found too few; 0 at a clean end. */
  rest(): number;
  close(): void;
}

const CHUNK_BYTES = 1024 * 1024;

/** `-` is standard input. */
export function openBytes(input: Uint8Array | string): ByteSource {
  return typeof input === 'string' ? fileSource(input) : memorySource(input);
}

function memorySource(bytes: Uint8Array): ByteSource {
  let offset = 0;
  return {
    read(length) {
      if (offset + length > bytes.length) return undefined;
      offset += length;
      return bytes.subarray(offset - length, offset);
    },
    peek: (length) => bytes.subarray(offset, offset + length),
    rest: () => bytes.length - offset,
    close() {},
  };
}

/** Throws PosternError 'file-unreadable'. */
function fileSource(path: string): ByteSource {
  const file = path === '-' ? 0 : attempt(path, () => openSync(path, 'r'));
  let chunk = new Uint8Array(0);
  let offset = 0;
  const fill = (length: number): boolean => {
    // A new buffer each time: earlier pieces may still be looked at.
    const next = new Uint8Array(Math.max(length, CHUNK_BYTES));
    let filled = chunk.length - offset;
    next.set(chunk.subarray(offset));
    while (filled < length) {
      const count = attempt(path, () => readSome(file, next, filled));
      if (count === 0) break;
      filled += count;
    }
    chunk = next.subarray(0, filled);
    offset = 0;
    return filled >= length;
  };
  return {
    read(length) {
      if (offset + length > chunk.length && !fill(length)) return undefined;
      offset += length;
      return chunk.subarray(offset - length, offset);
    },
    peek(length) {
      if (offset + length > chunk.length) fill(length);
      return chunk.subarray(offset, offset + length);
    },
    rest: () => chunk.length - offset,
    close() {
      if (file !== 0) closeSync(file);
    },
  };
}

const WAIT_MS = 20;

/** A pipe that is not blocking has nothing to read until its writer writes. */
function readSome(file: number, into: Uint8Array, offset: number): number {
  while (true) {
    try {
      return readSync(file, into, offset, into.length - offset, null);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAIT_MS);
    }
  }
}

function attempt<T>(path: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    throw new PosternError('file-unreadable', `cannot read ${path}: ${(cause as Error).message}`, {
      subject: path,
      cause,
    });
  }
}
