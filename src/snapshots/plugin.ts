// registered devices -> their scheduled pulls, whatever queue the jobs stand in
import fp from 'fastify-plugin';
import { allDevices } from '../store/postgres/devices.ts';

export default fp(
  async (app) => {
    const { services } = app;
    app.addHook('onReady', async () => {
      if (!services.settings.POSTERN_ROLES.includes('work')) return;
      for (const device of await allDevices(services.postgres)) {
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
