// events and header lines around a change -> items of evidence about who made it, the strongest first
import type { DeviceDefinition } from '../../devices/definition.ts';
import type { ActorEvidence } from '../model/change.ts';
import type { Event } from '../model/event.ts';
import { bearing } from './changing.ts';
import { changeHeaders } from './headers.ts';
import { timeWithin } from './occurred.ts';

export interface ActorInput {
  readonly events: readonly Event[];
  readonly definition: Pick<DeviceDefinition, 'vendor' | 'changedBy' | 'changeHeaders'>;
  /** The configuration after the change. */
  readonly text: string;
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
  for (const { user, atMs, raw } of changeHeaders(input.text, input.definition, input.timeZone)) {
    // A header that names an earlier time is about an earlier change.
    if (user === undefined || (atMs !== undefined && (atMs < input.fromMs || atMs > input.toMs))) continue;
    const confidence = atMs === undefined ? 0.2 : 0.4;
    items.push({ source: 'config-header', user, ticket: ticketIn(raw), atMs, confidence, raw });
  }
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
