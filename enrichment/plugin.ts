// settings -> app.enrichment and services.enrich: what is known about external addresses, kept fresh
import { join } from 'node:path';
import fp from 'fastify-plugin';
import type {} from '../src/provide.ts';
import type { Services } from '../src/services.ts';
import { createEnrichment, type EnrichmentService, readCategories } from './service.ts';
import { HOUR_MS } from './source.ts';

declare module 'fastify' {
  interface FastifyInstance {
    readonly enrichment: EnrichmentService;
  }
}

/** The start waits this long for tables; after that the first flows are enriched as unknown. */
const START_WAIT_MS = 5_000;

export default fp(
  async (app) => {
    const { settings, dataFolder, now } = app.services;
    const enrichment = createEnrichment({
      folder: join(dataFolder, 'enrichment'),
      asnDatabase: settings.POSTERN_ASN_DATABASE,
      operator: settings.POSTERN_CATEGORIES ? readCategories(settings.POSTERN_CATEGORIES) : {},
      mayFetch: settings.POSTERN_ENRICHMENT_FETCH === 'on',
      urls: settings,
      now,
    });
    // Elsewhere a job does it.
    const refreshesItself = !settings.POSTERN_ROLES.includes('work');
    const stopping = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const report = (error: unknown) => app.log.error({ err: error }, 'enrichment tables cannot be built');
    const refresh = () => enrichment.refresh({ signal: stopping.signal }).catch(report);
    app.decorate('enrichment', enrichment);
    // As provide() does, which stands above this folder in the order of imports.
    const part: Partial<Services> = { enrichment, enrich: (address) => enrichment.lookup().enrich(address) };
    Object.assign(app.services, part);
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
