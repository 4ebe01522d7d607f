// /v1/keys: API keys, shown once and kept as hashes
import { type Static, Type } from 'typebox';
import { createKey, type KeyRow, listKeys, revokeKey } from '../store/postgres/api-keys.ts';
import { note } from './authorise.ts';
import { notFound, problem } from './problem.ts';
import { ROLES } from './rights.ts';
import {
  IdParams,
  Name,
  Nothing,
  Nullable,
  oneOf,
  Page,
  PageQuery,
  pageOf,
  Strict,
  Time,
  timeCursor,
  timeKey,
  type Web,
} from './schema.ts';

const tags = ['keys'];
const KeyBody = Strict({ name: Name, role: oneOf(ROLES) });
const KeyView = Type.Object({
  id: Type.String(),
  name: Type.String(),
  role: oneOf(ROLES),
  createdAt: Time,
  revokedAt: Nullable(Time),
});
const Created = Type.Object({
  ...Type.Omit(KeyView, ['revokedAt', 'createdAt']).properties,
  key: Type.String({ description: 'Shown only here' }),
});

const present = (row: KeyRow): Static<typeof KeyView> => ({
  id: row.id,
  name: row.name,
  role: row.role,
  createdAt: row.created_at.toISOString(),
  revokedAt: row.revoked_at?.toISOString() ?? null,
});

export function keyRoutes(app: Web): void {
  make(app);
  list(app);
  revoke(app);
}

function make(app: Web): void {
  const { services } = app;
  app.post(
    '/v1/keys',
    {
      schema: {
        tags,
        summary: 'Make a key; one a person or program, under its name',
        body: KeyBody,
        response: { 201: Created },
      },
      config: { right: 'keys:write', audit: 'key.add' },
    },
    async (request, reply) => {
      const { name, role } = request.body;
      const { id, key } = await createKey(services.postgres, name, role, services.now());
      note(request, `key/${id}`, { name, role });
      return reply.code(201).send({ id, name, role, key });
    },
  );
}

function list(app: Web): void {
  const { services } = app;
  app.get(
    '/v1/keys',
    {
      schema: {
        tags,
        summary: 'List keys, the newest first, revoked ones too',
        querystring: Strict(PageQuery),
        response: { 200: Page(KeyView) },
      },
      config: { right: 'keys:read' },
    },
    async ({ query: { cursor, limit } }) => {
      const rows = await listKeys(services.postgres, { before: timeCursor(cursor), limit: limit + 1 });
      return pageOf(rows, limit, (row) => timeKey(row.created_at, row.id), present);
    },
  );
}

function revoke(app: Web): void {
  const { services } = app;
  app.delete(
    '/v1/keys/:id',
    {
      schema: {
        tags,
        summary: 'Revoke a key, at once and for good',
        params: IdParams,
        response: { 204: Nothing },
      },
      config: { right: 'keys:write', audit: 'key.revoke' },
    },
    async (request, reply) => {
      const done = await revokeKey(services.postgres, request.params.id, new Date(services.now()));
      if (done.outcome === 'unknown') throw notFound('key');
      if (done.outcome === 'last-admin')
        throw problem(409, 'last-admin', 'this is the last key of an administrator; make another first');
      note(request, `key/${done.key.id}`, { name: done.key.name, role: done.key.role });
      return reply.code(204).send(undefined);
    },
  );
}
