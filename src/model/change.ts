// the nouns of a difference between two rule sets
import type { Rule, Translation } from './rule.ts';
import type { Traffic } from './traffic.ts';

export type ChangeKind = 'added' | 'removed' | 'modified' | 'moved' | 'enabled' | 'disabled';

/** From the gravest to the least. */
export type ChangeClass = 'egress-relay' | 'egress-permit' | 'source-nat' | 'inbound-forward' | 'internal';
export const CHANGE_CLASSES: readonly ChangeClass[] = [
  'egress-relay',
  'egress-permit',
  'source-nat',
  'inbound-forward',
  'internal',
];

/** A piece of traffic that passes on one side of a change and not on the other, with what becomes of it. */
export interface Opening {
  /** As the packet arrives, before translation. */
  readonly traffic: Traffic;
  readonly destinationTranslation?: Translation;
  readonly sourceTranslation?: Translation;
  /** Keys of rules that decide about this piece, 16 at most. */
  readonly ruleKeys: readonly string[];
  readonly class: ChangeClass;
  /** Passes only under conditions that cannot be resolved (a mark, a time range). */
  readonly conditional?: true;
}

/** One rule that differs in effect. */
export interface RuleChange {
  readonly kind: ChangeKind;
  readonly class: ChangeClass;
  readonly ruleKey: string;
  readonly before?: Rule;
  readonly after?: Rule;
  /** Passes after and did not before. */
  readonly opens: readonly Opening[];
  /** Passed before and does not after. */
  readonly closes: readonly Opening[];
  /** The difference was too finely cut to follow: `opens` and `closes` hold at least what changed, possibly more. */
  readonly approximate?: true;
}

/** One item of evidence about who made a change; never one name taken on trust. */
export interface ActorEvidence {
  readonly source: 'syslog' | 'commit-log' | 'config-header' | 'rule-metadata';
  readonly user?: string;
  /** Where the user came from, as the line states it. */
  readonly sourceAddress?: string;
  readonly command?: string;
  readonly ticket?: string;
  readonly atMs?: number;
  /** 0 to 1. */
  readonly confidence: number;
  readonly raw: string;
}

/** The change happened after the last pull without it and before the first with it. */
export interface OccurredBetween {
  readonly fromMs: number;
  readonly toMs: number;
  /** What set the two ends. */
  readonly basis: 'pulls' | 'syslog' | 'commit-log' | 'config-header';
}
