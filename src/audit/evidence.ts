// recorded configurations and log lines -> the watches that the service would have opened, in order of time
import { definitionOf, recognise } from '../../devices/index.ts';
import { an0926 } from '../analytics/an0926.ts';
import { withOverrides } from '../analytics/index.ts';
import { type AddressSet, addressSet, hasAddress, parseAddress, unionAddresses } from '../model/addresses.ts';
import type { ActorEvidence } from '../model/change.ts';
import type { Event } from '../model/event.ts';
import type { Host, RulesetState } from '../model/host.ts';
import { DEFAULT_INTERNAL } from '../model/site.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { readRules } from '../rules/read.ts';
import { stateOf } from '../rules/state.ts';
import { takeStored } from '../snapshots/stored-text.ts';
import { detectChanges } from '../watches/detect.ts';
import { hourIn, openWatches, type SiteFacts, type WatchDraft, type WatchedDevice } from '../watches/open.ts';
import type { RecordedConfig } from './configs.ts';
import { isSameMachine, siteHosts } from './hosts.ts';
import { type AuditSite, timeOf } from './site.ts';

export interface OpenedWatch {
  readonly openedAtMs: number;
  readonly draft: WatchDraft;
}

export interface ConfigFindings {
  readonly watches: readonly OpenedWatch[];
  readonly snapshotCount: number;
  readonly changeCount: number;
  /** Of hosts, by name, oldest first. */
  readonly rulesets: ReadonlyMap<string, readonly RulesetState[]>;
  /** For people: snapshots that were left out, and why. */
  readonly warnings: readonly string[];
}

/** What is remembered of one device between its snapshots. */
interface DeviceState {
  readonly device: WatchedDevice;
  readonly site: AuditSite['devices'][number];
  last?: { snapshot: Snapshot; compareHash: string; vendor: string };
  /** Addresses that its log lines come from. */
  readonly senders: AddressSet;
  readonly classes: string[];
  readonly users: string[];
  readonly hours: number[];
}

export function siteFacts(site: AuditSite): SiteFacts {
  const own = site.devices.flatMap((device) => device.addresses ?? []);
  return {
    internal: unionAddresses(DEFAULT_INTERNAL, addressSet(...site.internal), addressSet(...own)),
    tickets: (site.tickets ?? []).map((ticket) => ({
      ...ticket,
      type: ticket.type ?? 'normal',
      devices: ticket.devices ?? [],
      plannedStartMs: timeOf(ticket.plannedStart),
      plannedEndMs: timeOf(ticket.plannedEnd),
    })),
    approvedForwards: (site.approvedForwards ?? []).map((forward, index) => ({
      id: `approvedForwards[${index}]`,
      sources: forward.sources ?? [],
      destinations: forward.destinations,
      services: forward.services ?? [],
      reason: forward.reason ?? '',
      expiresMs: timeOf(forward.expires),
    })),
  };
}

/** Configurations come in order of time; events in any order, each with its receive time. */
export async function watchesOf(
  site: AuditSite,
  configs: readonly RecordedConfig[],
  events: readonly Event[],
): Promise<ConfigFindings> {
  const facts = siteFacts(site);
  const states = new Map(site.devices.map((device) => [device.name, stateOfDevice(site, device)]));
  const watches: OpenedWatch[] = [];
  const warnings: string[] = [];
  const hosts = siteHosts(site);
  const rulesets = new Map<string, RulesetState[]>();
  let changeCount = 0;
  let snapshotCount = 0;
  for (const config of configs) {
    const state = states.get(config.device) ?? hostStateOf(site, hosts, config.device, states);
    if (!state) continue;
    const taken = await takeRecorded(config, state);
    if (typeof taken === 'string') {
      warnings.push(taken);
      continue;
    }
    snapshotCount++;
    const host = hosts.find((one) => isSameMachine(one, state.site));
    if (host)
      append(
        rulesets,
        host.name,
        stateOf(readRules(taken.snapshot.text, taken.vendor).ruleSet, config.takenAtMs),
      );
    if (!site.devices.includes(state.site)) continue;
    const found = follow(site, facts, state, taken, events);
    changeCount += found.changeCount;
    watches.push(...found.watches);
  }
  return { watches, snapshotCount, changeCount, rulesets, warnings };
}

