// the noun of a log line that was understood (or kept though it was not)

export type EventKind =
  | 'config-changed'
  | 'command'
  | 'login-accepted'
  | 'login-failed'
  | 'firewall-changed'
  | 'route-changed'
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
  readonly program?: string;
  readonly severity?: number;
  readonly facility?: number;
  readonly user?: string;
  readonly sourceAddress?: string;
  readonly command?: string;
  readonly message: string;
  readonly raw: string;
}
