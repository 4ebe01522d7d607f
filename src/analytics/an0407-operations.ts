// a question and its evidence -> the operations on the firewall that belong to it, and what followed each of them
import { type Event, happenedAt } from '../model/event.ts';
import type { HostEvidence, HostQuestion } from '../model/host.ts';
import { firewallUnitOf, type Impairment, impairmentOf, restorationOf } from './firewall-impairment.ts';
import { type Lineage, lineageOf } from './host-process.ts';
import { baseName } from './simple-commands.ts';

export interface Operation {
  readonly atMs: number;
  readonly impairment: Impairment;
  readonly lineage: Lineage;
}

/** Records of one act come in any order. */
const SAME_ACT_MS = 5000;
const MAX_OPERATIONS = 200;

/**
 * Those that say most of their process come first. `joinMs`: later ones open a question of their own, so none is told twice; of
 * a trigger by ruleset also what happened since the ruleset before it.
 */
export function operationsIn(
  { trigger, key }: HostQuestion,
  evidence: HostEvidence,
  joinMs: number,
): Operation[] {
  const isByRuleset = trigger.kind === 'ruleset-fell';
  const before = evidence.rulesets.filter(({ takenAtMs }) => takenAtMs < trigger.atMs).at(-1);
  const fromMs = isByRuleset ? (before?.takenAtMs ?? 0) - SAME_ACT_MS : trigger.atMs - SAME_ACT_MS;
  const events = trigger.event
    ? [trigger.event, ...evidence.events.filter((event) => event.raw !== trigger.event?.raw)]
    : evidence.events;
  return (
    events
      .flatMap((event): Operation[] => {
        const atMs = happenedAt(event);
        if (atMs < fromMs || atMs > trigger.atMs + joinMs) return [];
        const impairment = impairmentOf(event);
        if (!impairment) return [];
        return [{ atMs, impairment, lineage: lineageOf(event, evidence.processes) }];
      })
      .filter((operation, _i, all) => !isToldByTool(operation, all))
      // A tool's run may be an edit while its commit looks like more: so that is settled first.
      .filter(({ impairment }) => isByRuleset || impairment.group === key)
      .slice(0, MAX_OPERATIONS)
      .sort((a, b) => knownOf(b) - knownOf(a) || a.atMs - b.atMs)
  );
}

/** The commit of a tool whose run is recorded says nothing more than its command. */
function isToldByTool({ impairment, atMs }: Operation, all: readonly Operation[]): boolean {
  const { event, isDirect } = impairment;
  if (
    isDirect ||
    event.arguments ||
    event.pid === undefined ||
    !/NETFILTER_CFG|type=1325/.test(event.message)
  )
    return false;
  return all.some(
    (other) =>
      other.impairment.event.pid === event.pid &&
      other.impairment.event.arguments !== undefined &&
      Math.abs(other.atMs - atMs) < 60_000,
  );
}

/** How much is known of who did it. */
function knownOf({ lineage: { event, ancestors } }: Operation): number {
  const name = baseName(event.executable ?? '');
  const isGoBetween = name === '' || /^(?:sudo|doas|systemd|systemctl|(?:ba|da|a|z|k)?sh)$/.test(name);
  return (
    (event.arguments ? 4 : 0) +
    (isGoBetween ? 0 : 2) +
    (ancestors.length > 0 ? 1 : 0) +
    (event.loginUser ? 1 : 0)
  );
}

export interface Followed {
  /** A service that started again, or rules that were filled in. */
  readonly kind: 'start' | 'refill';
  readonly afterMs: number;
  readonly text: string;
}

/** Rules that make up for a flush. */
const MANY_RULES = 3;

/** What put the filter back within the time; undefined where nothing did, or where it was taken away again. */
export function whatFollowed(
  { impairment, atMs }: Operation,
  { events }: HostEvidence,
  withinMs: number,
): Followed | undefined {
  const { class: found, unit } = impairment;
  const isService = found === 'stop' || found === 'failed' || found === 'unitDisabled';
  let rules = 0;
  let refill: Followed | undefined;
  let start: Followed | undefined;
  for (const event of events) {
    const afterMs = happenedAt(event) - atMs;
    // The last line of a restart may carry the time of the first.
    if (afterMs < 0 || afterMs > withinMs) continue;
    if (start && isStopOf(event, unit)) start = undefined;
    const back = restorationOf(event);
    if (!back) continue;
    if (back.kind === 'start' && (unit === undefined || back.unit === undefined || back.unit === unit))
      start ??= { kind: 'start', afterMs, text: `${back.unit ?? 'the firewall'} started again` };
    if (isService || found === 'disable' || found === 'unload') continue;
    rules += back.kind === 'rule' && found !== 'accept' && found !== 'openAll' ? back.count : 0;
    if (back.kind === 'load' || rules >= MANY_RULES)
      refill ??= { kind: 'refill', afterMs, text: 'rules were filled in again' };
  }
  return start ?? refill;
}

const isStopOf = (event: Event, unit: string | undefined): boolean => {
  const found = impairmentOf(event);
  return found?.class === 'stop' && (unit === undefined || found.unit === undefined || found.unit === unit);
};

/** Services that stop together when a host goes down. */
const SHUTDOWN_UNITS = 8;
const SHUTDOWN_MS = 30_000;

/** `flaps`: the unit stopped before, again and again. */
export function hasPrecedent({ impairment, atMs }: Operation, { events, history }: HostEvidence) {
  const { unit } = impairment;
  if (unit === undefined) return { isShutdown: false };
  const stopped = new Set(
    events.flatMap((event) =>
      event.kind === 'service-stopped' && event.unit && Math.abs(happenedAt(event) - atMs) < SHUTDOWN_MS
        ? event.unit
        : [],
    ),
  );
  const rows = history.filter((row) => row.unit !== '' && firewallUnitOf({ unit: row.unit }) === unit);
  // Lines about these units that do not say in their kind whether it stopped are about both.
  const count = Math.round(
    rows.reduce((sum, row) => sum + (row.kind === 'service-stopped' ? row.count : row.count / 2), 0),
  );
  const days = Math.max(0, ...rows.map((row) => row.days));
  return {
    isShutdown: stopped.size >= SHUTDOWN_UNITS,
    flaps: days >= 2 || count >= 3 ? { count, days } : undefined,
  };
}
