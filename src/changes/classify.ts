// an opening, what is new about it, and what is internal -> its class
import {
  type AddressSet,
  addressSet,
  intersectAddresses,
  noAddresses,
  subtractAddresses,
} from '../model/addresses.ts';
import { CHANGE_CLASSES, type ChangeClass, type Opening } from '../model/change.ts';
import type { Translation } from '../model/rule.ts';
import type { Site } from '../model/site.ts';
import type { Traffic } from '../model/traffic.ts';
import type { Novelty } from './compare.ts';

/** Where a packet cannot leave the site to: multicast, limited broadcast, the unspecified address. */
const NOWHERE = addressSet('0.0.0.0', '224.0.0.0/4', '255.255.255.255', '::', 'ff00::/8');

const touchesInternal = (set: AddressSet, site: Site) => !noAddresses(intersectAddresses(set, site.internal));
const touchesExternal = (set: AddressSet, site: Site) =>
  !noAddresses(subtractAddresses(subtractAddresses(set, site.internal), NOWHERE));

export function gravest(classes: readonly ChangeClass[]): ChangeClass {
  return CHANGE_CLASSES.find((one) => classes.includes(one)) ?? 'internal';
}

/** The gravest thing that any packet of the opening can do. */
export function classify(opening: Omit<Opening, 'class'>, novelty: Novelty, site: Site): ChangeClass {
  if (novelty === 'source') return 'source-nat';
  const { traffic, destinationTranslation: translation } = opening;
  if (!translation) return novelty === 'redirect' ? 'internal' : classOf(traffic, traffic.destinations, site);
  if (translation.kind === 'destination' || translation.kind === 'redirect')
    return novelty === 'redirect' ? 'internal' : classOfTranslated(traffic, translation, site);
  const aside = takenOutside(traffic, translation, site) ? 'egress-relay' : 'internal';
  return novelty === 'way' ? gravest([aside, classOf(traffic, traffic.destinations, site)]) : aside;
}

function classOf(traffic: Traffic, destinations: AddressSet, site: Site): ChangeClass {
  if (touchesInternal(traffic.sources, site) && touchesExternal(destinations, site)) return 'egress-permit';
  if (touchesExternal(traffic.sources, site) && touchesInternal(destinations, site)) return 'inbound-forward';
  return 'internal';
}

function classOfTranslated(traffic: Traffic, translation: Translation, site: Site): ChangeClass {
  // Only the device knows the address: it is its own. What was bound for the outside then goes through whatever listens there.
  if (!translation.addresses) {
    return classOf(traffic, traffic.destinations, site) === 'egress-permit' ? 'egress-relay' : 'internal';
  }
  const untranslated = classOf(traffic, translation.addresses, site);
  return untranslated === 'egress-permit' ? 'egress-relay' : untranslated;
}

/** Policy routes, tunnels, proxies, mirrors: whether internal traffic is handed to somebody outside. */
function takenOutside(traffic: Traffic, { kind, addresses }: Translation, site: Site): boolean {
  // A proxy or tunnel whose far end is not known may end anywhere.
  const outside = addresses ? touchesExternal(addresses, site) : kind === 'proxy' || kind === 'tunnel';
  // A copy to the outside leaks answers too, whoever asked.
  return outside && (kind === 'mirror' || touchesInternal(traffic.sources, site));
}
