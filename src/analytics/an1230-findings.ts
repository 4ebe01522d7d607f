// one suspicious event and the evidence around it -> what it is, what confirms it, and how it is weighed
import { type Event, happenedAt } from '../model/event.ts';
import type { HistoryRow, HostDestination, HostEvidence, HostQuestion } from '../model/host.ts';
import type { ApprovedUse } from '../model/ticket.ts';
import type { Reason } from '../model/watch.ts';
import { approvedUse } from '../tickets/approved-uses.ts';
import type { An1230Parameters } from './an1230.ts';
import { reasonsOf } from './an1230-reasons.ts';
import { CONNECT_BEFORE_MS, isToOthers, whatItIs } from './an1230-suspects.ts';
import { isOutsideAddress, type Suspect, suspectOf } from './an1230-trigger.ts';
import { isShell, readTunnelText, type TunnelUse, toolName } from './tunnel-command.ts';

export interface Finding {
  readonly event: Event;
  readonly suspect: Suspect;
  readonly use: TunnelUse;
  /** Connections of the process (or of its children), to others than name servers. */
  readonly connections: readonly Event[];
  /** Shells that started with it, and share its input or output as far as that can be told. */
  readonly shells: readonly Event[];
  readonly destinations: readonly HostDestination[];
  /** Who used what it opened: "203.0.113.9". */
  readonly clients: readonly string[];
  /** The nearest first. */
  readonly parents: readonly Event[];
  readonly isOutside: boolean;
  /** Neither an address in the command line nor a connection told. */
  readonly placeIsUnknown: boolean;
  readonly isUsual: boolean;
  readonly approval?: ApprovedUse;
  /** An approved use of the same tool and user that does not cover this. */
  readonly nearMiss?: string;
  readonly reasons: readonly Reason[];
  readonly score: number;
}

const LINKED_MINUTES_MS = 5 * 60_000;
const MAX_CONNECTIONS = 10;

export function findingOf(
  event: Event,
  question: HostQuestion,
  evidence: HostEvidence,
  p: An1230Parameters,
): Finding | undefined {
  const suspect = suspectOf(event, p);
  const seen = suspect && whatItIs(event, suspect, evidence, p);
  if (!suspect || !seen) return undefined;
  const { use, uses, shells } = seen;
  const connections = connectionsOf(event, use, evidence);
  const peer = use.via ?? use.leadsTo;
  const addresses = [
    ...new Set([...(peer ? [peer.host] : []), ...connections.flatMap((one) => one.destinationAddress ?? [])]),
  ];
  const destinations = destinationsOf(event, use, addresses, evidence, p);
  const clients = clientsOf(event, use, evidence);
  const isKnown =
    connections.length > 0 ||
    destinations.length > 0 ||
    (peer !== undefined && /^[\d.]{7,15}$|:/.test(peer.host));
  const isOutside =
    addresses.some((address) => isOutsideAddress(address, evidence.internal)) ||
    destinations.length > 0 ||
    clients.some((address) => isOutsideAddress(address, evidence.internal));
  const users = usersOf(event);
  const atMs = happenedAt(event);
  const found = connections.flatMap((one) => one.destinationAddress ?? []);
  const approvals = uses.map((one) =>
    approvedUse(one, question.host.name, users, evidence.approvedUses, atMs, found),
  );
  const approval = approvals.every((one) => one !== undefined) ? approvals[0] : undefined;
  const facts = {
    event,
    suspect,
    use,
    connections,
    shells,
    destinations,
    clients,
    parents: parentsOf(event, evidence),
    isOutside,
    placeIsUnknown: peer !== undefined && !isKnown,
    isUsual: isUsual(event, use, evidence.history, p),
    approval,
    nearMiss: approval ? undefined : nearMissOf(use, users, question, evidence),
  };
  const reasons = reasonsOf(facts, question.host, evidence, p);
  const score = Math.max(
    0,
    Math.min(
      100,
      reasons.reduce((sum, { weight }) => sum + weight, 0),
    ),
  );
  return { ...facts, reasons, score };
}

export type FindingFacts = Omit<Finding, 'reasons' | 'score'>;

export const usersOf = (event: Event): string[] => [
  ...new Set([event.loginUser, event.effectiveUser, event.user].filter((user) => user !== undefined)),
];

