// names -> network namespaces joined by veth pairs, removed with everything that runs in them
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDaemons, type Daemons, run, waitFor } from './processes.ts';

/** Names hold the process that made them, so that a later run can tell what was left behind. */
const PREFIX = 'plab';
const OURS = new RegExp(`^${PREFIX}(\\d+)[a-z]`);
const FOLDER = new RegExp(`^${PREFIX}-(\\d+)-`);

export interface Network {
  /** Enterable by every user, because PostgreSQL drops root. */
  readonly folder: string;
  readonly daemons: Daemons;
  /** Makes a namespace with loopback up; returns its full name. */
  namespace(name: string): Promise<string>;
  /** A bridge with an address, for `join` to plug ends into. */
  bridge(netns: string, name: string, address: string): Promise<void>;
  /** An end without an address is plugged into `bridge`. Addresses with prefix length. */
  join(a: End, b: End): Promise<void>;
  remove(): Promise<void>;
}

export interface End {
  readonly netns: string;
  /** At most 15 characters. */
  readonly name: string;
  readonly addresses?: readonly string[];
  readonly bridge?: string;
}

export async function createNetwork(): Promise<Network> {
  await removeLeftovers();
  const folder = mkdtempSync(join(tmpdir(), `${PREFIX}-${process.pid}-`));
  chmodSync(folder, 0o755);
  const daemons = createDaemons(folder);
  const made: string[] = [];
  return {
    folder,
    daemons,
    async namespace(name) {
      const full = `${PREFIX}${process.pid}${name}`;
      await run(['ip', 'netns', 'add', full]);
      made.push(full);
      await run(['ip', 'link', 'set', 'lo', 'up'], { netns: full });
      return full;
    },
    async bridge(netns, name, address) {
      await run(['ip', 'link', 'add', name, 'type', 'bridge'], { netns });
      await run(['ip', 'addr', 'add', address, 'dev', name], { netns });
      await run(['ip', 'link', 'set', name, 'up'], { netns });
    },
    async join(a, b) {
      await run(['ip', 'link', 'add', a.name, 'type', 'veth', 'peer', 'name', b.name, 'netns', b.netns], {
        netns: a.netns,
      });
      for (const end of [a, b]) await bringUp(end);
    },
    async remove() {
      await daemons.stopAll();
      for (const netns of made.splice(0)) await removeNamespace(netns);
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}

async function bringUp({ netns, name, addresses = [], bridge }: End): Promise<void> {
  for (const address of addresses) await run(['ip', 'addr', 'add', address, 'dev', name], { netns });
  if (bridge) await run(['ip', 'link', 'set', name, 'master', bridge], { netns });
  await run(['ip', 'link', 'set', name, 'up'], { netns });
}

/** Of runs that were killed. */
async function removeLeftovers(): Promise<void> {
  const names = (await run(['ip', 'netns', 'list'])).split('\n').map((line) => line.split(' ')[0]);
  for (const name of names) {
    const pid = OURS.exec(name)?.[1];
    if (pid && !isLab(pid)) await removeNamespace(name);
  }
  for (const name of readdirSync(tmpdir())) {
    const pid = FOLDER.exec(name)?.[1];
    if (pid && !isLab(pid)) rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
}

function isLab(pid: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('.lab.ts');
  } catch {
    return false;
  }
}

async function removeNamespace(netns: string): Promise<void> {
  const running = async () => {
    if (!existsSync(`/run/netns/${netns}`)) return [];
    return (await run(['ip', 'netns', 'pids', netns])).split('\n').filter(Boolean);
  };
  await waitFor(
    `the processes in ${netns} to end`,
    async () => {
      const pids = await running();
      for (const pid of pids) kill(Number(pid));
      return pids.length === 0;
    },
    10_000,
    50,
  ).catch(() => {});
  await run(['ip', 'netns', 'delete', netns]).catch((error) => {
    // Another lab that starts now clears up too.
    if (existsSync(`/run/netns/${netns}`)) throw error;
  });
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}
