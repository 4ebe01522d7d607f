// recorded events -> the answers that the store would give about them, out of memory: a month of hosts asks thousands of times
import { type Event, type EventKind, happenedAt } from '../model/event.ts';
import type { HistoryRow, Host } from '../model/host.ts';
import { type HostWindow, TRANSIT_MS } from '../store/clickhouse/host-events.ts';
import type { HostEvents } from '../watches/host-store.ts';

const MAX_HISTORY = 500;
const MAX_COMMAND = 200;
const PACKETS: ReadonlySet<EventKind> = new Set(['firewall-drop', 'firewall-accept', 'firewall-packet']);
const EXECUTIONS: ReadonlySet<EventKind> = new Set(['command', 'firewall-changed']);

/** In order of what happened, with the times apart for the search. */
interface Timeline {
  readonly times: number[];
  readonly events: Event[];
}

/** `events` carry their origin. */
export function recordedHostEvents(events: readonly Event[], hosts: readonly Host[]): HostEvents {
  const inOrder = [...events].sort(
    (a, b) => happenedAt(a) - happenedAt(b) || a.receivedAtMs - b.receivedAtMs,
  );
  const byOrigin = new Map<string, Timeline>();
  const packets = new Map<string, Timeline>();
  const owners = new Map(
    hosts.flatMap((host) => host.addresses.map((address) => [address, host.name] as const)),
  );
  for (const event of inOrder) {
    if (event.origin !== undefined) append(byOrigin, event.origin, event);
    if (!isPacket(event)) continue;
    const owner = owners.get(event.destinationAddress ?? '');
    if (owner !== undefined) append(packets, owner, event);
    if (event.origin !== undefined && event.origin !== owner) append(packets, event.origin, event);
  }
  const within = (window: HostWindow) => select(byOrigin.get(window.origin), window);
  const histories = new Map<string, HistoryRow[]>();
  return {
    events: async (window, kinds, nearMs, limit) => {
      const found = within(window).filter((event) => kinds.includes(event.kind));
      if (found.length <= limit) return { events: found, isCut: false };
      const nearest = [...found].sort(
        (a, b) => Math.abs(happenedAt(a) - nearMs) - Math.abs(happenedAt(b) - nearMs),
      );
      return { events: byTime(nearest.slice(0, limit)), isCut: true };
    },
    packets: async (window, _addresses, perSource, limit) => {
      const counts = new Map<string, number>();
      const found = select(packets.get(window.origin), window).filter((event) => {
        const count = (counts.get(event.sourceAddress!) ?? 0) + 1;
        counts.set(event.sourceAddress!, count);
        return count <= perSource;
      });
      return { events: found.slice(0, limit), isCut: found.length > limit };
    },
    executions: async (window, pids) => {
      if (pids.length === 0) return [];
      const wanted = new Set(pids);
      const latest = new Map<number, Event>();
      for (const event of within(window))
        if (EXECUTIONS.has(event.kind) && event.executable && wanted.has(event.pid ?? -1))
          latest.set(event.pid!, event);
      return [...latest.values()];
    },
    history: async (window, kinds) => {
      // What happened before a trigger is asked again with each answer.
      const key = JSON.stringify([window.origin, window.fromMs, window.untilMs, kinds]);
      const known = histories.get(key);
      if (known) return known;
      const rows = historyOf(within(window).filter((event) => kinds.includes(event.kind)));
      if (histories.size > 1000) histories.clear();
      histories.set(key, rows);
      return rows;
    },
    firstHeardMs: async (window) => {
      const [first] = within(window);
      return first && happenedAt(first);
    },
  };
}

const isPacket = (event: Event) =>
  event.sourceAddress !== undefined &&
  (PACKETS.has(event.kind) || (event.kind === 'connect' && event.program === 'zeek'));

function append(map: Map<string, Timeline>, key: string, event: Event): void {
  let timeline = map.get(key);
  if (!timeline) {
    timeline = { times: [], events: [] };
    map.set(key, timeline);
  }
  timeline.times.push(happenedAt(event));
  timeline.events.push(event);
}

function select(timeline: Timeline | undefined, window: HostWindow): Event[] {
  if (!timeline) return [];
  const from = place(timeline.times, window.fromMs);
  const to = place(timeline.times, window.untilMs + 1);
  return timeline.events
    .slice(from, to)
    .filter(
      ({ receivedAtMs }) =>
        receivedAtMs <= window.receivedUntilMs && receivedAtMs >= window.fromMs - TRANSIT_MS,
    );
}

/** The first place whose time is `atMs` or later. */
function place(times: readonly number[], atMs: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] < atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

function historyOf(events: readonly Event[]): HistoryRow[] {
  const rows = new Map<string, HistoryRow & { daysSeen: Set<number> }>();
  for (const event of events) {
    const {
      kind,
      executable = '',
      parentExecutable = '',
      effectiveUser = '',
      loginUser = '',
      unit = '',
    } = event;
    const command = (event.command ?? '').slice(0, MAX_COMMAND);
    const key = `${kind}\n${executable}\n${parentExecutable}\n${effectiveUser}\n${loginUser}\n${unit}\n${command}`;
    const atMs = happenedAt(event);
    const row = rows.get(key);
    const daysSeen = row?.daysSeen ?? new Set<number>();
    daysSeen.add(Math.floor(atMs / 86_400_000));
    rows.set(key, {
      kind,
      executable,
      parentExecutable,
      effectiveUser,
      loginUser,
      unit,
      command,
      count: (row?.count ?? 0) + 1,
      days: daysSeen.size,
      firstAtMs: row?.firstAtMs ?? atMs,
      lastAtMs: atMs,
      daysSeen,
    });
  }
  return [...rows.values()]
    .sort((a, b) => b.count - a.count || a.firstAtMs - b.firstAtMs)
    .slice(0, MAX_HISTORY)
    .map(({ daysSeen, ...row }) => row);
}

const byTime = (events: readonly Event[]): Event[] =>
  [...events].sort((a, b) => happenedAt(a) - happenedAt(b) || a.receivedAtMs - b.receivedAtMs);
