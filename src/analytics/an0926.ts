// AN0926 External Proxy (T1090.002): a NAT or firewall change lets internal hosts out; egress spikes and few packets return
import type { ChangeClass } from '../model/change.ts';
import type {
  ChangeFacts,
  Evidence,
  GroupEvidence,
  GroupLevel,
  Reason,
  Severity,
  Verdict,
} from '../model/watch.ts';
import { narrate, stagesOf, titleOf, UNITS } from './an0926-text.ts';
import type { ChangeAnalytic } from './definition.ts';
import { judgeReturns, type ReturnVerdict } from './returns.ts';
import { type FlowThreshold, findSpike, recurrenceOf, type Spike } from './spike.ts';

/** ATT&CK's own names first; then what the judgement needs besides. Weights are points of a score from 0 to 100. */
export interface An0926Parameters extends Record<string, unknown> {
  readonly FlowThreshold: FlowThreshold;
  readonly DestinationIPCategory: readonly string[];
  /** Users and automation that are expected to change NAT and forwarding rules; empty: judged by history alone. */
  readonly ConfigChangeUser: readonly string[];
  readonly WatchHours: number;
  readonly BaselineDays: number;
  readonly SpikeTailProbability: number;
  readonly SpikeRatio: number;
  readonly RareHourShare: number;
  readonly ReturnRatioCeiling: number;
  readonly ReturnRatioShare: number;
  readonly MinExpectedReturns: number;
  readonly ReturnConfidence: number;
  readonly ReturnCorrelation: number;
  /** Taken as usual where S has no baseline. */
  readonly UsualReturnRatio: number;
  readonly CriticalBytes: number;
  /** The most that a change scores without suspicious traffic. */
  readonly ChangeOnlyCap: number;
  readonly Weights: Readonly<Record<string, number>>;
  readonly SeverityFrom: Readonly<{ low: number; medium: number; high: number }>;
}

const parameters: An0926Parameters = {
  FlowThreshold: { packetsPerMinute: 600, bytesPerMinute: 1_000_000, flowsPerMinute: 120 },
  DestinationIPCategory: ['cdn', 'vps', 'tor-exit', 'anonymous-hosting', 'vpn'],
  ConfigChangeUser: [],
  WatchHours: 24,
  BaselineDays: 14,
  SpikeTailProbability: 1e-4,
  SpikeRatio: 3,
  RareHourShare: 0.01,
  ReturnRatioCeiling: 0.2,
  ReturnRatioShare: 0.25,
  MinExpectedReturns: 5,
  ReturnConfidence: 0.95,
  ReturnCorrelation: 0.005,
  UsualReturnRatio: 0.5,
  CriticalBytes: 10_000_000_000,
  ChangeOnlyCap: 49,
  Weights: {
    'egress-relay': 30,
    'egress-permit': 20,
    'source-nat': 12,
    'inbound-forward': 0,
    internal: 0,
    noTicket: 12,
    ticketMismatch: 12,
    ticketProposed: 6,
    ticketApproved: -25,
    approvedForward: -60,
    unexpectedUser: 8,
    unusualUser: 6,
    unusualHour: 5,
    firstOfKind: 4,
    spike: 20,
    fewReturns: 22,
    returnsUnknown: -12,
    category: 10,
    rare: 6,
  },
  SeverityFrom: { low: 20, medium: 50, high: 70 },
};

/** What the traffic after the change looks like in the group that looks worst. */
export interface TrafficFinding {
  readonly group: GroupEvidence;
  readonly spike: Spike;
  readonly returns: ReturnVerdict;
  readonly categoryMatches: boolean;
  readonly rare: boolean;
}

export const an0926: ChangeAnalytic<An0926Parameters> = {
  subject: 'device',
  id: 'AN0926',
  title: 'Forwarding rule followed by egress that few packets answer',
  strategy: 'DET0325',
  techniques: ['T1090.002'],
  dataComponents: ['DC0051', 'DC0078', 'DC0082'],
  needs: [
    { telemetry: 'config-pull', why: 'the rule change is the trigger', required: true },
    { telemetry: 'flow-export', why: 'the spike after the change', required: true },
    {
      telemetry: 'return-flows',
      why: 'few return packets can only be told where returns are exported',
      required: false,
    },
    { telemetry: 'syslog', why: 'narrows when the change happened and names the user', required: false },
    { telemetry: 'asn-data', why: 'destination category and anomalous AS', required: false },
    { telemetry: 'tickets', why: 'tells an approved change from one without request', required: false },
  ],
  parameters,
  mergedParameters: ['Weights', 'SeverityFrom'],
  falsePositives: [
    'one-way telemetry or log shipping over UDP that a new rule enables (approve the forward)',
    'a new backup target before its first acknowledgement is exported',
  ],
  blindSpots: [
    'devices without flow export: only the change is seen',
    'exporters that show one direction: low return cannot be told',
    'relays that use destinations and volumes of the baseline',
  ],
  watchMs: (p) => p.WatchHours * 3_600_000,
  triggeredBy: (facts) =>
    ['egress-relay', 'egress-permit', 'source-nat'].includes(facts.class) && facts.change.opens.length > 0,
  judge,
};

