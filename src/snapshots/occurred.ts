// two pulls, and what was logged between them -> when the change happened
import type { DeviceDefinition } from '../../devices/definition.ts';
import type { OccurredBetween } from '../model/change.ts';
import type { Event } from '../model/event.ts';
import { bearing } from './changing.ts';
import { changeHeaders } from './headers.ts';
import type { HistoryEntry } from './history.ts';

export interface OccurredInput {
  /** The last pull that saw the configuration before the change. */
  readonly previousTakenAtMs: number;
  /** The first pull with the change. */
  readonly nextTakenAtMs: number;
  /** Of the device, in any order; those outside of the two pulls are passed over. */
  readonly events: readonly Event[];
  readonly definition: Pick<DeviceDefinition, 'vendor' | 'changedBy' | 'changeHeaders'>;
  /** The configuration after the change. */
  readonly text: string;
  /** The device's own list of changes. */
  readonly history?: readonly HistoryEntry[];
  /** The device's IANA time zone. */
  readonly timeZone?: string;
}

/** A message like "configured by" comes when configuration mode is left; without a login to go by it began this much earlier. */
const CONFIGURING_MS = 15 * 60_000;
/** Clocks of log lines have seconds. */
const BEFORE_MS = 1000;
const AFTER_MS = 1000;
/** A logged command still has to run. */
const RUNNING_MS = 5000;
/** A device's own clock may be off by this much against ours. */
const CLOCK_MS = 60_000;

/** Pure. Never wider than the two pulls; several logged changes in between give the time from the first to the last. */
export function occurredBetween(input: OccurredInput): OccurredBetween {
  const { previousTakenAtMs: fromMs, nextTakenAtMs: toMs, events, definition } = input;
  const times = events.flatMap((event) => {
    const atMs = timeWithin(event, fromMs, toMs);
    return atMs === undefined ? [] : [{ event, atMs }];
  });
  const spans = times
    .filter(({ event }) => bearing(event, definition) === 'changes')
    .map(({ event, atMs }) =>
      event.kind === 'config-changed' || event.kind === 'other'
        ? { fromMs: sessionBegan(event, atMs, times) ?? atMs - CONFIGURING_MS, toMs: atMs + AFTER_MS }
        : { fromMs: atMs - BEFORE_MS, toMs: atMs + RUNNING_MS },
    );
  if (spans.length > 0)
    return {
      fromMs: spans.reduce((least, span) => Math.max(fromMs, Math.min(least, span.fromMs)), toMs),
      toMs: spans.reduce((most, span) => Math.min(toMs, Math.max(most, span.toMs)), fromMs),
      basis: 'syslog',
    };
  const listed = (input.history ?? []).flatMap(({ atMs }) =>
    atMs !== undefined && atMs > fromMs - CLOCK_MS && atMs <= toMs + CLOCK_MS ? atMs : [],
  );
  if (listed.length > 0)
    return {
      fromMs: listed.reduce((least, atMs) => Math.max(fromMs, Math.min(least, atMs - CLOCK_MS)), toMs),
      toMs: listed.reduce((most, atMs) => Math.min(toMs, Math.max(most, atMs + CLOCK_MS)), fromMs),
      basis: 'commit-log',
    };
  const changedAtMs = changeHeaders(input.text, definition, input.timeZone)
    .flatMap(({ atMs }) => (atMs !== undefined && atMs > fromMs && atMs <= toMs ? atMs : []))
    .reduce((most, atMs) => Math.max(most, atMs), 0);
  return changedAtMs > 0
    ? { fromMs, toMs: Math.min(toMs, changedAtMs + AFTER_MS), basis: 'config-header' }
    : { fromMs, toMs, basis: 'pulls' };
}

/** The line's own time where that lies in the window, else when it was received: device clocks and zones are often wrong. */
export function timeWithin(event: Event, fromMs: number, toMs: number): number | undefined {
  const isWithin = (atMs: number) => atMs >= fromMs && atMs <= toMs;
  if (isWithin(event.observedAtMs)) return event.observedAtMs;
  return isWithin(event.receivedAtMs) ? event.receivedAtMs : undefined;
}

function sessionBegan(
  changed: Event,
  changedAtMs: number,
  times: readonly { event: Event; atMs: number }[],
): number | undefined {
  let beganAtMs: number | undefined;
  for (const { event, atMs } of times) {
    const isHers = changed.user === undefined || event.user === undefined || event.user === changed.user;
    if (event.kind === 'login-accepted' && isHers && atMs <= changedAtMs)
      beganAtMs = Math.max(beganAtMs ?? atMs, atMs);
  }
  return beganAtMs;
}
