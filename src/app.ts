// settings -> the service, one plugin a line in the order that data flows
import fastify, { type FastifyInstance, LogController } from 'fastify';
import enrichment from '../enrichment/plugin.ts';
import { type AnyJob, jobs } from '../jobs/index.ts';
import { jobQueues, jobWorkers } from '../jobs/plugin.ts';
import events from './events/plugin.ts';
import flows from './flows/plugin.ts';
import './provide.ts';
import type { Services } from './services.ts';
import type { Settings } from './settings.ts';
import snapshots from './snapshots/plugin.ts';
import { locateFolder } from './store/folder.ts';
import store from './store/plugin.ts';
import { postgresOwner } from './store/postgres/user.ts';
import watches from './watches/plugin.ts';
import web from './web/plugin.ts';

export interface AppOptions {
  readonly settings: Settings;
  /** Milliseconds since 1970; the only clock of the service. */
  readonly now?: () => number;
  readonly jobs?: readonly AnyJob[];
  /** Called where the service cannot go on. */
  readonly onFatal?: (error: Error) => void;
}

/** Longer than a first start on a slow disk. */
const START_TIMEOUT_MS = 120_000;

/** Nothing is opened before app.ready() or app.listen(); app.close() ends everything in reverse order. */
export async function createApp(options: AppOptions): Promise<FastifyInstance> {
  const { settings } = options;
  const owner = settings.DATABASE_URL ? undefined : postgresOwner(settings.POSTERN_DATA);
  const place = locateFolder(settings.POSTERN_DATA, owner);
  const app = fastify({
    logger: { level: settings.POSTERN_LOG_LEVEL, stream: process.stderr },
    pluginTimeout: START_TIMEOUT_MS,
    bodyLimit: 1_048_576,
    logController: new LogController({ disableRequestLogging: true }),
  });
  // The other parts are provided by the plugins, in order.
  const started: Partial<Services> = {
    settings,
    log: app.log,
    dataFolder: place.path,
    now: options.now ?? Date.now,
  };
  app.decorate('services', started as Services);

  await app.register(store, { place, onFatal: options.onFatal });
  await app.register(enrichment);
  await app.register(jobQueues, { jobs: options.jobs ?? jobs });
  await app.register(snapshots);
  await app.register(flows);
  await app.register(events);
  await app.register(watches);
  if (settings.POSTERN_ROLES.includes('api')) await app.register(web);
  await app.register(jobWorkers);
  return app;
}
