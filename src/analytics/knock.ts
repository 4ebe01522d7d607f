// port knocking on any platform: changes of a host, what knocked before each, what connected after it -> Verdict
import { type Event, happenedAt } from '../model/event.ts';
import type { HostEvidence, HostQuestion } from '../model/host.ts';
import type { Reason, Severity, Verdict } from '../model/watch.ts';
import { SEVERITIES } from '../model/watch.ts';
import { type HostChange, isCommit, namesSource } from './knock-change.ts';
import { type Connection, connectionsAfter, contains } from './knock-connections.ts';
import {
  findPacket,
  findRotation,
  findSequences,
  type Hit,
  hitsOf,
  type Sequence,
} from './knock-sequence.ts';
import { tell } from './knock-text.ts';
import { weigh } from './knock-weight.ts';

/** ATT&CK's own names first; then what the judgement needs besides. Weights are points of a score from 0 to 100. */
export interface KnockParameters extends Record<string, unknown> {
  /** Ports expected to open after a knock; those that a change opens count besides. */
  readonly ServicePort: readonly string[];
  /** Most seconds between hits inside the sequence. */
  readonly KnockTolerance: number;
  /** Automation that may change filters and daemons: executables (path or name) of the process or its parents, units, users. */
  readonly MgmtAllowList: readonly string[];
  readonly MinSequenceLen: number;
  /** Seconds from the first hit to the change, and from the change to the connection. */
  readonly TimeWindow: number;
  /** Who tries more ports than this looks for open ones. */
  readonly MaxSequenceLen: number;
  /** Seconds by which sensors' clocks may differ: order within it is not told. */
  readonly OrderSlack: number;
  /** Seconds from a single packet to the rule that names its source. */
  readonly PacketSeconds: number;
  /** Seconds in which changes belong to one question. */
  readonly JoinSeconds: number;
  readonly BaselineDays: number;
  /** The same change by the same parent so often and on so many days is this host's automation. */
  readonly UsualCount: number;
  readonly UsualDays: number;
  readonly Weights: Readonly<Record<string, number>>;
  readonly SeverityFrom: Readonly<{ low: number; medium: number; high: number }>;
}

export const knockParameters: KnockParameters = {
  ServicePort: ['22', '23', '2022', '2222', '2323', '22222', '3389', '5900', '5901', '8022', '10022'],
  KnockTolerance: 15,
  MgmtAllowList: [],
  MinSequenceLen: 3,
  TimeWindow: 180,
  MaxSequenceLen: 12,
  OrderSlack: 2,
  PacketSeconds: 10,
  JoinSeconds: 60,
  BaselineDays: 14,
  UsualCount: 5,
  UsualDays: 3,
  Weights: {
    ports: 30,
    repeating: 15,
    icmp: 15,
    scan: 0,
    'rotation-network': 15,
    rotation: 8,
    packet: 10,
    opens: 15,
    'may-open': 12,
    'not-told': 10,
    namesSource: 15,
    opensPort: 5,
    connection: 20,
    login: 10,
    refusedBefore: 5,
    openBefore: -30,
    openToOthers: -5,
    allowed: -40,
    usual: -25,
    nat: -10,
    ticketApproved: -20,
    developer: -40,
    outsideAnchors: 5,
  },
  SeverityFrom: { low: 30, medium: 55, high: 65 },
};

/** One explanation of one change. */
export interface Candidate {
  readonly change: HostChange;
  /** Undefined where only a change and a connection were seen, and no closed port could have been. */
  readonly sequence?: Sequence;
  readonly connection?: Connection;
  readonly named: boolean;
  readonly viaNat: boolean;
}

export interface Finding extends Candidate {
  readonly severity: Severity | undefined;
  readonly score: number;
  readonly reasons: readonly Reason[];
}

/** What a platform adds to the judgement. */
export interface Platform {
  readonly read: (event: Event) => HostChange | undefined;
  readonly weigh: (
    candidate: Candidate,
    question: HostQuestion,
  ) => { readonly reasons: readonly Reason[]; readonly atMost?: Severity };
}

