// settings -> the data folder: made, entered, writable, and held by one instance
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  statSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { PosternError } from '../model/errors.ts';
import { holdLock } from './lock.ts';

/** The user that PostgreSQL runs as where this process is root. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export interface Place {
  /** Absolute. */
  readonly path: string;
  /** The user that has to enter it besides this one. */
  readonly owner?: Owner;
  /** Why it is not the usual place, for the log. */
  readonly note?: string;
}

const USUAL = './data';
const REACHABLE = '/var/lib/postern';

/** Where the data folder is to be; touches nothing. Throws PosternError 'folder-not-reachable'. */
export function locateFolder(explicit: string | undefined, owner: Owner | undefined): Place {
  const path = resolve(explicit ?? USUAL);
  const blocked = owner && blockedAt(dirname(path), owner);
  if (!blocked) return { path, owner };
  if (explicit !== undefined) throw notReachable(path, blocked);
  const note = `data is kept in ${REACHABLE}, because PostgreSQL does not run as root and no other user can enter ${blocked}`;
  return { path: REACHABLE, owner, note };
}

/**
 * Makes and locks the data folder; resolves to the function that gives it up.
 * Throws PosternError 'folder-not-reachable', 'folder-not-writable' or 'folder-in-use'.
 */
export async function openFolder({ path, owner }: Place): Promise<() => Promise<void>> {
  try {
    makeFolder(path);
    if (owner && madeHere(path) && blockedAt(path, owner) === path) {
      chownSync(path, -1, owner.gid);
      chmodSync(path, 0o710);
    }
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
    mkdirSync(join(path, 'clickhouse'), { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new PosternError(
      'folder-not-writable',
      `the data folder ${path} cannot be written (${(cause as NodeJS.ErrnoException).code}): make it a folder of this user, or set POSTERN_DATA`,
      { subject: path, cause },
    );
  }
  const blocked = owner && blockedAt(path, owner);
  if (blocked) throw notReachable(path, blocked);
  return holdLock(path);
}

/** One level after the other: Node's own recursive way never ends where a file system refuses with ENOENT, as /proc does. */
function makeFolder(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  if (!existsSync(dirname(path))) makeFolder(dirname(path));
  mkdirSync(path, { mode: 0o700 });
}

/**
 * Whether it is ours to open to PostgreSQL's user: new, left by a start that was killed half-way, or by one that used
 * DATABASE_URL. A folder of somebody else's things keeps its mode.
 */
function madeHere(path: string): boolean {
  const names = readdirSync(path);
  return names.length === 0 || names.includes('clickhouse');
}

/** The first folder on the way down that the user cannot enter; undefined where all can be entered or do not exist yet. */
export function blockedAt(path: string, owner: Owner): string | undefined {
  const folders = [path];
  while (dirname(folders[0]) !== folders[0]) folders.unshift(dirname(folders[0]));
  return folders.find((folder) => {
    const stat = statSync(folder, { throwIfNoEntry: false });
    if (!stat?.isDirectory()) return false;
    const shift = stat.uid === owner.uid ? 6 : stat.gid === owner.gid ? 3 : 0;
    return ((stat.mode >> shift) & 1) === 0;
  });
}

function notReachable(path: string, blocked: string): PosternError {
  return new PosternError(
    'folder-not-reachable',
    `PostgreSQL does not run as root, and no other user can enter ${blocked}, so ${path} cannot hold its data: set POSTERN_DATA to another place, run as an ordinary user, or set DATABASE_URL`,
    { subject: blocked },
  );
}
