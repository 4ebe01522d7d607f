// settings -> the data folder, PostgreSQL, ClickHouse and the seal
import { join } from 'node:path';
import fastifyPlugin from 'fastify-plugin';
import { PosternError } from '../model/errors.ts';
import { provide } from '../provide.ts';
import { openClickHouse } from './clickhouse/open.ts';
import { openFolder, type Place } from './folder.ts';
import { openPostgres } from './postgres/open.ts';
import { openSecrets } from './secrets.ts';

export interface StoreOptions {
  readonly place: Place;
  readonly onFatal?: (error: Error) => void;
}

export default fastifyPlugin<StoreOptions>(
  async (app, { place, onFatal }) => {
    const { settings, log } = app.services;
    /** What is open, to be closed from the end. */
    const open: (() => Promise<void>)[] = [];

    app.addHook('onReady', async () => {
      const { path, owner, note } = place;
      open.push(await openFolder(place));
      if (note) log.warn({ folder: path }, note);

      const postgres = await openPostgres({ url: settings.DATABASE_URL, folder: path, owner });
      open.push(postgres.close);
      void postgres.died.then(() => {
        const message = `PostgreSQL ended by itself (see ${path}/postgres.log)`;
        onFatal?.(new PosternError('postgres-ended', message));
      });

      const clickhouse = await openClickHouse({
        url: settings.CLICKHOUSE_URL,
        path: join(path, 'clickhouse'),
        memoryMiB: settings.POSTERN_CLICKHOUSE_MEMORY_MIB,
        flowDays: settings.POSTERN_FLOW_DAYS,
        flowHourDays: settings.POSTERN_FLOW_HOUR_DAYS,
        eventDays: settings.POSTERN_EVENT_DAYS,
      });
      open.push(() => clickhouse.close());

      provide(app, {
        postgres: postgres.database,
        postgresConnection: postgres.connection,
        clickhouse,
        seal: openSecrets(settings.POSTERN_SECRET_KEY, path),
      });
    });

    app.addHook('onClose', async () => {
      for (const close of open.reverse())
        await close().catch((error) => log.error({ err: error }, 'a store did not close'));
    });
  },
  { name: 'store' },
);
