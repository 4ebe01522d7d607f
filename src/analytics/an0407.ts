// AN0407 Disable or Modify System Firewall (T1562.004, since ATT&CK 19 T1686): a Linux host's packet filter is switched off, emptied or opened
import type { HostEvidence, HostQuestion } from '../model/host.ts';
import type { Severity, Verdict } from '../model/watch.ts';
import { type Operation, operationsIn } from './an0407-operations.ts';
import { narrate, stagesOf, titleOf } from './an0407-text.ts';
import { type Finding, findingOf } from './an0407-weigh.ts';
import type { HostAnalytic, Triggered } from './definition.ts';
import { type Impairment, impairmentOf } from './firewall-impairment.ts';
import { processFacts } from './host-process.ts';
import { dropOf } from './ruleset-drop.ts';

/** ATT&CK's own name first; then what the judgement needs besides. Weights are points of a score from 0 to 100. */
export interface An0407Parameters extends Record<string, unknown> {
  /** Paths, or globs of them, of programs and scripts that may change the firewall, themselves or by what they start. */
  readonly AllowedScripts: readonly string[];
  readonly WatchMinutes: number;
  readonly LookBackMinutes: number;
  /** Triggers of one kind within so long are one question. */
  readonly JoinMinutes: number;
  readonly BaselineDays: number;
  /** Before this after the last change nothing is said: services restart, configuration management fills in again. */
  readonly SettleSeconds: number;
  /** A host whose rulesets are pulled gets so long for the pull after the change. */
  readonly PullWaitSeconds: number;
  /** What is back by then was a restart or a reload. */
  readonly RestoreSeconds: number;
  readonly DropShare: number;
  readonly MinDropRules: number;
  readonly DropSpread: number;
  /** On so many days before makes a habit. */
  readonly HabitDays: number;
  /** The most that events alone score, without pulled rulesets. */
  readonly NoRulesetCap: number;
  readonly Weights: Readonly<Record<string, number>>;
  readonly SeverityFrom: Readonly<{ low: number; medium: number; high: number }>;
}

const parameters: An0407Parameters = {
  AllowedScripts: [],
  WatchMinutes: 20,
  LookBackMinutes: 60,
  JoinMinutes: 15,
  BaselineDays: 14,
  SettleSeconds: 60,
  PullWaitSeconds: 180,
  RestoreSeconds: 120,
  DropShare: 0.3,
  MinDropRules: 3,
  DropSpread: 3,
  HabitDays: 3,
  NoRulesetCap: 89,
  Weights: {
    disable: 40,
    flush: 40,
    accept: 40,
    stop: 40,
    openAll: 36,
    unload: 36,
    netlink: 36,
    flushOther: 32,
    unitDisabled: 28,
    failed: 20,
    remove: 14,
    load: 12,
    open: 10,
    block: 10,
    otherEdit: 6,
    direct: 8,
    /** Only a pulled ruleset tells. */
    rulesetAlone: 34,
    rulesFell: 16,
    policyTurned: 13,
    natFell: 16,
    kept: -40,
    restored: -45,
    serviceRestarted: -45,
    refilled: -45,
    shutdown: -30,
    flapping: -12,
    allowedScript: -70,
    habit: -35,
    habitFell: -10,
    usualAdministrator: -6,
    unknownAdministrator: 6,
    unusualHour: 5,
    serviceParent: 25,
    unsetLogin: 18,
    temporaryPath: 25,
    serviceAccount: 20,
    interpreter: 4,
    noTicket: 8,
    ticketMismatch: 8,
    ticketProposed: 4,
    ticketApproved: -30,
  },
  SeverityFrom: { low: 20, medium: 60, high: 90 },
};

export const an0407: HostAnalytic<An0407Parameters> = {
  subject: 'host',
  id: 'AN0407',
  title: 'Host firewall disabled, emptied or opened',
  strategy: 'DET0145',
  techniques: ['T1562.004', 'T1686'],
  dataComponents: ['DC0064', 'DC0032'],
  platforms: ['linux'],
  needs: [
    { telemetry: 'process-log', why: 'who ran what (auditd execve, NETFILTER_CFG)', required: true },
    {
      telemetry: 'host-ruleset',
      why: 'the number of active rules before and after is the proof',
      required: false,
    },
    { telemetry: 'syslog', why: 'firewall services that stop and start', required: false },
    { telemetry: 'tickets', why: 'tells an approved change from one without request', required: false },
  ],
  parameters,
  mergedParameters: ['Weights', 'SeverityFrom'],
  falsePositives: [
    'an administrator who takes the firewall down on purpose and without a ticket',
    'the first run of automation that empties the firewall for longer than RestoreSeconds (name it in AllowedScripts)',
    'without pulled rulesets: a change inside a container, which audit does not tell from the host',
  ],
  blindSpots: [
    'a host without auditd, syslog and pulled rulesets',
    'rules that are bypassed and not removed: raw sockets, eBPF programs, another network namespace',
    'edits of single rules by processes that look usual, as long as the number of rules stays',
    'configuration files that are changed for the next start',
  ],
  watchMs: (p) => p.WatchMinutes * 60_000,
  lookBackMs: (p) => p.LookBackMinutes * 60_000,
  joinMs: (p) => p.JoinMinutes * 60_000,
  triggerKinds: ['firewall-changed', 'command', 'service-stopped'],
  asks: {
    events: ['firewall-changed', 'service-started', 'service-stopped'],
    rulesets: true,
    history: ['firewall-changed', 'service-stopped'],
  },
  triggeredBy: (event) => {
    const found = impairmentOf(event);
    return found && triggeredOf(found);
  },
  triggeredByRuleset: (before, after, history, p) => {
    const drop = dropOf(before, after, [...history, before], p);
    if (!drop || (!drop.rulesFell && drop.turned.length === 0)) return undefined;
    const turned = drop.turned.length > 0 ? `; no longer dropping: ${drop.turned.join(', ')}` : '';
    return {
      kind: 'ruleset-fell',
      key: 'off',
      detail: `active rules ${before.activeRules} -> ${after.activeRules}${turned}`,
    };
  },
  judge,
};

