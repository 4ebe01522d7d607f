// a folder of recorded configurations, or a git repository of Oxidized or RANCID -> snapshots in order of time
import { execFile } from 'node:child_process';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PosternError } from '../model/errors.ts';
import { deviceOfFile, openRepository } from '../snapshots/repository.ts';

export interface RecordedConfig {
  readonly device: string;
  readonly takenAtMs: number;
  /** Reads the text; configurations are large and few are needed at once. */
  readonly text: () => Promise<string>;
}

const MAX_BYTES = 64 * 1024 * 1024;
const run = promisify(execFile);

/** `devices` are the names of the site; files of other devices are left out and returned in `unknown`. */
export async function recordedConfigs(
  path: string,
  devices: readonly string[],
): Promise<{ configs: RecordedConfig[]; unknown: string[] }> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder)
    throw new PosternError('unreadable', `no folder of configurations at ${path}`, { subject: path });
  const isGit = await stat(join(path, '.git')).then(
    () => true,
    () =>
      stat(join(path, 'HEAD')).then(
        (found) => found.isFile(),
        () => false,
      ),
  );
  const inFolder = isGit ? [] : await fromFolder(path);
  const found =
    isGit || (inFolder.length === 0 && (await isInRepository(path))) ? await fromGit(path) : inFolder;
  const configs = found
    .filter((config) => devices.includes(config.device))
    .sort((a, b) => a.takenAtMs - b.takenAtMs || (a.device < b.device ? -1 : Number(a.device > b.device)));
  const unknown = [
    ...new Set(found.map((config) => config.device).filter((name) => !devices.includes(name))),
  ].sort();
  return { configs, unknown };
}

/** A group's folder of Oxidized, say. */
const isInRepository = (path: string): Promise<boolean> =>
  run('git', ['-C', path, 'rev-parse', '--is-inside-work-tree']).then(
    ({ stdout }) => stdout.trim() === 'true',
    () => false,
  );

/** DIR/<device>/<time>.cfg with the time in RFC 3339, ":" written as "-". */
async function fromFolder(path: string): Promise<RecordedConfig[]> {
  const configs: RecordedConfig[] = [];
  for (const device of (await readdir(path, { withFileTypes: true })).filter((entry) =>
    entry.isDirectory(),
  )) {
    for (const name of await readdir(join(path, device.name))) {
      const takenAtMs = timeInName(name);
      const file = join(path, device.name, name);
      if (takenAtMs === undefined) {
        if (name.endsWith('.cfg'))
          throw new PosternError(
            'unreadable',
            `${file}: the name is not a time like 2026-11-02T03-00-00Z.cfg`,
            { subject: file },
          );
        continue;
      }
      configs.push({ device: device.name, takenAtMs, text: () => readBounded(file) });
    }
  }
  return configs;
}

export function timeInName(name: string): number | undefined {
  const match = /^(\d{4}-\d{2}-\d{2}T\d{2})-(\d{2})(?:-(\d{2})(\.\d{1,9})?)?(Z|[+-]\d{2}-?\d{2})\.cfg$/.exec(
    name,
  );
  if (!match) return undefined;
  const zone = match[5] === 'Z' ? 'Z' : match[5].replace(/^(.\d{2})-?(\d{2})$/, '$1:$2');
  const at = Date.parse(`${match[1]}:${match[2]}:${match[3] ?? '00'}${match[4] ?? ''}${zone}`);
  return Number.isNaN(at) ? undefined : at;
}

async function readBounded(file: string): Promise<string> {
  const { size } = await stat(file);
  if (size > MAX_BYTES)
    throw new PosternError('unreadable', `${file} is larger than 64 MiB`, { subject: file });
  return await readFile(file, 'utf8').catch((cause) => {
    throw new PosternError('unreadable', `cannot read ${file}: ${cause.code}`, { subject: file, cause });
  });
}

/** Every revision of every file, at its commit time. */
async function fromGit(path: string): Promise<RecordedConfig[]> {
  const repository = openRepository(path);
  return (await repository.revisions()).flatMap((revision) => {
    const device = deviceOfFile(revision.file);
    return device === undefined
      ? []
      : { device, takenAtMs: revision.atMs, text: () => repository.textOf(revision) };
  });
}
