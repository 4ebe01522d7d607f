// a folder -> held by this process alone, until it ends in whatever way
import { closeSync, openSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { PosternError } from '../model/errors.ts';

/**
 * The lock is a listening Unix socket: the kernel drops it with its process, kill -9 included, and it holds across containers
 * that share the folder, which a process number would not. Resolves to the function that gives it up.
 */
export async function holdLock(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, 'lock');
  for (let attempt = 0; attempt < 3; attempt++) {
    const server = await listen(folder);
    if (server) {
      // After a takeover somebody else may have taken over too, a moment later: the one whose socket stays is the holder.
      if (attempt > 0 && !(await stillHeld(folder))) continue;
      return () =>
        new Promise((done) => {
          server.close(() => done());
        });
    }
    const holder = await ask(folder);
    if (holder !== undefined) {
      throw new PosternError(
        'folder-in-use',
        `the data folder ${folder} is in use by another Postern${holder ? ` (process ${holder})` : ''}: stop it, or set POSTERN_DATA`,
        { subject: folder },
      );
    }
    rmSync(path, { force: true });
  }
  throw new PosternError('folder-in-use', `the data folder ${folder} is being opened by another Postern`);
}

async function stillHeld(folder: string): Promise<boolean> {
  await setTimeout(100);
  return (await ask(folder)) === String(process.pid);
}

/** Socket addresses hold 107 bytes, so a long folder is reached through its descriptor where the system has /proc. */
function shortName(folder: string): { name: string; close: () => void } {
  const plain = join(folder, 'lock');
  if (Buffer.byteLength(plain) < 100 || process.platform !== 'linux') return { name: plain, close: () => {} };
  const descriptor = openSync(folder, 'r');
  return { name: `/proc/self/fd/${descriptor}/lock`, close: () => closeSync(descriptor) };
}

async function listen(folder: string): Promise<Server | undefined> {
  const { name, close } = shortName(folder);
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.end(`${process.pid}\n`);
  });
  server.unref();
  const outcome = await new Promise<NodeJS.ErrnoException | undefined>((settle) => {
    server.once('error', settle);
    server.listen(name, () => settle(undefined));
  });
  if (!outcome) {
    server.once('close', close);
    return server;
  }
  close();
  if (outcome.code === 'EADDRINUSE') return undefined;
  throw new PosternError(
    'folder-not-writable',
    `the data folder ${folder} cannot hold a lock (${outcome.code})`,
    {
      subject: folder,
      cause: outcome,
    },
  );
}

/** The holder's process number, '' where it does not answer in time, undefined where nobody listens. */
async function ask(folder: string): Promise<string | undefined> {
  const { name, close } = shortName(folder);
  const answer = await new Promise<string | undefined>((settle) => {
    const socket = connect(name);
    let text = '';
    socket.setTimeout(1000, () => settle(text.trim()));
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1').slice(0, 20);
    });
    socket.on('end', () => settle(text.trim()));
    socket.on('error', () => settle(undefined));
    socket.on('close', () => settle(text.trim()));
  });
  close();
  return answer;
}
