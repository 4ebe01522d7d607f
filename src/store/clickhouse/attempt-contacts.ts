// rows of attempts -> contacts: records of both directions, and of several exporters, joined into one
import {
  beganByPorts,
  EITHER,
  hasSyn,
  ICMP,
  ICMPV6,
  isFirstSyn,
  isLoneSynAck,
  TCP,
  UDP,
} from '../../flows/attempt-outcome.ts';
import type { Contact, ContactOutcome } from '../../model/host.ts';

/** One row of the table `attempts`. */
export interface AttemptRow {
  readonly atMs: number;
  readonly exporter: string;
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly port: number;
  readonly protocol: number;
  /** One of OUTCOMES (src/flows/attempt-outcome.ts). */
  readonly outcome: string;
  readonly tcpFlags: number;
  readonly packets: number;
  readonly bytes: number;
  readonly samplingRate: number;
}

/** Clocks of exporters differ by up to 10 s before they are corrected, and an answer may come after some retries. */
export const JOIN_MS = 20_000;
const PROTOCOLS: Readonly<Record<number, string>> = {
  [ICMP]: 'icmp',
  [TCP]: 'tcp',
  [UDP]: 'udp',
  [ICMPV6]: 'icmpv6',
};
const FLAG_LETTERS = 'FSRPAUEC';

/** In order of time, as the rows must be. */
export function joinContacts(rows: readonly AttemptRow[]): Contact[] {
  const open = new Map<string, AttemptRow[]>();
  const groups: AttemptRow[][] = [];
  for (const row of rows) {
    const key = [row.source, row.sourcePort, row.destination, row.port, row.protocol].join(' ');
    // An ICMP error is about another packet, so it is no part of an exchange of echoes.
    const own = row.outcome === 'refused' && isIcmp(row) ? `${key} error` : key;
    const group = open.get(own);
    if (group && belongsTo(row, group)) group.push(row);
    else {
      const fresh = [row];
      open.set(own, fresh);
      groups.push(fresh);
    }
  }
  const contacts = groups.filter((group) => !hostBegan(group)).map(contactOf);
  return withErrors(contacts).sort((a, b) => a.atMs - b.atMs);
}

const isIcmp = ({ protocol }: AttemptRow) => protocol === ICMP || protocol === ICMPV6;
const isAnswer = ({ outcome }: AttemptRow) => outcome === 'answered' || outcome === 'refused';

/** Exporters cut long connections into records; only the first of them has SYN. */
function belongsTo(row: AttemptRow, [first]: readonly AttemptRow[]): boolean {
  if (row.atMs - first.atMs <= JOIN_MS) return true;
  return row.protocol === TCP && row.tcpFlags !== 0 && !hasSyn(row.tcpFlags);
}

/** Where ports do not tell who began, the earlier start does. */
function hostBegan(group: readonly AttemptRow[]): boolean {
  const [{ protocol, sourcePort, port }] = group;
  if ((protocol !== TCP && protocol !== UDP) || beganByPorts(sourcePort, port) !== EITHER) return false;
  if (group.some((row) => isCertain(row))) return false;
  const toward = group.filter((row) => !isAnswer(row));
  if (toward.length === 0) return true;
  return group.some(
    (answer) =>
      isAnswer(answer) && toward.some((row) => row.exporter === answer.exporter && answer.atMs < row.atMs),
  );
}

const isCertain = (row: AttemptRow) =>
  row.outcome === 'refused' ||
  (row.protocol === TCP &&
    (isAnswer(row) ? isLoneSynAck(row.tcpFlags, row.packets) : isFirstSyn(row.tcpFlags)));

function contactOf(group: readonly AttemptRow[]): Contact {
  const [first] = group;
  const toward = group.filter((row) => !isAnswer(row));
  const ports = isIcmp(first) ? {} : { sourcePort: first.sourcePort, port: first.port };
  return {
    atMs: first.atMs,
    source: first.source,
    destination: first.destination,
    ...ports,
    protocol: PROTOCOLS[first.protocol] ?? String(first.protocol),
    outcome: outcomeOf(group),
    seenBy: 'flow',
    packets: Math.max(...(toward.length > 0 ? toward : group).map(({ packets }) => packets)),
    raw: statementOf(group),
  };
}

function outcomeOf(group: readonly AttemptRow[]): ContactOutcome {
  const has = (outcome: string) => group.some((row) => row.outcome === outcome);
  if (has('established') || has('answered')) return 'established';
  return has('refused') ? 'refused' : 'unanswered';
}

/** "192.0.2.1 exported tcp 203.0.113.7:40000 > 10.1.1.5:7000: 1 packet, 60 bytes, flags S; back 1 packet, 40 bytes, flags RA". */
function statementOf(group: readonly AttemptRow[]): string {
  const [first] = group;
  const forward = group.find((row) => !isAnswer(row));
  const back = group.find(isAnswer);
  const end = (address: string, port: number) =>
    isIcmp(first) ? address : address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
  const parts = [
    ...(forward ? [countsOf(forward)] : []),
    ...(back ? [`back ${countsOf(back)}`] : []),
    ...(first.samplingRate > 1 ? [`1 of ${first.samplingRate} packets sampled`] : []),
    ...(group.length > 2 ? [`${group.length} records`] : []),
  ];
  const ends = `${end(first.source, first.sourcePort)} > ${end(first.destination, first.port)}`;
  return `${first.exporter} exported ${PROTOCOLS[first.protocol] ?? first.protocol} ${ends}: ${parts.join('; ')}`;
}

function countsOf({ packets, bytes, protocol, tcpFlags, outcome }: AttemptRow): string {
  const flags = [...FLAG_LETTERS].filter((_, bit) => (tcpFlags & (1 << bit)) !== 0).join('');
  const counts = `${packets} packet${packets === 1 ? '' : 's'}, ${bytes} bytes`;
  if (protocol === TCP) return `${counts}, flags ${flags || 'none'}`;
  return outcome === 'refused' ? `${counts}, ICMP unreachable` : counts;
}

/**
 * An ICMP error names no port: it refuses what the same source tried nearest to its time, as many attempts as it has
 * packets. It stands on its own where nothing of that was exported.
 */
function withErrors(contacts: readonly Contact[]): Contact[] {
  const errors = contacts.filter(isError);
  if (errors.length === 0) return [...contacts];
  const open = Map.groupBy(
    contacts.filter(({ outcome, port }) => outcome === 'unanswered' && port !== undefined),
    pairOf,
  );
  const refusedBy = new Map<Contact, Contact>();
  const alone = errors.filter((error) => {
    const near = (open.get(pairOf(error)) ?? [])
      .filter((one) => !refusedBy.has(one) && Math.abs(one.atMs - error.atMs) <= JOIN_MS)
      .sort((a, b) => Math.abs(a.atMs - error.atMs) - Math.abs(b.atMs - error.atMs));
    for (const one of near.slice(0, error.packets)) refusedBy.set(one, error);
    return near.length === 0;
  });
  const rest = contacts
    .filter((contact) => !isError(contact))
    .map((contact) => {
      const error = refusedBy.get(contact);
      return error
        ? { ...contact, outcome: 'refused' as const, raw: `${contact.raw}; ${error.raw}` }
        : contact;
    });
  return [...rest, ...alone];
}

const isError = ({ outcome, port }: Contact) => outcome === 'refused' && port === undefined;
const pairOf = ({ source, destination }: Contact) => `${source} ${destination}`;