const MAX_CHANGES = 40;
/** Of one change: those that a rule or a connection concerns come first. */
const MAX_SEQUENCES = 500;
const MAX_OTHERS = 20;
/** Lines and flows take so long to arrive. */
const TRANSIT_MS = 90_000;

export const isServicePort =
  (p: KnockParameters) =>
  (port: number): boolean =>
    p.ServicePort.some((text) => {
      const [first, last = first] = text.split('-').map(Number);
      return port >= first && port <= last;
    });

/** How long a watch lasts; how far back it looks. */
export const knockTimes = {
  watchMs: (p: KnockParameters) => (p.JoinSeconds + p.TimeWindow + p.OrderSlack) * 1000,
  lookBackMs: (p: KnockParameters) => (p.TimeWindow + p.OrderSlack + 30) * 1000,
  joinMs: (p: KnockParameters) => p.JoinSeconds * 1000,
};

export function judgeKnock(
  question: HostQuestion,
  evidence: HostEvidence,
  p: KnockParameters,
  platform: Platform,
): Verdict {
  const hits = hitsOf(evidence.contacts);
  const changes = changesOf(question, evidence, p, platform.read);
  const findings = changes
    .flatMap((change) => explain(change, hits, evidence, p))
    .map((candidate) => weigh(candidate, question, evidence, p, platform))
    .sort(
      (a, b) => rank(b.severity) - rank(a.severity) || b.score - a.score || a.change.atMs - b.change.atMs,
    );
  const [best] = findings;
  const isLate = evidence.askedAtMs >= question.trigger.atMs + p.JoinSeconds * 1000 + TRANSIT_MS;
  const couldGrow = findings.length > 0;
  const isWhole = best?.connection?.isLogin === true && rank(best.severity) >= rank('high');
  return {
    ...tell(question, evidence, best, p),
    isSettled: (isLate && !couldGrow) || isWhole || evidence.askedAtMs >= question.untilMs + TRANSIT_MS,
  };
}

export const rank = (severity: Severity | undefined): number =>
  severity === undefined ? -1 : SEVERITIES.indexOf(severity);

/** The question's trigger and what joined it; what only closes is left out, and the kernel's record of a command told besides. */
function changesOf(
  question: HostQuestion,
  evidence: HostEvidence,
  p: KnockParameters,
  read: Platform['read'],
): HostChange[] {
  const { trigger } = question;
  const lastMs = trigger.atMs + p.JoinSeconds * 1000;
  const events = evidence.events.filter((event) => {
    const atMs = happenedAt(event);
    return atMs >= trigger.atMs - p.OrderSlack * 1000 && atMs <= lastMs;
  });
  const all =
    trigger.event && !events.some((event) => isSame(event, trigger.event))
      ? [trigger.event, ...events]
      : events;
  const told = new Map<number, HostChange>();
  const toldOf = (pid: number | undefined) => {
    if (pid === undefined) return undefined;
    const ran = evidence.processes.get(pid);
    return told.get(pid) ?? (ran && ran.kind !== 'listen' ? read(ran) : undefined);
  };
  const found = all.flatMap((event) => read(event) ?? []);
  for (const change of found)
    if (change.commands.length > 0 && change.event.pid !== undefined) told.set(change.event.pid, change);
  const merged = found.map((change) => {
    const command =
      change.opening === 'not-told' && isCommit(change.event) ? toldOf(change.event.pid) : undefined;
    return command ? { ...command, atMs: change.atMs } : change;
  });
  return merged
    .filter(({ opening }) => opening !== 'closes')
    .sort((a, b) => ORDER.indexOf(a.opening) - ORDER.indexOf(b.opening) || a.atMs - b.atMs)
    .slice(0, MAX_CHANGES);
}

