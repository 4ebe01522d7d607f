// verdict about a host -> HostAlert: the very payload that is stored, served and sent
import { createHash } from 'node:crypto';
import type { HostAnalytic, Parameters } from '../analytics/definition.ts';
import type { AlertDestination, HostAlert } from '../model/alert.ts';
import type { HostDestination, HostQuestion } from '../model/host.ts';
import { SEVERITIES, type Verdict } from '../model/watch.ts';

export interface HostAlertContext {
  readonly question: HostQuestion;
  readonly analytic: HostAnalytic;
  readonly parameters: Parameters;
  readonly openedAtMs: number;
  /** Base address of the API as people reach it; the link is left out without it. */
  readonly baseUrl?: string;
  readonly related: readonly string[];
}

/** What one question's alert is found by: live, after a restart, and in replay. */
export const hostDedupeKey = ({ analytic, host, key, trigger }: HostQuestion): string =>
  `${analytic}:${host.name}:${key}:${new Date(trigger.atMs).toISOString()}`;

/** A new alert, or the next revision of `previous`; undefined where nothing worth saying is new. */
export function writeHostAlert(
  verdict: Verdict,
  context: HostAlertContext,
  previous?: HostAlert,
): HostAlert | undefined {
  if (!verdict.severity) return undefined;
  const { question, analytic } = context;
  const dedupeKey = hostDedupeKey(question);
  const id = previous?.id ?? `al_${createHash('sha256').update(dedupeKey).digest('hex').slice(0, 20)}`;
  const alert: HostAlert = {
    id,
    analytic: analytic.id,
    technique: analytic.techniques,
    dedupeKey,
    revision: (previous?.revision ?? 0) + 1,
    // What was closed and has more to say is open again: nobody looks at a closed alert.
    status: previous === undefined || previous.status === 'closed' ? 'open' : previous.status,
    severity: verdict.severity,
    score: verdict.score,
    scoreReasons: verdict.reasons,
    host: question.host.name,
    openedAt: previous?.openedAt ?? time(context.openedAtMs),
    observedAt: time(verdict.observedAtMs),
    title: verdict.title,
    narrative: verdict.narrative,
    ...(verdict.process ? { process: verdict.process } : {}),
    stages: verdict.stages.map(({ atMs, ...stage }) => ({ ...stage, at: time(atMs) })),
    missingStages: verdict.missingStages,
    dataGaps: verdict.dataGaps,
    notes: verdict.notes,
    destinations: (verdict.destinations ?? []).map(destinationOf),
    thresholds: context.parameters,
    relatedAlerts: context.related,
    ...(context.baseUrl ? { link: `${context.baseUrl.replace(/\/$/, '')}/v1/alerts/${id}` } : {}),
  };
  return previous && !saysMore(alert, previous) ? undefined : alert;
}

/** Graver, or a stage more. It never only gets milder. */
function saysMore(next: HostAlert, previous: HostAlert): boolean {
  const graver = SEVERITIES.indexOf(next.severity) - SEVERITIES.indexOf(previous.severity);
  if (graver !== 0) return graver > 0;
  return (
    next.missingStages.length < previous.missingStages.length && next.stages.length > previous.stages.length
  );
}

const destinationOf = (destination: HostDestination): AlertDestination => ({
  address: destination.address,
  asn: destination.asn,
  name: destination.name,
  category: destination.category,
  outPackets: destination.outPackets,
  returnPackets: destination.inPackets,
  outBytes: destination.outBytes,
  returnBytes: destination.inBytes,
});

const time = (ms: number) => new Date(ms).toISOString();
