// events and header lines around a change -> items of evidence about who made it, the strongest first
import type { DeviceDefinition } from '../../devices/definition.ts';
import type { ActorEvidence, RuleChange } from '../model/change.ts';
import type { Event } from '../model/event.ts';
import { bearing } from './changing.ts';
import { changeHeaders } from './headers.ts';
import type { HistoryEntry } from './history.ts';
import { timeWithin } from './occurred.ts';

export interface ActorInput {
  readonly events: readonly Event[];
  readonly definition: Pick<DeviceDefinition, 'vendor' | 'changedBy' | 'changeHeaders'>;
  /** The configuration after the change. */
  readonly text: string;
  /** The device's own list of changes. */
  readonly history?: readonly HistoryEntry[];
  /** The time in which the change happened. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Finds a ticket's number in a line, as registered for the device. */
  readonly ticketPattern?: string;
  readonly timeZone?: string;
  /** Accounts that only look, Postern's own first. */
  readonly ignoreUsers?: readonly string[];
}

/** A login counts this long before the change could have happened. */
const LOGIN_BEFORE_MS = 3_600_000;
const MOST_ITEMS = 50;
/** A device's own clock may be off by this much against ours. */
const CLOCK_MS = 60_000;

/** Pure. What a line does not state is left out; nobody is named by inference. */
export function actorEvidence(input: ActorInput): ActorEvidence[] {
  const ticketIn = ticketReader(input.ticketPattern);
  const items: ActorEvidence[] = [];
  for (const event of input.events) {
    const { user, sourceAddress, command } = event;
    if (user === undefined && sourceAddress === undefined) continue;
    if (user !== undefined && input.ignoreUsers?.includes(user)) continue;
    const reachMs = event.kind === 'login-accepted' ? LOGIN_BEFORE_MS : 0;
    const atMs = timeWithin(event, input.fromMs - reachMs, input.toMs);
    const confidence = confidenceOf(event, input.definition);
    if (atMs === undefined || confidence === 0) continue;
    const ticket = ticketIn(`${command ?? ''}\n${event.raw}`);
    items.push({
      source: 'syslog',
      user,
      sourceAddress,
      command,
      ticket,
      atMs,
      confidence,
      raw: event.raw.slice(0, 1000),
    });
  }
  for (const { comment, ...entry } of input.history ?? []) {
    const { user, sourceAddress, atMs } = entry;
    if (user === undefined || input.ignoreUsers?.includes(user)) continue;
    if (atMs === undefined || atMs < input.fromMs - CLOCK_MS || atMs > input.toMs + CLOCK_MS) continue;
    const confidence = sourceAddress === undefined ? 0.85 : 0.9;
    const ticket = ticketIn(`${comment ?? ''}\n${entry.raw}`);
    items.push({ ...entry, source: 'commit-log', ticket, confidence });
  }
  for (const { user, atMs, raw } of changeHeaders(input.text, input.definition, input.timeZone)) {
    // A header that names an earlier time is about an earlier change.
    if (user === undefined || (atMs !== undefined && (atMs < input.fromMs || atMs > input.toMs))) continue;
    const confidence = atMs === undefined ? 0.2 : 0.4;
    items.push({ source: 'config-header', user, ticket: ticketIn(raw), atMs, confidence, raw });
  }
  return strongestFirst(items);
}

/** FortiOS and others name a rule by its UUID in the log line as in the configuration. */
const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/i;

/**
 * Evidence about one change among those of the same time, the strongest first: what names its rule comes before what may
 * be about others, and what the rule says of its own last change is added. Pure.
 */
export function actorsOf(
  actors: readonly ActorEvidence[],
  { ruleKey, after }: Pick<RuleChange, 'ruleKey' | 'after'>,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): ActorEvidence[] {
  const uuid = UUID.exec(ruleKey)?.[0].toLowerCase();
  const isNamed = ({ raw }: ActorEvidence) => uuid !== undefined && raw.toLowerCase().includes(uuid);
  const namesAny = uuid !== undefined && actors.some(isNamed);
  const items = actors.map((actor) => {
    if (isNamed(actor)) return { ...actor, confidence: Math.max(actor.confidence, 0.95) };
    // A line with another rule's UUID is about that one.
    const isOther = namesAny && UUID.test(actor.raw);
    return isOther ? { ...actor, confidence: Math.min(actor.confidence, 0.2) } : actor;
  });
  const last = after?.lastChange;
  const isRecent =
    last?.atMs === undefined || (last.atMs >= fromMs - CLOCK_MS && last.atMs <= toMs + CLOCK_MS);
  if (last?.user !== undefined && isRecent)
    items.push({
      source: 'rule-metadata',
      user: last.user,
      ...(last.atMs === undefined ? {} : { atMs: last.atMs }),
      confidence: last.atMs === undefined ? 0.3 : 0.85,
      raw: last.raw.slice(0, 1000),
    });
  return strongestFirst(items);
}

function confidenceOf(event: Event, definition: ActorInput['definition']): number {
  const isBoth = event.user !== undefined && event.sourceAddress !== undefined;
  if (event.kind === 'login-accepted') return isBoth ? 0.5 : 0.3;
  switch (bearing(event, definition)) {
    case 'changes':
      return isBoth ? 0.9 : 0.8;
    case 'may-change':
      return 0.4;
    default:
      return 0;
  }
}

function strongestFirst(items: readonly ActorEvidence[]): ActorEvidence[] {
  const seen = new Set<string>();
  return [...items]
    .sort((a, b) => b.confidence - a.confidence || (b.atMs ?? 0) - (a.atMs ?? 0))
    .filter(({ source, user, sourceAddress, command, confidence }) => {
      const key = JSON.stringify([source, user, sourceAddress, command, confidence]);
      return !seen.has(key) && seen.add(key);
    })
    .slice(0, MOST_ITEMS);
}

/** A pattern that is no regular expression finds nothing; how much of a line it sees is bounded. */
function ticketReader(pattern: string | undefined): (text: string) => string | undefined {
  if (!pattern) return () => undefined;
  try {
    const expression = new RegExp(pattern);
    return (text) => {
      const match = expression.exec(text.slice(0, 1024));
      return match?.[1] ?? match?.[0];
    };
  } catch {
    return () => undefined;
  }
}
