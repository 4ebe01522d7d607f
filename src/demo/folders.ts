// where the demo keeps things, and how they go
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { UsageError } from '../model/command.ts';

export interface Folders {
  readonly data: string;
  readonly temporary: string;
  readonly remove: () => void;
}

/** With `given` the data stays there; it must be new or empty, because the story is told from its beginning. */
export function makeFolders(given: string | undefined): Folders {
  if (given !== undefined && existsSync(given) && readdirSync(given).length > 0)
    throw new UsageError(`--data ${given} is not empty; the demo begins with a new folder`);
  const temporary = mkdtempSync(join(tmpdir(), 'postern-demo-'));
  // Where this process is root, PostgreSQL runs as another user, who has to get through.
  chmodSync(temporary, 0o711);
  return {
    data: given === undefined ? join(temporary, 'data') : resolve(given),
    temporary,
    remove: () => rmSync(temporary, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }),
  };
}
