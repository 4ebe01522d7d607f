// AN0407 Disable or Modify System Firewall (T1562.004, since ATT&CK 19 T1686): a Linux host's packet filter is switched off, emptied or opened
import { happenedAt } from '../model/event.ts';
import type { HostEvidence, HostQuestion } from '../model/host.ts';
import type { Reason, Severity, Verdict } from '../model/watch.ts';
import { hasPrecedent, type Operation, operationsIn, whatFollowed } from './an0407-operations.ts';
import { narrate, stagesOf, titleOf } from './an0407-text.ts';
import type { HostAnalytic, Triggered } from './definition.ts';
import { type Impairment, impairmentOf } from './firewall-impairment.ts';
import { allowedBy, daysOfLogin, habitOf, loginOf, processFacts, signsOf } from './host-process.ts';
import { dropOf, judgeRulesets, type RulesetVerdict } from './ruleset-drop.ts';

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
  NoRulesetCap: 69,
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
    rulesetAlone: 24,
    rulesFell: 20,
    policyTurned: 14,
    natFell: 10,
    kept: -30,
    restored: -45,
    serviceRestarted: -45,
    refilled: -35,
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
    interpreter: 8,
    noTicket: 8,
    ticketMismatch: 8,
    ticketProposed: 4,
    ticketApproved: -25,
  },
  SeverityFrom: { low: 20, medium: 50, high: 75 },
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

/** What the verdict rests on: the operation that weighs most with all that speaks for and against it. */
export interface Finding {
  /** Undefined where only pulled rulesets tell. */
  readonly operation?: Operation;
  readonly rulesets: RulesetVerdict;
  readonly reasons: readonly Reason[];
  readonly score: number;
  readonly isSuspicious: boolean;
}

