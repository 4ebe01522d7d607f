// an operation on a host's firewall, with all that speaks for and against it -> reasons and a score
import { happenedAt } from '../model/event.ts';
import type { HostEvidence, HostQuestion } from '../model/host.ts';
import type { Reason } from '../model/watch.ts';
import type { An0407Parameters } from './an0407.ts';
import { hasPrecedent, type Operation, whatFollowed } from './an0407-operations.ts';
import type { Impairment } from './firewall-impairment.ts';
import { allowedBy, daysOfLogin, habitOf, loginOf, signsOf } from './host-process.ts';
import { judgeRulesets, type RulesetVerdict } from './ruleset-drop.ts';

/** What the verdict rests on: the operation that weighs most with all that speaks for and against it. */
export interface Finding {
  /** Undefined where only pulled rulesets tell. */
  readonly operation?: Operation;
  readonly rulesets: RulesetVerdict;
  readonly reasons: readonly Reason[];
  readonly score: number;
  readonly isSuspicious: boolean;
}

/** A pull takes some seconds from the time that it is known by, and lines about a service that stopped come after it did. */
const PULL_SECONDS = 10;

/** When the ruleset changed: of what happened while the one that tells was pulled, the begin of that pull. */
function momentOf({ trigger }: HostQuestion, operation: Operation | undefined): number {
  if (!operation) return trigger.atMs;
  const isDuring = operation.atMs > trigger.atMs && operation.atMs <= trigger.atMs + PULL_SECONDS * 1000;
  return trigger.kind === 'ruleset-fell' && isDuring ? trigger.atMs : operation.atMs;
}

/** Without an operation: of the pulled rulesets alone. */
export function findingOf(
  question: HostQuestion,
  evidence: HostEvidence,
  p: An0407Parameters,
  operation?: Operation,
): Finding {
  const atMs = momentOf(question, operation);
  const rulesets = judgeRulesets(evidence.rulesets, atMs, p.RestoreSeconds * 1000, p, {
    // Forwards of containers come and go with them.
    countsNat: operation?.impairment.group === 'off',
  });
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
    isSuspicious: suspicion >= p.Weights.unsetLogin,
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
  netlink: 'rules are removed or replaced in the kernel',
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