/** Configurations may be there of a host that is no device of the site: its rulesets count, its rules are not followed. */
function hostStateOf(
  site: AuditSite,
  hosts: readonly Host[],
  name: string,
  states: Map<string, DeviceState>,
): DeviceState | undefined {
  const host = hosts.find((one) => one.name === name);
  if (!host) return undefined;
  const state = stateOfDevice(site, { name, addresses: [...host.addresses] });
  states.set(name, state);
  return state;
}

function append<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}

interface Recorded {
  readonly snapshot: Snapshot;
  readonly compareHash: string;
  readonly vendor: string;
}

/** The snapshot as it would have been stored, or why it is none. */
async function takeRecorded(config: RecordedConfig, state: DeviceState): Promise<Recorded | string> {
  const text = await config.text();
  const at = new Date(config.takenAtMs).toISOString();
  const definition = state.site.vendor ? definitionOf(state.site.vendor) : recognise(text);
  if (!definition) return `${config.device} ${at}: the vendor is not recognised; name it in the site file`;
  // Secrets need no rotation check in a replay, so nothing of them is kept.
  const taken = takeStored(text, definition, () => 'secret');
  if (!taken.complete) return `${config.device} ${at}: no end marker, so truncated; left out`;
  const snapshot = {
    device: config.device,
    vendor: definition.vendor,
    takenAtMs: config.takenAtMs,
    durationMs: 0,
    text: taken.text,
  };
  return { snapshot, compareHash: taken.compareHash, vendor: definition.vendor };
}

function follow(
  site: AuditSite,
  facts: SiteFacts,
  state: DeviceState,
  taken: Recorded,
  events: readonly Event[],
): { changeCount: number; watches: OpenedWatch[] } {
  const before = state.last;
  if (before?.compareHash === taken.compareHash) {
    // The same configuration seen again: a later change happened after this pull.
    state.last = { ...before, snapshot: { ...before.snapshot, takenAtMs: taken.snapshot.takenAtMs } };
    return { changeCount: 0, watches: [] };
  }
  state.last = taken;
  if (!before) return { changeCount: 0, watches: [] };
  const set = detectChanges({
    device: state.device,
    vendor: taken.vendor,
    before: before.snapshot,
    after: taken.snapshot,
    events: events.filter((event) => isFrom(event, state)),
    internal: facts.internal,
  });
  const addresses = unionAddresses(
    state.device.addresses,
    ...set.ruleSet.interfaces.map((one) => one.addresses),
  );
  const history = {
    classesBefore: [...state.classes],
    usersBefore: [...state.users],
    hoursBefore: [...state.hours],
  };
  const parameters = withOverrides(an0926, site.parameters?.AN0926);
  const drafts = openWatches(
    { ...set, device: { ...state.device, addresses } },
    facts,
    history,
    an0926 as never,
    parameters,
  );
  remember(
    state,
    set.changes.map(({ change }) => change.class),
    set.actors,
    set.occurredBetween.toMs,
  );
  return {
    changeCount: set.changes.length,
    watches: drafts.map((draft) => ({ openedAtMs: taken.snapshot.takenAtMs, draft })),
  };
}

function remember(
  state: DeviceState,
  classes: readonly string[],
  actors: readonly ActorEvidence[],
  atMs: number,
): void {
  if (classes.length === 0) return;
  state.classes.push(...classes.filter((klass) => !state.classes.includes(klass)));
  state.users.push(
    ...actors.flatMap((actor) => (actor.user && !state.users.includes(actor.user) ? [actor.user] : [])),
  );
  state.hours.push(hourIn(state.device.timeZone, atMs));
}

function stateOfDevice(site: AuditSite, device: AuditSite['devices'][number]): DeviceState {
  const addresses: AddressSet = addressSet(...(device.addresses ?? []));
  const watched = {
    name: device.name,
    addresses,
    exporters: device.exporters ?? [],
    timeZone: device.timeZone ?? site.timeZone ?? 'UTC',
    ticketPattern: device.ticketPattern,
  };
  const senders = unionAddresses(addresses, addressSet(...(device.exporters ?? [])));
  return { device: watched, site: device, senders, classes: [], users: [], hours: [] };
}

/** By the sender's address, or, where a relay forwards the lines, by the host name in them: with or without a domain, in any case. */
function isFrom(event: Event, { site, senders }: DeviceState): boolean {
  const host = event.host?.toLowerCase();
  const name = site.name.toLowerCase();
  if (host !== undefined && (host === name || host.split('.')[0] === name || name.split('.')[0] === host))
    return true;
  return hasAddress(senders, parseAddress(event.sender));
}