function judge(question: HostQuestion, evidence: HostEvidence, p: An0407Parameters): Verdict {
  const { trigger } = question;
  const operations = operationsIn(question, evidence, an0407.joinMs(p));
  const findings = operations.map((operation) => findingOf(question, evidence, p, operation));
  if (findings.length === 0 || trigger.kind === 'ruleset-fell')
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

function findingOf(
  question: HostQuestion,
  evidence: HostEvidence,
  p: An0407Parameters,
  operation?: Operation,
): Finding {
  const atMs = operation?.atMs ?? question.trigger.atMs;
  const rulesets = judgeRulesets(evidence.rulesets, atMs, atMs, p.RestoreSeconds * 1000, p);
  const process = operation ? processReasons(operation, question, evidence, rulesets, p) : [];
  const suspicion = process.filter(({ weight }) => weight > 0).reduce((sum, { weight }) => sum + weight, 0);
  const reasons = [
    ...changeReasons(question, operation, p),
    ...rulesetReasons(rulesets, operation, p),
    ...(operation ? followedReasons(operation, evidence, rulesets, p) : []),
    ...process,
    ticketReason(evidence, p),
  ];
  const sum = Math.max(
    0,
    Math.min(
      100,
      reasons.reduce((total, { weight }) => total + weight, 0),
    ),
  );
  const isProven = rulesets.kind !== 'none' && rulesets.kind !== 'no-after' && rulesets.kind !== 'no-before';
  const cap = isProven ? 100 : p.NoRulesetCap;
  if (sum > cap) reasons.push({ reason: 'no ruleset from before and after proves it', weight: cap - sum });
  return {
    operation,
    rulesets,
    reasons,
    score: Math.min(sum, cap),
    isSuspicious: suspicion >= p.Weights.serviceAccount,
  };
}

function changeReasons(
  { trigger }: HostQuestion,
  operation: Operation | undefined,
  p: An0407Parameters,
): Reason[] {
  if (!operation)
    return [{ reason: `pulled rulesets alone tell: ${trigger.detail}`, weight: p.Weights.rulesetAlone }];
  const { class: found, detail, isDirect } = operation.impairment;
  const reasons = [{ reason: `${TEXTS[found]}: ${detail}`, weight: p.Weights[found] ?? 0 }];
  if (isDirect)
    reasons.push({ reason: 'the kernel was told directly, by no firewall tool', weight: p.Weights.direct });
  return reasons;
}

const TEXTS: Readonly<Record<Impairment['class'], string>> = {
  disable: 'the firewall is switched off',
  flush: 'rules are flushed',
  accept: 'the policy becomes to accept',
  stop: 'the firewall service stops',
  openAll: 'everything is let in',
  unload: 'the packet filter is taken out of the way',
  netlink: 'rules are removed in the kernel',
  flushOther: 'rules outside the filter table are flushed',
  unitDisabled: 'the firewall will not start again',
  failed: 'the firewall service failed',
  remove: 'a rule is removed',
  load: 'a ruleset is loaded',
  open: 'a rule lets more in',
  block: 'a rule blocks traffic',
  otherEdit: 'the firewall is edited',
};

function rulesetReasons(
  verdict: RulesetVerdict,
  operation: Operation | undefined,
  p: An0407Parameters,
): Reason[] {
  const w = p.Weights;
  switch (verdict.kind) {
    case 'none':
    case 'no-before':
    case 'no-after':
      return [];
    case 'kept':
      return [
        {
          reason: `active rules are as before: ${verdict.drop.before.activeRules} -> ${verdict.drop.after.activeRules}`,
          weight: w.kept,
        },
      ];
    case 'restored':
      return [{ reason: `active rules were back soon: ${verdict.restored.activeRules}`, weight: w.restored }];
    case 'fell': {
      const { before, after, usual, rulesFell, turned, natFell } = verdict.drop;
      const range = usual
        ? ` (usually ${usual[0] === usual[1] ? usual[0] : `${usual[0]} to ${usual[1]}`})`
        : '';
      const isNat = natFell && operation?.impairment.class === 'flushOther';
      return [
        ...(rulesFell
          ? [
              {
                reason: `active rules fell from ${before.activeRules} to ${after.activeRules}${range}`,
                weight: w.rulesFell,
              },
            ]
          : []),
        ...(turned.length > 0
          ? [
              {
                reason: `no longer dropping by default: ${turned.slice(0, 5).join(', ')}`,
                weight: w.policyTurned,
              },
            ]
          : []),
        ...(natFell
          ? [
              {
                reason: `NAT rules fell from ${before.natRules} to ${after.natRules}`,
                weight: isNat ? w.natFell : 0,
              },
            ]
          : []),
      ];
    }
  }
}

/** What happened next, by the events. A proof by rulesets is not doubted by them. */
function followedReasons(
  operation: Operation,
  evidence: HostEvidence,
  rulesets: RulesetVerdict,
  p: An0407Parameters,
): Reason[] {
  const w = p.Weights;
  const reasons: Reason[] = [];
  const followed = whatFollowed(operation, evidence, p.RestoreSeconds * 1000);
  if (followed && rulesets.kind !== 'fell' && rulesets.kind !== 'restored') {
    const weight = followed.kind === 'start' ? w.serviceRestarted : w.refilled;
    reasons.push({ reason: `${followed.text} ${Math.round(followed.afterMs / 1000)} s later`, weight });
  }
  const { isShutdown, flaps } = hasPrecedent(operation, evidence);
  if (isShutdown)
    reasons.push({ reason: 'the host was shutting down: many services stopped', weight: w.shutdown });
  if (flaps)
    reasons.push({
      reason: `${operation.impairment.unit} stopped ${flaps.count} times on ${flaps.days} days before`,
      weight: w.flapping,
    });
  return reasons;
}

function processReasons(
  { lineage }: Operation,
  question: HostQuestion,
  evidence: HostEvidence,
  rulesets: RulesetVerdict,
  p: An0407Parameters,
): Reason[] {
  const w = p.Weights;
  const { event } = lineage;
  const allowed = allowedBy(lineage, p.AllowedScripts);
  if (allowed !== undefined)
    return [{ reason: `run by ${allowed}, one of AllowedScripts`, weight: w.allowedScript }];
  const reasons: Reason[] = signsOf(lineage).map(({ sign, reason }) => ({ reason, weight: w[sign] }));
  const habit = habitOf(lineage, evidence.history);
  if (habit && habit.days >= p.HabitDays) {
    const text = `seen on ${habit.days} of ${Math.max(1, Math.ceil(evidence.historyDays))} days before, ${habit.count} times`;
    // What looks like every night may be the night on which nothing came back.
    reasons.push({ reason: `automation: ${text}`, weight: rulesets.kind === 'fell' ? w.habitFell : w.habit });
    return reasons;
  }
  const days = daysOfLogin(event, evidence.history);
  const login = loginOf(event);
  if (days >= p.HabitDays)
    reasons.push({
      reason: `${login} changed this firewall on ${days} days before`,
      weight: w.usualAdministrator,
    });
  else if (login !== '' && evidence.historyDays >= p.HabitDays && days === 0)
    reasons.push({ reason: `${login} never changed this firewall before`, weight: w.unknownAdministrator });
  if (isUnusualHour(happenedAt(event), question.host.timeZone, evidence))
    reasons.push({ reason: 'at an hour at which this firewall is not changed', weight: w.unusualHour });
  return reasons;
}

const MIN_HOURS_KNOWN = 20;

/** The first and last time of each row are what history tells of hours. */
function isUnusualHour(atMs: number, timeZone: string, { history }: HostEvidence): boolean {
  const times = history
    .filter(({ kind }) => kind === 'firewall-changed')
    .flatMap(({ firstAtMs, lastAtMs }) => [firstAtMs, lastAtMs]);
  if (times.length < MIN_HOURS_KNOWN) return false;
  const format = new Intl.DateTimeFormat('en-GB', { timeZone, hour: 'numeric', hourCycle: 'h23' });
  const hourOf = (ms: number) => Number(format.format(ms));
  const hour = hourOf(atMs);
  return times.every((time) => {
    const apart = Math.abs(hourOf(time) - hour);
    return Math.min(apart, 24 - apart) > 2;
  });
}

function ticketReason({ ticket }: HostEvidence, { Weights: w }: An0407Parameters): Reason {
  const weight = {
    none: w.noTicket,
    mismatch: w.ticketMismatch,
    proposed: w.ticketProposed,
    approved: w.ticketApproved,
  }[ticket.state];
  return { reason: ticket.reason, weight };
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
