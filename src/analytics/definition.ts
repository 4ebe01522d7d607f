// what an analytic is: its ATT&CK page as data, a trigger and a judgement as pure functions
import type { Event, EventKind } from '../model/event.ts';
import type {
  Host,
  HostEvidence,
  HostQuestion,
  HostTriggerKind,
  Platform,
  RulesetState,
} from '../model/host.ts';
import type { ChangeFacts, Evidence, Question, Verdict } from '../model/watch.ts';

/** A stream of telemetry that an analytic cannot do without, or would see more with. */
export type Telemetry =
  | 'config-pull'
  | 'flow-export'
  | 'return-flows'
  | 'syslog'
  | 'asn-data'
  | 'tickets'
  /** Of a host: what it runs (auditd, osquery), what its packet filter logs, who logs in, and its pulled rulesets. */
  | 'process-log'
  | 'firewall-log'
  | 'login-log'
  | 'host-ruleset';

export type Parameters = Readonly<Record<string, unknown>>;

interface AnalyticBase<P extends Parameters> {
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
  /** How long after the trigger evidence is asked for. */
  readonly watchMs: (parameters: P) => number;
}

/** Triggered by a change of a device's rules, judged by flows. */
export interface ChangeAnalytic<P extends Parameters = Parameters> extends AnalyticBase<P> {
  readonly subject: 'device';
  /** Whether this change deserves a watch. */
  readonly triggeredBy: (facts: ChangeFacts) => boolean;
  readonly judge: (facts: ChangeFacts, question: Question, evidence: Evidence, parameters: P) => Verdict;
}

export interface Triggered {
  readonly kind: HostTriggerKind;
  /** See HostQuestion.key; at most 200 characters. */
  readonly key: string;
  readonly detail: string;
}

/** Triggered by an event or a pulled ruleset of a host, judged by its events, contacts, rulesets and flows. */
export interface HostAnalytic<P extends Parameters = Parameters> extends AnalyticBase<P> {
  readonly subject: 'host';
  readonly platforms: readonly Platform[];
  /** Kinds of events that triggeredBy looks at. */
  readonly triggerKinds: readonly EventKind[];
  /** Which parts of HostEvidence the judgement reads; the others stay empty. */
  readonly asks: {
    readonly events: readonly EventKind[];
    readonly contacts?: true;
    readonly rulesets?: true;
    readonly destinations?: true;
    /** Kinds of events that `history` is made of. */
    readonly history?: readonly EventKind[];
  };
  /** How long before the trigger evidence is asked for. */
  readonly lookBackMs: (parameters: P) => number;
  /** For so long after a question's trigger others of the same key belong to it. */
  readonly joinMs: (parameters: P) => number;
  /** Pure, and cheap: it sees every event of these kinds. */
  readonly triggeredBy: (event: Event, host: Host, parameters: P) => Triggered | undefined;
  /** `history`: rulesets from before `before`, oldest first. */
  readonly triggeredByRuleset?: (
    before: RulesetState,
    after: RulesetState,
    history: readonly RulesetState[],
    parameters: P,
  ) => Triggered | undefined;
  readonly judge: (question: HostQuestion, evidence: HostEvidence, parameters: P) => Verdict;
}

export type AnalyticDefinition<P extends Parameters = Parameters> = ChangeAnalytic<P> | HostAnalytic<P>;

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
  } else if (typeof like === 'boolean') {
    if (typeof value !== 'boolean') throw new TypeError(`${name} is true or false`);
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
