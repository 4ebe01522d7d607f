// root -> the user that PostgreSQL runs as instead
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { PosternError } from '../../model/errors.ts';
import type { Owner } from '../folder.ts';

/**
 * Undefined where this process is not root. Otherwise the owner of a cluster that is there already, else the user "postgres",
 * which is made where it is missing. Throws PosternError 'no-postgres-user'.
 */
export function postgresOwner(folder: string | undefined): Owner | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const cluster = folder && statSync(join(resolve(folder), 'postgres'), { throwIfNoEntry: false });
  if (cluster && cluster.uid !== 0) return { uid: cluster.uid, gid: cluster.gid };
  const found = lookUp();
  if (found) return found;
  try {
    makeUser('--user-group');
  } catch {
    // The group may be there already.
    try {
      makeUser('--gid', 'postgres');
    } catch (cause) {
      throw refused(cause);
    }
  }
  const made = lookUp();
  if (!made) throw refused(undefined);
  return made;
}

function makeUser(...group: readonly string[]): void {
  const options = ['--system', ...group, '--no-create-home', '--shell', '/usr/sbin/nologin'];
  execFileSync('useradd', [...options, 'postgres'], { stdio: 'ignore' });
}

function lookUp(): Owner | undefined {
  try {
    const number = (flag: string) =>
      Number(
        execFileSync('id', [flag, 'postgres'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
      );
    return { uid: number('-u'), gid: number('-g') };
  } catch {
    return undefined;
  }
}

function refused(cause: unknown): PosternError {
  return new PosternError(
    'no-postgres-user',
    'PostgreSQL does not run as root, and no user "postgres" could be made: run as an ordinary user, or set DATABASE_URL',
    { cause },
  );
}
