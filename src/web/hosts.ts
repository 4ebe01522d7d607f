// /v1/hosts: the hosts whose lines, attempts and rulesets are watched
import { randomUUID } from 'node:crypto';
import { type Static, Type } from 'typebox';
import { PLATFORMS } from '../model/host.ts';
import type { Services } from '../services.ts';
import {
  deleteHost,
  type HostRow,
  hostById,
  insertHost,
  listHosts,
  updateHost,
} from '../store/postgres/hosts.ts';
import { callerOf, note } from './authorise.ts';
import { addressesOf, zoneOf } from './device-fields.ts';
import { found, isTaken, nameTaken } from './problem.ts';
import {
  cursorKey,
  IdParams,
  Name,
  Nothing,
  oneOf,
  Page,
  PageQuery,
  pageOf,
  Strict,
  Texts,
  Time,
  type Web,
} from './schema.ts';

const tags = ['hosts'];

/** Coverage asks for the addresses of a whole page of hosts at once. */
const MAX_ADDRESSES = 100;
const fields = {
  name: Name,
  platform: oneOf(PLATFORMS),
  addresses: Texts(MAX_ADDRESSES, 'Its own addresses, and outside ones that are translated to it'),
  aliases: Type.Array(Name, {
    maxItems: 100,
    description: 'Other names that its lines carry: host name, node=, certificate subject',
  }),
  isDeveloper: Type.Boolean({ description: 'Used to develop: expected to test its packet filter' }),
  timeZone: Type.String({ minLength: 1, maxLength: 64, description: 'IANA name, of the change window' }),
};
const HostDraft = Strict({
  ...Type.Partial(Type.Object(fields)).properties,
  name: fields.name,
  platform: fields.platform,
  addresses: fields.addresses,
});
const HostPatch = Type.Partial(Type.Object(fields), { additionalProperties: false });
const HostView = Type.Object({ id: Type.String(), ...fields, createdAt: Time, createdBy: Type.String() });

const hostOf = async ({ postgres }: Services, id: string): Promise<HostRow> =>
  found(await hostById(postgres, id), 'host');

/** Columns of the fields that are given. Throws 400 that names the field. */
function hostColumns(given: Static<typeof HostPatch>) {
  const columns: Partial<HostRow> = {
    name: given.name,
    platform: given.platform,
    addresses: given.addresses && addressesOf('addresses', given.addresses),
    aliases: given.aliases && [...new Set(given.aliases)],
    is_developer: given.isDeveloper,
    time_zone: given.timeZone && zoneOf(given.timeZone),
  };
  return Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== undefined));
}

const presentHost = (row: HostRow): Static<typeof HostView> => ({
  id: row.id,
  name: row.name,
  platform: row.platform,
  addresses: row.addresses,
  aliases: row.aliases,
  isDeveloper: row.is_developer,
  timeZone: row.time_zone,
  createdAt: row.created_at.toISOString(),
  createdBy: row.created_by,
});

export function hostRoutes(app: Web): void {
  register(app);
  list(app);
  read(app);
  change(app);
  remove(app);
}

function register(app: Web): void {
  const { services } = app;
  app.post(
    '/v1/hosts',
    {
      schema: {
        tags,
        summary: 'Register a host; its lines count from then on',
        body: HostDraft,
        response: { 201: HostView },
      },
      config: { right: 'hosts:write', audit: 'host.register' },
    },
    async (request, reply) => {
      const host = {
        aliases: [],
        is_developer: false,
        time_zone: 'UTC',
        ...hostColumns(request.body),
        id: randomUUID(),
        created_at: new Date(services.now()),
        created_by: callerOf(request).actor,
      } as unknown as HostRow;
      if (!(await insertHost(services.postgres, host))) throw nameTaken('host', host.name);
      note(request, `host/${host.id}`, { ...request.body });
      return reply.code(201).header('location', `/v1/hosts/${host.id}`).send(presentHost(host));
    },
  );
}

function list(app: Web): void {
  const { services } = app;
  app.get(
    '/v1/hosts',
    {
      schema: {
        tags,
        summary: 'List hosts in order of name',
        querystring: Strict(PageQuery),
        response: { 200: Page(HostView) },
      },
      config: { right: 'hosts:read' },
    },
    async ({ query: { cursor, limit } }) => {
      const after = cursorKey(cursor, 1)?.[0];
      const rows = await listHosts(services.postgres, { after, limit: limit + 1 });
      return pageOf(rows, limit, (row) => [row.name], presentHost);
    },
  );
}

function read(app: Web): void {
  const { services } = app;
  app.get(
    '/v1/hosts/:id',
    {
      schema: { tags, summary: 'Read a host', params: IdParams, response: { 200: HostView } },
      config: { right: 'hosts:read' },
    },
    async ({ params }) => presentHost(await hostOf(services, params.id)),
  );
}

function change(app: Web): void {
  const { services } = app;
  app.patch(
    '/v1/hosts/:id',
    {
      schema: {
        tags,
        summary: 'Change a host; lists are replaced whole, and under another name its history begins anew',
        params: IdParams,
        body: HostPatch,
        response: { 200: HostView },
      },
      config: { right: 'hosts:write', audit: 'host.change' },
    },
    async (request) => {
      const { params, body } = request;
      const before = await hostOf(services, params.id);
      const columns = hostColumns(body);
      const isSame = Object.keys(columns).length === 0;
      const after = isSame
        ? before
        : await updateHost(services.postgres, before.id, columns).catch((error) => {
            throw isTaken(error) ? nameTaken('host', body.name!) : error;
          });
      const host = found(after, 'host');
      note(request, `host/${host.id}`, { name: host.name, before: before.name, changes: body });
      return presentHost(host);
    },
  );
}

function remove(app: Web): void {
  const { services } = app;
  app.delete(
    '/v1/hosts/:id',
    {
      schema: {
        tags,
        summary: 'Remove a host and the questions about it; its alerts stay',
        params: IdParams,
        response: { 204: Nothing },
      },
      config: { right: 'hosts:write', audit: 'host.remove' },
    },
    async (request, reply) => {
      const host = await hostOf(services, request.params.id);
      await deleteHost(services.postgres, host.id);
      note(request, `host/${host.id}`, { name: host.name });
      return reply.code(204).send(undefined);
    },
  );
}
