// a pulled configuration -> stored snapshot, rule changes and watches, in one transaction
import { randomUUID } from 'node:crypto';
import type { ClickHouseClient } from '@clickhouse/client';
import { sql, type Transaction } from 'kysely';
import { changeAnalytics } from '../analytics/index.ts';
import { addressSet, unionAddresses } from '../model/addresses.ts';
import type { Event } from '../model/event.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { readRules } from '../rules/read.ts';
import type { Services } from '../services.ts';
import { eventsBetween } from '../store/clickhouse/events.ts';
import type { Device } from '../store/postgres/devices.ts';
import { allHosts } from '../store/postgres/hosts.ts';
import { changeHistory, insertRuleChanges } from '../store/postgres/rule-changes.ts';
import type { Database } from '../store/postgres/schema.ts';
import {
  asSnapshot,
  confirmSnapshot,
  latestSnapshot,
  type StoredSnapshot,
  snapshotsBetween,
} from '../store/postgres/snapshots.ts';
import { approvedForwards, ticketsAround } from '../store/postgres/tickets.ts';
import { insertWatch } from '../store/postgres/watches.ts';
import { detectChanges } from './detect.ts';
import { type DueQuestion, recordRuleset } from './host-record.ts';
import { isSameMachine, statesOfSnapshot } from './host-site.ts';
import { changeFacts, hourIn, openWatches, type SiteFacts, type WatchedDevice } from './open.ts';
import { nextAnswerAt } from './schedule.ts';
import { internalAddresses, isAddress } from './site.ts';

export interface TakenNow {
  readonly text: string;
  readonly compareHash: string;
  readonly beganAtMs: number;
  readonly durationMs: number;
  /** What the device's own list of changes says; redacted. */
  readonly history?: string;
}

/** Rulesets of a host that a sudden drop is judged against. */
const HISTORY_MS = 14 * 86_400_000;
const HISTORY_SNAPSHOTS = 50;
/** Whoever made the change may have logged in this long before the last pull without it. */
const LOGIN_BEFORE_MS = 3_600_000;

interface Opened {
  readonly opened: readonly DueQuestion[];
  readonly hostQuestions: readonly DueQuestion[];
}
const NOTHING: Opened = { opened: [], hostQuestions: [] };

/** Resolves to the ids of the watches that were opened. An unchanged configuration only confirms the last snapshot. */
export async function recordSnapshot(device: Device, taken: TakenNow, services: Services): Promise<string[]> {
  const { opened, hostQuestions } = await services.postgres.transaction().execute(async (transaction) => {
    // Pulls of one device are recorded one after the other, whichever process made them.
    await sql`SELECT pg_advisory_xact_lock(hashtext(${device.id}))`.execute(transaction);
    const previous = await latestSnapshot(transaction, device.id);
    if (previous && taken.beganAtMs < previous.confirmed_at.getTime()) return NOTHING;
    if (previous?.compare_hash === taken.compareHash) {
      await confirmSnapshot(transaction, previous.id, new Date(taken.beganAtMs));
      return NOTHING;
    }
    return storeChanged(transaction, device, taken, previous, services);
  });
  for (const question of hostQuestions)
    await services.jobs.add(
      'answer-host',
      { ...question },
      { delayMs: Math.max(0, question.atMs - services.now()) },
    );
  for (const { watchId, atMs } of opened) {
    await services.jobs.add(
      'answer-watch',
      { watchId, atMs },
      { delayMs: Math.max(0, atMs - services.now()) },
    );
  }
  return opened.map(({ watchId }) => watchId);
}

