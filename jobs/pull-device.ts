// pulls one device's configuration, stores it, and opens watches for what newly became possible
import { Type } from 'typebox';
import { definitionOf } from '../devices/index.ts';
import { PosternError } from '../src/model/errors.ts';
import type { Services } from '../src/services.ts';
import { pullPolitely } from '../src/snapshots/retry.ts';
import { take } from '../src/snapshots/take.ts';
import type { Credential } from '../src/snapshots/target.ts';
import {
  type Device,
  deviceById,
  pinHostKey,
  recordPullFailure,
  recordPullSuccess,
} from '../src/store/postgres/devices.ts';
import { recordSnapshot } from '../src/watches/record.ts';
import { defineJob } from './definition.ts';

/** After a change that syslog told of, the device is asked once more: changes come in bursts. */
const SETTLE_MS = 60_000;

export const pullDeviceJob = defineJob({
  name: 'pull-device',
  payload: Type.Object({
    deviceId: Type.String(),
    cause: Type.Union([
      Type.Literal('schedule'),
      Type.Literal('request'),
      Type.Literal('syslog'),
      Type.Literal('settled'),
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
      await pullAndRecord(device, services, signal);
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

async function pullAndRecord(device: Device, services: Services, signal: AbortSignal): Promise<void> {
  const definition = definitionOf(device.vendor);
  if (!definition)
    throw new PosternError('unknown-vendor', `no definition for vendor ${device.vendor}`, {
      subject: device.name,
    });
  const credential: Credential = device.credential ? JSON.parse(services.seal.open(device.credential)) : {};
  const target = {
    name: device.name,
    address: device.address,
    port: device.port,
    username: device.username,
    credential,
    hostKey: device.host_key ?? undefined,
    legacyAlgorithms: device.legacy_algorithms,
  };
  const pulled = await pullPolitely(target, definition, {
    settings: services.settings,
    now: services.now,
    signal,
  });
  const taken = take(pulled.text, definition, services.seal.hash);
  if (!taken.complete)
    throw new PosternError('truncated', 'the configuration has no end marker; it is not stored', {
      subject: device.name,
    });
  if (!device.host_key) await pinHostKey(services.postgres, device.id, pulled.hostKey);
  await recordSnapshot(
    device,
    { ...taken, beganAtMs: pulled.beganAtMs, durationMs: pulled.durationMs },
    services,
  );
  await recordPullSuccess(services.postgres, device.id, new Date(pulled.beganAtMs));
}
