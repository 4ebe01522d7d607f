// /healthz and /readyz: whether the process lives, and whether its stores answer
import { sql } from 'kysely';
import { Type } from 'typebox';
import type { Web } from './schema.ts';

const tags = ['health'];
const Ready = Type.Object({ postgres: Type.Boolean(), clickhouse: Type.Boolean() });

export function healthRoutes(app: Web): void {
  app.get(
    '/healthz',
    {
      schema: {
        tags,
        summary: 'The process answers',
        response: { 200: Type.Object({ status: Type.Literal('ok') }) },
      },
      config: { right: 'open' },
    },
    async () => ({ status: 'ok' as const }),
  );
  app.get(
    '/readyz',
    {
      schema: { tags, summary: 'The stores answer', response: { 200: Ready, 503: Ready } },
      config: { right: 'open' },
    },
    async (_request, reply) => {
      const { postgres, clickhouse } = app.services;
      const [people, machines] = await Promise.all([
        sql`SELECT 1`
          .execute(postgres)
          .then(() => true)
          .catch(() => false),
        clickhouse
          .ping({ select: true })
          .then(({ success }) => success)
          .catch(() => false),
      ]);
      return reply.code(people && machines ? 200 : 503).send({ postgres: people, clickhouse: machines });
    },
  );
}
