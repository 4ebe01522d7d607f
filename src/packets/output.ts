// lines -> a stream, in large pieces, no faster than it takes them
import type { Writable } from 'node:stream';

export interface Output {
  write(lines: string): Promise<void>;
  end(): Promise<void>;
  /** The reader went away (`| head`): nothing more needs writing. */
  isClosed(): boolean;
}

const PIECE_CHARACTERS = 64 * 1024;

export function createOutput(stream: Writable): Output {
  let pending = '';
  let closed = false;
  const onError = (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    closed = true;
  };
  stream.on('error', onError);
  const flush = async () => {
    const piece = pending;
    pending = '';
    if (closed || piece === '') return;
    // The callback comes with an error too; that one is handled above.
    await new Promise<void>((resolve) => stream.write(piece, () => resolve()));
  };
  return {
    async write(lines) {
      pending += lines;
      if (pending.length >= PIECE_CHARACTERS) await flush();
    },
    async end() {
      await flush();
      // stdout stays open; what is written is out before the listener goes.
      await new Promise<void>((resolve) => {
        if (closed) resolve();
        else stream.write('', () => resolve());
      });
      stream.off('error', onError);
    },
    isClosed: () => closed,
  };
}