async function storeChanged(
  transaction: Transaction<Database>,
  device: Device,
  taken: TakenNow,
  previous: StoredSnapshot | undefined,
  services: Services,
): Promise<Opened> {
  const { ruleSet } = readRules(taken.text, device.vendor);
  const stored = await transaction
    .insertInto('snapshots')
    .values({
      id: randomUUID(),
      device_id: device.id,
      vendor: device.vendor,
      began_at: new Date(taken.beganAtMs),
      duration_ms: Math.round(taken.durationMs),
      confirmed_at: new Date(taken.beganAtMs),
      text: taken.text,
      compare_hash: taken.compareHash,
      rule_count: ruleSet.rules.length,
      unread: JSON.stringify(ruleSet.unread.slice(0, 10_000)),
      history: taken.history ?? null,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  if (!previous) return NOTHING;
  return {
    opened: await storeChanges(transaction, device, previous, stored, services),
    hostQuestions: await askAboutHost(transaction, device, previous, stored, services),
  };
}

/** Where the device is a registered host, its ruleset is a trigger of the analytics about hosts. */
async function askAboutHost(
  transaction: Transaction<Database>,
  device: Device,
  previous: StoredSnapshot,
  stored: StoredSnapshot,
  services: Services,
): Promise<DueQuestion[]> {
  const host = (await allHosts(transaction)).find((one) => isSameMachine(one, device));
  if (!host || stored.began_at < device.created_at) return [];
  const untilMs = stored.began_at.getTime();
  const rows = await snapshotsBetween(
    transaction,
    device.id,
    untilMs - HISTORY_MS,
    untilMs,
    HISTORY_SNAPSHOTS,
  );
  const states = rows.flatMap((row) => statesOfSnapshot(row, untilMs));
  const [before] = statesOfSnapshot(previous, untilMs).slice(-1);
  const [after] = statesOfSnapshot(stored, untilMs);
  const history = states.filter((state) => state.takenAtMs < before.takenAtMs);
  return recordRuleset(transaction, host, before, after, history, services);
}

async function storeChanges(
  transaction: Transaction<Database>,
  device: Device,
  previous: StoredSnapshot,
  stored: StoredSnapshot,
  services: Services,
): Promise<DueQuestion[]> {
  const before = asSnapshot(previous, device.name, true);
  const after = asSnapshot(stored, device.name, false);
  const events = await eventsAround(device, before, after, services.clickhouse);
  const internal = await internalAddresses(services.postgres, services.settings);
  const watched = watchedDevice(device);
  const set = detectChanges({
    device: watched,
    vendor: device.vendor,
    before,
    after,
    events,
    internal,
    ignoreUsers: [device.username],
  });
  const withInterfaces = {
    ...set,
    device: {
      ...watched,
      addresses: unionAddresses(watched.addresses, ...set.ruleSet.interfaces.map((one) => one.addresses)),
    },
  };
  const site: SiteFacts = {
    internal,
    tickets: await ticketsAround(transaction, after.takenAtMs),
    approvedForwards: await approvedForwards(transaction),
  };
  const history = await changeHistory(transaction, device.id, (atMs) => hourIn(device.time_zone, atMs));
  const facts = set.changes.map(({ id, change }) => changeFacts(id, change, withInterfaces, site, history));
  const now = services.now();
  await insertRuleChanges(
    transaction,
    device.id,
    { before: previous.id, after: stored.id },
    facts,
    new Date(now),
  );
  const opened: DueQuestion[] = [];
  for (const analytic of changeAnalytics) {
    for (const draft of openWatches(
      withInterfaces,
      site,
      history,
      analytic,
      services.parametersOf(analytic),
    )) {
      // Nothing saw the traffic of the time before: the change is recorded, and nobody is alarmed about the past.
      if (draft.question.untilMs < device.created_at.getTime()) continue;
      const nextAtMs = nextAnswerAt(now, draft.question.untilMs, now) ?? now;
      opened.push({
        watchId: await insertWatch(transaction, device.id, draft, now, nextAtMs),
        atMs: nextAtMs,
      });
    }
  }
  if (facts.length > 0)
    services.log.info(
      { device: device.name, changes: facts.length, watches: opened.length },
      'rules changed',
    );
  return opened;
}

/** The device's events from some time before the last pull without the change to the first with it. */
export async function eventsAround(
  device: Device,
  before: Snapshot,
  after: Snapshot,
  clickhouse: ClickHouseClient,
): Promise<Event[]> {
  return eventsBetween(clickhouse, {
    senders: [...new Set([device.address, ...device.addresses])].filter(isAddress),
    fromMs: before.takenAtMs - LOGIN_BEFORE_MS,
    untilMs: after.takenAtMs + after.durationMs,
    limit: 5000,
  });
}

export function watchedDevice(device: Device): WatchedDevice {
  return {
    name: device.name,
    addresses: addressSet(...[device.address, ...device.addresses].filter(isAddress)),
    exporters: device.exporters,
    timeZone: device.time_zone,
    ticketPattern: device.ticket_pattern ?? undefined,
  };
}