function judge(facts: ChangeFacts, _question: unknown, evidence: Evidence, p: An0926Parameters): Verdict {
  const finding = worstFinding(evidence, p);
  const suspicious = finding !== undefined && finding.returns.kind !== 'normal';
  const reasons = [...changeReasons(facts, suspicious, p), ...trafficReasons(finding, p)];
  const confidence = confidenceOf(evidence);
  const points = Math.min(
    100,
    Math.max(
      0,
      reasons.reduce((sum, { weight }) => sum + weight, 0),
    ),
  );
  const capped = suspicious ? points : Math.min(points, p.ChangeOnlyCap);
  const score = Math.round(capped * (suspicious ? confidence.factor : 1));
  return {
    severity: severityOf(score, facts.class, suspicious, finding, p),
    score,
    reasons: suspicious ? [...reasons, { reason: confidence.reason, weight: score - points }] : reasons,
    ...stagesOf(facts, evidence, finding),
    dataGaps: evidence.dataGaps,
    notes: notesOf(evidence, finding),
    observedAtMs: finding?.spike.peakMinuteMs ?? facts.occurredBetween.toMs,
    returnRatio: finding && 'ratio' in finding.returns ? finding.returns.ratio : undefined,
    group: finding?.group ?? evidence.groups.find((group) => group.level === 'question'),
    title: titleOf(facts, finding),
    narrative: narrate(facts, finding),
  };
}

function changeReasons(facts: ChangeFacts, suspicious: boolean, p: An0926Parameters): Reason[] {
  const w = p.Weights;
  const reasons: Reason[] = [{ reason: `the change is of class ${facts.class}`, weight: w[facts.class] }];
  const ticket = {
    none: w.noTicket,
    mismatch: w.ticketMismatch,
    proposed: w.ticketProposed,
    approved: w.ticketApproved,
  }[facts.ticket.state];
  reasons.push({ reason: facts.ticket.reason, weight: ticket });
  // The question was about the other sources then, and these are what its traffic comes from.
  if (facts.approvedForward?.widerThanApproved && suspicious)
    reasons.push({
      reason: `approved for ${(facts.approvedForward.sources ?? []).slice(0, 5).join(', ')} only: ${facts.approvedForward.reason}`,
      weight: 0,
    });
  else if (facts.approvedForward)
    reasons.push({ reason: `approved forward: ${facts.approvedForward.reason}`, weight: w.approvedForward });
  const users = [...new Set(facts.actors.flatMap((actor) => actor.user ?? []))];
  if (
    p.ConfigChangeUser.length > 0 &&
    users.length > 0 &&
    !users.some((user) => p.ConfigChangeUser.includes(user))
  ) {
    reasons.push({
      reason: `${users.join(', ')} is not among the expected ConfigChangeUser`,
      weight: w.unexpectedUser,
    });
  } else if (facts.usualActor === false) {
    reasons.push({
      reason: `${users.join(', ')} never changed rules on ${facts.device} before`,
      weight: w.unusualUser,
    });
  }
  if (facts.unusualHour) reasons.push({ reason: 'changed outside the usual hours', weight: w.unusualHour });
  if (facts.firstOfKind)
    reasons.push({ reason: `first ${facts.class} on ${facts.device}`, weight: w.firstOfKind });
  return reasons;
}

function trafficReasons(finding: TrafficFinding | undefined, p: An0926Parameters): Reason[] {
  if (!finding) return [];
  const { spike, returns, group } = finding;
  const spikeText = `spike of ${Math.round(spike.peak)} ${UNITS[spike.metric]} (${spike.baselineMean < 1 ? 'hardly any before' : `${spike.ratio.toFixed(1)} times the baseline`})`;
  if (returns.kind === 'normal') {
    return [{ reason: `${spikeText}, but returns are normal (${percent(returns.ratio)})`, weight: 0 }];
  }
  const reasons: Reason[] = [{ reason: spikeText, weight: p.Weights.spike }];
  if (returns.kind === 'few') {
    reasons.push({
      reason: `few return packets: ${percent(returns.ratio)} (at most ${percent(returns.upper)}; usual ${percent(returns.usual)})`,
      weight: p.Weights.fewReturns,
    });
  } else {
    const why =
      returns.kind === 'not-visible' ? 'return path not visible' : 'too few sampled returns to be expected';
    reasons.push({ reason: `${why}: no verdict on returns`, weight: p.Weights.returnsUnknown });
  }
  if (finding.categoryMatches)
    reasons.push({ reason: `destination category ${group.category}`, weight: p.Weights.category });
  if (finding.rare)
    reasons.push({ reason: 'destination new or rare for these sources', weight: p.Weights.rare });
  return reasons;
}

