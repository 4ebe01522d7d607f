// `from` of a firewall filter term or a services term -> boxes of traffic, sure and possible
import { type AddressSet, intersectAddresses, noAddresses } from '../../src/model/addresses.ts';
import * as ranges from '../../src/model/ranges.ts';
import {
  ANY_SERVICE,
  intersectServices,
  type ServiceSet,
  service,
  subtractServices,
  unionServices,
} from '../../src/model/services.ts';
import { ANY_NAME, ANY_SOURCE_PORT, type NameSet, names, type Traffic } from '../../src/model/traffic.ts';
import { portRanges, protocols } from './boxes.ts';
import { ICMP_TYPES, ICMP6_TYPES, icmpRange } from './icmp.ts';
import { filterSide, type Side } from './junos-addresses.ts';
import { protocolNumber, serviceSetOf } from './junos-applications.ts';
import type { Match } from './junos-match.ts';
import { parsePort } from './junos-ports.ts';
import { reportUnknown, type Scope, someLines, unitName } from './junos-scope.ts';
import { MAX_REASONS } from './objects.ts';
import { at, list, type WordTree, word, words } from './tree.ts';

const ADDRESSES =
  'source-address destination-address address source-prefix-list destination-prefix-list prefix-list'.split(
    ' ',
  );
const PORTS = 'source-port destination-port port'.split(' ');
const PROTOCOLS = 'protocol next-header payload-protocol'.split(' ');
const ICMP = 'icmp-type icmp-code'.split(' ');
/** What says nothing of where a packet goes, but narrows what is met. */
const CONDITIONS = (
  'interface-set interface-group forwarding-class loss-priority dscp dscp-except precedence traffic-class packet-length ' +
  'packet-length-except ttl hop-limit is-fragment fragment-offset fragment-flags first-fragment ip-options ' +
  'extension-header source-class destination-class source-mac-address destination-mac-address ether-type vlan ' +
  'service-filter-hit rat-type gre-key ah-spi esp-spi learn-vlan-id user-vlan-id flexible-match-mask flexible-match-range ' +
  'icmp-type-except icmp-code-except application application-sets applications ip-protocol policy-map redirect-reason'
).split(' ');
const KNOWN = new Set([
  ...ADDRESSES,
  ...[...PORTS, ...PROTOCOLS].flatMap((one) => [one, `${one}-except`]),
  ...ICMP,
  ...CONDITIONS,
  ...'tcp-established tcp-initial tcp-flags interface except'.split(' '),
]);

interface Parts {
  readonly services: ServiceSet;
  readonly sourcePorts: ranges.Ranges<number>;
}

const next = (value: number) => value + 1;
const previous = (value: number) => value - 1;

/** Terms meet new connections only: what asks for an established one meets none. */
export function termMatch(from: WordTree | undefined, family: AddressSet, scope: Scope): Match {
  const unresolved = reportUnknown(scope.assembly, from, KNOWN);
  if (isEstablished(from, unresolved)) return { sure: [], possible: [], unresolved: [], lines: [] };
  const prefixLists = at(scope.tree, 'policy-options', 'prefix-list');
  const sideOf = (which: string): Side | undefined =>
    filterSide(at(from, `${which}address`), at(from, `${which}prefix-list`), prefixLists, family);
  const sources = sideOf('source-');
  const destinations = sideOf('destination-');
  const either = sideOf('');
  const parts = partsOf(from, family, unresolved);
  for (const condition of CONDITIONS)
    if (at(from, condition))
      unresolved.push(`${condition} ${words(from, condition).slice(0, 8).join(' ')}`.trim().slice(0, 128));
  const interfaces = words(from, 'interface').map(unitName);
  const ingress: NameSet = interfaces.length > 0 ? names(...interfaces) : ANY_NAME;
  const sides = [sources, destinations, either];
  const reasons = [...new Set([...sides.flatMap((side) => side?.unresolved ?? []), ...unresolved])];
  const boxes = (which: 'sure' | 'possible'): Traffic[] => {
    const own = (side: Side | undefined) => side?.[which] ?? family;
    const pairs = either
      ? [
          [intersectAddresses(own(sources), either[which]), own(destinations)],
          [own(sources), intersectAddresses(own(destinations), either[which])],
        ]
      : [[own(sources), own(destinations)]];
    return pairs
      .filter((pair) => !pair.some(noAddresses))
      .flatMap(([from1, to1]) =>
        parts.map((part) => ({ ingress, egress: ANY_NAME, sources: from1, destinations: to1, ...part })),
      );
  };
  const possible = boxes('possible');
  return {
    possible,
    sure: reasons.length === 0 ? possible : unresolved.length > 0 ? [] : boxes('sure'),
    unresolved: reasons.slice(0, MAX_REASONS),
    lines: someLines(...sides.map((side) => side?.lines ?? [])),
  };
}

