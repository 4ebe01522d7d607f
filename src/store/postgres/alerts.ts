// alerts in PostgreSQL: one row an alert, revised in place; what was sent stands in deliveries
import type { Kysely, Selectable, Transaction } from 'kysely';
import { sql } from 'kysely';
import type { Alert, AlertStatus } from '../../model/alert.ts';
import { olderThan, type TimePage } from './page.ts';
import type { AlertTable, Database } from './schema.ts';

type Postgres = Kysely<Database> | Transaction<Database>;

export async function alertByDedupeKey(postgres: Postgres, dedupeKey: string): Promise<Alert | undefined> {
  const row = await postgres
    .selectFrom('alerts')
    .selectAll()
    .where('dedupe_key', '=', dedupeKey)
    .executeTakeFirst();
  return row && asAlert(row);
}

/** Writes the alert or its next revision. False where another worker wrote this revision first. */
export async function putAlert(
  postgres: Postgres,
  alert: Alert,
  about: { readonly deviceId?: string; readonly hostId?: string },
  at: Date,
): Promise<boolean> {
  const changing = {
    revision: alert.revision,
    severity: alert.severity,
    score: alert.score,
    observed_at: alert.observedAt,
    updated_at: at,
    body: JSON.stringify(alert),
  };
  const row = await postgres
    .insertInto('alerts')
    .values({
      id: alert.id,
      dedupe_key: alert.dedupeKey,
      analytic: alert.analytic,
      device_id: about.deviceId ?? null,
      host_id: about.hostId ?? null,
      status: alert.status,
      opened_at: alert.openedAt,
      decided_by: null,
      decision_note: null,
      ...changing,
    })
    .onConflict((conflict) =>
      conflict
        .column('dedupe_key')
        // A revision keeps what people decided, but for opening again what they closed.
        .doUpdateSet({
          ...changing,
          status: sql<AlertStatus>`CASE alerts.status WHEN 'closed' THEN 'open' ELSE alerts.status END`,
        })
        .where('alerts.revision', '<', alert.revision),
    )
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
}

/** The stored body with the columns that people decide; a close is a revision. */
export function asAlert(row: Selectable<AlertTable>): Alert {
  return { ...(row.body as Alert), revision: row.revision, status: row.status as AlertStatus };
}

/** Alerts that share the device or a destination, newest first. */
export async function relatedAlerts(
  postgres: Postgres,
  deviceId: string | null,
  exceptDedupeKey: string,
): Promise<string[]> {
  if (deviceId === null) return [];
  const rows = await postgres
    .selectFrom('alerts')
    .select('id')
    .where('device_id', '=', deviceId)
    .where('dedupe_key', '!=', exceptDedupeKey)
    .where('status', '!=', 'closed')
    .orderBy('opened_at', 'desc')
    .limit(10)
    .execute();
  return rows.map((row) => row.id);
}

/** Open alerts about the same host, newest first. */
export async function relatedHostAlerts(
  postgres: Postgres,
  hostId: string,
  exceptDedupeKey: string,
): Promise<string[]> {
  const rows = await postgres
    .selectFrom('alerts')
    .select('id')
    .where('host_id', '=', hostId)
    .where('dedupe_key', '!=', exceptDedupeKey)
    .where('status', '!=', 'closed')
    .orderBy('opened_at', 'desc')
    .limit(10)
    .execute();
  return rows.map((row) => row.id);
}

export interface AlertFilter extends TimePage {
  readonly status?: AlertStatus;
  readonly severity?: string;
  /** Name or id. */
  readonly device?: string;
  /** Name or id. */
  readonly host?: string;
  readonly analytic?: string;
  /** Opened, revised or decided then or later. */
  readonly since?: Date;
}

/** The newest first. */
export async function listAlerts(postgres: Postgres, filter: AlertFilter): Promise<Selectable<AlertTable>[]> {
  return postgres
    .selectFrom('alerts')
    .selectAll()
    .$if(filter.status !== undefined, (query) => query.where('status', '=', filter.status!))
    .$if(filter.severity !== undefined, (query) => query.where('severity', '=', filter.severity!))
    .$if(filter.analytic !== undefined, (query) => query.where('analytic', '=', filter.analytic!))
    .$if(filter.since !== undefined, (query) => query.where('updated_at', '>=', filter.since!))
    .$if(filter.device !== undefined, (query) =>
      query.where((eb) =>
        eb.or([eb('device_id', '=', filter.device!), eb(sql<string>`body->>'device'`, '=', filter.device!)]),
      ),
    )
    .$if(filter.host !== undefined, (query) =>
      query.where((eb) =>
        eb.or([eb('host_id', '=', filter.host!), eb(sql<string>`body->>'host'`, '=', filter.host!)]),
      ),
    )
    .$if(filter.before !== undefined, (query) => query.where(olderThan('opened_at', 'id', filter.before!)))
    .orderBy('opened_at', 'desc')
    .orderBy('id', 'desc')
    .limit(filter.limit)
    .execute();
}

export async function alertRow(postgres: Postgres, id: string): Promise<Selectable<AlertTable> | undefined> {
  return postgres.selectFrom('alerts').selectAll().where('id', '=', id).executeTakeFirst();
}

export interface Decision {
  readonly from: readonly AlertStatus[];
  readonly to: AlertStatus;
  readonly by: string;
  readonly note: string | null;
  readonly at: Date;
}

/** Takes the alert from one of the states `from` to `to`, to closed as its next revision; undefined where it is in none of them. */
export async function decideAlert(
  postgres: Postgres,
  id: string,
  decision: Decision,
): Promise<Selectable<AlertTable> | undefined> {
  return postgres
    .updateTable('alerts')
    .set({
      status: decision.to,
      decided_by: decision.by,
      decision_note: decision.note,
      updated_at: decision.at,
    })
    .$if(decision.to === 'closed', (query) => query.set(({ eb }) => ({ revision: eb('revision', '+', 1) })))
    .where('id', '=', id)
    .where('status', 'in', decision.from)
    .returningAll()
    .executeTakeFirst();
}

export async function countAlerts(
  postgres: Postgres,
): Promise<{ severity: string; status: string; count: number }[]> {
  return postgres
    .selectFrom('alerts')
    .select(['severity', 'status', sql<number>`count(*)::int`.as('count')])
    .groupBy(['severity', 'status'])
    .execute();
}
