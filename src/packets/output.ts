// lines -> a stream, in large pieces, no faster than it takes them
import { once } from 'node:events';
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
    if (!stream.write(piece))
      await Promise.race([once(stream, 'drain').catch(() => {}), once(stream, 'close')]);
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
