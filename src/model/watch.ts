// the nouns of a question about traffic after a change, and of its answer
import type { ActorEvidence, ChangeClass, OccurredBetween, RuleChange } from './change.ts';

/** A stored question: plain data, answerable from stored evidence by any worker at any time. */
export interface Question {
  readonly analytic: string;
  readonly device: string;
  /** T0: the earlier end of occurredBetween. */
  readonly fromMs: number;
  /** Evidence after this time is not asked for. */
  readonly untilMs: number;
  /** Internal sources whose traffic counts, and the translated addresses they appear as; as addressSet reads them. */
  readonly scope: readonly string[];
  /** External destinations that the change made reachable; ["any"] where it names none. */
  readonly destinations: readonly string[];
  readonly services: readonly string[];
  readonly exporters: readonly string[];
}

/** Scaled for sampling. */
export interface TrafficTotals {
  readonly outBytes: number;
  readonly outPackets: number;
  readonly outFlows: number;
  readonly inBytes: number;
  readonly inPackets: number;
}

export interface MinuteTotals extends TrafficTotals {
  readonly minuteMs: number;
}

/** One external address or network as S sees it before and after T0. */
export interface DestinationEvidence {
  readonly address: string;
  readonly asn: number;
  readonly name: string;
  readonly category: string;
  readonly before: TrafficTotals;
  readonly after: TrafficTotals;
  /** Share 0..1 of baseline hours in which S talked to it. */
  readonly baselineHourShare: number;
  /** How many internal addresses outside S talked to it in the baseline. */
  readonly otherInternals: number;
  /** Packets as exported, not scaled. */
  readonly sampledOutPackets: number;
  readonly sampledInPackets: number;
  readonly maxSamplingRate: number;
  /** Whether the interfaces that carried it ever showed return traffic. */
  readonly returnVisible: boolean;
}

/** Everything that a judgement may look at. */
export interface Evidence {
  readonly askedAtMs: number;
  readonly baselineFromMs: number;
  /** Minutes of S toward the question's destination group before T0, gaps are zero minutes while any flow of the exporters was seen. */
  readonly baseline: readonly MinuteTotals[];
  readonly observed: readonly MinuteTotals[];
  readonly destinations: readonly DestinationEvidence[];
  /** Return packets per out packet that S normally gets, by category. */
  readonly usualReturnRatio: Readonly<Record<string, number>>;
  readonly dataGaps: readonly string[];
}

export interface Reason {
  readonly reason: string;
  readonly weight: number;
}

export type Severity = 'informational' | 'low' | 'medium' | 'high' | 'critical';
export const SEVERITIES: readonly Severity[] = ['informational', 'low', 'medium', 'high', 'critical'];

export interface AlertStage {
  readonly name: string;
  readonly atMs: number;
  readonly source: string;
  readonly detail: string;
  readonly raw?: string;
}

/** What a judgement says; undefined severity means nothing worth an alert. */
export interface Verdict {
  readonly severity?: Severity;
  /** 0 to 100. */
  readonly score: number;
  readonly reasons: readonly Reason[];
  readonly stages: readonly AlertStage[];
  readonly missingStages: readonly string[];
  readonly dataGaps: readonly string[];
  readonly notes: readonly string[];
  /** Time of the evidence that decided. */
  readonly observedAtMs: number;
  readonly returnRatio?: number;
  readonly title: string;
  readonly narrative: string;
}

/** The change as a judgement and an alert see it. */
export interface ChangeFacts {
  readonly id: string;
  readonly device: string;
  readonly change: RuleChange;
  readonly class: ChangeClass;
  readonly occurredBetween: OccurredBetween;
  readonly actors: readonly ActorEvidence[];
  readonly ticket: TicketVerdict;
  /** True where every destination and source of what opened is in the inventory and not expired. */
  readonly approvedForward?: { readonly id: string; readonly reason: string };
  readonly firstOfKind: boolean;
  readonly usualActor?: boolean;
  readonly unusualHour: boolean;
  readonly alsoChanged: readonly RuleChange[];
}

export interface TicketVerdict {
  readonly state: 'approved' | 'proposed' | 'mismatch' | 'none';
  readonly system?: string;
  readonly number?: string;
  readonly reason: string;
}
