// the alert as it is stored, served and sent; field names are a contract
import type { ProcessFacts } from './host.ts';
import type { Severity } from './watch.ts';

export type AlertStatus = 'open' | 'acknowledged' | 'closed';

/** ISO 8601 times in UTC throughout. */
/** What every alert says. */
interface AlertBase {
  readonly id: string;
  readonly analytic: string;
  readonly technique: readonly string[];
  readonly dedupeKey: string;
  readonly revision: number;
  readonly status: AlertStatus;
  readonly severity: Severity;
  readonly score: number;
  readonly scoreReasons: readonly { readonly reason: string; readonly weight: number }[];
  readonly openedAt: string;
  readonly observedAt: string;
  readonly title: string;
  readonly narrative: string;
  readonly stages: readonly {
    readonly name: string;
    readonly at: string;
    readonly source: string;
    readonly detail: string;
    readonly raw?: string;
  }[];
  readonly missingStages: readonly string[];
  readonly dataGaps: readonly string[];
  readonly notes: readonly string[];
  readonly destinations: readonly AlertDestination[];
  readonly thresholds: Readonly<Record<string, unknown>>;
  readonly relatedAlerts: readonly string[];
  readonly link?: string;
}

/** About a change of a device's rules. */
export interface DeviceAlert extends AlertBase {
  readonly device: string;
  readonly host?: undefined;
  readonly change: AlertChange;
  readonly flows: AlertFlows;
}

/** About what happened on a host. */
export interface HostAlert extends AlertBase {
  readonly host: string;
  readonly device?: undefined;
  readonly process?: ProcessFacts;
}

export type Alert = DeviceAlert | HostAlert;

export interface AlertRuleText {
  readonly text: readonly string[];
  readonly lines: readonly { readonly number: number; readonly text: string }[];
}

export interface AlertOpening {
  readonly sources: readonly string[];
  readonly destinations: readonly string[];
  readonly services: readonly string[];
  readonly translation?: {
    readonly kind: string;
    readonly addresses: readonly string[];
    readonly ports?: string;
  };
  readonly sourceTranslation?: readonly string[];
  /** Only under conditions of the device that Postern cannot resolve. */
  readonly conditional?: true;
}

export interface AlertChange {
  readonly id: string;
  readonly class: string;
  readonly kind: string;
  readonly ruleKey: string;
  readonly before?: AlertRuleText;
  readonly after?: AlertRuleText;
  readonly opens: readonly AlertOpening[];
  /** The openings claim too much: they were too many to follow exactly. */
  readonly approximate?: true;
  readonly occurredBetween: { readonly from: string; readonly to: string; readonly basis: string };
  readonly actors: readonly {
    readonly source: string;
    readonly user?: string;
    readonly sourceAddress?: string;
    readonly command?: string;
    readonly at?: string;
    readonly confidence: number;
    readonly raw: string;
  }[];
  readonly ticket: {
    readonly state: string;
    readonly system?: string;
    readonly number?: string;
    readonly reason: string;
  };
  readonly alsoChanged: readonly {
    readonly kind: string;
    readonly class: string;
    readonly ruleKey: string;
    readonly text: readonly string[];
  }[];
}

export interface AlertFlows {
  readonly baseline: {
    readonly from: string;
    readonly minutes: number;
    readonly packetsPerMinute: number;
    readonly bytesPerMinute: number;
    readonly flowsPerMinute: number;
  };
  readonly observed: {
    readonly from: string;
    readonly minutes: number;
    readonly packetsPerMinute: number;
    readonly bytesPerMinute: number;
    readonly flowsPerMinute: number;
    readonly outPackets: number;
    readonly returnPackets: number;
    readonly outBytes: number;
    readonly returnBytes: number;
  };
  /** Return packets per out packet after the change; null where it is not visible. */
  readonly returnRatio: number | null;
  /** Per minute around and after the change. */
  readonly series: readonly {
    readonly minute: string;
    readonly outPackets: number;
    readonly returnPackets: number;
    readonly outBytes: number;
    readonly returnBytes: number;
  }[];
}

export interface AlertDestination {
  readonly address: string;
  readonly asn: number;
  readonly name: string;
  readonly category: string;
  readonly outPackets: number;
  readonly returnPackets: number;
  readonly outBytes: number;
  readonly returnBytes: number;
}
