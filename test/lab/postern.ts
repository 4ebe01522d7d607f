// a namespace -> Postern in it, started as a user would, and its API
import type { ChildProcess } from 'node:child_process';
import { request } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Network } from './network.ts';
import { waitFor } from './processes.ts';

const POSTERN = fileURLToPath(new URL('../../src/postern.mjs', import.meta.url));
const API_PORT = 8080;
const START_TIMEOUT_MS = 60_000;

export interface Postern {
  /** JSON in and out. Throws where the status is 400 or above. */
  api<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<T>;
  /** Resolves when it is ready. */
  start(): Promise<void>;
  /** kill -9 of the one process: what it started is left behind. */
  kill(): Promise<void>;
  log(): string;
}

/** The API is reached through `api.sock`, and what listens at `hook.sock` answers at 127.0.0.1:9000 in the namespace. */
export function createPostern(network: Network, netns: string, settings: Record<string, string>): Postern {
  const { daemons, folder } = network;
  const apiSocket = join(folder, 'api.sock');
  const environment = {
    PATH: process.env.PATH,
    POSTERN_DATA: join(folder, 'data'),
    ...settings,
  };
  let child: ChildProcess | undefined;
  let key = '';
  daemons.start('relay-api', ['socat', `UNIX-LISTEN:${apiSocket},fork`, `TCP:127.0.0.1:${API_PORT}`], {
    netns,
  });
  daemons.start(
    'relay-hook',
    ['socat', 'TCP-LISTEN:9000,bind=127.0.0.1,fork,reuseaddr', `UNIX-CONNECT:${join(folder, 'hook.sock')}`],
    { netns },
  );
  const api = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const { status, text } = await exchange(apiSocket, method, path, key, body);
    if (status >= 400) throw new Error(`${method} ${path}: ${status} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  };
  return {
    api,
    log: () => daemons.log('postern'),
    async start() {
      child = daemons.start('postern', [process.execPath, POSTERN, 'serve'], { netns, env: environment });
      await waitFor(
        'Postern to be ready',
        async () => {
          if (child?.exitCode !== null) throw new Error(daemons.log('postern'));
          return (await exchange(apiSocket, 'GET', '/readyz', '')).status === 200;
        },
        START_TIMEOUT_MS,
      );
      key = await waitFor('the admin key', () => /postern_[\w-]{43}/.exec(daemons.log('postern'))?.[0], 2000);
    },
    async kill() {
      child?.kill('SIGKILL');
      await waitFor('Postern to be gone', () => child?.signalCode !== null, 5000);
    },
  };
}

function exchange(
  socketPath: string,
  method: string,
  path: string,
  key: string,
  body?: unknown,
): Promise<{ status: number; text: string }> {
  return new Promise((settle, reject) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      host: '127.0.0.1',
      ...(key && { authorization: `Bearer ${key}` }),
      ...(text !== undefined && {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(text),
      }),
    };
    const asked = request(
      { socketPath, method, path, headers, agent: false, timeout: 10_000 },
      async (answer) => {
        const parts = await answer.toArray().catch((error) => reject(error));
        if (parts) settle({ status: answer.statusCode ?? 0, text: Buffer.concat(parts).toString() });
      },
    );
    asked.on('timeout', () => asked.destroy(new Error('the API does not answer')));
    asked.on('error', reject);
    asked.end(text);
  });
}
