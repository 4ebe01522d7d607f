// /v1/audit-log: who did what to what, append-only
import { type Static, Type } from 'typebox';
import { type AuditEntry, listAuditEntries } from '../store/postgres/audit-log.ts';
import {
  badCursor,
  cursorKey,
  dateIfGiven,
  Page,
  PageQuery,
  pageOf,
  Strict,
  Time,
  type Web,
} from './schema.ts';

const Word = Type.Optional(Type.String({ maxLength: 500 }));
const AuditQuery = Strict({
  ...PageQuery,
  actor: Word,
  action: Word,
  object: Word,
  since: Type.Optional(Time),
  until: Type.Optional(Time),
});
const AuditView = Type.Object({
  id: Type.String(),
  at: Time,
  actor: Type.String({ description: 'Name and id of the key' }),
  action: Type.String(),
  object: Type.String(),
  detail: Type.Unknown(),
});

const present = (row: AuditEntry): Static<typeof AuditView> => ({
  id: row.id,
  at: row.at.toISOString(),
  actor: row.actor,
  action: row.action,
  object: row.object,
  detail: row.detail,
});

export function auditLogRoutes(app: Web): void {
  app.get(
    '/v1/audit-log',
    {
      schema: {
        tags: ['audit log'],
        summary: 'Read the audit log, the newest first',
        querystring: AuditQuery,
        response: { 200: Page(AuditView) },
      },
      config: { right: 'audit:read' },
    },
    async ({ query: { cursor, limit, since, until, ...filter } }) => {
      const beforeId = cursorKey(cursor, 1)?.[0];
      if (beforeId !== undefined && !/^\d{1,18}$/.test(beforeId)) throw badCursor();
      const rows = await listAuditEntries(app.services.postgres, {
        ...filter,
        since: dateIfGiven('since', since),
        until: dateIfGiven('until', until),
        beforeId,
        limit: limit + 1,
      });
      return pageOf(rows, limit, (row) => [row.id], present);
    },
  );
}
