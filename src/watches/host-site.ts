// PostgreSQL -> what a question about a host needs of the site: inventories, tickets, addresses and pulled rulesets
import { type AddressSet, addressSet } from '../model/addresses.ts';
import type { Host, RulesetState } from '../model/host.ts';
import { readRules } from '../rules/read.ts';
import { stateOf } from '../rules/state.ts';
import type { Services } from '../services.ts';
import { allDevices, type Device } from '../store/postgres/devices.ts';
import { approvedUses } from '../store/postgres/hosts.ts';
import { type StoredSnapshot, snapshotsBetween } from '../store/postgres/snapshots.ts';
import { ticketsAround } from '../store/postgres/tickets.ts';
import type { HostSite } from './host-evidence.ts';
import { internalAddresses, isAddress } from './site.ts';

/** Configurations of one host that are read for a question. */
const MAX_SNAPSHOTS = 50;
const MAX_REMEMBERED = 2000;

/** A host is a device too where its rulesets are pulled: the same name, or an address of it. */
export const isSameMachine = (host: Host, device: Device): boolean =>
  device.name === host.name ||
  [device.address, ...device.addresses].some((address) => host.addresses.includes(address));

export async function hostSite(host: Host, atMs: number, services: Services): Promise<HostSite> {
  const { postgres, settings } = services;
  const devices = await allDevices(postgres);
  const own = devices.filter((device) => isSameMachine(host, device));
  const others = devices.filter((device) => !own.includes(device));
  return {
    internal: await internalAddresses(postgres, settings),
    natAddresses: addressesOf(others),
    approvedUses: await approvedUses(postgres),
    tickets: await ticketsAround(postgres, atMs),
    enrich: services.enrich,
    rulesetsOf: async (_name, fromMs, untilMs) => {
      const states: RulesetState[] = [];
      for (const device of own) {
        const rows = await snapshotsBetween(postgres, device.id, fromMs, untilMs, MAX_SNAPSHOTS);
        for (const row of rows) states.push(...statesOfSnapshot(row, untilMs));
      }
      return states.sort((a, b) => a.takenAtMs - b.takenAtMs);
    },
  };
}

const addressesOf = (devices: readonly Device[]): AddressSet =>
  addressSet(...devices.flatMap((device) => [device.address, ...device.addresses]).filter(isAddress));

/** As it was first seen, and as a later pull saw it still. */
export function statesOfSnapshot(row: StoredSnapshot, untilMs: number): RulesetState[] {
  const first = stateAt(row);
  const confirmedMs = row.confirmed_at.getTime();
  return confirmedMs > first.takenAtMs && confirmedMs <= untilMs
    ? [first, { ...first, takenAtMs: confirmedMs }]
    : [first];
}

/** A stored configuration never changes, so what was read of it may be remembered. */
const remembered = new Map<string, RulesetState>();

function stateAt(row: StoredSnapshot): RulesetState {
  const known = remembered.get(row.id);
  if (known) return known;
  const state = stateOf(readRules(row.text, row.vendor).ruleSet, row.began_at.getTime());
  if (remembered.size >= MAX_REMEMBERED) remembered.clear();
  remembered.set(row.id, state);
  return state;
}