/** `tcp-established` is ACK or RST; flags without a plain SYN are unclear unless they ask for one of those. */
function isEstablished(from: WordTree | undefined, unresolved: string[]): boolean {
  if (at(from, 'tcp-established')) return true;
  const flags = words(from, 'tcp-flags')
    .join(' ')
    .replace(/[()\s]/g, '')
    .toLowerCase();
  if (flags === '' || flags === 'syn' || flags === 'syn&!ack') return false;
  if (/^(?:ack|rst|fin)(?:[|&](?:ack|rst|fin|psh|push))*$/.test(flags)) return true;
  unresolved.push(`TCP flags ${flags.slice(0, 64)}`);
  return false;
}

function partsOf(from: WordTree | undefined, family: AddressSet, unresolved: string[]): Parts[] {
  const services = servicesOf(from, family, unresolved);
  const portsAt = (which: string): ranges.Ranges<number> | undefined => {
    const of = (name: string) => {
      const found = list(from, name).flatMap((one) => {
        const range = parsePort(one);
        if (!range) unresolved.push(`${name} ${one.word.slice(0, 64)}`);
        return range ? [range] : [];
      });
      return found.length > 0 ? portRanges(found) : undefined;
    };
    const wanted = of(which);
    const except = of(`${which}-except`);
    return except ? ranges.subtract(wanted ?? ANY_SOURCE_PORT, except, next, previous) : wanted;
  };
  const [sourcePorts, destinationPorts, either] = PORTS.map(portsAt);
  if (!sourcePorts && !destinationPorts && !either) return [{ services, sourcePorts: ANY_SOURCE_PORT }];
  const carriers = protocols(6, 17, 33, 132, 136);
  const carried = intersectServices(
    services,
    at(from, 'protocol') || at(from, 'next-header') ? carriers : protocols(6, 17),
  );
  const to = (set: ranges.Ranges<number> | undefined) =>
    set ? intersectServices(carried, serviceSetOf([6, 17, 33, 132, 136], pairsOf(set))) : carried;
  const base = { services: to(destinationPorts), sourcePorts: sourcePorts ?? ANY_SOURCE_PORT };
  const parts = either
    ? [
        { ...base, sourcePorts: ranges.intersect(base.sourcePorts, either) },
        { ...base, services: intersectServices(base.services, to(either)) },
      ]
    : [base];
  return parts.filter((part) => part.services.length > 0 && part.sourcePorts.length > 0);
}

const pairsOf = (flat: readonly number[]): [number, number][] =>
  flat.flatMap((value, i) => (i % 2 === 0 ? [[value, flat[i + 1]] as [number, number]] : []));

function servicesOf(from: WordTree | undefined, family: AddressSet, unresolved: string[]): ServiceSet {
  const numbers = (which: string): number[] =>
    words(from, which).flatMap((text) => {
      const number = protocolNumber(text);
      if (number === undefined) unresolved.push(`${which} ${text.slice(0, 64)}`);
      return number ?? [];
    });
  const wanted = PROTOCOLS.flatMap(numbers);
  const except = PROTOCOLS.flatMap((one) => numbers(`${one}-except`));
  const isTcp = at(from, 'tcp-initial') || at(from, 'tcp-flags');
  const all = wanted.length > 0 ? protocols(...wanted) : isTcp ? protocols(6) : ANY_SERVICE;
  const rest = except.length > 0 ? subtractServices(all, protocols(...except)) : all;
  const types = words(from, 'icmp-type');
  if (types.length === 0) return rest;
  const isV6 = family.v4.length === 0;
  const code = word(from, 'icmp-code');
  const codes = types.flatMap((type) => {
    const written = /^\d+$/.test(type) && /^\d+$/.test(code ?? '') ? `${type}/${code}` : type;
    const range = icmpRange(written, isV6 ? ICMP6_TYPES : ICMP_TYPES);
    if (!range) unresolved.push(`icmp-type ${type.slice(0, 64)}`);
    return range ? [service(isV6 ? 58 : 1, [range])] : [];
  });
  return codes.length > 0 ? intersectServices(rest, unionServices(...codes)) : rest;
}
