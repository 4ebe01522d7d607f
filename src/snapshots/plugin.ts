// registered devices -> their scheduled pulls, whatever queue the jobs stand in; and the copies of repositories
import { join } from 'node:path';
import fp from 'fastify-plugin';
import { provide } from '../provide.ts';
import { allDevices } from '../store/postgres/devices.ts';
import { createMirrors, REPOSITORY_BOUNDS } from './repository.ts';

export default fp(
  async (app) => {
    const { services } = app;
    const { settings, now } = services;
    provide(app, {
      mirrors: createMirrors(join(services.dataFolder, 'repositories'), now, {
        ...REPOSITORY_BOUNDS,
        maxByteCount: settings.POSTERN_PULL_MAX_BYTES,
      }),
    });
    app.addHook('onReady', async () => {
      if (!settings.POSTERN_ROLES.includes('work')) return;
      for (const device of await allDevices(services.postgres)) {
        if (device.source?.kind === 'push') continue;
        await services.jobs.every(
          'pull-device',
          device.id,
          { deviceId: device.id, cause: 'schedule' },
          device.pull_interval_seconds * 1000,
        );
      }
    });
  },
  { name: 'snapshots', dependencies: ['store', 'job-queues'] },
);
