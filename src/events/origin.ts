// sender, certificate and stated names of a line -> the registered host or device that it is from
import { isIP } from 'node:net';
import { type AddressSet, addressSet, formatAddress, hasAddress, parseAddress } from '../model/addresses.ts';
import type { Event } from '../model/event.ts';
import type { Host } from '../model/host.ts';

/** What a line says and how it came. */
export type Arrival = Pick<Event, 'sender' | 'identity' | 'node' | 'host'>;
export type Origin = Required<Pick<Event, 'origin' | 'originBasis'>>;

/** Senders whose stated names are believed, although they have an address or a certificate of their own. */
export interface Relays {
  readonly addresses: AddressSet;
  /** Lower-case names in client certificates. */
  readonly identities: ReadonlySet<string>;
}

/** By lower-case name, by the part of it before the first dot, and by address as text; each with who has it. */
export interface OriginRegistry {
  readonly names: ReadonlyMap<string, readonly string[]>;
  readonly labels: ReadonlyMap<string, readonly string[]>;
  readonly addresses: ReadonlyMap<string, readonly string[]>;
  readonly relays: Relays;
}

type NamedHost = Pick<Host, 'name' | 'addresses' | 'aliases'>;
interface NamedDevice {
  readonly name: string;
  readonly address?: string;
  readonly addresses: readonly string[];
}

export const NO_RELAYS: Relays = { addresses: addressSet(), identities: new Set() };
const NOBODY: readonly string[] = [];

/** Addresses and prefixes are addresses, everything else is a name in a certificate. Throws TypeError for a prefix that is none. */
export function relaysOf(texts: readonly string[]): Relays {
  const isName = (text: string) => /^[A-Za-z0-9_*-][\w.-]*$/.test(text) && !/^[\d.-]+$/.test(text);
  return {
    addresses: addressSet(...texts.filter((text) => !isName(text))),
    identities: new Set(texts.filter(isName).map((text) => text.toLowerCase())),
  };
}

/**
 * Where a host and a device have the same name or address, lines are the host's: it is the same machine, watched more closely.
 * What is no address among the addresses (a device may be reached by name) is a name.
 */
export function compileOrigins(
  hosts: readonly NamedHost[],
  devices: readonly NamedDevice[],
  relays: Relays = NO_RELAYS,
): OriginRegistry {
  const names = new Map<string, string[]>();
  const labels = new Map<string, string[]>();
  const addresses = new Map<string, string[]>();
  const enter = (registered: readonly { name: string; stated: readonly string[] }[]) => {
    const taken = [names, labels, addresses].map((map) => new Set(map.keys()));
    const put = (index: number, map: Map<string, string[]>, key: string, name: string) => {
      if (key === '' || taken[index].has(key)) return;
      const owners = map.get(key);
      if (!owners) map.set(key, [name]);
      else if (!owners.includes(name)) owners.push(name);
    };
    for (const { name, stated } of registered) {
      for (const text of [name, ...stated]) {
        const address = addressText(text);
        if (address !== undefined) {
          put(2, addresses, address, name);
          continue;
        }
        const key = nameKey(text);
        put(0, names, key, name);
        put(1, labels, key.split('.', 1)[0], name);
      }
    }
  };
  enter(hosts.map((host) => ({ name: host.name, stated: [...host.addresses, ...host.aliases] })));
  enter(devices.map(({ name, address, addresses: own }) => ({ name, stated: [address ?? '', ...own] })));
  return { names, labels, addresses, relays };
}

/**
 * Who a line is from; undefined where that is not known. A verified certificate tells first, then the sender's address; what
 * the line states counts only where neither is registered or the sender is a relay, so that no registered host can speak for
 * another. A name or an address that several have tells nothing by itself; of several with one address, the stated name tells which.
 */
export function originOf(arrival: Arrival, registry: OriginRegistry): Origin | undefined {
  const { sender, identity, node, host } = arrival;
  let candidates = NOBODY;
  if (!isRelay(sender, identity, registry)) {
    const certified = identity === undefined ? NOBODY : owners(identity, registry);
    if (certified.length === 1) return { origin: certified[0], originBasis: 'certificate' };
    candidates = registry.addresses.get(sender) ?? NOBODY;
    if (candidates.length === 1) return { origin: candidates[0], originBasis: 'address' };
  }
  for (const [stated, originBasis] of [
    [node, 'node'],
    [host, 'host-name'],
  ] as const) {
    if (stated === undefined) continue;
    const named = owners(stated, registry).filter(
      (one) => candidates.length === 0 || candidates.includes(one),
    );
    if (named.length === 1) return { origin: named[0], originBasis };
  }
  return undefined;
}

/** Whether what the line states may tell who it is from: of such senders each stated name is a clock of its own. */
export function speaksForOthers(
  sender: string,
  identity: string | undefined,
  registry: OriginRegistry,
): boolean {
  if (isRelay(sender, identity, registry)) return true;
  if (identity !== undefined && owners(identity, registry).length === 1) return false;
  return registry.addresses.get(sender)?.length !== 1;
}

/** Of the names in a certificate the one that is registered or a relay's, else the first. */
export function identityOf(names: readonly string[], registry: OriginRegistry): string | undefined {
  return (
    names.find(
      (name) => registry.relays.identities.has(name.toLowerCase()) || owners(name, registry).length === 1,
    ) ?? names[0]
  );
}

function isRelay(sender: string, identity: string | undefined, { relays }: OriginRegistry): boolean {
  if (identity !== undefined && relays.identities.has(identity.toLowerCase())) return true;
  if (relays.addresses.v4.length === 0 && relays.addresses.v6.length === 0) return false;
  return isIP(sender) !== 0 && hasAddress(relays.addresses, parseAddress(sender));
}

/** By the full name; where either side has no domain, by the first label. Relays state an address where they know no name. */
function owners(stated: string, { names, labels, addresses }: OriginRegistry): readonly string[] {
  const address = addressText(stated);
  if (address !== undefined) return addresses.get(address) ?? NOBODY;
  const key = nameKey(stated);
  const exact = names.get(key);
  if (exact) return exact;
  const dot = key.indexOf('.');
  if (dot < 0) return labels.get(key) ?? NOBODY;
  return names.get(key.slice(0, dot)) ?? NOBODY;
}

const nameKey = (name: string) => name.trim().toLowerCase().replace(/\.$/, '');

/** Canonical; undefined for what is no address. */
function addressText(text: string): string | undefined {
  const bare = text.replace(/^\[|\]$/g, '');
  return isIP(bare) === 0 ? undefined : formatAddress(parseAddress(bare));
}
