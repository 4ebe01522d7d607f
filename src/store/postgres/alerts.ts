// alerts in PostgreSQL: one row an alert, revised in place; what was sent stands in deliveries
import type { Kysely, Selectable, Transaction } from 'kysely';
import type { Alert, AlertStatus } from '../../model/alert.ts';
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

export async function alertById(postgres: Postgres, id: string): Promise<Alert | undefined> {
  const row = await postgres.selectFrom('alerts').selectAll().where('id', '=', id).executeTakeFirst();
  return row && asAlert(row);
}

/** Writes the alert or its next revision. False where another worker wrote this revision first. */
export async function putAlert(
  postgres: Postgres,
  alert: Alert,
  deviceId: string | null,
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
      device_id: deviceId,
      status: alert.status,
      opened_at: alert.openedAt,
      decided_by: null,
      decision_note: null,
      ...changing,
    })
    .onConflict((conflict) =>
      conflict.column('dedupe_key').doUpdateSet(changing).where('alerts.revision', '<', alert.revision),
    )
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
}

/** The stored body with the columns that people decide. */
export function asAlert(row: Selectable<AlertTable>): Alert {
  return { ...(row.body as Alert), status: row.status as AlertStatus };
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
