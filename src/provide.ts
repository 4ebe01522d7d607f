// plugins -> app.services, filled in the order that they are registered
import type { FastifyInstance } from 'fastify';
import type { Services } from './services.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** Each part is there once the plugin that provides it is ready: in onReady hooks of plugins after it, jobs and routes. */
    readonly services: Services;
  }
}

/** Adds parts to app.services. */
export function provide(app: FastifyInstance, part: Partial<Services>): void {
  Object.assign(app.services, part);
}
