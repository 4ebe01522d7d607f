// command line -> the running service, until a signal
import { parseArgs } from 'node:util';
import type { FastifyInstance } from 'fastify';
import { createApp } from './app.ts';
import { type Command, UsageError } from './model/command.ts';
import { PosternError } from './model/errors.ts';
import { setThreadPriority } from './model/thread-priority.ts';
import { loadSettings, type Settings, settingsHelp } from './settings.ts';
import { anyKey, createKey } from './store/postgres/api-keys.ts';

const STOP_TIMEOUT_MS = 9500;
/** Answers take milliseconds and need not wait for merges and large queries; the sockets (flows/thread.ts) still come first. */
const AHEAD = -5;

const help = `postern serve [--data FOLDER] [--roles LIST] [--api-host ADDRESS] [--api-port PORT]

Runs the service until SIGTERM or SIGINT; a second signal ends it at once.

  --data FOLDER       same as POSTERN_DATA
  --roles LIST        same as POSTERN_ROLES
  --api-host ADDRESS  same as POSTERN_API_HOST
  --api-port PORT     same as POSTERN_API_PORT

Settings are environment variables, with their defaults in brackets:

${settingsHelp()}`;

async function run(args: readonly string[]): Promise<number> {
  const signalled = watchSignals();
  const settings = loadSettings(undefined, overrides(args));
  let fail = (_error: Error) => {};
  const failed = new Promise<never>((_, reject) => {
    fail = (error) => {
      // Said now: without what failed, stopping in order may take longer than there is time for.
      app.log.fatal({ code: (error as { code?: string }).code }, error.message);
      reject(error);
    };
  });
  failed.catch(() => {});
  const app = await createApp({ settings, onFatal: (error) => fail(error) });
  try {
    await listen(app, settings);
    await greet(app);
    setThreadPriority(AHEAD);
    await Promise.race([signalled, failed]);
    app.log.info({}, 'stopping');
  } finally {
    await close(app);
  }
  return 0;
}

function overrides(args: readonly string[]): Record<string, string | undefined> {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        data: { type: 'string' },
        roles: { type: 'string' },
        'api-host': { type: 'string' },
        'api-port': { type: 'string' },
      },
    });
    return {
      POSTERN_DATA: values.data,
      POSTERN_ROLES: values.roles,
      POSTERN_API_HOST: values['api-host'],
      POSTERN_API_PORT: values['api-port'],
    };
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** Ctrl-C under npm arrives twice, from the terminal and from npm: that is one signal. */
const SAME_SIGNAL_MS = 1000;

/** The handlers stand before anything opens, so that a signal during the start is not lost. */
function watchSignals(): Promise<void> {
  return new Promise((received) => {
    let firstAt: number | undefined;
    const handle = (signal: NodeJS.Signals) => {
      firstAt ??= performance.now();
      if (performance.now() - firstAt > SAME_SIGNAL_MS) process.exit(signal === 'SIGINT' ? 130 : 143);
      received();
    };
    process.on('SIGTERM', handle);
    process.on('SIGINT', handle);
  });
}

async function listen(app: FastifyInstance, settings: Settings): Promise<void> {
  if (!settings.POSTERN_ROLES.includes('api')) {
    await app.ready();
    return;
  }
  const { POSTERN_API_HOST: host, POSTERN_API_PORT: port } = settings;
  try {
    await app.listen({ host, port });
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (syscall !== 'listen' && syscall !== 'getaddrinfo') throw error;
    throw new PosternError(
      'port-not-free',
      `the API cannot listen on ${host} port ${port}: ${LISTEN_FAULTS[code!] ?? code}`,
      {
        cause: error,
      },
    );
  }
}

const LISTEN_FAULTS: Record<string, string> = {
  EADDRINUSE: 'another program has it; stop that or set POSTERN_API_PORT',
  EACCES: 'this user may not; set POSTERN_API_PORT to 1024 or above',
  ENOTFOUND: 'there is no such host; set POSTERN_API_HOST',
  EAI_AGAIN: 'its name cannot be resolved now; set POSTERN_API_HOST',
  EADDRNOTAVAIL: 'this machine does not have the address; set POSTERN_API_HOST',
};

/** The first start names the administrator's key, once; it is kept as a hash. */
async function greet(app: FastifyInstance): Promise<void> {
  const { settings, postgres, now } = app.services;
  if (!settings.POSTERN_ROLES.includes('api'))
    return say(`Postern runs: ${settings.POSTERN_ROLES.join(', ')}`);
  const address = app.server.address() as { port: number };
  const host = settings.POSTERN_API_HOST.includes(':')
    ? `[${settings.POSTERN_API_HOST}]`
    : settings.POSTERN_API_HOST;
  await say(`Postern listens on http://${host}:${address.port}`);
  if (await anyKey(postgres)) return;
  // Said before it is kept: killed in between, the next start says another. The other way round nobody could ever come in.
  await postgres.transaction().execute(async (transaction) => {
    const { key } = await createKey(transaction, 'first administrator', 'admin', now());
    await say(`Admin key, shown only this once: ${key}`);
  });
}

function say(line: string): Promise<void> {
  return new Promise((said, failed) => {
    process.stdout.write(`${line}\n`, (error) => (error ? failed(error) : said()));
  });
}

async function close(app: FastifyInstance): Promise<void> {
  const timer = setTimeout(() => {
    app.log.error({}, 'stopping took too long');
    process.exit(1);
  }, STOP_TIMEOUT_MS);
  await app.close();
  clearTimeout(timer);
}

export const command: Command = { name: 'serve', summary: 'run the service', help, run };
