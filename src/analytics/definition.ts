// what an analytic is: its ATT&CK page as data, a trigger and a judgement as pure functions
import type { ChangeFacts, Evidence, Question, Verdict } from '../model/watch.ts';

/** A stream of telemetry that an analytic cannot do without, or would see more with. */
export type Telemetry = 'config-pull' | 'flow-export' | 'return-flows' | 'syslog' | 'asn-data' | 'tickets';

export type Parameters = Readonly<Record<string, unknown>>;

export interface AnalyticDefinition<P extends Parameters = Parameters> {
  /** "AN0926" */
  readonly id: string;
  readonly title: string;
  readonly strategy: string;
  /** By ATT&CK version where the number changed. */
  readonly techniques: readonly string[];
  readonly dataComponents: readonly string[];
  readonly needs: readonly {
    readonly telemetry: Telemetry;
    readonly why: string;
    readonly required: boolean;
  }[];
  readonly parameters: P;
  readonly falsePositives: readonly string[];
  readonly blindSpots: readonly string[];
  /** How long after the change evidence is asked for. */
  readonly watchMs: (parameters: P) => number;
  /** Whether this change deserves a watch. */
  readonly triggeredBy: (facts: ChangeFacts) => boolean;
  readonly judge: (facts: ChangeFacts, question: Question, evidence: Evidence, parameters: P) => Verdict;
}

/** The definition's parameters with a site's overrides; a named parameter is replaced whole. Unknown names are refused. */
export function withOverrides<P extends Parameters>(
  definition: AnalyticDefinition<P>,
  overrides: Parameters = {},
): P {
  for (const name of Object.keys(overrides)) {
    if (!(name in definition.parameters)) {
      throw new TypeError(
        `${definition.id} has no parameter ${name}; it has ${Object.keys(definition.parameters).join(', ')}`,
      );
    }
  }
  return { ...definition.parameters, ...overrides };
}
