// the append-only audit log in PostgreSQL: who did what to what
import type { Kysely, Selectable } from 'kysely';
import type { AuditLogTable, Database } from './schema.ts';

export type AuditEntry = Selectable<AuditLogTable>;

export async function addAuditEntry(
  postgres: Kysely<Database>,
  entry: {
    readonly at: Date;
    readonly actor: string;
    readonly action: string;
    readonly object: string;
    readonly detail: Readonly<Record<string, unknown>>;
  },
): Promise<void> {
  await postgres
    .insertInto('audit_log')
    .values({ ...entry, detail: JSON.stringify(entry.detail) })
    .execute();
}

export interface AuditFilter {
  readonly actor?: string;
  readonly action?: string;
  readonly object?: string;
  readonly since?: Date;
  readonly until?: Date;
  /** Entries before this one. */
  readonly beforeId?: string;
  readonly limit: number;
}

/** The newest first. */
export async function listAuditEntries(
  postgres: Kysely<Database>,
  filter: AuditFilter,
): Promise<AuditEntry[]> {
  return postgres
    .selectFrom('audit_log')
    .selectAll()
    .$if(filter.actor !== undefined, (query) => query.where('actor', '=', filter.actor!))
    .$if(filter.action !== undefined, (query) => query.where('action', '=', filter.action!))
    .$if(filter.object !== undefined, (query) => query.where('object', '=', filter.object!))
    .$if(filter.since !== undefined, (query) => query.where('at', '>=', filter.since!))
    .$if(filter.until !== undefined, (query) => query.where('at', '<', filter.until!))
    .$if(filter.beforeId !== undefined, (query) => query.where('id', '<', filter.beforeId!))
    .orderBy('id', 'desc')
    .limit(filter.limit)
    .execute();
}
