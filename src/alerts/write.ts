// verdict + facts + evidence -> Alert: the very payload that is stored, served and sent
import { createHash } from 'node:crypto';
import type { AnalyticDefinition, Parameters } from '../analytics/definition.ts';
import { presentOpening } from '../changes/present.ts';
import type {
  AlertChange,
  AlertDestination,
  AlertFlows,
  AlertRuleText,
  DeviceAlert,
} from '../model/alert.ts';
import type { RuleChange } from '../model/change.ts';
import type { Rule } from '../model/rule.ts';
import type {
  ChangeFacts,
  Evidence,
  GroupEvidence,
  MinuteTotals,
  Severity,
  Verdict,
} from '../model/watch.ts';

/** Minutes of the series before the change that an alert shows. */
const SERIES_BASELINE_MINUTES = 60;
const SERIES_MINUTES = 240;
const MINUTE_MS = 60_000;

export interface AlertContext {
  readonly facts: ChangeFacts;
  readonly evidence: Evidence;
  readonly analytic: AnalyticDefinition;
  readonly parameters: Parameters;
  readonly openedAtMs: number;
  /** Base address of the API as people reach it; the link is left out without it. */
  readonly baseUrl?: string;
  readonly related: readonly string[];
}

/** A new alert, or the next revision of `previous`; undefined where nothing worth saying is new. */
export function writeAlert(
  verdict: Verdict,
  context: AlertContext,
  previous?: DeviceAlert,
): DeviceAlert | undefined {
  const { facts, analytic } = context;
  if (!verdict.severity) return undefined;
  const dedupeKey = `${analytic.id}:${facts.device}:${facts.id}`;
  const id = previous?.id ?? idOf(dedupeKey);
  const alert: DeviceAlert = {
    id,
    analytic: analytic.id,
    technique: analytic.techniques,
    dedupeKey,
    revision: (previous?.revision ?? 0) + 1,
    // What was closed and has more to say is open again: nobody looks at a closed alert, and receivers take it as resolved.
    status: previous === undefined || previous.status === 'closed' ? 'open' : previous.status,
    severity: verdict.severity,
    score: verdict.score,
    scoreReasons: verdict.reasons,
    device: facts.device,
    openedAt: previous?.openedAt ?? time(context.openedAtMs),
    observedAt: time(verdict.observedAtMs),
    title: verdict.title,
    narrative: verdict.narrative,
    change: changeOf(facts),
    stages: verdict.stages.map(({ atMs, ...stage }) => ({ ...stage, at: time(atMs) })),
    missingStages: verdict.missingStages,
    dataGaps: verdict.dataGaps,
    notes: verdict.notes,
    flows: flowsOf(verdict, context.evidence),
    destinations: destinationsOf(context.evidence),
    thresholds: context.parameters,
    relatedAlerts: context.related,
    ...(context.baseUrl ? { link: `${context.baseUrl.replace(/\/$/, '')}/v1/alerts/${id}` } : {}),
  };
  return previous && !saysMore(alert, previous) ? undefined : alert;
}

const ORDER: readonly Severity[] = ['informational', 'low', 'medium', 'high', 'critical'];

/** Traffic that grew by this much is worth saying again. */
const GROWTH = 10;

/** A revision must matter to a reader: graver, a stage more, or much more traffic. It never only gets milder. */
function saysMore(next: DeviceAlert, previous: DeviceAlert): boolean {
  const graver = ORDER.indexOf(next.severity) - ORDER.indexOf(previous.severity);
  if (graver !== 0) return graver > 0;
  const names = (alert: DeviceAlert) =>
    alert.stages
      .filter((stage) => stage.name !== 'actor')
      .map((stage) => stage.name)
      .join();
  if (
    next.flows.observed.outPackets >= GROWTH * Math.max(previous.flows.observed.outPackets, 100) &&
    next.severity !== 'low'
  )
    return true;
  return (
    next.stages.length > previous.stages.length ||
    (names(next) !== names(previous) && next.score > previous.score)
  );
}

