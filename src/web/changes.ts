// /v1/rule-changes: what newly became possible, and what people decided about it
import { type Static, Type } from 'typebox';
import { describeChange, presentChange } from '../changes/present.ts';
import { type ActorEvidence, CHANGE_CLASSES } from '../model/change.ts';
import { decodeJson } from '../model/json.ts';
import type { TicketVerdict } from '../model/watch.ts';
import type { Services } from '../services.ts';
import {
  changeOf,
  type Decision,
  decisionsOf,
  listChanges,
  RECONCILIATIONS,
  type ReconciledChange,
} from '../store/postgres/rule-changes.ts';
import { found } from './problem.ts';
import {
  DeviceFilter,
  dateIfGiven,
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

const tags = ['rule changes'];
const HOUR_MS = 3_600_000;
const ChangeView = Type.Object({
  id: Type.String(),
  device: Type.String(),
  deviceId: Type.String(),
  kind: Type.String(),
  class: oneOf(CHANGE_CLASSES),
  ruleKey: Type.String(),
  detectedAt: Time,
  occurredBetween: Type.Object({ from: Time, to: Time, basis: Type.String() }),
  actors: Type.Array(Type.Unknown(), { description: 'Items of evidence, each with a confidence' }),
  ticket: Type.Unsafe<TicketVerdict>(
    Type.Object({
      state: oneOf(['approved', 'proposed', 'mismatch', 'none']),
      system: Type.Optional(Type.String()),
      number: Type.Optional(Type.String()),
      reason: Type.String(),
    }),
  ),
  approvedForward: Nullable(Type.Unknown()),
  reconciliation: oneOf(RECONCILIATIONS, {
    description: 'The last decision; unreconciled, proposed (a ticket fits) and overdue are computed',
  }),
  decisionCount: Type.Integer(),
});
export const DecisionView = Type.Object({
  id: Type.String(),
  decision: Type.String(),
  ticket: Nullable(Type.Object({ system: Type.String(), number: Type.String() })),
  reason: Type.String(),
  decidedBy: Type.String(),
  decidedAt: Time,
});
const WholeChange = Type.Object({
  ...ChangeView.properties,
  snapshots: Type.Object({ before: Type.String(), after: Type.String() }),
  diff: Type.Unsafe<ReturnType<typeof presentChange>>(
    Type.Object({}, { additionalProperties: true, description: 'opens, closes, before and after' }),
  ),
  text: Type.String({ description: 'The diff for people' }),
  decisions: Type.Array(DecisionView),
});
const ChangeQuery = Strict({
  ...PageQuery,
  reconciliation: Type.Optional(oneOf(RECONCILIATIONS)),
  device: Type.Optional(DeviceFilter),
  class: Type.Optional(oneOf(CHANGE_CLASSES)),
  since: Type.Optional({ ...Time, description: 'Detected then or later' }),
});

const present = (row: ReconciledChange): Static<typeof ChangeView> => ({
  id: row.id,
  device: row.device,
  deviceId: row.device_id,
  kind: row.kind,
  class: row.class as (typeof CHANGE_CLASSES)[number],
  ruleKey: row.rule_key,
  detectedAt: row.detected_at.toISOString(),
  occurredBetween: {
    from: row.occurred_from.toISOString(),
    to: row.occurred_to.toISOString(),
    basis: row.occurred_basis,
  },
  actors: decodeJson<ActorEvidence[]>(row.actors).map(({ atMs, ...actor }) => ({
    ...actor,
    ...(atMs === undefined ? {} : { at: new Date(atMs).toISOString() }),
  })),
  ticket: decodeJson<TicketVerdict>(row.ticket),
  approvedForward: row.approved_forward ?? null,
  reconciliation: row.reconciliation,
  decisionCount: row.decision_count,
});

export const presentDecision = (row: Decision): Static<typeof DecisionView> => ({
  id: row.id,
  decision: row.decision,
  ticket:
    row.ticket_system === null || row.ticket_number === null
      ? null
      : { system: row.ticket_system, number: row.ticket_number },
  reason: row.reason,
  decidedBy: row.decided_by,
  decidedAt: row.decided_at.toISOString(),
});

/** If-Match of a decision names it, so that nobody decides about what another just decided. */
export const etagOf = (decisionCount: number): string => `"${decisionCount}"`;

const emergenciesDue = ({ settings, now }: Services) =>
  new Date(now() - settings.POSTERN_EMERGENCY_TICKET_HOURS * HOUR_MS);

export function changeRoutes(app: Web): void {
  list(app);
  read(app);
}

function list(app: Web): void {
  const { services } = app;
  app.get(
    '/v1/rule-changes',
    {
      schema: {
        tags,
        summary: 'List rule changes, the newest first',
        querystring: ChangeQuery,
        response: { 200: Page(ChangeView) },
      },
      config: { right: 'changes:read' },
    },
    async ({ query: { cursor, limit, since, ...filter } }) => {
      const rows = await listChanges(services.postgres, {
        ...filter,
        since: dateIfGiven('since', since),
        before: timeCursor(cursor),
        emergenciesDue: emergenciesDue(services),
        limit: limit + 1,
      });
      return pageOf(rows, limit, (row) => timeKey(row.detected_at, row.id), present);
    },
  );
}

function read(app: Web): void {
  const { services } = app;
  app.get(
    '/v1/rule-changes/:id',
    {
      schema: {
        tags,
        summary: 'Read a change with its diff and decisions; ETag counts the decisions',
        params: IdParams,
        response: { 200: WholeChange },
      },
      config: { right: 'changes:read' },
    },
    async ({ params }, reply) => {
      const filter = { id: params.id, emergenciesDue: emergenciesDue(services), limit: 1 };
      const row = found((await listChanges(services.postgres, filter))[0], 'rule change');
      const decisions = await decisionsOf(services.postgres, row.id);
      const change = changeOf(row);
      reply.header('etag', etagOf(decisions.length));
      return {
        ...present(row),
        snapshots: { before: row.snapshot_before, after: row.snapshot_after },
        diff: presentChange(change),
        text: describeChange(change),
        decisions: decisions.map(presentDecision),
      };
    },
  );
}
