// an alert, or what people decided of it -> PostgreSQL together with what is to be sent of it; then it is sent
import type { Selectable } from 'kysely';
import type { Alert } from '../model/alert.ts';
import type { Services } from '../services.ts';
import { asAlert, type Decision, decideAlert, putAlert } from '../store/postgres/alerts.ts';
import type { AlertTable } from '../store/postgres/schema.ts';
import { queueDeliveries } from './queue.ts';

/** Nothing is sent of a revision that another worker wrote first. */
export async function recordAlert(
  alert: Alert,
  about: { readonly deviceId?: string; readonly hostId?: string },
  services: Services,
): Promise<void> {
  const at = new Date(services.now());
  const deliveries = await services.postgres.transaction().execute(async (transaction) => {
    const isNew = await putAlert(transaction, alert, about, at);
    return isNew ? queueDeliveries(transaction, alert, at) : [];
  });
  await start(deliveries, services);
  const { id, revision, severity, device, host } = alert;
  services.log.info({ alert: id, revision, severity, device, host }, alert.title);
}

/** Receivers hear of a close, as a revision; undefined where the alert is in none of the states that the decision needs. */
export async function recordDecision(
  id: string,
  decision: Decision,
  services: Services,
): Promise<Selectable<AlertTable> | undefined> {
  const { row, deliveries } = await services.postgres.transaction().execute(async (transaction) => {
    const row = await decideAlert(transaction, id, decision);
    const isSent = row?.status === 'closed';
    return { row, deliveries: isSent ? await queueDeliveries(transaction, asAlert(row), decision.at) : [] };
  });
  await start(deliveries, services);
  return row;
}

async function start(deliveries: readonly string[], { jobs }: Services): Promise<void> {
  for (const deliveryId of deliveries) await jobs.add('deliver-alert', { deliveryId, attempt: 0 });
}