const ORDER = ['opens', 'may-open', 'not-told', 'closes'];
const isSame = (a: Event, b: Event | undefined) => a.raw === b?.raw && a.observedAtMs === b.observedAtMs;
/** Every sequence that could have asked for the change, with what connected then. */
function explain(
  change: HostChange,
  hits: ReadonlyMap<string, readonly Hit[]>,
  evidence: HostEvidence,
  p: KnockParameters,
): Candidate[] {
  const slackMs = p.OrderSlack * 1000;
  const limits = {
    beforeMs: change.atMs,
    minLength: p.MinSequenceLen,
    maxLength: p.MaxSequenceLen,
    toleranceMs: p.KnockTolerance * 1000,
    windowMs: p.TimeWindow * 1000,
    slackMs,
  };
  const connections = connectionsAfter(change, evidence, p, isServicePort(p));
  const reached = new Set(connections.map(({ source, port }) => `${source} ${port}`));
  const isDoor = ({ source, port }: Hit) =>
    port === undefined ||
    (!reached.has(`${source} ${port}`) &&
      !change.ports.some(([first, last]) => port >= first && port <= last));
  const bySource = new Map<string, Connection>();
  for (const one of connections) {
    const earlier = bySource.get(one.source);
    if (!earlier || (one.isLogin && !earlier.isLogin)) bySource.set(one.source, one);
  }
  const behindNat = connections.find(({ source }) => contains(evidence.natAddresses, source));
  const isConcerned = (source: string) => namesSource(change, source) || bySource.has(source);
  const found = findSequences(hits, limits, isDoor).map((sequence) => ({
    sequence,
    isConcerned: isConcerned(sequence.sources[0]),
  }));
  const own = found
    .sort((a, b) => Number(b.isConcerned) - Number(a.isConcerned))
    .slice(0, MAX_SEQUENCES)
    .map(({ sequence }) => withConnection(change, sequence, { connections, bySource, behindNat }, evidence))
    .filter(isTelling);
  const whole = new Set(own.flatMap(({ sequence }) => sequence?.sources ?? []));
  const others = [...hits.keys()]
    .filter((source) => !whole.has(source) && isConcerned(source))
    .sort((a, b) => Number(namesSource(change, b)) - Number(namesSource(change, a)))
    .slice(0, MAX_OTHERS);
  const rare = others.flatMap((source) => {
    const packet = namesSource(change, source)
      ? findPacket(hits, source, limits, p.PacketSeconds * 1000)
      : undefined;
    const sequence = packet ?? findRotation(hits, source, limits, isDoor);
    return sequence
      ? [withConnection(change, sequence, { connections, bySource, behindNat }, evidence, source)]
      : [];
  });
  const all = [...own, ...rare];
  return all.length > 0 || hits.size > 0 ? all : withoutTelemetry(change, connections);
}

/** Behind NAT either the knock or the connection shows a router's address. */
function withConnection(
  change: HostChange,
  sequence: Sequence,
  {
    connections,
    bySource,
    behindNat,
  }: {
    readonly connections: readonly Connection[];
    readonly bySource: ReadonlyMap<string, Connection>;
    readonly behindNat?: Connection;
  },
  { natAddresses }: HostEvidence,
  only?: string,
): Candidate {
  const [source] = only === undefined ? sequence.sources : [only];
  const direct = bySource.get(source);
  const isRouter = contains(natAddresses, source);
  const connection = direct ?? (isRouter ? connections[0] : behindNat);
  const viaNat = isRouter || (connection !== undefined && direct === undefined);
  return { change, sequence, connection, viaNat, named: namesSource(change, source) };
}

/** A scan, pings and a port tried twice are too common to mean anything beside a change that does not concern them. */
function isTelling({ sequence, named, connection }: Candidate): boolean {
  if (sequence?.kind === 'scan') return named;
  if (sequence?.kind === 'repeating' || sequence?.kind === 'icmp') return named || connection !== undefined;
  return true;
}

/** Where nobody tells of closed ports: a rule for exactly one source outside, and its connection. */
function withoutTelemetry(change: HostChange, connections: readonly Connection[]): Candidate[] {
  const connection = connections.find((one) => !one.isInternal && namesSource(change, one.source));
  if (!connection || connection.wasOpen) return [];
  return [{ change, connection, named: true, viaNat: false }];
}
