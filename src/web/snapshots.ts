// /v1/devices/{id}/snapshots and /rules: configurations as they were pulled, redacted; every read of one is recorded
import { type Static, Type } from 'typebox';
import { describeRule } from '../rules/describe.ts';
import { readRules } from '../rules/read.ts';
import type { Services } from '../services.ts';
import { deviceById } from '../store/postgres/devices.ts';
import {
  latestSnapshot,
  listSnapshots,
  type SnapshotRow,
  snapshotById,
} from '../store/postgres/snapshots.ts';
import { note } from './authorise.ts';
import { found, problem } from './problem.ts';
import {
  cursorKey,
  Id,
  IdParams,
  Page,
  PageQuery,
  pageOf,
  Strict,
  Time,
  timeCursor,
  timeKey,
  type Web,
} from './schema.ts';

const tags = ['devices'];
/** Lines that were not understood, as an answer shows them; all are counted. */
const SHOWN_UNREAD = 1000;
const SnapshotView = Type.Object({
  id: Type.String(),
  vendor: Type.String(),
  beganAt: Time,
  durationMs: Type.Integer(),
  confirmedAt: { ...Time, description: 'Begin of the last pull that saw the same' },
  ruleCount: Type.Integer(),
  unreadCount: Type.Integer(),
});
const SnapshotText = Type.Object({
  ...SnapshotView.properties,
  text: Type.String({ description: 'Redacted' }),
});
const RulesView = Type.Object({
  snapshotId: Type.String(),
  beganAt: Time,
  items: Type.Array(Type.Record(Type.String(), Type.Unknown())),
  next: Type.Optional(Type.String()),
  unreadCount: Type.Integer(),
  unread: Type.Array(Type.Object({ number: Type.Integer(), text: Type.String() }), {
    description: 'Lines of rule-bearing sections that were not understood, the first thousand',
  }),
});

const present = (row: SnapshotRow): Static<typeof SnapshotView> => ({
  id: row.id,
  vendor: row.vendor,
  beganAt: row.began_at.toISOString(),
  durationMs: row.duration_ms,
  confirmedAt: row.confirmed_at.toISOString(),
  ruleCount: row.rule_count,
  unreadCount: row.unread_count,
});

const deviceOf = async ({ postgres }: Services, id: string) =>
  found(await deviceById(postgres, id), 'device');

export function snapshotRoutes(app: Web): void {
  list(app);
  read(app);
  readLatestRules(app);
}

function list(app: Web): void {
  const { services } = app;
  app.get(
    '/v1/devices/:id/snapshots',
    {
      schema: {
        tags,
        summary: 'List its snapshots without their texts, the newest first',
        params: IdParams,
        querystring: Strict(PageQuery),
        response: { 200: Page(SnapshotView) },
      },
      config: { right: 'snapshots:read' },
    },
    async ({ params, query: { cursor, limit } }) => {
      const { id } = await deviceOf(services, params.id);
      const before = timeCursor(cursor);
      const rows = await listSnapshots(services.postgres, id, { before, limit: limit + 1 });
      return pageOf(rows, limit, (row) => timeKey(row.began_at, row.id), present);
    },
  );
}

function read(app: Web): void {
  const { services } = app;
  app.get(
    '/v1/devices/:id/snapshots/:snapshotId',
    {
      schema: {
        tags,
        summary: 'Read a snapshot with its text; the audit log says who did',
        params: Strict({ id: Id, snapshotId: Id }),
        response: { 200: SnapshotText },
      },
      config: { right: 'snapshots:read', audit: 'snapshot.read' },
    },
    async (request) => {
      const { id, snapshotId } = request.params;
      const stored = await snapshotById(services.postgres, snapshotId);
      const row = found(stored?.device_id === id ? stored : undefined, 'snapshot');
      note(request, `snapshot/${row.id}`, { device: id });
      return { ...present({ ...row, unread_count: row.unread.length }), text: row.text };
    },
  );
}

function readLatestRules(app: Web): void {
  const { services } = app;
  app.get(
    '/v1/devices/:id/rules',
    {
      schema: {
        tags,
        summary: 'The rules of its latest snapshot, and the lines that were not understood',
        params: IdParams,
        querystring: Strict(PageQuery),
        response: { 200: RulesView },
      },
      config: { right: 'snapshots:read', audit: 'snapshot.read-rules' },
    },
    async (request) => {
      const { id, name } = await deviceOf(services, request.params.id);
      const { cursor, limit } = request.query;
      const row = await latestSnapshot(services.postgres, id);
      if (!row) throw problem(404, 'no-snapshot', `${name} has not been pulled yet`);
      const [snapshotId = row.id, position = '0'] = cursorKey(cursor, 2) ?? [];
      const from = Number(position);
      if (snapshotId !== row.id || !Number.isInteger(from) || from < 0)
        throw problem(
          409,
          'newer-snapshot',
          'there is a newer snapshot; begin again without a cursor',
          'cursor',
        );
      const { rules } = readRules(row.text, row.vendor).ruleSet;
      const some = rules.slice(from, from + limit + 1);
      note(request, `snapshot/${row.id}`, { device: id });
      return {
        snapshotId: row.id,
        beganAt: row.began_at.toISOString(),
        ...pageOf(
          some,
          limit,
          () => [row.id, String(from + limit)],
          (rule) => ({ ...describeRule(rule), lines: rule.lines }),
        ),
        unreadCount: row.unread.length,
        unread: row.unread.slice(0, SHOWN_UNREAD),
      };
    },
  );
}
