// one explanation of a change -> score, reasons, severity
import type { Event } from '../model/event.ts';
import type { HistoryRow, HostEvidence, HostQuestion } from '../model/host.ts';
import type { Reason, Severity } from '../model/watch.ts';
import { SEVERITIES } from '../model/watch.ts';
import type { Candidate, Finding, KnockParameters, Platform } from './knock.ts';
import { opensPort } from './knock-change.ts';
import { sequenceText } from './knock-text.ts';

const MAX_GENERATIONS = 6;
/** What gives whoever connects a shell, where a daemon with passwords would ask first. */
const SHELL =
  /^(?:nc|ncat|netcat|nc\.\w+|socat|bash|sh|zsh|dash|python[\d.]*|perl[\d.]*|ruby|php[\d.]*|node)$/;

export function weigh(
  candidate: Candidate,
  question: HostQuestion,
  evidence: HostEvidence,
  p: KnockParameters,
  platform: Platform,
): Finding {
  const w = p.Weights;
  const { change, sequence, connection, named, viaNat } = candidate;
  const reasons: Reason[] = [];
  const because = (reason: string, weight: number) => reasons.push({ reason, weight });
  if (sequence) because(sequenceText(sequence), w[sequence.kind] ?? 0);
  because(
    change.opening === 'not-told' ? 'the filter changed; by which rule is not told' : change.text,
    w[change.opening] ?? 0,
  );
  if (named) because('the change names the source that knocked', w.namesSource);
  if (connection) {
    because(
      `${connection.source} reached ${connection.port === undefined ? 'a service' : `port ${connection.port}`} after it`,
      w.connection,
    );
    if (connection.isLogin)
      because(`and logged in${connection.user ? ` as ${connection.user}` : ''}`, w.login);
    if (connection.port !== undefined && opensPort(change, connection.port))
      because('that is the port that the change opened', w.opensPort);
    if (connection.wasOpen) because('it had reached that port before the change', w.openBefore);
    else if (connection.wasRefused) because('it was refused at that port before the change', w.refusedBefore);
    else if (connection.wasOpenToOthers && !named)
      because('others reached that port before the change', w.openToOthers);
  }
  if (viaNat) because('an address of a router stands for the source: it may be several', w.nat);
  const actor = actorsOf(change.event, evidence);
  const allowed = p.MgmtAllowList.find((entry) => actor.names.has(entry));
  if (allowed) because(`${allowed} is in MgmtAllowList`, w.allowed);
  const usual = allowed ? undefined : usualRow(change.event, actor.parents, evidence, p);
  if (usual) because(`usual here: ${usual.count} times on ${usual.days} days by the same parent`, w.usual);
  if (evidence.ticket.state === 'approved') because(evidence.ticket.reason, w.ticketApproved);
  const extra = platform.weigh(candidate, question);
  reasons.push(...extra.reasons);
  const sum = reasons.reduce((total, { weight }) => total + weight, 0);
  const score = Math.max(0, Math.min(100, Math.round(sum)));
  const caps = [capOf(candidate), extra.atMost, allowed ? ('low' as const) : undefined].filter(
    (one) => one !== undefined,
  );
  return { ...candidate, score, reasons, severity: severityOf(candidate, score, caps, p) };
}

function severityOf(
  { change, sequence, connection }: Candidate,
  score: number,
  caps: readonly Severity[],
  { SeverityFrom: from }: KnockParameters,
): Severity | undefined {
  const isShell =
    change.kind === 'listener' &&
    SHELL.test((change.event.executable ?? '').replace(/^.*\//, '')) &&
    /^(?:root|0)$/.test(change.event.effectiveUser ?? '') &&
    connection !== undefined &&
    sequence?.kind === 'ports';
  const own: Severity | undefined =
    score >= from.high
      ? isShell
        ? 'critical'
        : 'high'
      : score >= from.medium
        ? 'medium'
        : score >= from.low
          ? 'low'
          : undefined;
  if (own === undefined) return undefined;
  return SEVERITIES[Math.min(...[own, ...caps].map((one) => SEVERITIES.indexOf(one)))];
}

/** The most that an explanation of its kind is worth, whatever its score. */
function capOf({ sequence, connection, named, viaNat }: Candidate): Severity | undefined {
  if (!sequence) return 'informational';
  if (connection === undefined) return sequence.kind === 'ports' ? 'medium' : 'low';
  switch (sequence.kind) {
    case 'ports':
      return viaNat && !named ? 'medium' : connection.wasOpen ? 'low' : undefined;
    case 'repeating':
    case 'icmp':
      return named ? undefined : 'low';
    case 'rotation-network':
    case 'packet':
      return 'medium';
    case 'rotation':
    case 'scan':
      return 'low';
  }
}

/** The process, its parents as far as they are known, and who they act for. */
export function actorsOf(
  event: Event,
  { processes }: Pick<HostEvidence, 'processes'>,
): { readonly names: ReadonlySet<string>; readonly parents: readonly string[] } {
  const names = new Set<string>();
  const parents: string[] = [];
  const add = (name: string | undefined) => {
    if (!name) return;
    names.add(name);
    names.add(name.replace(/^.*\//, ''));
  };
  for (const name of [event.executable, event.program, event.unit, event.loginUser, event.user]) add(name);
  if (event.effectiveUser !== 'root' && event.effectiveUser !== '0') add(event.effectiveUser);
  if (event.parentExecutable) parents.push(event.parentExecutable);
  let pid = event.parentPid;
  for (let generation = 0; generation < MAX_GENERATIONS && pid !== undefined && pid > 1; generation++) {
    const parent: Event | undefined = processes.get(pid);
    if (!parent) break;
    // An interpreter's script says more than the interpreter.
    for (const word of [parent.executable, ...(parent.arguments?.slice(0, 2) ?? [])]) add(word);
    if (parent.executable) parents.push(parent.executable);
    pid = parent.parentPid === pid ? undefined : parent.parentPid;
  }
  for (const parent of parents) add(parent);
  return { names, parents };
}

/** A daemon's: what people do at a terminal is no automation, however often. */
function usualRow(
  event: Event,
  parents: readonly string[],
  { history }: HostEvidence,
  p: KnockParameters,
): HistoryRow | undefined {
  if (event.loginUser) return undefined;
  return history.find(
    (row) =>
      row.kind === event.kind &&
      row.loginUser === '' &&
      row.count >= p.UsualCount &&
      row.days >= p.UsualDays &&
      row.executable === (event.executable ?? '') &&
      (row.parentExecutable !== ''
        ? parents[0] === row.parentExecutable
        : row.unit !== ''
          ? row.unit === event.unit
          : row.command !== '' && row.command === (event.command ?? '').slice(0, 200)),
  );
}
