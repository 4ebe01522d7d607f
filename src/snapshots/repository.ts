// a git repository of Oxidized or RANCID -> the revisions of a device's file, and the text of each
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { basename, isAbsolute, join, normalize } from 'node:path';
import { promisify } from 'node:util';
import { PosternError } from '../model/errors.ts';

export interface Revision {
  readonly commit: string;
  /** Path within the repository. */
  readonly file: string;
  /** Committer's time. */
  readonly atMs: number;
}

export interface Repository {
  /** Oldest first, in the order of the history; `after` leaves out what that commit holds. */
  readonly revisions: (options?: { readonly file?: string; readonly after?: string }) => Promise<Revision[]>;
  readonly textOf: (revision: Pick<Revision, 'commit' | 'file'>) => Promise<string>;
  /** Files of the newest commit, at most so many. */
  readonly files: (limit: number) => Promise<string[]>;
}

export interface RepositoryBounds {
  readonly fetchMs: number;
  readonly maxByteCount: number;
}

export const REPOSITORY_BOUNDS: RepositoryBounds = { fetchMs: 300_000, maxByteCount: 67_108_864 };
/** A list of commits is this long at most, in bytes: some 500,000 revisions. */
const MAX_LIST = 67_108_864;
const LIST_MS = 120_000;

const run = promisify(execFile);

/**
 * Transports are the ordinary ones, since "ext::" would run a command (git-remote-ext(1)); nobody is asked for a password;
 * hooks and monitors that a repository's own settings name are not run.
 */
const ENVIRONMENT = [
  'LC_ALL=C',
  'GIT_TERMINAL_PROMPT=0',
  'GIT_ALLOW_PROTOCOL=file:http:https:ssh:git',
  'GIT_SSH_COMMAND=ssh -o BatchMode=yes',
  'GIT_OPTIONAL_LOCKS=0',
];
const OPTIONS = [
  'core.quotePath=false',
  'core.fsmonitor=false',
  'core.hooksPath=/dev/null',
  'safe.directory=*',
];

interface Limits {
  readonly maxByteCount: number;
  readonly timeoutMs: number;
}

