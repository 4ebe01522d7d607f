// a host's events and pulled rulesets -> the questions that they open; triggers of one kind soon after another belong to it
import type { HostAnalytic, Parameters, Triggered } from '../analytics/definition.ts';
import { type Event, happenedAt } from '../model/event.ts';
import type { Host, HostQuestion, RulesetState } from '../model/host.ts';

export interface Judged {
  readonly analytic: HostAnalytic;
  readonly parameters: Parameters;
}

/** A trigger that has its question already. */
export interface EarlierTrigger {
  readonly host: string;
  readonly analytic: string;
  readonly key: string;
  readonly atMs: number;
}

export interface HostOpener {
  /** The questions that an event of the host opens; mostly none. */
  event(event: Event, host: Host): HostQuestion[];
  ruleset(
    before: RulesetState,
    after: RulesetState,
    history: readonly RulesetState[],
    host: Host,
  ): HostQuestion[];
  /** Triggers left out because their host had opened too many questions within an hour. */
  readonly crowdedCount: number;
}

const HOUR_MS = 3_600_000;
/** Of one analytic about one host in an hour. More of them say nothing more, and cost the other hosts' answers. */
const MAX_OPENED_IN_HOUR = 200;
const MAX_KEY = 200;
const MAX_DETAIL = 500;

/** Pure but for what it remembers: the same events in the same order open the same questions. */
export function createHostOpener(
  judged: readonly Judged[],
  earlier: readonly EarlierTrigger[] = [],
): HostOpener {
  const seen = new Map<string, number[]>();
  const opened = new Map<string, number[]>();
  let crowdedCount = 0;
  const note = (trigger: EarlierTrigger) => {
    append(seen, `${trigger.analytic}\n${trigger.host}\n${trigger.key}`, trigger.atMs);
    append(opened, `${trigger.analytic}\n${trigger.host}`, trigger.atMs);
  };
  for (const trigger of earlier) note(trigger);
  const open = (
    { analytic, parameters }: Judged,
    host: Host,
    triggered: Triggered,
    atMs: number,
    event?: Event,
  ): HostQuestion[] => {
    const key = triggered.key.slice(0, MAX_KEY);
    const trigger = { host: host.name, analytic: analytic.id, key, atMs };
    const joinMs = analytic.joinMs(parameters);
    const times = seen.get(`${trigger.analytic}\n${trigger.host}\n${key}`) ?? [];
    if (times.some((time) => Math.abs(time - atMs) <= joinMs)) return [];
    const recent = (opened.get(`${trigger.analytic}\n${trigger.host}`) ?? []).filter(
      (time) => Math.abs(time - atMs) < HOUR_MS,
    );
    if (recent.length >= MAX_OPENED_IN_HOUR) {
      crowdedCount++;
      return [];
    }
    note(trigger);
    return [
      {
        analytic: analytic.id,
        host,
        key,
        trigger: { kind: triggered.kind, atMs, detail: triggered.detail.slice(0, MAX_DETAIL), event },
        fromMs: atMs - analytic.lookBackMs(parameters),
        untilMs: atMs + analytic.watchMs(parameters),
      },
    ];
  };
  const about = (host: Host) => judged.filter(({ analytic }) => analytic.platforms.includes(host.platform));
  return {
    event: (event, host) =>
      about(host).flatMap((one) => {
        if (!one.analytic.triggerKinds.includes(event.kind)) return [];
        const triggered = one.analytic.triggeredBy(event, host, one.parameters);
        return triggered ? open(one, host, triggered, happenedAt(event), event) : [];
      }),
    ruleset: (before, after, history, host) =>
      about(host).flatMap((one) => {
        const triggered = one.analytic.triggeredByRuleset?.(before, after, history, one.parameters);
        return triggered ? open(one, host, triggered, after.takenAtMs) : [];
      }),
    get crowdedCount() {
      return crowdedCount;
    },
  };
}

/** The latest only: what is older than the longest join no longer matters. */
const MAX_TIMES = 1000;

function append(map: Map<string, number[]>, key: string, atMs: number): void {
  const times = map.get(key);
  if (!times) map.set(key, [atMs]);
  else {
    times.push(atMs);
    if (times.length > MAX_TIMES) times.splice(0, MAX_TIMES / 2);
  }
}
