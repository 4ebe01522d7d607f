// the noun of a log line that was understood (or kept though it was not)

export type EventKind =
  | 'config-changed'
  /** Something was run, or entered on a device; with `executable` and `pid` where the process is known. */
  | 'command'
  | 'login-accepted'
  | 'login-failed'
  | 'firewall-changed'
  | 'route-changed'
  | 'firewall-drop'
  | 'firewall-accept'
  /** A packet filter logged a packet and did not say what became of it. */
  | 'firewall-packet'
  /** A process took a port (bind or listen). */
  | 'listen'
  | 'connect'
  | 'service-started'
  | 'service-stopped'
  | 'other';

/** A syslog line after parsing. Text fields are data: control characters are replaced before they are kept. */
export interface Event {
  readonly kind: EventKind;
  /** When Postern received it. */
  readonly receivedAtMs: number;
  /** The line's own time where it has one, else receivedAtMs. */
  readonly observedAtMs: number;
  /** Address of the sender, as text. */
  readonly sender: string;
  /** Host name in the line. */
  readonly host?: string;
  /** Of a forwarded audit record: `node=`. */
  readonly node?: string;
  /** Subject of the client certificate that the line came under (RFC 5425). */
  readonly identity?: string;
  /** Name of the registered host or device that the line is from, and what told that. */
  readonly origin?: string;
  readonly originBasis?: 'certificate' | 'address' | 'node' | 'host-name';
  /** The sender's clock minus ours as measured when the line came; see happenedAt. */
  readonly clockOffsetMs?: number;
  readonly program?: string;
  readonly severity?: number;
  readonly facility?: number;
  readonly user?: string;
  readonly sourceAddress?: string;
  readonly command?: string;
  readonly destinationAddress?: string;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  /** Lower-case name ("tcp", "icmpv6"), or the number where it has none here. */
  readonly protocol?: string;
  /** The line's own word for what was done: "BLOCK", "nft_register_rule", "Stopped". */
  readonly action?: string;
  /** Of systemd, without ".service". */
  readonly unit?: string;
  readonly executable?: string;
  readonly arguments?: readonly string[];
  readonly pid?: number;
  readonly parentPid?: number;
  readonly parentExecutable?: string;
  /** Whom the process acts as, by name where the line has it, else by number. */
  readonly effectiveUser?: string;
  /** Who logged in (auid), by name or number; undefined for a daemon. */
  readonly loginUser?: string;
  readonly tty?: string;
  /**
   * NETFILTER_CFG's `entries`: with xt_replace the rules before it, with nft the items of the transaction. Never the rules left.
   */
  readonly entryCount?: number;
  readonly message: string;
  /** An event joined from several records holds all of their lines, parted by line feeds. */
  readonly raw: string;
}

/** When it happened by our clock. */
export const happenedAt = (event: Pick<Event, 'observedAtMs' | 'clockOffsetMs'>): number =>
  event.observedAtMs - (event.clockOffsetMs ?? 0);
