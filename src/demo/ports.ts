// free ports on the loopback, so that the demo meets no service that already runs
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

const ATTEMPTS = 20;

/** A port that is free for UDP and TCP. */
export async function freePort(): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const { port } = socket.address();
    const isFree = await isFreeForTcp(port);
    await new Promise<void>((closed) => socket.close(closed));
    if (isFree || attempt === ATTEMPTS) return port;
  }
}

async function isFreeForTcp(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  await new Promise((closed) => server.close(closed));
  return true;
}