/** The narrowest group says most. */
const LEVELS: readonly GroupLevel[] = ['address', 'asn', 'category', 'question'];

function isUsualAtThisHour(
  spike: Spike,
  group: GroupEvidence,
  evidence: Evidence,
  p: An0926Parameters,
): boolean {
  return recurrenceOf(spike, group.usualPeaks ?? [], evidence.baselineFromMs, p.SpikeRatio) !== undefined;
}

/** The group that looks worst: few returns before unknown before normal, then by how far it spikes. */
function worstFinding(evidence: Evidence, p: An0926Parameters): TrafficFinding | undefined {
  const rank = { few: 0, 'not-visible': 1, 'too-few-samples': 1, normal: 2 } as const;
  const findings = evidence.groups.flatMap((group) => findingOf(group, evidence, p) ?? []);
  findings.sort(
    (a, b) =>
      rank[a.returns.kind] - rank[b.returns.kind] ||
      Number(b.categoryMatches) - Number(a.categoryMatches) ||
      LEVELS.indexOf(a.group.level) - LEVELS.indexOf(b.group.level) ||
      b.spike.peak / b.spike.threshold - a.spike.peak / a.spike.threshold,
  );
  return findings[0];
}

function findingOf(
  group: GroupEvidence,
  evidence: Evidence,
  p: An0926Parameters,
): TrafficFinding | undefined {
  const spike = findSpike(group.baseline, evidence.baselineMinutes, group.observed, group.maxSamplingRate, {
    threshold: p.FlowThreshold,
    tailProbability: p.SpikeTailProbability,
    ratio: p.SpikeRatio,
  });
  if (!spike || isUsualAtThisHour(spike, group, evidence, p)) return undefined;
  const usual =
    evidence.usualReturnRatio[group.category] ?? evidence.usualReturnRatio.any ?? p.UsualReturnRatio;
  const returns = judgeReturns(
    { out: group.sampledOutPackets, back: group.sampledInPackets, visible: group.returnVisible },
    usual,
    {
      ceiling: p.ReturnRatioCeiling,
      shareOfUsual: p.ReturnRatioShare,
      minExpectedReturns: p.MinExpectedReturns,
      confidence: p.ReturnConfidence,
      correlation: p.ReturnCorrelation,
    },
  );
  const rare =
    group.addressHourShare < p.RareHourShare && (group.asn === 0 || group.asnHourShare < p.RareHourShare);
  return { group, spike, returns, categoryMatches: p.DestinationIPCategory.includes(group.category), rare };
}

function severityOf(
  score: number,
  klass: ChangeClass,
  suspicious: boolean,
  finding: TrafficFinding | undefined,
  p: An0926Parameters,
): Severity | undefined {
  // A change alone is worth an alert only where it opens a relay.
  if (!suspicious && klass !== 'egress-relay') return undefined;
  const outBytes = finding?.group.observed.reduce((sum, minute) => sum + minute.outBytes, 0) ?? 0;
  // Without a verdict on returns the pattern is not whole.
  if (suspicious && score >= p.SeverityFrom.high && finding?.returns.kind === 'few')
    return outBytes >= p.CriticalBytes ? 'critical' : 'high';
  if (suspicious && score >= p.SeverityFrom.medium) return 'medium';
  return score >= p.SeverityFrom.low ? 'low' : undefined;
}

function confidenceOf(evidence: Evidence): { factor: number; reason: string } {
  const hours = evidence.baselineMinutes / 60;
  const [factor, text] =
    hours >= 168
      ? [1, 'a week or more']
      : hours >= 24
        ? [0.95, 'a day or more']
        : hours >= 1
          ? [0.9, 'hours']
          : hours > 0.05
            ? [0.85, 'minutes']
            : [0.75, 'none'];
  return { factor, reason: `confidence ${factor}: baseline of ${text}` };
}

function notesOf(evidence: Evidence, finding: TrafficFinding | undefined): string[] {
  const notes: string[] = [];
  const rate = Math.max(1, ...evidence.groups.map((group) => group.maxSamplingRate));
  if (rate > 1) notes.push(`flows are sampled 1:${rate}; totals are scaled`);
  if (finding?.returns.kind === 'not-visible')
    notes.push('return path not visible: the interfaces that carried it never showed return traffic');
  for (const { exporter, interface: index, elected } of evidence.shownTwice ?? [])
    notes.push(
      `what ${exporter} shows on interface ${index} is left out where ${elected.exporter} shows the same on interface ${elected.interface}`,
    );
  if (evidence.sameHourOfDay) notes.push('baseline: same hours of day and kind of day');
  return notes;
}

const percent = (ratio: number) => `${(ratio * 100).toFixed(ratio < 0.01 ? 2 : 1)}%`;
