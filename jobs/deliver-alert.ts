// sends one stored delivery to its endpoint; on failure again later, over a day, then it is parked
import { Type } from 'typebox';
import { type EndpointSecret, withToken } from '../src/alerts/formats.ts';
import { retryDelayMs } from '../src/alerts/retry.ts';
import { send } from '../src/alerts/send.ts';
import type { Services } from '../src/services.ts';
import { addAuditEntry } from '../src/store/postgres/audit-log.ts';
import { updateEndpoint } from '../src/store/postgres/endpoints.ts';
import { defineJob } from './definition.ts';

const GONE = 410;

export const deliverAlertJob = defineJob({
  name: 'deliver-alert',
  /** The attempt makes each try a job of its own: the job that is running adds the next one. */
  payload: Type.Object({ deliveryId: Type.String(), attempt: Type.Integer() }),
  attempts: 3,
  backoffMs: 1000,
  timeoutMs: 150_000,
  concurrency: () => 8,
  dedupeKey: ({ deliveryId, attempt }) => `${deliveryId}:${attempt}`,
  run: async ({ deliveryId, attempt: number }, services) => {
    const { postgres, settings, seal, now } = services;
    const delivery = await pendingDelivery(postgres, deliveryId);
    // Already tried by a job that came twice.
    if (!delivery || delivery.attempt_count !== number) return;
    const secret: EndpointSecret = JSON.parse(seal.open(delivery.secret));
    const outcome = await attempt(
      {
        id: delivery.id,
        url: delivery.url,
        secret: secret.signing,
        ...withToken(delivery.format, delivery.body, secret.token),
      },
      {
        timeoutMs: settings.POSTERN_WEBHOOK_TIMEOUT_SECONDS * 1000,
        allowedHosts: settings.POSTERN_WEBHOOK_ALLOWED_HOSTS,
        nowMs: now(),
      },
    );
    const attempts = delivery.attempt_count + 1;
    const isGone = outcome.status === GONE;
    const delayMs =
      outcome.delivered || isGone ? undefined : retryDelayMs(attempts, Math.random(), outcome.retryAfterMs);
    const state = outcome.delivered
      ? 'delivered'
      : delayMs === undefined || !delivery.enabled
        ? 'parked'
        : 'pending';
    await postgres
      .updateTable('deliveries')
      .set({
        state,
        attempt_count: attempts,
        last_status: outcome.status ?? null,
        last_error: outcome.error ?? null,
        updated_at: new Date(now()),
        next_at: new Date(now() + (delayMs ?? 0)),
      })
      .where('id', '=', deliveryId)
      .execute();
    if (state === 'pending')
      await services.jobs.add('deliver-alert', { deliveryId, attempt: attempts }, { delayMs });
    if (isGone)
      await disableEndpoint({ id: delivery.endpoint_id, name: delivery.name }, deliveryId, services);
    if (state === 'parked')
      services.log.error(
        { delivery: deliveryId, endpoint: delivery.name },
        `delivery parked: ${outcome.error}`,
      );
  },
});

/** With its endpoint; undefined where it is delivered or parked. */
function pendingDelivery(postgres: Services['postgres'], id: string) {
  return postgres
    .selectFrom('deliveries')
    .innerJoin('endpoints', 'endpoints.id', 'deliveries.endpoint_id')
    .select([
      'deliveries.id',
      'deliveries.body',
      'deliveries.attempt_count',
      'endpoints.id as endpoint_id',
      'endpoints.url',
      'endpoints.format',
      'endpoints.secret',
      'endpoints.name',
      'endpoints.enabled',
    ])
    .where('deliveries.id', '=', id)
    .where('deliveries.state', '=', 'pending')
    .executeTakeFirst();
}

/** Standard Webhooks: a receiver that answers 410 wants nothing any more, so it is disabled until somebody enables it again. */
async function disableEndpoint(
  endpoint: { readonly id: string; readonly name: string },
  delivery: string,
  { postgres, log, now }: Services,
): Promise<void> {
  await updateEndpoint(postgres, endpoint.id, { enabled: false });
  await addAuditEntry(postgres, {
    at: new Date(now()),
    actor: 'postern',
    action: 'endpoint.disable',
    object: `endpoint/${endpoint.id}`,
    detail: { name: endpoint.name, reason: 'answered 410 Gone', delivery },
  });
  log.error({ endpoint: endpoint.name }, 'the endpoint answered 410 Gone and is disabled');
}

async function attempt(
  ...args: Parameters<typeof send>
): Promise<{ delivered: boolean; status?: number; error?: string; retryAfterMs?: number }> {
  try {
    const { status, retryAfterMs } = await send(...args);
    if (status >= 200 && status < 300) return { delivered: true, status };
    return {
      delivered: false,
      status,
      retryAfterMs,
      error:
        status >= 300 && status < 400
          ? `answered ${status}; redirects are not followed`
          : `answered ${status}`,
    };
  } catch (error) {
    return { delivered: false, error: error instanceof Error ? error.message : String(error) };
  }
}
