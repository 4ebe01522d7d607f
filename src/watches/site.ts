// what counts as internal: private ranges, the site's own prefixes, and the devices' own addresses
import { isIP } from 'node:net';
import type { Kysely } from 'kysely';
import { type AddressSet, addressSet, subtractAddresses, unionAddresses } from '../model/addresses.ts';
import { DEFAULT_INTERNAL } from '../model/site.ts';
import type { Settings } from '../settings.ts';
import { allDevices } from '../store/postgres/devices.ts';
import type { Database } from '../store/postgres/schema.ts';
import { openWatchList } from '../store/postgres/watches.ts';
import { relayAddresses } from './open.ts';

/** Devices may be registered by host name, and some names look like addresses. */
export const isAddress = (text: string): boolean => isIP(text) !== 0;

export async function internalAddresses(postgres: Kysely<Database>, settings: Settings): Promise<AddressSet> {
  const devices = await allDevices(postgres);
  const own = devices.flatMap((device) => [device.address, ...device.addresses]).filter(isAddress);
  return unionAddresses(DEFAULT_INTERNAL, addressSet(...settings.POSTERN_INTERNAL), addressSet(...own));
}

/**
 * Internal for the orientation of flows: without the local addresses that an open watch's relay listens at, so that traffic to
 * them, metered before translation, counts as outbound.
 */
export async function orientationAddresses(
  postgres: Kysely<Database>,
  settings: Settings,
): Promise<AddressSet> {
  const internal = await internalAddresses(postgres, settings);
  const watches = await openWatchList(postgres);
  const relays = watches.map((watch) => relayAddresses(watch.facts.change.opens, internal));
  return subtractAddresses(internal, unionAddresses(...relays));
}
