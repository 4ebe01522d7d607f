// the data folder -> a PostgreSQL server of this instance alone, reached through a Unix socket
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { PosternError } from '../../model/errors.ts';
import type { Owner } from '../folder.ts';
import { keptText } from '../kept-file.ts';
import { type Binaries, findBinaries } from './binaries.ts';

export interface EmbeddedPostgres {
  /** For pg.Pool. */
  readonly connection: { host: string; port: number; user: string; password: string; database: string };
  readonly pid: number;
  /** Ends the server within 8 s, whatever is connected. */
  readonly stop: () => Promise<void>;
  /** Settles when the server ended without being asked to. */
  readonly died: Promise<void>;
}

const PORT = 5432;
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 6000;
/** PostgreSQL takes its messages' language and collation from these and nothing else from this process. */
const ENVIRONMENT = { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8', TZ: 'UTC' };

/**
 * Makes the cluster on first use and starts it. The data folder's lock must be held: a server that a killed instance left
 * behind is ended first. Throws PosternError 'postgres-start'.
 */
export async function startEmbedded(folder: string, owner: Owner | undefined): Promise<EmbeddedPostgres> {
  const cluster = join(folder, 'postgres');
  const binaries = findBinaries(folder, owner);
  const password = keptText(join(folder, 'postgres.password'), () => randomBytes(24).toString('base64url'));
  if (existsSync(join(cluster, 'PG_VERSION'))) await endOrphan(cluster);
  else await initialise(binaries, cluster, password, owner);
  const socketFolder = makeSocketFolder(cluster, owner);
  const log = join(folder, 'postgres.log');
  const child = spawnServer(binaries, cluster, socketFolder, log, owner);
  const connection = { host: socketFolder, port: PORT, user: 'postern', password, database: 'postgres' };
  let stopping = false;
  const exited = new Promise<void>((settle) => {
    child.once('exit', () => settle());
    child.once('error', () => settle());
  });
  await waitUntilReady(child, connection, log);
  child.unref();
  return {
    connection,
    pid: child.pid!,
    died: new Promise((settle) => {
      void exited.then(() => {
        if (!stopping) settle();
      });
    }),
    async stop() {
      stopping = true;
      child.ref();
      child.kill('SIGINT');
      const timer = setTimeout(() => child.kill('SIGQUIT'), STOP_TIMEOUT_MS);
      await exited;
      clearTimeout(timer);
      if (!socketFolder.startsWith(cluster)) rmSync(socketFolder, { recursive: true, force: true });
    },
  };
}

/** Made beside its place and moved there when complete, so that a kill half-way leaves nothing to trip over. */
async function initialise(
  binaries: Binaries,
  cluster: string,
  password: string,
  owner?: Owner,
): Promise<void> {
  const partial = `${cluster}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { mode: 0o700 });
  const passwordFile = join(partial, 'password');
  if (owner) chownSync(partial, owner.uid, owner.gid);
  // initdb wants an empty folder, so the cluster is one level below.
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  if (owner) chownSync(passwordFile, owner.uid, owner.gid);
  const made = join(partial, 'cluster');
  const child = spawn(
    binaries.initdb,
    [
      `--pgdata=${made}`,
      '--auth=scram-sha-256',
      '--username=postern',
      `--pwfile=${passwordFile}`,
      '--encoding=UTF8',
      '--locale=C.UTF-8',
      '--no-sync',
      '--no-instructions',
    ],
    { ...owner, cwd: partial, env: ENVIRONMENT, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let complaint = '';
  child.stderr.on('data', (chunk) => {
    complaint = (complaint + chunk).slice(-2000);
  });
  const outcome = await new Promise<string>((settle) => {
    child.once('error', (error) => settle(error.message));
    child.once('close', (code) => settle(code === 0 ? '' : complaint.trim().split('\n').join(' ')));
  });
  if (outcome)
    throw new PosternError('postgres-start', `PostgreSQL could not be set up in ${cluster}: ${outcome}`);
  renameSync(made, cluster);
  rmSync(partial, { recursive: true, force: true });
}

/** Socket names hold 107 bytes: in the cluster where that is short enough, else in the system's temporary folder. */
function makeSocketFolder(cluster: string, owner?: Owner): string {
  const own = join(cluster, 'socket');
  const short = Buffer.byteLength(join(own, `.s.PGSQL.${PORT}.lock`)) < 100;
  if (short) mkdirSync(own, { recursive: true, mode: 0o700 });
  const path = short ? own : mkdtempSync(join(tmpdir(), 'postern-'));
  if (owner) chownSync(path, owner.uid, owner.gid);
  return path;
}

function spawnServer(
  binaries: Binaries,
  cluster: string,
  socketFolder: string,
  log: string,
  owner?: Owner,
): ChildProcess {
  const settings = [
    'listen_addresses=',
    `unix_socket_directories=${socketFolder}`,
    `port=${PORT}`,
    'max_connections=100',
    'shared_buffers=64MB',
    'max_wal_size=256MB',
    'log_min_messages=warning',
    'timezone=UTC',
  ];
  const output = openSync(log, 'w', 0o600);
  const child = spawn(binaries.postgres, ['-D', cluster, ...settings.flatMap((setting) => ['-c', setting])], {
    ...owner,
    cwd: cluster,
    env: ENVIRONMENT,
    stdio: ['ignore', output, output],
    // A group of its own: Ctrl-C in a terminal goes to this process alone, which then stops things in order.
    detached: true,
  });
  closeSync(output);
  return child;
}

async function waitUntilReady(
  child: ChildProcess,
  connection: EmbeddedPostgres['connection'],
  log: string,
): Promise<void> {
  const endAt = performance.now() + START_TIMEOUT_MS;
  let failure: Error | undefined;
  child.once('error', (error) => {
    failure = error;
  });
  for (;;) {
    const client = new pg.Client(connection);
    client.on('error', () => {});
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      const ended = failure || child.exitCode !== null || child.signalCode !== null;
      if (!ended && performance.now() < endAt) {
        await sleep(25);
        continue;
      }
      child.kill('SIGQUIT');
      const reason = failure?.message ?? (lastLine(log) || (error as Error).message);
      throw new PosternError('postgres-start', `PostgreSQL did not start: ${reason} (see ${log})`, {
        cause: error,
      });
    }
  }
}

function lastLine(file: string): string {
  return readFileSync(file, 'utf8').trim().split('\n').at(-1)!.slice(0, 300);
}

/** The lock on the data folder is ours, so a server that still runs on the cluster belongs to nobody. */
async function endOrphan(cluster: string): Promise<void> {
  const file = join(cluster, 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
  if (!Number.isInteger(pid) || pid <= 1 || !servesCluster(pid, cluster)) return;
  for (const [signal, waitMs] of [
    ['SIGINT', STOP_TIMEOUT_MS],
    ['SIGQUIT', 3000],
    ['SIGKILL', 3000],
  ] as const) {
    process.kill(pid, signal);
    for (const endAt = performance.now() + waitMs; performance.now() < endAt; await sleep(20)) {
      if (!servesCluster(pid, cluster)) return;
    }
  }
  throw new PosternError(
    'postgres-start',
    `a PostgreSQL of an earlier start (process ${pid}) does not end: end it`,
  );
}

/** The number in a left-over file may be another program's by now: PostgreSQL works inside its cluster. */
function servesCluster(pid: number, cluster: string): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || readlinkSync(`/proc/${pid}/cwd`) === realpathSync(cluster);
  } catch {
    return false;
  }
}
