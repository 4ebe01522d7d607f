// /v1/approved-forwards: the inventory of traffic that is expected
import { randomUUID } from 'node:crypto';
import { type Static, Type } from 'typebox';
import { addressSet } from '../model/addresses.ts';
import { serviceSet } from '../model/services.ts';
import type { Services } from '../services.ts';
import {
  deleteForward,
  forwardById,
  insertForward,
  listForwards,
  type StoredForward,
} from '../store/postgres/tickets.ts';
import { callerOf, note } from './authorise.ts';
import { checkEach, found, problem } from './problem.ts';
import {
  dateOf,
  IdParams,
  Nothing,
  Nullable,
  Page,
  PageQuery,
  pageOf,
  Strict,
  Texts,
  Time,
  timeCursor,
  timeKey,
  type Web,
} from './schema.ts';

const tags = ['approved forwards'];
const Addresses = (what: string) => Texts(1000, `${what}: addresses, prefixes, first-last`);
const ServiceTexts = Texts(1000, 'Such as tcp/443, udp/5000-5010, icmp; empty: any');
const ForwardBody = Strict({
  sources: Type.Optional(Addresses('Internal sources; empty: any')),
  destinations: Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
    minItems: 1,
    maxItems: 1000,
    description: 'External destinations: addresses, prefixes, first-last',
  }),
  services: Type.Optional(ServiceTexts),
  reason: Type.String({ minLength: 1, maxLength: 2000 }),
  expiresAt: Type.Optional(Nullable(Time)),
});
const ForwardView = Type.Object({
  id: Type.String(),
  sources: Type.Array(Type.String()),
  destinations: Type.Array(Type.String()),
  services: Type.Array(Type.String()),
  reason: Type.String(),
  expiresAt: Nullable(Time),
  expired: Type.Boolean(),
  createdBy: Type.String(),
  createdAt: Time,
});

const presenter =
  ({ now }: Services) =>
  (row: StoredForward): Static<typeof ForwardView> => ({
    id: row.id,
    sources: row.sources,
    destinations: row.destinations,
    services: row.services,
    reason: row.reason,
    expiresAt: row.expires_at?.toISOString() ?? null,
    expired: row.expires_at !== null && row.expires_at.getTime() <= now(),
    createdBy: row.created_by,
    createdAt: row.created_at.toISOString(),
  });

export function approvedForwardRoutes(app: Web): void {
  add(app);
  list(app);
  read(app);
  remove(app);
}

function add(app: Web): void {
  const { services } = app;
  app.post(
    '/v1/approved-forwards',
    {
      schema: {
        tags,
        summary: 'Approve traffic to a destination',
        body: ForwardBody,
        response: { 201: ForwardView },
      },
      config: { right: 'forwards:write', audit: 'approved-forward.add' },
    },
    async (request, reply) => {
      const { sources = [], destinations, services: names = [], reason, expiresAt } = request.body;
      checkEach('sources', sources, addressSet);
      checkEach('destinations', destinations, addressSet);
      checkEach('services', names, serviceSet);
      const expires = expiresAt ? dateOf('expiresAt', expiresAt) : null;
      if (expires && expires.getTime() <= services.now())
        throw problem(400, 'already-expired', 'expiresAt is in the past', 'expiresAt');
      const row = await insertForward(services.postgres, {
        id: randomUUID(),
        sources,
        destinations,
        services: names,
        reason,
        expires_at: expires,
        created_by: callerOf(request).actor,
        created_at: new Date(services.now()),
      });
      note(request, `approved-forward/${row.id}`, { ...request.body });
      return reply
        .code(201)
        .header('location', `/v1/approved-forwards/${row.id}`)
        .send(presenter(services)(row));
    },
  );
}

function list(app: Web): void {
  const { services } = app;
  app.get(
    '/v1/approved-forwards',
    {
      schema: {
        tags,
        summary: 'List the inventory, the newest first',
        querystring: Strict(PageQuery),
        response: { 200: Page(ForwardView) },
      },
      config: { right: 'forwards:read' },
    },
    async ({ query: { cursor, limit } }) => {
      const rows = await listForwards(services.postgres, { before: timeCursor(cursor), limit: limit + 1 });
      return pageOf(rows, limit, (row) => timeKey(row.created_at, row.id), presenter(services));
    },
  );
}

function read(app: Web): void {
  const { services } = app;
  app.get(
    '/v1/approved-forwards/:id',
    {
      schema: { tags, summary: 'Read an entry', params: IdParams, response: { 200: ForwardView } },
      config: { right: 'forwards:read' },
    },
    async ({ params }) =>
      presenter(services)(found(await forwardById(services.postgres, params.id), 'approved forward')),
  );
}

function remove(app: Web): void {
  const { services } = app;
  app.delete(
    '/v1/approved-forwards/:id',
    {
      schema: { tags, summary: 'Take an entry out', params: IdParams, response: { 204: Nothing } },
      config: { right: 'forwards:write', audit: 'approved-forward.remove' },
    },
    async (request, reply) => {
      const row = found(await forwardById(services.postgres, request.params.id), 'approved forward');
      await deleteForward(services.postgres, row.id);
      note(request, `approved-forward/${row.id}`, { destinations: row.destinations, reason: row.reason });
      return reply.code(204).send(undefined);
    },
  );
}