function changeOf(facts: ChangeFacts): AlertChange {
  const { change, occurredBetween } = facts;
  return {
    id: facts.id,
    class: facts.class,
    kind: change.kind,
    ruleKey: change.ruleKey,
    ...(change.before ? { before: ruleText(change.before) } : {}),
    ...(change.after ? { after: ruleText(change.after) } : {}),
    opens: change.opens.slice(0, 50).map(presentOpening),
    ...(change.approximate ? { approximate: true } : {}),
    occurredBetween: {
      from: time(occurredBetween.fromMs),
      to: time(occurredBetween.toMs),
      basis: occurredBetween.basis,
    },
    actors: facts.actors
      .slice(0, 20)
      .map(({ atMs, ...actor }) => ({ ...actor, ...(atMs === undefined ? {} : { at: time(atMs) }) })),
    ticket: facts.ticket,
    alsoChanged: facts.alsoChanged.map((other) => alsoChanged(other)),
  };
}

function alsoChanged(change: RuleChange) {
  const rule = change.after ?? change.before;
  return {
    kind: change.kind,
    class: change.class,
    ruleKey: change.ruleKey,
    text: rule?.lines.map((line) => line.text) ?? [],
  };
}

function ruleText(rule: Rule): AlertRuleText {
  return { text: rule.lines.map((line) => line.text), lines: rule.lines };
}

function flowsOf(verdict: Verdict, evidence: Evidence): AlertFlows {
  const group = verdict.group;
  const baseline = group?.baseline ?? [];
  const observed = group?.observed ?? [];
  const observedMinutes =
    observed.length === 0
      ? 0
      : (observed[observed.length - 1].minuteMs - observed[0].minuteMs) / MINUTE_MS + 1;
  const totals = sumOf(observed);
  return {
    baseline: {
      from: time(evidence.baselineFromMs),
      minutes: evidence.baselineMinutes,
      ...perMinute(sumOf(baseline), evidence.baselineMinutes),
    },
    observed: {
      from: time(observed[0]?.minuteMs ?? evidence.askedAtMs),
      minutes: observedMinutes,
      ...perMinute(totals, observedMinutes),
      outPackets: totals.outPackets,
      returnPackets: totals.inPackets,
      outBytes: totals.outBytes,
      returnBytes: totals.inBytes,
    },
    returnRatio:
      group?.returnVisible && totals.outPackets > 0
        ? (verdict.returnRatio ?? totals.inPackets / totals.outPackets)
        : null,
    series: [...baseline.slice(-SERIES_BASELINE_MINUTES), ...observed.slice(0, SERIES_MINUTES)].map(
      (minute) => ({
        minute: time(minute.minuteMs),
        outPackets: minute.outPackets,
        returnPackets: minute.inPackets,
        outBytes: minute.outBytes,
        returnBytes: minute.inBytes,
      }),
    ),
  };
}

function destinationsOf(evidence: Evidence): AlertDestination[] {
  const seen = new Set<string>();
  // The same traffic metered before and after translation is one destination; the group with most packets comes first.
  const isActive = (group: GroupEvidence) => {
    const isNew = group.level === 'address' && group.observed.length > 0 && !seen.has(group.key);
    if (isNew) seen.add(group.key);
    return isNew;
  };
  return evidence.groups
    .filter(isActive)
    .slice(0, 10)
    .map((group) => {
      const totals = sumOf(group.observed);
      return {
        address: group.key,
        asn: group.asn,
        name: group.name,
        category: group.category,
        outPackets: totals.outPackets,
        returnPackets: totals.inPackets,
        outBytes: totals.outBytes,
        returnBytes: totals.inBytes,
      };
    });
}

function sumOf(minutes: readonly MinuteTotals[]) {
  const sum = (of: (minute: MinuteTotals) => number) =>
    minutes.reduce((total, minute) => total + of(minute), 0);
  return {
    outBytes: sum((m) => m.outBytes),
    outPackets: sum((m) => m.outPackets),
    outFlows: sum((m) => m.outFlows),
    inBytes: sum((m) => m.inBytes),
    inPackets: sum((m) => m.inPackets),
  };
}

function perMinute(totals: ReturnType<typeof sumOf>, minutes: number) {
  const rate = (value: number) => Math.round((value / Math.max(1, minutes)) * 100) / 100;
  return {
    packetsPerMinute: rate(totals.outPackets),
    bytesPerMinute: rate(totals.outBytes),
    flowsPerMinute: rate(totals.outFlows),
  };
}

/** The same change always has the same alert id, so that a replay yields the same lines. */
function idOf(dedupeKey: string): string {
  return `al_${createHash('sha256').update(dedupeKey).digest('hex').slice(0, 20)}`;
}

const time = (ms: number) => new Date(ms).toISOString();
