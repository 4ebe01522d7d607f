// `ltm virtual` of TMOS -> what it listens for: addresses, ports, sources, VLANs, and how specific that is
import { type AddressSet, ANY_ADDRESS } from '../../src/model/addresses.ts';
import type { SourceLine } from '../../src/model/rule.ts';
import { PROTOCOLS, type ServiceSet, service, unionServices } from '../../src/model/services.ts';
import {
  ANY_NAME,
  ANY_SOURCE_PORT,
  allNamesBut,
  type NameSet,
  names,
  type Traffic,
} from '../../src/model/traffic.ts';
import { addressLists, portLists } from './tmsh-pools.ts';
import { addressesOf, endpointOf, plainName, wordsBelow } from './tmsh-text.ts';
import { at, linesUnder, type WordTree, word } from './tree.ts';

export interface Listener {
  readonly match: Traffic;
  readonly unresolved: readonly string[];
  /** "K14800: Order of precedence for virtual server matching": destination, then source, then port. */
  readonly precedence: readonly [destinationBits: number, sourceBits: number, hasPort: number];
  readonly domain: number;
  readonly lines: readonly SourceLine[];
}

/** undefined where the destination is no address. */
export function listenerOf(tree: WordTree, virtual: WordTree): Listener | undefined {
  const criteria = word(virtual, 'traffic-matching-criteria');
  if (criteria !== undefined) {
    const node = at(tree, 'ltm', 'traffic-matching-criteria', criteria);
    return node && fromCriteria(tree, virtual, node);
  }
  const destination = word(virtual, 'destination');
  const named = destination === undefined ? undefined : virtualAddressOf(tree, destination);
  const endpoint = named ?? endpointOf(destination ?? '', word(virtual, 'mask'));
  if (!endpoint) return undefined;
  const source = addressesOf(word(virtual, 'source') ?? '0.0.0.0/0') ?? { addresses: ANY_ADDRESS, bits: 0 };
  const ports = endpoint.port === undefined ? undefined : ([[endpoint.port, endpoint.port]] as const);
  return {
    match: {
      ingress: vlansOf(virtual),
      egress: ANY_NAME,
      // The default source 0.0.0.0/0 of an IPv6 listener means any.
      sources: source.bits === 0 ? ANY_ADDRESS : source.addresses,
      destinations: endpoint.addresses,
      services: servicesOf(word(virtual, 'ip-protocol'), ports),
      sourcePorts: ANY_SOURCE_PORT,
    },
    unresolved: [],
    precedence: [endpoint.bits, source.bits, Number(ports !== undefined)],
    domain: endpoint.domain,
    lines: [],
  };
}

/** The most specific first; those that say the same in the order of the text. */
export function byPrecedence(a: Listener, b: Listener): number {
  for (const [i, value] of a.precedence.entries())
    if (value !== b.precedence[i]) return b.precedence[i] - value;
  return 0;
}

/** A destination may name a virtual address: "/Common/va_web:443". */
function virtualAddressOf(tree: WordTree, destination: string) {
  const colon = destination.lastIndexOf(':');
  const [name, port] =
    colon < 0 ? [destination, ''] : [destination.slice(0, colon), destination.slice(colon + 1)];
  const node = at(tree, 'ltm', 'virtual-address', name);
  const address = word(node, 'address');
  if (!node || address === undefined || addressesOf(name.slice(name.lastIndexOf('/') + 1))) return undefined;
  return endpointOf(`${address}:${port}`, word(node, 'mask'));
}

function fromCriteria(tree: WordTree, virtual: WordTree, node: WordTree): Listener {
  const unresolved: string[] = [];
  const lines: SourceLine[] = [...linesUnder(node, 40)];
  const lists = addressLists(tree);
  const side = (end: 'destination' | 'source') => {
    const name = word(node, `${end}-address-list`);
    const inline = word(node, `${end}-address-inline`);
    const found = name === undefined ? undefined : lists(name);
    if (found) {
      unresolved.push(...found.unresolved);
      lines.push(...found.lines);
      return { addresses: found.value, bits: 1 };
    }
    if (name !== undefined) unresolved.push(`address list ${plainName(name)} is not defined`);
    return (inline !== undefined && addressesOf(inline)) || { addresses: ANY_ADDRESS as AddressSet, bits: 0 };
  };
  const [destination, source] = [side('destination'), side('source')];
  const name = word(node, 'destination-port-list');
  const list = name === undefined ? undefined : portLists(tree)(name);
  const inline = endpointOf(`0.0.0.0:${word(node, 'destination-port-inline') ?? 'any'}`)?.port;
  const ports = list?.value ?? (inline === undefined ? undefined : ([[inline, inline]] as const));
  return {
    match: {
      ingress: vlansOf(virtual),
      egress: ANY_NAME,
      sources: source.addresses,
      destinations: destination.addresses,
      services: servicesOf(word(node, 'protocol') ?? word(virtual, 'ip-protocol'), ports),
      sourcePorts: ANY_SOURCE_PORT,
    },
    unresolved,
    precedence: [destination.bits, source.bits, Number(ports !== undefined)],
    domain: 0,
    lines,
  };
}

export function servicesOf(
  protocol: string | undefined,
  ports?: readonly (readonly [number, number])[],
): ServiceSet {
  const number = protocol === undefined || protocol === 'any' ? undefined : protocolOf(protocol);
  if (number !== undefined) return service(number, ports);
  if (!ports) return unionServices(...Array.from({ length: 256 }, (_, one) => service(one)));
  return unionServices(...WITH_PORTS.map((one) => service(one, ports)));
}

const WITH_PORTS = [6, 17, 132] as const;

const protocolOf = (text: string): number | undefined =>
  /^\d{1,3}$/.test(text) ? Number(text) : (PROTOCOLS as Record<string, number>)[text];

/** `vlans-enabled`: only those; `vlans-disabled`: all but those. Neither: all. */
export function vlansOf(node: WordTree): NameSet {
  const listed = wordsBelow(at(node, 'vlans')).map(plainName);
  if (at(node, 'vlans-enabled')) return names(...listed);
  return listed.length > 0 ? allNamesBut(...listed) : ANY_NAME;
}
