// the nouns of change management

export interface Ticket {
  readonly system: string;
  readonly number: string;
  readonly state: string;
  readonly type: 'normal' | 'standard' | 'emergency' | string;
  /** Device names the ticket is about; empty: not stated. */
  readonly devices: readonly string[];
  readonly plannedStartMs?: number;
  readonly plannedEndMs?: number;
  readonly implementer?: string;
  readonly summary?: string;
}

/** An inventory entry: traffic that is expected, why, and until when. Ranges as addressSet and serviceSet read them. */
export interface ApprovedForward {
  readonly id: string;
  readonly sources: readonly string[];
  readonly destinations: readonly string[];
  readonly services: readonly string[];
  readonly reason: string;
  readonly expiresMs?: number;
}

/** An inventory entry: a tool that may be used as a tunnel, relay or forward, by whom, where, and until when. An empty list means any. */
export interface ApprovedUse {
  readonly id: string;
  /** Host names. */
  readonly hosts: readonly string[];
  /** Login user or effective user. */
  readonly users: readonly string[];
  /** Names of the tools, as "ssh". */
  readonly tools: readonly string[];
  /** Where it leads: addresses, prefixes or host names. */
  readonly destinations: readonly string[];
  /** As serviceSet reads them. */
  readonly services: readonly string[];
  readonly reason: string;
  readonly expiresMs?: number;
}
