// the nouns of a question about traffic after a change, and of its answer
import type { ActorEvidence, ChangeClass, OccurredBetween, RuleChange } from './change.ts';
import type { HostDestination, ProcessFacts } from './host.ts';

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
  /** Of the scope, those that are not the sources themselves, but what rules translate them to; missing: none. */
  readonly translated?: readonly string[];
  /** External destinations that the change made reachable; ["any"] where it names none. */
  readonly destinations: readonly string[];
  readonly services: readonly string[];
  readonly exporters: readonly string[];
  /** Local address that a relay listens at -> the outside address that it leads to: exporters may meter before translation. */
  readonly relayTargets?: Readonly<Record<string, string>>;
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

/** What a group of destinations has in common; "question" is all of them. */
export type GroupLevel = 'question' | 'category' | 'asn' | 'address';

/** The largest minute within an hour of a peak's time of day, so many days before the peak. */
export interface UsualPeak {
  readonly daysBefore: number;
  readonly outBytes: number;
  readonly outPackets: number;
  readonly outFlows: number;
}

/** One destination group as S sees it before and after T0. Minute lists are sparse: minutes without traffic are left out. */
export interface GroupEvidence {
  readonly level: GroupLevel;
  /** The address, "AS64500", the category; "all" at level question. */
  readonly key: string;
  readonly asn: number;
  readonly name: string;
  readonly category: string;
  readonly baseline: readonly MinuteTotals[];
  readonly observed: readonly MinuteTotals[];
  /** Of the days before, where the group's peak is worth asking; days without traffic at that time are left out. */
  readonly usualPeaks?: readonly UsualPeak[];
  /** Share 0..1 of the baseline's hours in which S talked to the address, and to its AS. */
  readonly addressHourShare: number;
  readonly asnHourShare: number;
  /** How many internal addresses outside S talked to the address in the baseline. */
  readonly otherInternals: number;
  /** After T0, packets as exported, not scaled. */
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
  /** Minutes before T0 that count as baseline, those without traffic included. */
  readonly baselineMinutes: number;
  readonly baselineHours: number;
  /** Whether only the same hours of day and kind of day are compared. */
  readonly sameHourOfDay: boolean;
  readonly groups: readonly GroupEvidence[];
  /** Return packets per out packet that S got before T0, by category; "any" over all. */
  readonly usualReturnRatio: Readonly<Record<string, number>>;
  readonly dataGaps: readonly string[];
  /** Paths that showed the packets that an elected one shows: they count only where that one does not. */
  readonly shownTwice?: readonly (FlowPath & { readonly elected: FlowPath })[];
}

/** An exporter and one of its interfaces (ifIndex, as in the flow records). */
export interface FlowPath {
  readonly exporter: string;
  readonly interface: number;
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
  /** Return packets per out packet of the group that decided; undefined where it is not visible. */
  readonly returnRatio?: number;
  /** Which group of the evidence decided. */
  readonly group?: GroupEvidence;
  readonly title: string;
  readonly narrative: string;
  /** Of a host: the process that did it. */
  readonly process?: ProcessFacts;
  /** Of a host: where it went. */
  readonly destinations?: readonly HostDestination[];
  /** Later evidence cannot change it. */
  readonly isSettled?: boolean;
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
  readonly approvedForward?: {
    readonly id: string;
    readonly reason: string;
    readonly widerThanApproved: boolean;
    /** Internal sources that the entry names, where the change admits more. */
    readonly sources?: readonly string[];
  };
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