/** What one act causes (the tool's run, its commits, the service's stop) shares a key. */
const triggeredOf = ({ group, class: found, detail }: Impairment): Triggered => ({
  kind: found === 'stop' || found === 'failed' ? 'service-stop' : 'firewall-change',
  key: group,
  detail,
});

function judge(question: HostQuestion, evidence: HostEvidence, p: An0407Parameters): Verdict {
  const { trigger } = question;
  const operations = operationsIn(question, evidence, an0407.joinMs(p));
  const findings = operations.map((operation) => findingOf(question, evidence, p, operation));
  // What is known to take rules away owns the fall, whoever may do so.
  if (findings.length === 0 || (trigger.kind === 'ruleset-fell' && !operations.some(takesRulesAway)))
    findings.push(findingOf(question, evidence, p));
  const settled = findings.filter((one) => isSettled(one, question, evidence, p));
  const finding = worstOf(settled.length > 0 ? settled : findings);
  const process = finding.operation && processFacts(finding.operation.lineage);
  return {
    severity: settled.length > 0 ? severityOf(finding, question, p) : undefined,
    score: finding.score,
    reasons: finding.reasons,
    ...stagesOf(question, evidence, finding),
    dataGaps: evidence.dataGaps,
    notes: notesOf(finding, operations, evidence, p),
    observedAtMs: observedAt(finding, trigger.atMs),
    title: titleOf(question, finding),
    narrative: narrate(question, evidence, finding),
    ...(process ? { process } : {}),
    isSettled: evidence.askedAtMs >= question.untilMs,
  };
}

const takesRulesAway = ({ impairment }: Operation): boolean =>
  !['block', 'open', 'otherEdit'].includes(impairment.class);

/** Of equals the first, which says most of its process. */
const worstOf = (findings: readonly Finding[]): Finding =>
  findings.reduce((worst, next) => (next.score > worst.score ? next : worst));

/** A pull after the change is worth waiting for, where nothing else speaks loudly. */
function isSettled(
  { operation, rulesets, isSuspicious }: Finding,
  { trigger }: HostQuestion,
  { askedAtMs, rulesets: pulled }: HostEvidence,
  p: An0407Parameters,
): boolean {
  const awaitsPull = rulesets.kind === 'no-after' && !isSuspicious && pulled.length > 0;
  const seconds = awaitsPull ? Math.max(p.PullWaitSeconds, p.SettleSeconds) : p.SettleSeconds;
  return askedAtMs >= (operation?.atMs ?? trigger.atMs) + seconds * 1000;
}

function severityOf(
  { score, operation, isSuspicious, rulesets }: Finding,
  { trigger }: HostQuestion,
  p: An0407Parameters,
): Severity | undefined {
  // Single rules come and go all day long.
  const isEdit = operation?.impairment.group === 'edit';
  if (isEdit && !isSuspicious && rulesets.kind !== 'fell') return undefined;
  if (!operation && trigger.kind !== 'ruleset-fell') return undefined;
  if (!operation && rulesets.kind !== 'fell') return undefined;
  if (score >= p.SeverityFrom.high) return 'high';
  if (score >= p.SeverityFrom.medium) return 'medium';
  return score >= p.SeverityFrom.low ? 'low' : undefined;
}

function observedAt({ rulesets, operation }: Finding, triggerMs: number): number {
  if (rulesets.kind === 'fell') return rulesets.drop.after.takenAtMs;
  return operation?.atMs ?? triggerMs;
}

function notesOf(
  { rulesets }: Finding,
  operations: readonly Operation[],
  { historyDays }: HostEvidence,
  p: An0407Parameters,
): string[] {
  const notes: string[] = [];
  if (operations.length > 1)
    notes.push(`${operations.length} operations on the firewall within the window; the gravest is told`);
  if (historyDays < p.HabitDays)
    notes.push(`only ${historyDays.toFixed(1)} days of history: what is usual here is not known yet`);
  if (rulesets.kind === 'fell' && rulesets.restored)
    notes.push(
      `rules were back at ${new Date(rulesets.restored.takenAtMs).toISOString()}: ${rulesets.restored.activeRules}`,
    );
  return notes;
}
