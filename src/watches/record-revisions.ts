// a device's file in a git repository -> its revisions as snapshots, each at the time of its commit
import type { DeviceDefinition } from '../../devices/definition.ts';
import { PosternError } from '../model/errors.ts';
import type { Services } from '../services.ts';
import { checkLocation, type Repository, type Revision } from '../snapshots/repository.ts';
import { takeStored } from '../snapshots/stored-text.ts';
import { type Device, setSourceCommit } from '../store/postgres/devices.ts';
import type { DeviceSource } from '../store/postgres/schema.ts';
import { confirmSnapshot, latestSnapshot } from '../store/postgres/snapshots.ts';
import { recordSnapshot } from './record.ts';

export interface Followed {
  readonly recorded: number;
  /** Revisions without their end, left out. */
  readonly truncated: number;
  /** Whether there is more than was read now. */
  readonly isMore: boolean;
}

/** As many revisions as one turn records; a long history takes several. */
const MOST_AT_ONCE = 500;
/** Names that an error shows of a repository that lacks the file. */
const SHOWN_FILES = 5;

type GitSource = Extract<DeviceSource, { kind: 'git' }>;

/**
 * Records what the repository holds since the last time, the whole past at first.
 * Throws PosternError repository-refused, repository-unreachable, repository-unreadable, file-missing, truncated.
 */
export async function recordRevisions(
  device: Device,
  source: GitSource,
  definition: DeviceDefinition,
  services: Services,
  signal: AbortSignal,
): Promise<Followed> {
  const { settings, mirrors, postgres, seal, log } = services;
  const location = checkLocation(source.repository, settings.POSTERN_REPOSITORIES);
  const lookedAtMs = services.now();
  const repository = await mirrors.open(location, source.branch);
  const after = device.source_commit ?? undefined;
  const revisions = await repository.revisions({ file: source.file, after });
  if (revisions.length === 0 && after === undefined) throw await missing(device, source, repository);
  const now = revisions.slice(0, MOST_AT_ONCE);
  let truncated = 0;
  for (const revision of now) {
    signal.throwIfAborted();
    const previous = await latestSnapshot(postgres, device.id);
    const taken = takeStored(await repository.textOf(revision), definition, seal.hash, previous?.text);
    if (taken.complete) await recordAt(device, taken, revision, services);
    else {
      truncated++;
      log.warn(
        { device: device.name, commit: revision.commit, code: 'truncated' },
        'a revision has no end marker; it is left out',
      );
    }
    await setSourceCommit(postgres, device.id, revision.commit);
  }
  const isMore = revisions.length > now.length;
  if (truncated > 0 && truncated === now.length)
    throw new PosternError(
      'truncated',
      `the ${truncated === 1 ? 'new revision' : `${truncated} new revisions`} of ${source.file} lack the end of a configuration; nothing of them is stored`,
      { subject: device.name },
    );
  if (!isMore && truncated === 0) await confirm(device, lookedAtMs, services);
  return { recorded: now.length - truncated, truncated, isMore };
}

/** Commit times may go back; what was seen may not. */
async function recordAt(
  device: Device,
  taken: { readonly text: string; readonly compareHash: string },
  { atMs }: Revision,
  services: Services,
): Promise<void> {
  const previous = await latestSnapshot(services.postgres, device.id);
  const beganAtMs = Math.max(atMs, previous ? previous.confirmed_at.getTime() + 1 : 0);
  await recordSnapshot(device, { ...taken, beganAtMs, durationMs: 0 }, services);
}

/**
 * A collector that commits nothing saw no change, up to its last round. Nobody tells us when that was; it runs as often
 * as the device's pulls are due here, so the round before this look has ended.
 */
async function confirm(device: Device, lookedAtMs: number, { postgres }: Services): Promise<void> {
  const latest = await latestSnapshot(postgres, device.id);
  const seenAtMs = lookedAtMs - device.pull_interval_seconds * 1000;
  if (latest && seenAtMs > latest.confirmed_at.getTime())
    await confirmSnapshot(postgres, latest.id, new Date(seenAtMs));
}

async function missing(device: Device, { file }: GitSource, repository: Repository): Promise<PosternError> {
  const files = await repository.files(100_000);
  const alike = files.filter((name) => name.toLowerCase().includes(device.name.toLowerCase()));
  const some = (alike.length > 0 ? alike : files).slice(0, SHOWN_FILES).join(', ');
  return new PosternError(
    'file-missing',
    `the repository has no ${file}; it has ${some || 'no files'}${files.length > SHOWN_FILES ? ', ...' : ''}`,
    { subject: device.name },
  );
}
