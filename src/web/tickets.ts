// /v1/tickets: what the ticket system pushes, and the changes that it decides about
import { type Static, Type } from 'typebox';
import { listTickets, putTicket, type StoredTicket, ticketByNumber } from '../store/postgres/tickets.ts';
import { note } from './authorise.ts';
import { found, problem } from './problem.ts';
import { rematchTickets } from './rematch.ts';
import {
  cursorKey,
  dateOf,
  Name,
  Nullable,
  Page,
  PageQuery,
  pageOf,
  Strict,
  Texts,
  Time,
  type Web,
} from './schema.ts';

const tags = ['tickets'];
const Word = Type.String({ minLength: 1, maxLength: 100, pattern: '^[^\\s/]+$' });
const TicketParams = Strict({ system: Word, number: Word });
const TicketBody = Strict({
  state: Type.String({
    minLength: 1,
    maxLength: 100,
    description: 'In the words of the ticket system, e.g. Scheduled, Implement, -2',
  }),
  type: Type.Optional(Type.String({ minLength: 1, maxLength: 100, default: 'normal' })),
  devices: Type.Optional(Texts(1000, 'Names of the devices that it is about; empty: not stated')),
  plannedStart: Type.Optional(Nullable(Time)),
  plannedEnd: Type.Optional(Nullable(Time)),
  implementer: Type.Optional(Nullable(Name)),
  summary: Type.Optional(Nullable(Type.String({ maxLength: 2000 }))),
});
const TicketView = Type.Object({
  system: Type.String(),
  number: Type.String(),
  state: Type.String(),
  type: Type.String(),
  devices: Type.Array(Type.String()),
  plannedStart: Nullable(Time),
  plannedEnd: Nullable(Time),
  implementer: Nullable(Type.String()),
  summary: Nullable(Type.String()),
  updatedAt: Time,
});
const Put = Type.Object({
  ...TicketView.properties,
  rematched: Type.Integer({ description: 'Rule changes whose ticket verdict is another one now' }),
});

function presentTicket(row: StoredTicket): Static<typeof TicketView> {
  return {
    system: row.system,
    number: row.number,
    state: row.state,
    type: row.type,
    devices: row.devices,
    plannedStart: row.planned_start?.toISOString() ?? null,
    plannedEnd: row.planned_end?.toISOString() ?? null,
    implementer: row.implementer,
    summary: row.summary,
    updatedAt: row.updated_at.toISOString(),
  };
}

export function ticketRoutes(app: Web): void {
  put(app);
  list(app);
  read(app);
}

function put(app: Web): void {
  const { services } = app;
  app.put(
    '/v1/tickets/:system/:number',
    {
      schema: {
        tags,
        summary: 'Write a ticket as it is now, as often as wanted',
        params: TicketParams,
        body: TicketBody,
        response: { 200: Put, 201: Put },
      },
      config: { right: 'tickets:write', audit: 'ticket.put' },
    },
    async (request, reply) => {
      const { body, params } = request;
      const start = body.plannedStart ? dateOf('plannedStart', body.plannedStart) : null;
      const end = body.plannedEnd ? dateOf('plannedEnd', body.plannedEnd) : null;
      if (start && end && end < start)
        throw problem(400, 'bad-window', 'plannedEnd is before plannedStart', 'plannedEnd');
      const { stored, isNew } = await putTicket(services.postgres, {
        ...params,
        state: body.state,
        type: body.type ?? 'normal',
        devices: body.devices ?? [],
        planned_start: start,
        planned_end: end,
        implementer: body.implementer ?? null,
        summary: body.summary ?? null,
        updated_at: new Date(services.now()),
      });
      const rematched = await rematchTickets(stored, services);
      note(request, `ticket/${params.system}/${params.number}`, { state: body.state, rematched });
      return reply.code(isNew ? 201 : 200).send({ ...presentTicket(stored), rematched });
    },
  );
}

function list(app: Web): void {
  const { services } = app;
  app.get(
    '/v1/tickets',
    {
      schema: {
        tags,
        summary: 'List tickets in order of system and number',
        querystring: Strict({
          ...PageQuery,
          system: Type.Optional(Word),
          state: Type.Optional(Type.String()),
        }),
        response: { 200: Page(TicketView) },
      },
      config: { right: 'tickets:read' },
    },
    async ({ query: { cursor, limit, ...filter } }) => {
      const after = cursorKey(cursor, 2) as [string, string] | undefined;
      const rows = await listTickets(services.postgres, { ...filter, after, limit: limit + 1 });
      return pageOf(rows, limit, (row) => [row.system, row.number], presentTicket);
    },
  );
}

function read(app: Web): void {
  const { services } = app;
  app.get(
    '/v1/tickets/:system/:number',
    {
      schema: { tags, summary: 'Read a ticket', params: TicketParams, response: { 200: TicketView } },
      config: { right: 'tickets:read' },
    },
    async ({ params }) =>
      presentTicket(found(await ticketByNumber(services.postgres, params.system, params.number), 'ticket')),
  );
}
