// /v1/alerts: what is stored is what was sent; people acknowledge and close
import { type Static, Type } from 'typebox';
import { recordDecision } from '../alerts/record.ts';
import type { AlertStatus } from '../model/alert.ts';
import { SEVERITIES } from '../model/watch.ts';
import { alertRow, asAlert, listAlerts } from '../store/postgres/alerts.ts';
import { callerOf, note } from './authorise.ts';
import { found, problem } from './problem.ts';
import {
  DeviceFilter,
  dateIfGiven,
  Id,
  IdParams,
  Note,
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

const tags = ['alerts'];
const STATUSES: readonly AlertStatus[] = ['open', 'acknowledged', 'closed'];
const AlertView = Type.Object(
  {
    id: Type.String(),
    analytic: Type.String(),
    technique: Type.Array(Type.String()),
    dedupeKey: Type.String(),
    revision: Type.Integer(),
    status: oneOf(STATUSES),
    severity: oneOf(SEVERITIES),
    score: Type.Number(),
    device: Type.Optional(Type.String()),
    host: Type.Optional(Type.String()),
    process: Type.Optional(
      Type.Object({}, { additionalProperties: true, description: 'Of a host: what was run, and as whom' }),
    ),
    openedAt: Time,
    observedAt: Time,
    title: Type.String(),
    narrative: Type.String(),
    decidedBy: Nullable(Type.String()),
    decisionNote: Nullable(Type.String()),
  },
  { additionalProperties: true, description: 'The payload that webhooks get, and what was decided' },
);
const AlertQuery = Strict({
  ...PageQuery,
  status: Type.Optional(oneOf(STATUSES)),
  severity: Type.Optional(oneOf(SEVERITIES)),
  device: Type.Optional(DeviceFilter),
  host: Type.Optional(DeviceFilter),
  analytic: Type.Optional(Id),
  since: Type.Optional({ ...Time, description: 'Opened, revised or decided then or later' }),
});

type Row = NonNullable<Awaited<ReturnType<typeof alertRow>>>;
const present = (row: Row): Static<typeof AlertView> => ({
  ...(asAlert(row) as unknown as Static<typeof AlertView>),
  decidedBy: row.decided_by,
  decisionNote: row.decision_note,
});

const DECISIONS = [
  {
    verb: 'acknowledge',
    to: 'acknowledged',
    from: ['open'],
    summary: 'Take an open alert on',
  },
  {
    verb: 'close',
    to: 'closed',
    from: ['open', 'acknowledged'],
    summary: 'Close an alert that is open or acknowledged',
  },
] as const;

export function alertRoutes(app: Web): void {
  list(app);
  read(app);
  for (const decision of DECISIONS) decide(app, decision);
}

function list(app: Web): void {
  const { services } = app;
  app.get(
    '/v1/alerts',
    {
      schema: {
        tags,
        summary: 'List alerts, the newest first',
        querystring: AlertQuery,
        response: { 200: Page(AlertView) },
      },
      config: { right: 'alerts:read' },
    },
    async ({ query: { cursor, limit, since, ...filter } }) => {
      const rows = await listAlerts(services.postgres, {
        ...filter,
        since: dateIfGiven('since', since),
        before: timeCursor(cursor),
        limit: limit + 1,
      });
      return pageOf(rows, limit, (row) => timeKey(row.opened_at, row.id), present);
    },
  );
}

function read(app: Web): void {
  const { services } = app;
  app.get(
    '/v1/alerts/:id',
    {
      schema: { tags, summary: 'Read an alert', params: IdParams, response: { 200: AlertView } },
      config: { right: 'alerts:read' },
    },
    async ({ params }) => present(found(await alertRow(services.postgres, params.id), 'alert')),
  );
}

function decide(app: Web, { verb, to, from, summary }: (typeof DECISIONS)[number]): void {
  const { services } = app;
  app.post(
    `/v1/alerts/:id/${verb}`,
    {
      schema: {
        tags,
        summary,
        params: IdParams,
        body: Strict({ note: Type.Optional(Note) }),
        response: { 200: AlertView },
      },
      config: { right: 'alerts:decide', audit: `alert.${verb}` },
    },
    async (request) => {
      const { id } = request.params;
      const decision = {
        from,
        to,
        by: callerOf(request).actor,
        note: request.body.note ?? null,
        at: new Date(services.now()),
      };
      const row = await recordDecision(id, decision, services);
      if (!row) {
        const { status } = found(await alertRow(services.postgres, id), 'alert');
        throw problem(409, 'wrong-status', `the alert is ${status}, so it cannot become ${to}`);
      }
      note(request, `alert/${id}`, { note: decision.note });
      return present(row);
    },
  );
}
