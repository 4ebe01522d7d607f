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
  /** Parameters of several values of which an override may name only some; the others are replaced whole. */
  readonly mergedParameters?: readonly (keyof P & string)[];
  readonly falsePositives: readonly string[];
  readonly blindSpots: readonly string[];
  /** How long after the change evidence is asked for. */
  readonly watchMs: (parameters: P) => number;
  /** Whether this change deserves a watch. */
  readonly triggeredBy: (facts: ChangeFacts) => boolean;
  readonly judge: (facts: ChangeFacts, question: Question, evidence: Evidence, parameters: P) => Verdict;
}

/** The definition's parameters with a site's overrides. Throws TypeError for unknown names and for values of another shape. */
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
    verifyShape(`${definition.id} ${name}`, overrides[name], definition.parameters[name]);
  }
  const merged = (definition.mergedParameters ?? [])
    .filter((name) => name in overrides)
    .map((name) => [name, { ...(definition.parameters[name] as object), ...(overrides[name] as object) }]);
  return { ...definition.parameters, ...overrides, ...Object.fromEntries(merged) };
}

/** `like` is the default: a number, a list of words, or an object of numbers by known names. */
function verifyShape(name: string, value: unknown, like: unknown): void {
  if (typeof like === 'number') {
    if (typeof value !== 'number' || !Number.isFinite(value) || value < 0)
      throw new TypeError(`${name} is a number of 0 or more`);
  } else if (Array.isArray(like)) {
    if (!Array.isArray(value) || !value.every((item) => typeof item === 'string'))
      throw new TypeError(`${name} is a list of words`);
  } else if (typeof like === 'object' && like !== null) {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (!isObject) throw new TypeError(`${name} is an object of ${Object.keys(like).join(', ')}`);
    for (const [key, part] of Object.entries(value)) {
      if (!(key in like))
        throw new TypeError(`${name} has no ${key}; it has ${Object.keys(like).join(', ')}`);
      if (typeof part !== 'number' || !Number.isFinite(part))
        throw new TypeError(`${name} ${key} is a number`);
    }
  }
}