async function git(args: readonly string[], { maxByteCount, timeoutMs }: Limits): Promise<string> {
  const options = OPTIONS.flatMap((option) => ['-c', option]);
  const { stdout } = await run('env', [...ENVIRONMENT, 'git', ...options, ...args], {
    maxBuffer: maxByteCount,
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  return stdout;
}

/** A folder that git reads, bare or with a work tree; a folder inside of one reads what is below it. */
export function openRepository(folder: string, branch?: string, bounds = REPOSITORY_BOUNDS): Repository {
  const inside = (args: readonly string[], maxByteCount = MAX_LIST) =>
    git(['-C', folder, ...args], { maxByteCount, timeoutMs: LIST_MS });
  const tip = branch === undefined ? 'HEAD' : `refs/heads/${branch}`;
  return {
    revisions: async ({ file, after } = {}) => {
      const isKnown = after !== undefined && (await holds(inside, after));
      const range = isKnown ? `${after}..${tip}` : tip;
      const log = await inside([
        'log',
        '--reverse',
        '--topo-order',
        '--no-merges',
        '--no-renames',
        '--no-ext-diff',
        '--diff-filter=AM',
        '--name-only',
        '--format=%x00%H %ct',
        range,
        '--',
        file === undefined ? '.' : `:(literal)${file}`,
      ]).catch((cause) => {
        throw unreadable(folder, cause);
      });
      return revisionsIn(log);
    },
    textOf: ({ commit, file }) =>
      inside(['show', '--no-textconv', `${commit}:${file}`], bounds.maxByteCount).catch((cause) => {
        throw cause.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER'
          ? new PosternError(
              'output-too-large',
              `${file} at ${commit.slice(0, 12)} is larger than ${bounds.maxByteCount} bytes; raise POSTERN_PULL_MAX_BYTES`,
              { subject: folder, cause },
            )
          : unreadable(folder, cause);
      }),
    files: async (limit) => {
      const list = await inside(['ls-tree', '-r', '-z', '--name-only', tip]).catch((cause) => {
        throw unreadable(folder, cause);
      });
      return list.split('\0').filter(Boolean).slice(0, limit);
    },
  };
}

const holds = (inside: (args: string[]) => Promise<string>, commit: string): Promise<boolean> =>
  inside(['cat-file', '-e', `${commit}^{commit}`]).then(
    () => true,
    () => false,
  );

function revisionsIn(log: string): Revision[] {
  return log
    .split('\0')
    .slice(1)
    .flatMap((entry) => {
      const [head, ...files] = entry.split('\n').filter(Boolean);
      const [commit, seconds] = head.split(' ');
      return files.map((file) => ({ commit, file, atMs: Number(seconds) * 1000 }));
    });
}

function unreadable(folder: string, cause: Error & { stderr?: string; killed?: boolean }): PosternError {
  const said = cause.killed ? 'it took too long' : (cause.stderr ?? cause.message).trim().split('\n').at(-1);
  return new PosternError('repository-unreadable', `git cannot read ${folder}: ${said?.slice(0, 300)}`, {
    subject: folder,
    cause,
  });
}

/**
 * What a device may name as its repository: a path or URL that is one of `allowed`, or lies below one.
 * Throws PosternError 'repository-refused' that says what to do.
 */
export function checkLocation(location: string, allowed: readonly string[]): string {
  const refuse = (why: string) =>
    new PosternError('repository-refused', `${JSON.stringify(location.slice(0, 200))} ${why}`);
  if (/[\p{Cc}\p{Cf}]/u.test(location) || location.startsWith('-')) throw refuse('is no repository');
  if (/^[a-z][a-z0-9+.-]*:\/\/[^/@]*:[^/@]*@/i.test(location))
    throw refuse('holds a password; let git on this machine know it instead (git-credential(1))');
  const isPath = isAbsolute(location);
  if (!isPath && !/^(?:(?:https?|ssh|git):\/\/|[\w.-]+@[\w.-]+:)/.test(location))
    throw refuse('is neither an absolute path nor an http, https, ssh or git URL');
  const plain = isPath ? normalize(location) : location;
  if (!isPath && location.includes('/../')) throw refuse('leads out of its own path');
  const isBelow = (root: string) =>
    plain === root || plain.startsWith(root.endsWith('/') ? root : `${root}/`);
  if (allowed.some(isBelow)) return plain;
  throw refuse(
    allowed.length === 0
      ? 'is not allowed; name it, or what it lies below, in POSTERN_REPOSITORIES'
      : 'is not among POSTERN_REPOSITORIES, nor below one of them',
  );
}

/** Keeps copies of repositories that lie elsewhere, one folder each below `folder`. */
export function createMirrors(folder: string, now: () => number, bounds = REPOSITORY_BOUNDS) {
  const fetched = new Map<string, { readonly atMs: number; readonly done: Promise<void> }>();
  const mirrorOf = (location: string) =>
    join(folder, createHash('sha256').update(location).digest('hex').slice(0, 32));
  const update = async (location: string): Promise<void> => {
    const path = mirrorOf(location);
    const limits = { maxByteCount: 1_048_576, timeoutMs: bounds.fetchMs };
    const isThere = await stat(join(path, 'HEAD')).then(
      () => true,
      () => false,
    );
    if (isThere) await git(['-C', path, 'fetch', '--quiet', '--prune', 'origin'], limits);
    else {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      // A copy that was not finished must not pass for one.
      const partial = `${path}.partial`;
      await rm(partial, { recursive: true, force: true });
      await git(['clone', '--quiet', '--mirror', '--', location, partial], limits);
      await rename(partial, path);
    }
  };
  return {
    /** Local paths are read where they are. What was fetched less than `freshMs` ago is not fetched again. */
    open: async (location: string, branch?: string, freshMs = 30_000): Promise<Repository> => {
      if (isAbsolute(location)) return openRepository(location, branch, bounds);
      const known = fetched.get(location);
      const isFresh = known && now() - known.atMs < freshMs;
      const done = isFresh ? known.done : update(location);
      if (!isFresh) fetched.set(location, { atMs: now(), done });
      try {
        await done;
      } catch (cause) {
        fetched.delete(location);
        throw unreachable(location, cause as Error);
      }
      return openRepository(mirrorOf(location), branch, bounds);
    },
  };
}

export type Mirrors = ReturnType<typeof createMirrors>;

function unreachable(location: string, cause: Error & { stderr?: string; killed?: boolean }): PosternError {
  const said = cause.killed ? 'it took too long' : (cause.stderr ?? cause.message).trim().split('\n').at(-1);
  return new PosternError('repository-unreachable', `git cannot fetch ${location}: ${said?.slice(0, 300)}`, {
    subject: location,
    cause,
  });
}

/** The device that a file of a repository is about: Oxidized writes <group>/<device>, RANCID <group>/configs/<device>. */
export function deviceOfFile(file: string): string | undefined {
  const name = basename(file);
  if (name.startsWith('.') || /^(?:router\.db|routers\.(?:all|up|down))$/.test(name)) return undefined;
  return name.replace(/\.cfg$/, '');
}
