// an endpoint -> one signed sample sent to it, outside of the queue
import { randomUUID } from 'node:crypto';
import { type EndpointSecret, formatAlert, withToken } from '../alerts/formats.ts';
import { send } from '../alerts/send.ts';
import type { Alert } from '../model/alert.ts';
import type { Services } from '../services.ts';
import type { Endpoint } from '../store/postgres/endpoints.ts';

/** Says in every field that people read that it is a test. */
function sampleAlert(nowMs: number): Alert {
  const at = new Date(nowMs).toISOString();
  const rates = { from: at, minutes: 0, packetsPerMinute: 0, bytesPerMinute: 0, flowsPerMinute: 0 };
  const totals = { outPackets: 0, returnPackets: 0, outBytes: 0, returnBytes: 0 };
  return {
    id: 'al_test',
    analytic: 'TEST',
    technique: [],
    dedupeKey: 'TEST',
    revision: 1,
    status: 'open',
    severity: 'informational',
    device: 'test',
    score: 0,
    scoreReasons: [],
    openedAt: at,
    observedAt: at,
    title: 'Test of this endpoint by Postern',
    narrative: 'This is a test; nothing happened.',
    change: {
      id: 'test',
      class: 'internal',
      kind: 'added',
      ruleKey: 'test',
      opens: [],
      occurredBetween: { from: at, to: at, basis: 'pulls' },
      actors: [],
      ticket: { state: 'none', reason: 'this is a test' },
      alsoChanged: [],
    },
    stages: [],
    missingStages: [],
    dataGaps: [],
    notes: ['This is a test; nothing happened.'],
    flows: { baseline: rates, observed: { ...rates, ...totals }, returnRatio: null, series: [] },
    destinations: [],
    thresholds: {},
    relatedAlerts: [],
  };
}

/** Never throws for what the endpoint does. */
export async function sendSample(
  endpoint: Endpoint,
  { seal, settings, now }: Services,
): Promise<{ delivered: boolean; status?: number; error?: string }> {
  const secret: EndpointSecret = JSON.parse(seal.open(endpoint.secret));
  const body = formatAlert(sampleAlert(now()), endpoint.format);
  const delivery = {
    id: `msg_test_${randomUUID()}`,
    url: endpoint.url,
    secret: secret.signing,
    ...withToken(endpoint.format, body, secret.token),
  };
  try {
    const { status } = await send(delivery, {
      timeoutMs: settings.POSTERN_WEBHOOK_TIMEOUT_SECONDS * 1000,
      allowedHosts: settings.POSTERN_WEBHOOK_ALLOWED_HOSTS,
      nowMs: now(),
    });
    const delivered = status >= 200 && status < 300;
    return { delivered, status, ...(delivered ? {} : { error: `answered ${status}` }) };
  } catch (error) {
    return { delivered: false, error: (error as Error).message };
  }
}
