// what a question about a host may ask of what machines reported; live it is ClickHouse, of recorded events it is memory
import type { ClickHouseClient } from '@clickhouse/client';
import type { Event, EventKind } from '../model/event.ts';
import type { HistoryRow, HostDestination } from '../model/host.ts';
import { type ContactQuestion, type Contacts, contactsToward } from '../store/clickhouse/attempts.ts';
import {
  eventsOfHost,
  executionsOf,
  firstHeardOf,
  type HostWindow,
  historyOfHost,
  packetEventsToward,
} from '../store/clickhouse/host-events.ts';
import { type DestinationQuestion, destinationsOf } from './host-destinations.ts';

export interface SomeEvents {
  readonly events: Event[];
  /** There were more. */
  readonly isCut: boolean;
}

export interface HostEvents {
  /** Of these kinds, in order of time; where there are more than `limit`, those nearest to `nearMs`. */
  events(window: HostWindow, kinds: readonly EventKind[], nearMs: number, limit: number): Promise<SomeEvents>;
  /** What packet filters and Zeek say of packets toward the host, whoever logged them: at most `perSource` of one source. */
  packets(
    window: HostWindow,
    addresses: readonly string[],
    perSource: number,
    limit: number,
  ): Promise<SomeEvents>;
  /** The last execution under each of these process ids. */
  executions(window: HostWindow, pids: readonly number[]): Promise<Event[]>;
  /** What the host's events of these kinds were, the most frequent first. */
  history(window: HostWindow, kinds: readonly EventKind[]): Promise<HistoryRow[]>;
  firstHeardMs(window: HostWindow): Promise<number | undefined>;
}

export interface HostStore extends HostEvents {
  contacts(question: ContactQuestion): Promise<Contacts>;
  destinations(question: DestinationQuestion): Promise<{ destinations: HostDestination[]; isHeard: boolean }>;
}

export const clickHouseHostStore = (client: ClickHouseClient): HostStore => ({
  events: (...question) => eventsOfHost(client, ...question),
  packets: (...question) => packetEventsToward(client, ...question),
  executions: (...question) => executionsOf(client, ...question),
  history: (...question) => historyOfHost(client, ...question),
  firstHeardMs: (window) => firstHeardOf(client, window),
  contacts: (question) => contactsToward(client, question),
  destinations: (question) => destinationsOf(client, question),
});
