// the OpenAPI document, and a page that says where it is
import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { Problem } from './problem.ts';

const REFUSED = {
  description: 'Refused',
  content: { 'application/problem+json': { schema: Problem } },
};

export const documentOptions: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'Postern',
      version: '1',
      description:
        'Registers devices, reconciles their rule changes, and serves alerts. Every error is a problem (RFC 9457). Lists are pages: pass `next` as `cursor`.',
    },
    components: {
      securitySchemes: { key: { type: 'http', scheme: 'bearer', description: 'An API key, postern_...' } },
    },
    security: [{ key: [] }],
  },
  transform: ({ schema, url, route }) => {
    const { right } = route.config ?? {};
    const response = { ...(schema?.response as object), '4XX': REFUSED };
    const description = right && right !== 'open' ? `Needs the right \`${right}\`.` : undefined;
    const security = right === 'open' ? [] : undefined;
    return { schema: { description, ...(security ? { security } : {}), ...schema, response } as never, url };
  },
};

export function document(app: FastifyInstance): void {
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
}

const HOME = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Postern</title>
<style>body { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem }</style>
</head>
<body>
<h1>Postern</h1>
<p>Postern finds the back gate that somebody opened in a network.</p>
<ul>
<li><a href="/docs">The API, to read and try</a></li>
<li><a href="/openapi.json">The API as OpenAPI 3.1</a></li>
</ul>
</body>
</html>
`;

export function homePage(app: FastifyInstance): void {
  app.get('/', { schema: { hide: true } }, async (_request, reply) =>
    reply
      .type('text/html; charset=utf-8')
      .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
      .serializer(String)
      .send(HOME),
  );
}
