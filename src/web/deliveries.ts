// /v1/deliveries: what was sent, what waits, what is parked and can be sent again
import { type Static, Type } from 'typebox';
import {
  type DeliveryRow,
  deliveryById,
  listDeliveries,
  replayDelivery,
} from '../store/postgres/endpoints.ts';
import { note } from './authorise.ts';
import { found, problem } from './problem.ts';
import {
  Id,
  IdParams,
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

const tags = ['endpoints'];
const STATES = ['pending', 'delivered', 'parked'] as const;
const DeliveryView = Type.Object({
  id: Type.String({ description: 'The webhook-id header' }),
  endpointId: Type.String(),
  alertId: Type.String(),
  alertRevision: Type.Integer(),
  state: oneOf(STATES),
  attemptCount: Type.Integer(),
  lastStatus: Nullable(Type.Integer({ description: 'HTTP status of the last answer' })),
  lastError: Nullable(Type.String()),
  nextAt: Nullable({ ...Time, description: 'When it is tried next, while it is pending' }),
  createdAt: Time,
  updatedAt: Time,
});
const DeliveryQuery = Strict({
  ...PageQuery,
  state: Type.Optional(oneOf(STATES)),
  endpoint: Type.Optional(Id),
  alert: Type.Optional(Id),
});

const present = (row: DeliveryRow): Static<typeof DeliveryView> => ({
  id: row.id,
  endpointId: row.endpoint_id,
  alertId: row.alert_id,
  alertRevision: row.alert_revision,
  state: row.state,
  attemptCount: row.attempt_count,
  lastStatus: row.last_status,
  lastError: row.last_error,
  nextAt: row.state === 'pending' ? row.next_at.toISOString() : null,
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
});

export function deliveryRoutes(app: Web): void {
  const { services } = app;

  app.get(
    '/v1/deliveries',
    {
      schema: {
        tags,
        summary: 'List deliveries, the newest first',
        querystring: DeliveryQuery,
        response: { 200: Page(DeliveryView) },
      },
      config: { right: 'endpoints:read' },
    },
    async ({ query: { cursor, limit, ...filter } }) => {
      const before = timeCursor(cursor);
      const rows = await listDeliveries(services.postgres, { ...filter, before, limit: limit + 1 });
      return pageOf(rows, limit, (row) => timeKey(row.created_at, row.id), present);
    },
  );

  app.post(
    '/v1/deliveries/:id/replay',
    {
      schema: {
        tags,
        summary: 'Send a delivery again that is parked or done',
        params: IdParams,
        response: { 202: DeliveryView },
      },
      config: { right: 'endpoints:write', audit: 'delivery.replay' },
    },
    async (request, reply) => {
      const { id } = request.params;
      const row = await replayDelivery(services.postgres, id, new Date(services.now()));
      if (!row) {
        found(await deliveryById(services.postgres, id), 'delivery');
        throw problem(409, 'already-pending', 'the delivery waits for its next attempt');
      }
      await services.jobs.add('deliver-alert', { deliveryId: id, attempt: 0 });
      note(request, `delivery/${id}`, { endpoint: row.endpoint_id, alert: row.alert_id });
      return reply.code(202).send(present(row));
    },
  );
}
