// what a lab needs of the machine -> false, or why it is skipped
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const FOLDERS = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin', '/usr/bin', '/bin'];

/** Daemons lie where an ordinary user's PATH does not reach. */
export function programPath(name: string): string | undefined {
  return FOLDERS.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** For `skip` of a test. Throws where CI is set: there the lab has to run. */
export function lacking(...programs: readonly string[]): string | false {
  const missing = programs.filter((name) => !programPath(name));
  const reason =
    process.platform !== 'linux'
      ? 'network namespaces are of Linux'
      : process.getuid?.() !== 0
        ? 'network namespaces need root'
        : missing.length > 0
          ? `${missing.join(', ')} not installed`
          : undefined;
  if (reason && isContinuousIntegration()) throw new Error(`the lab cannot run: ${reason}`);
  return reason ?? false;
}

export const isContinuousIntegration = (): boolean => !['', '0', 'false', undefined].includes(process.env.CI);
