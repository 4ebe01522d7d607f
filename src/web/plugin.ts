// app.services -> the HTTP API: keys, routes, OpenAPI and its page
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import type {} from '../provide.ts';
import { alertRoutes } from './alerts.ts';
import { approvedForwardRoutes } from './approved-forwards.ts';
import { approvedUseRoutes } from './approved-uses.ts';
import { auditLogRoutes } from './audit-log.ts';
import { authorise } from './authorise.ts';
import { changeRoutes } from './changes.ts';
import { coverageRoutes } from './coverage.ts';
import { deliveryRoutes } from './deliveries.ts';
import { deviceRoutes } from './devices.ts';
import { endpointRoutes } from './endpoints.ts';
import { enrichmentRoutes } from './enrichment.ts';
import { eventRoutes } from './events.ts';
import { exporterRoutes } from './exporters.ts';
import { flowRoutes } from './flows.ts';
import { healthRoutes } from './health.ts';
import { hostCoverageRoutes } from './host-coverage.ts';
import { hostRoutes } from './hosts.ts';
import { keyRoutes } from './keys.ts';
import { metricRoutes } from './metrics.ts';
import { document, documentOptions, homePage } from './pages.ts';
import { sendError, sendNotFound } from './problem.ts';
import { reconciliationRoutes } from './reconciliations.ts';
import { compileValidator, type Web } from './schema.ts';
import { snapshotPushRoutes } from './snapshot-push.ts';
import { snapshotRoutes } from './snapshots.ts';
import { ticketRoutes } from './tickets.ts';

export default fp(
  async (app: FastifyInstance) => {
    app.setValidatorCompiler(compileValidator as never);
    // Answers are built field by field; the schemas type and document them.
    app.setSerializerCompiler(() => JSON.stringify);
    app.removeAllContentTypeParsers();
    const parseJson = app.getDefaultJsonParser('error', 'error');
    app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, text, done) =>
      text === '' ? done(null, undefined) : parseJson(request, text as string, done),
    );
    app.setErrorHandler(sendError);
    app.setNotFoundHandler(sendNotFound);
    authorise(app);
    app.addHook('onRequest', async (_request, reply) => {
      reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    });
    await app.register(swagger, documentOptions);
    await app.register(async (pages) => {
      pages.addHook('onRoute', (route) => {
        route.config = { ...route.config, right: 'open' };
      });
      await pages.register(swaggerUi, { routePrefix: '/docs' });
      document(pages);
      homePage(pages);
    });

    const web = app as unknown as Web;
    healthRoutes(web);
    metricRoutes(web);
    deviceRoutes(web);
    hostRoutes(web);
    snapshotRoutes(web);
    snapshotPushRoutes(web);
    changeRoutes(web);
    reconciliationRoutes(web);
    ticketRoutes(web);
    approvedForwardRoutes(web);
    approvedUseRoutes(web);
    alertRoutes(web);
    endpointRoutes(web);
    deliveryRoutes(web);
    exporterRoutes(web);
    flowRoutes(web);
    eventRoutes(web);
    coverageRoutes(web);
    hostCoverageRoutes(web);
    enrichmentRoutes(web);
    keyRoutes(web);
    auditLogRoutes(web);
  },
  { name: 'web', dependencies: ['store', 'enrichment', 'job-queues', 'flows', 'events'] },
);
