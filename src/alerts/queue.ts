// an alert and the endpoints -> deliveries: the very text that will be sent, stored with the alert
import { randomUUID } from 'node:crypto';
import type { Kysely, Transaction } from 'kysely';
import type { Alert } from '../model/alert.ts';
import { SEVERITIES, type Severity } from '../model/watch.ts';
import type { Database } from '../store/postgres/schema.ts';
import { formatAlert } from './formats.ts';

/** Resolves to the ids of the new deliveries; an endpoint gets each revision once, and a close only where it got the alert. */
export async function queueDeliveries(
  postgres: Kysely<Database> | Transaction<Database>,
  alert: Alert,
  at: Date,
): Promise<string[]> {
  const endpoints = await postgres
    .selectFrom('endpoints')
    .select(['id', 'format', 'min_severity'])
    .where('enabled', '=', true)
    .$if(alert.status === 'closed', (query) =>
      query.where('id', 'in', (told) =>
        told.selectFrom('deliveries').select('endpoint_id').where('alert_id', '=', alert.id),
      ),
    )
    .execute();
  const wanted = endpoints.filter(
    (endpoint) => SEVERITIES.indexOf(alert.severity) >= SEVERITIES.indexOf(endpoint.min_severity as Severity),
  );
  if (wanted.length === 0) return [];
  const rows = wanted.map((endpoint) => ({
    id: `msg_${randomUUID()}`,
    endpoint_id: endpoint.id,
    alert_id: alert.id,
    alert_revision: alert.revision,
    body: formatAlert(alert, endpoint.format),
    state: 'pending' as const,
    attempt_count: 0,
    last_status: null,
    last_error: null,
    next_at: at,
    created_at: at,
    updated_at: at,
  }));
  const inserted = await postgres
    .insertInto('deliveries')
    .values(rows)
    .onConflict((conflict) => conflict.columns(['endpoint_id', 'alert_id', 'alert_revision']).doNothing())
    .returning('id')
    .execute();
  return inserted.map((row) => row.id);
}