function connectionsOf(event: Event, use: TunnelUse, evidence: HostEvidence): Event[] {
  const pids = new Set<number>();
  if (event.pid !== undefined) pids.add(event.pid);
  if (use.runsShell && event.parentPid !== undefined && isShell(event.executable ?? ''))
    pids.add(event.parentPid);
  // autossh, sh -c and systemd's helpers start what connects.
  for (const other of evidence.events)
    if (
      other.pid !== undefined &&
      other.parentPid !== undefined &&
      other.parentPid === event.pid &&
      other.kind === 'command'
    )
      pids.add(other.pid);
  const atMs = happenedAt(event);
  const found = evidence.events.filter(
    (other) =>
      other.kind === 'connect' &&
      pids.has(other.pid ?? -1) &&
      isToOthers(other) &&
      happenedAt(other) >= atMs - CONNECT_BEFORE_MS,
  );
  if (event.kind === 'connect' && isToOthers(event) && !found.some((one) => one.raw === event.raw))
    found.unshift(event);
  return found.slice(0, MAX_CONNECTIONS);
}

/** Flows to where it leads; where that is a name, those to its port that began with it and are not usual. */
function destinationsOf(
  event: Event,
  use: TunnelUse,
  addresses: readonly string[],
  evidence: HostEvidence,
  p: An1230Parameters,
): HostDestination[] {
  const peer = use.via ?? use.leadsTo;
  const atMs = happenedAt(event);
  const isOpenEnded = peer === undefined && (use.mode === 'relay' || use.mode === 'proxy-client');
  return evidence.destinations
    .filter((destination) => {
      if (addresses.includes(destination.address))
        return peer?.port === undefined || destination.port === peer.port || destination.port === 0;
      if (isOpenEnded || peer === undefined || /^[\d.]{7,15}$|:/.test(peer.host) || addresses.length > 1)
        return false;
      const began = destination.firstMinuteMs - atMs;
      return (
        destination.port === peer.port &&
        began >= -60_000 &&
        began <= LINKED_MINUTES_MS &&
        destination.addressHourShare < p.RareHourShare
      );
    })
    .slice(0, 10);
}

/** Others' connections to the port that it opened. */
function clientsOf(event: Event, use: TunnelUse, evidence: HostEvidence): string[] {
  const port = use.listens?.port;
  if (port === undefined || use.mode === 'remote-forward') return [];
  const since = happenedAt(event) - 1000;
  const came = evidence.contacts.filter(
    (contact) =>
      contact.port === port &&
      contact.atMs >= since &&
      (contact.outcome === 'accepted' || contact.outcome === 'established'),
  );
  return [...new Set(came.map(({ source }) => source))].slice(0, 20);
}

const MAX_PARENTS = 6;

function parentsOf(event: Event, evidence: HostEvidence): Event[] {
  const parents: Event[] = [];
  const seen = new Set([event.pid]);
  let pid = event.parentPid;
  while (pid !== undefined && !seen.has(pid) && parents.length < MAX_PARENTS) {
    seen.add(pid);
    const parent = evidence.processes.get(pid);
    if (!parent) break;
    parents.push(parent);
    pid = parent.parentPid;
  }
  return parents;
}

/** The same use by the same user on several days before. */
function isUsual(event: Event, use: TunnelUse, history: readonly HistoryRow[], p: An1230Parameters): boolean {
  const command = event.command?.slice(0, 200) ?? '';
  const tool = toolName(event.executable ?? '');
  return history.some((row) => {
    if (row.days < p.UsualDays || toolName(row.executable) !== tool) return false;
    if (row.effectiveUser !== (event.effectiveUser ?? '') || row.loginUser !== (event.loginUser ?? ''))
      return false;
    if (row.kind === 'listen' || event.kind === 'listen')
      return row.kind === event.kind && row.command === command;
    if (command !== '' && row.command === command) return true;
    return readTunnelText(row.command).some((other) => signatureOf(other) === signatureOf(use));
  });
}

const signatureOf = ({ tool, mode, via, leadsTo, listens }: TunnelUse) =>
  JSON.stringify([tool, mode, via, leadsTo, listens]);

function nearMissOf(
  use: TunnelUse,
  users: readonly string[],
  { host }: HostQuestion,
  evidence: HostEvidence,
): string | undefined {
  const near = evidence.approvedUses.find(
    (entry) =>
      entry.tools.includes(use.tool) &&
      (entry.hosts.length === 0 || entry.hosts.includes(host.name)) &&
      (entry.users.length === 0 || users.some((user) => entry.users.includes(user))),
  );
  return near && `${near.id}${near.reason ? ` (${near.reason})` : ''}`;
}
