// what counts as internal: private ranges, the site's own prefixes, and the devices' own addresses
import { isIP } from 'node:net';
import type { Kysely } from 'kysely';
import { type AddressSet, addressSet, subtractAddresses, unionAddresses } from '../model/addresses.ts';
import type { Opening } from '../model/change.ts';
import { DEFAULT_INTERNAL } from '../model/site.ts';
import type { Settings } from '../settings.ts';
import { allDevices } from '../store/postgres/devices.ts';
import type { Database } from '../store/postgres/schema.ts';
import { openWatchList } from '../store/postgres/watches.ts';
import { poolAddresses, relayAddresses } from './open.ts';

/** Devices may be registered by host name, and some names look like addresses. */
export const isAddress = (text: string): boolean => isIP(text) !== 0;

export async function internalAddresses(postgres: Kysely<Database>, settings: Settings): Promise<AddressSet> {
  const devices = await allDevices(postgres);
  const own = devices.flatMap((device) => [device.address, ...device.addresses]).filter(isAddress);
  return unionAddresses(DEFAULT_INTERNAL, addressSet(...settings.POSTERN_INTERNAL), addressSet(...own));
}

/**
 * Internal for the orientation of flows: also the addresses that hosts are translated to, as open watches' rules and the events of
 * the devices' exporters tell (`translated`), so that an exporter outside of a translation shows conversations; and without the
 * local addresses that an open watch's relay listens at, so that traffic to them, metered before translation, counts as outbound.
 */
export function orientationOf(
  internal: AddressSet,
  watched: readonly (readonly Opening[])[],
  translated: AddressSet,
): AddressSet {
  const pools = watched.map(poolAddresses);
  const relays = watched.map((opens) => relayAddresses(opens, internal));
  return subtractAddresses(unionAddresses(internal, translated, ...pools), unionAddresses(...relays));
}

export async function orientationAddresses(
  postgres: Kysely<Database>,
  settings: Settings,
  translated: AddressSet,
): Promise<AddressSet> {
  const internal = await internalAddresses(postgres, settings);
  const watches = await openWatchList(postgres);
  return orientationOf(
    internal,
    watches.map((watch) => watch.facts.change.opens),
    translated,
  );
}
