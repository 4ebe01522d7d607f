// the nouns of hosts: what is asked about one after its firewall, its listeners or its processes changed, and what answers it
import type { AddressSet } from './addresses.ts';
import type { Event } from './event.ts';
import type { ApprovedUse } from './ticket.ts';
import type { TicketVerdict } from './watch.ts';

export type Platform = 'linux' | 'macos';
export const PLATFORMS: readonly Platform[] = ['linux', 'macos'];

export interface Host {
  readonly name: string;
  readonly platform: Platform;
  /** Its own addresses, and outside ones that are translated to it. */
  readonly addresses: readonly string[];
  /** Other names that its lines carry: host name, node=, certificate subject. */
  readonly aliases: readonly string[];
  /** Used to develop: expected to test its packet filter (ATT&CK's DevMode). */
  readonly isDeveloper: boolean;
  readonly timeZone: string;
}

export type HostTriggerKind =
  | 'firewall-change'
  | 'listener'
  | 'service-start'
  | 'service-stop'
  /** A pulled ruleset holds far fewer active rules than the one before, or accepts where it did not. */
  | 'ruleset-fell'
  | 'process';

/** What opened a watch. */
export interface HostTrigger {
  readonly kind: HostTriggerKind;
  /** By our clock. */
  readonly atMs: number;
  /** One line for people: the command, the port, the counts. */
  readonly detail: string;
  /** Undefined where only a pulled ruleset told. */
  readonly event?: Event;
}

/** A stored question about one host: plain data, answerable from stored evidence by any worker at any time. */
export interface HostQuestion {
  readonly analytic: string;
  readonly host: Host;
  /** What the trigger is about; triggers with the same key soon after the first belong to the same question. */
  readonly key: string;
  readonly trigger: HostTrigger;
  /** Evidence before this time is not asked for. */
  readonly fromMs: number;
  /** Evidence after this time is not asked for. */
  readonly untilMs: number;
}

/** What became of a packet or a connection toward a host. */
export type ContactOutcome =
  /** A packet filter dropped or rejected it, or logged it without saying which (`unknown`). */
  | 'dropped'
  | 'unknown'
  /** RST, ICMP unreachable (Zeek REJ). */
  | 'refused'
  /** No answer seen (Zeek S0). */
  | 'unanswered'
  /** A packet filter let it in. */
  | 'accepted'
  /** Packets went both ways, or somebody logged in (Zeek SF, S1). */
  | 'established';

export interface Contact {
  /** By our clock; of a flow its start. */
  readonly atMs: number;
  readonly source: string;
  readonly sourcePort?: number;
  readonly destination: string;
  /** Undefined for ICMP. */
  readonly port?: number;
  /** "tcp", "udp", "icmp", "icmpv6", ... */
  readonly protocol: string;
  readonly outcome: ContactOutcome;
  readonly seenBy: 'host-log' | 'device-log' | 'flow' | 'zeek';
  /** Packets of a flow; 1 for a line. */
  readonly packets: number;
  /** The line or, of a flow, what was exported. */
  readonly raw: string;
}

/** What a pulled ruleset amounts to. */
export interface RulesetState {
  readonly takenAtMs: number;
  /** Filter rules that are enabled. */
  readonly activeRules: number;
  /** Filter policies that accept what no rule matches, as "ip filter INPUT". */
  readonly accepting: readonly string[];
  /** Filter chains that packets meet, whether they hold rules or not. */
  readonly policies: number;
  /** Filter policies that drop what no rule matches, named as in `accepting`. */
  readonly dropping?: readonly string[];
  /** NAT rules that are enabled. */
  readonly natRules?: number;
}

/** What somebody did on this host before: learned, and shown in the alert. */
export interface HistoryRow {
  readonly kind: Event['kind'];
  readonly executable: string;
  readonly parentExecutable: string;
  readonly effectiveUser: string;
  readonly loginUser: string;
  readonly unit: string;
  /** The first of them, at most 200 characters. */
  readonly command: string;
  readonly count: number;
  readonly days: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

/** An outside address that the host talked to since the trigger. Packets and bytes are scaled for sampling. */
export interface HostDestination {
  readonly address: string;
  readonly port: number;
  readonly protocol: string;
  readonly asn: number;
  readonly name: string;
  readonly category: string;
  readonly firstMinuteMs: number;
  readonly outPackets: number;
  readonly inPackets: number;
  readonly outBytes: number;
  readonly inBytes: number;
  /** Share 0..1 of the hours before in which this host talked to the address, and to its AS. */
  readonly addressHourShare: number;
  readonly asnHourShare: number;
  /** Other internal addresses that talked to it before. */
  readonly otherInternals: number;
}

/** Everything that a judgement about a host may look at. Lists are in order of time and bounded. */
export interface HostEvidence {
  readonly askedAtMs: number;
  /** The host's own events between fromMs and now, of the kinds that the analytic asks for. */
  readonly events: readonly Event[];
  /** The last execution under each process id before the end of the window, back to a day: parents of what is in `events`. */
  readonly processes: ReadonlyMap<number, Event>;
  /** Toward the host's addresses, whoever saw them. */
  readonly contacts: readonly Contact[];
  /** Pulled rulesets, the one before the trigger included. */
  readonly rulesets: readonly RulesetState[];
  readonly destinations: readonly HostDestination[];
  /** From before the trigger. */
  readonly history: readonly HistoryRow[];
  /** Days that `history` really covers. */
  readonly historyDays: number;
  readonly approvedUses: readonly ApprovedUse[];
  /** What change management says of the host at the time of the trigger. */
  readonly ticket: TicketVerdict;
  readonly internal: AddressSet;
  /** Addresses of routers and firewalls: a source may appear as one of these behind NAT. */
  readonly natAddresses: AddressSet;
  /** Largest difference of a sender's clock in the window, positive where it is ahead. */
  readonly clockOffsetMs: number;
  readonly dataGaps: readonly string[];
}

/** A process as an alert shows it. */
export interface ProcessFacts {
  readonly executable?: string;
  readonly arguments?: readonly string[];
  readonly command?: string;
  readonly pid?: number;
  readonly parentPid?: number;
  readonly parentExecutable?: string;
  readonly user?: string;
  readonly loginUser?: string;
  readonly tty?: string;
}
