// services -> job queues in every process, and workers in those with the role "work"
import fastifyPlugin from 'fastify-plugin';
import { provide } from '../src/provide.ts';
import { clientForWork } from '../src/store/clickhouse/open.ts';
import { type Backend, openPostgresBackend, openRedisBackend } from './backend.ts';
import { type AnyJob, checkJobs } from './index.ts';
import { type OpenQueues, openQueues } from './queues.ts';
import { startWorkers, type Workers } from './workers.ts';

declare module 'fastify' {
  interface FastifyInstance {
    readonly jobParts: { definitions: readonly AnyJob[]; backend?: Backend };
  }
}

const GRACE_MS = 3000;

/** Registered early: others add jobs. */
export const jobQueues = fastifyPlugin<{ jobs: readonly AnyJob[] }>(
  async (app, { jobs }) => {
    const { services } = app;
    checkJobs(jobs);
    const parts: { definitions: readonly AnyJob[]; backend?: Backend } = { definitions: jobs };
    let queues: OpenQueues | undefined;
    app.decorate('jobParts', parts);

    app.addHook('onReady', async () => {
      const { REDIS_URL } = services.settings;
      parts.backend = REDIS_URL
        ? await openRedisBackend(REDIS_URL)
        : await openPostgresBackend(services.postgresConnection, jobs.length);
      queues = openQueues(parts.backend, jobs, services.log);
      provide(app, { jobs: queues });
    });

    app.addHook('onClose', async () => {
      await queues?.close();
      await parts.backend?.close();
    });
  },
  { name: 'job-queues', dependencies: ['store'] },
);

/** Registered last: what jobs use is ready before they run, and still there when they are stopped. */
export const jobWorkers = fastifyPlugin(
  async (app) => {
    const { services, jobParts } = app;
    let workers: Workers | undefined;

    app.addHook('onReady', async () => {
      if (!services.settings.POSTERN_ROLES.includes('work')) return;
      for (const { name, everyMs } of jobParts.definitions) {
        await services.jobs.every(name, name, {}, everyMs ? everyMs(services) : null);
        // A schedule goes on where it was before a restart, up to its whole interval away; what fell due meanwhile does not wait.
        if (everyMs) await services.jobs.add(name, {});
      }
      // Long questions of jobs keep no answer of the API waiting.
      const forJobs = { ...services, clickhouse: clientForWork(services.clickhouse) };
      workers = startWorkers(jobParts.backend!, jobParts.definitions, forJobs);
    });

    app.addHook('onClose', async () => {
      await workers?.stop(GRACE_MS);
    });
  },
  { name: 'job-workers', dependencies: ['job-queues'] },
);
