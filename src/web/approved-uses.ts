// /v1/approved-uses: the inventory of tools that may be used as tunnels, relays and forwards
import { randomUUID } from 'node:crypto';
import { type Static, Type } from 'typebox';
import { addressSet } from '../model/addresses.ts';
import { serviceSet } from '../model/services.ts';
import type { Services } from '../services.ts';
import {
  type ApprovedUseRow,
  approvedUseById,
  deleteApprovedUse,
  insertApprovedUse,
  listApprovedUses,
} from '../store/postgres/hosts.ts';
import { callerOf, note } from './authorise.ts';
import { HOST_NAME } from './device-fields.ts';
import { checkEach, found, problem } from './problem.ts';
import {
  dateOf,
  IdParams,
  Name,
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

const tags = ['approved uses'];
const Names = (description: string) => Type.Array(Name, { maxItems: 1000, description });
const lists = {
  hosts: Names('Names of hosts, as they are registered; empty: any'),
  users: Names('Login or effective users; empty: any'),
  tools: Names('Such as ssh, socat, chisel; empty: any'),
  destinations: Texts(1000, 'Where it leads: addresses, prefixes, first-last, host names; empty: anywhere'),
  services: Texts(1000, 'Such as tcp/443, udp/5000-5010; empty: any'),
};
const UseBody = Strict({
  ...Type.Partial(Type.Object(lists)).properties,
  reason: Type.String({ minLength: 1, maxLength: 2000 }),
  expiresAt: Type.Optional(Nullable(Time)),
});
const UseView = Type.Object({
  id: Type.String(),
  ...lists,
  reason: Type.String(),
  expiresAt: Nullable(Time),
  expired: Type.Boolean(),
  createdBy: Type.String(),
  createdAt: Time,
});

const presenter =
  ({ now }: Services) =>
  (row: ApprovedUseRow): Static<typeof UseView> => ({
    id: row.id,
    hosts: row.hosts,
    users: row.users,
    tools: row.tools,
    destinations: row.destinations,
    services: row.services,
    reason: row.reason,
    expiresAt: row.expires_at?.toISOString() ?? null,
    expired: row.expires_at !== null && row.expires_at.getTime() <= now(),
    createdBy: row.created_by,
    createdAt: row.created_at.toISOString(),
  });

export function approvedUseRoutes(app: Web): void {
  add(app);
  list(app);
  read(app);
  remove(app);
}

function add(app: Web): void {
  const { services } = app;
  app.post(
    '/v1/approved-uses',
    {
      schema: {
        tags,
        summary: 'Approve the use of a tool; what every list that is not empty covers is approved',
        body: UseBody,
        response: { 201: UseView },
      },
      config: { right: 'forwards:write', audit: 'approved-use.add' },
    },
    async (request, reply) => {
      const row = await insertApprovedUse(services.postgres, {
        ...useColumns(request.body, services.now()),
        id: randomUUID(),
        created_by: callerOf(request).actor,
        created_at: new Date(services.now()),
      });
      note(request, `approved-use/${row.id}`, { ...request.body });
      return reply.code(201).header('location', `/v1/approved-uses/${row.id}`).send(presenter(services)(row));
    },
  );
}

/** Throws 400 that names the field. */
function useColumns(body: Static<typeof UseBody>, nowMs: number) {
  const { hosts = [], users = [], tools = [], destinations = [], services = [], reason, expiresAt } = body;
  checkEach('destinations', destinations, checkDestination);
  checkEach('services', services, serviceSet);
  if ([hosts, users, tools, destinations, services].every(({ length }) => length === 0))
    throw problem(
      400,
      'approves-everything',
      `one of ${Object.keys(lists).join(', ')} must say what`,
      'body',
    );
  const expires = expiresAt ? dateOf('expiresAt', expiresAt) : null;
  if (expires && expires.getTime() <= nowMs)
    throw problem(400, 'already-expired', 'expiresAt is in the past', 'expiresAt');
  return { hosts, users, tools, destinations, services, reason, expires_at: expires };
}

/** Throws TypeError: what is neither would approve nothing, in silence. */
function checkDestination(text: string): void {
  if (/^[\d./-]+$/.test(text) || /[:/]/.test(text)) addressSet(text);
  else if (!HOST_NAME.test(text)) throw new TypeError(`neither an address nor a host name: ${text}`);
}

function list(app: Web): void {
  const { services } = app;
  app.get(
    '/v1/approved-uses',
    {
      schema: {
        tags,
        summary: 'List the inventory, the newest first',
        querystring: Strict(PageQuery),
        response: { 200: Page(UseView) },
      },
      config: { right: 'forwards:read' },
    },
    async ({ query: { cursor, limit } }) => {
      const page = { before: timeCursor(cursor), limit: limit + 1 };
      const rows = await listApprovedUses(services.postgres, page);
      return pageOf(rows, limit, (row) => timeKey(row.created_at, row.id), presenter(services));
    },
  );
}

function read(app: Web): void {
  const { services } = app;
  app.get(
    '/v1/approved-uses/:id',
    {
      schema: { tags, summary: 'Read an entry', params: IdParams, response: { 200: UseView } },
      config: { right: 'forwards:read' },
    },
    async ({ params }) =>
      presenter(services)(found(await approvedUseById(services.postgres, params.id), 'approved use')),
  );
}

function remove(app: Web): void {
  const { services } = app;
  app.delete(
    '/v1/approved-uses/:id',
    {
      schema: { tags, summary: 'Take an entry out', params: IdParams, response: { 204: Nothing } },
      config: { right: 'forwards:write', audit: 'approved-use.remove' },
    },
    async (request, reply) => {
      const row = found(await approvedUseById(services.postgres, request.params.id), 'approved use');
      await deleteApprovedUse(services.postgres, row.id);
      const { hosts, users, tools, destinations, services: names, reason } = row;
      note(request, `approved-use/${row.id}`, { hosts, users, tools, destinations, services: names, reason });
      return reply.code(204).send(undefined);
    },
  );
}
