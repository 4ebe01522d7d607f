// a secret of this instance -> the same text at every start
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/**
 * The trimmed text of `file`, made on first use for this user alone. It is there whole or not at all: a start that was
 * killed while it wrote must not leave half a key, which every later start would refuse.
 */
export function keptText(file: string, make: () => string): string {
  if (!existsSync(file)) {
    const partial = `${file}.partial`;
    rmSync(partial, { force: true });
    writeFileSync(partial, make(), { mode: 0o600, flush: true });
    renameSync(partial, file);
  }
  return readFileSync(file, 'utf8').trim();
}
