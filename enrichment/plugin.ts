// settings -> app.enrichment: what is known about external addresses, kept fresh
import { join } from 'node:path';
import fp from 'fastify-plugin';
import type { Static, TObject } from 'typebox';
import { createEnrichment, type EnrichmentService, readCategories } from './service.ts';
import type { enrichmentSettings } from './settings.ts';
import { HOUR_MS } from './source.ts';

declare module 'fastify' {
  interface FastifyInstance {
    readonly enrichment: EnrichmentService;
  }
}

export interface EnrichmentPluginOptions {
  readonly settings: Static<TObject<typeof enrichmentSettings>>;
  /** The data folder; lists are kept under enrichment/ in it. */
  readonly dataFolder: string;
  /** True where no job does it: this process then looks every hour for lists that are due. */
  readonly refreshesItself: boolean;
  readonly now: () => number;
}

/** The start waits this long for tables; after that the first flows are enriched as unknown. */
const START_WAIT_MS = 5_000;

export const enrichmentPlugin = fp<EnrichmentPluginOptions>(
  async (app, { settings, dataFolder, refreshesItself, now }) => {
    const enrichment = createEnrichment({
      folder: join(dataFolder, 'enrichment'),
      asnDatabase: settings.POSTERN_ASN_DATABASE,
      operator: settings.POSTERN_CATEGORIES ? readCategories(settings.POSTERN_CATEGORIES) : {},
      mayFetch: settings.POSTERN_ENRICHMENT_FETCH === 'on',
      urls: settings,
      now,
    });
    const stopping = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const report = (error: unknown) => app.log.error({ err: error }, 'enrichment tables cannot be built');
    const refresh = () => enrichment.refresh({ signal: stopping.signal }).catch(report);
    app.decorate('enrichment', enrichment);
    app.addHook('onReady', async () => {
      const loaded = enrichment.reload().then(() => {
        for (const { name, lastError } of enrichment.status())
          if (lastError !== undefined)
            app.log.warn({ source: name, reason: lastError }, 'enrichment source failed');
      }, report);
      await Promise.race([loaded, new Promise((resolve) => setTimeout(resolve, START_WAIT_MS).unref())]);
      if (!refreshesItself) return;
      timer = setInterval(refresh, HOUR_MS).unref();
      void refresh();
    });
    app.addHook('onClose', async () => {
      clearInterval(timer);
      stopping.abort();
    });
  },
  { name: 'enrichment' },
);
