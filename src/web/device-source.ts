// where a device's configurations come from, as the API takes and shows it
import { type Static, Type } from 'typebox';
import type { PosternError } from '../model/errors.ts';
import type { Services } from '../services.ts';
import { checkLocation } from '../snapshots/repository.ts';
import type { DeviceSource } from '../store/postgres/schema.ts';
import { problem } from './problem.ts';
import { Strict } from './schema.ts';

const PlainText = (maxLength: number, description: string) =>
  Type.String({ minLength: 1, maxLength, pattern: '^[^\\u0000-\\u001f\\u007f-]', description });

const Ssh = Strict({ kind: Type.Literal('ssh') });
const Git = Strict({
  kind: Type.Literal('git'),
  repository: PlainText(
    1000,
    'Of Oxidized or RANCID: absolute path, or URL that git can fetch; within POSTERN_REPOSITORIES',
  ),
  file: PlainText(1000, 'Path of its file in the repository, as "edge/fw1" or "edge/configs/fw1"'),
  branch: Type.Optional(PlainText(200, 'The checked out one where left out')),
});
const Push = Strict({ kind: Type.Literal('push') });
export const Source = Type.Union([Ssh, Git, Push], {
  description:
    'ssh: pulled (the default); git: every revision another collector committed, the past included; push: only what PUT /v1/devices/{id}/snapshots brings',
});

/** Throws 400 where the repository may not be named here. */
export function sourceColumn(
  source: Static<typeof Source>,
  { settings }: Pick<Services, 'settings'>,
): DeviceSource | null {
  if (source.kind === 'ssh') return null;
  if (source.kind === 'push') return source;
  if (source.file.includes('\0') || source.branch?.includes('..'))
    throw problem(400, 'bad-source', 'no such file or branch can be', 'source');
  try {
    return { ...source, repository: checkLocation(source.repository, settings.POSTERN_REPOSITORIES) };
  } catch (error) {
    const { code, message } = error as PosternError;
    throw problem(400, code, message, 'source.repository');
  }
}

export const presentSource = (source: DeviceSource | null): Static<typeof Source> =>
  source ?? { kind: 'ssh' };
