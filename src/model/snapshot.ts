// the noun of a device's configuration text at a time

export interface Snapshot {
  readonly device: string;
  readonly vendor: string;
  /** When the pull began. */
  readonly takenAtMs: number;
  /** What the pull cost. */
  readonly durationMs: number;
  /** Redacted. */
  readonly text: string;
  /** What the device's own list of changes said then; redacted, no part of the configuration. */
  readonly history?: string;
}
