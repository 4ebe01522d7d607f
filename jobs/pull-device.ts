// pulls one device's configuration, stores it, and opens watches for what newly became possible
import { Type } from 'typebox';
import type { DeviceDefinition } from '../devices/definition.ts';
import { definitionOf } from '../devices/index.ts';
import { PosternError } from '../src/model/errors.ts';
import type { Services } from '../src/services.ts';
import { deviceSecret } from '../src/settings.ts';
import { LEGACY_PROFILES } from '../src/snapshots/algorithms.ts';
import { openCredential, type StoredCredential } from '../src/snapshots/credential.ts';
import { redact } from '../src/snapshots/redact.ts';
import { pullPolitely } from '../src/snapshots/retry.ts';
import { take } from '../src/snapshots/take.ts';
import type { Credential, PullTarget } from '../src/snapshots/target.ts';
import {
  type Device,
  deviceById,
  pinHostKeys,
  recordPullFailure,
  recordPullSuccess,
} from '../src/store/postgres/devices.ts';
import { recordSnapshot } from '../src/watches/record.ts';
import { recordRevisions } from '../src/watches/record-revisions.ts';
import { defineJob } from './definition.ts';

/** After a change that syslog told of, the device is asked once more: changes come in bursts. */
const SETTLE_MS = 60_000;
/** Of a device's own list of changes, in UTF-16 units; the latest stand first. */
const MAX_HISTORY = 65_536;

export const pullDeviceJob = defineJob({
  name: 'pull-device',
  payload: Type.Object({
    deviceId: Type.String(),
    cause: Type.Union([
      Type.Literal('schedule'),
      Type.Literal('request'),
      Type.Literal('syslog'),
      Type.Literal('settled'),
      Type.Literal('more'),
    ]),
  }),
  attempts: 1,
  backoffMs: 5000,
  timeoutMs: 900_000,
  concurrency: (services) => services.settings.POSTERN_PULL_CONCURRENCY,
  dedupeKey: ({ deviceId, cause }) => `${deviceId}:${cause}`,
  run: async ({ deviceId, cause }, services, signal) => {
    const device = await deviceById(services.postgres, deviceId);
    if (!device) return;
    try {
      const isMore = await readSource(device, services, signal);
      if (isMore) await services.jobs.add('pull-device', { deviceId, cause: 'more' });
    } catch (error) {
      const code = error instanceof PosternError ? error.code : 'pull-failed';
      const message = error instanceof Error ? error.message : String(error);
      // A failed pull changes nothing but the device's health.
      await recordPullFailure(services.postgres, device.id, new Date(services.now()), code, message);
      services.log.warn({ device: device.name, code }, `pull failed: ${message}`);
    }
    if (cause === 'syslog')
      await services.jobs.add('pull-device', { deviceId, cause: 'settled' }, { delayMs: SETTLE_MS });
  },
});

/** Resolves to whether there is more to read at once, as of a repository with a long history. */
async function readSource(device: Device, services: Services, signal: AbortSignal): Promise<boolean> {
  const definition = definitionOf(device.vendor);
  if (!definition)
    throw new PosternError('unknown-vendor', `no definition for vendor ${device.vendor}`, {
      subject: device.name,
    });
  switch (device.source?.kind) {
    case undefined:
      await pullAndRecord(device, definition, services, signal);
      return false;
    case 'git': {
      const { isMore } = await recordRevisions(device, device.source, definition, services, signal);
      await recordPullSuccess(services.postgres, device.id, new Date(services.now()));
      return isMore;
    }
    case 'push':
      return false;
  }
}

async function pullAndRecord(
  device: Device,
  definition: DeviceDefinition,
  services: Services,
  signal: AbortSignal,
): Promise<void> {
  const pulled = await pullPolitely(await targetOf(device, services), definition, {
    settings: services.settings,
    now: services.now,
    signal,
  });
  const taken = take(pulled.text, definition, services.seal.hash);
  if (!taken.complete)
    throw new PosternError('truncated', 'the configuration has no end marker; it is not stored', {
      subject: device.name,
    });
  await pinHostKeys(services.postgres, device, pulled);
  const history = redact(
    pulled.history.map(({ text }) => text).join('\n'),
    definition,
    services.seal.hash,
  ).slice(0, MAX_HISTORY);
  await recordSnapshot(
    device,
    { ...taken, beganAtMs: pulled.beganAtMs, durationMs: pulled.durationMs, history },
    services,
  );
  await recordPullSuccess(services.postgres, device.id, new Date(pulled.beganAtMs), pulled.algorithms);
}

/** Throws PosternError not-sealed-here, secret-not-allowed, secret-not-found. */
async function targetOf(device: Device, services: Services): Promise<PullTarget> {
  const places = { variable: deviceSecret, folder: services.settings.POSTERN_SECRETS_FOLDER };
  const credentialOf = (sealed: Buffer | null): Promise<Credential> =>
    openCredential(sealed ? (JSON.parse(services.seal.open(sealed)) as StoredCredential) : {}, places);
  const sshOf = (host: Pick<Device, 'address' | 'port' | 'username' | 'host_key'>) => ({
    address: host.address,
    port: host.port,
    username: host.username,
    hostKey: host.host_key ?? undefined,
  });
  const profilesOf = (names: readonly string[]) =>
    LEGACY_PROFILES.filter((profile) => names.includes(profile));
  const jump = await Promise.all(
    device.jump.map(async (host) => ({
      ...sshOf(host),
      credential: await credentialOf(
        host.credential === null ? null : Buffer.from(host.credential, 'base64'),
      ),
      legacyProfiles: profilesOf(host.legacy_profiles),
    })),
  );
  return {
    ...sshOf(device),
    name: device.name,
    credential: await credentialOf(device.credential),
    legacyProfiles: profilesOf(device.legacy_profiles),
    jump,
  };
}
