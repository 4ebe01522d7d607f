// matchers of a firewall rule of RouterOS -> boxes of traffic that are sure, and those under conditions
import {
  type AddressSet,
  ANY_V4,
  ANY_V6,
  addressSet,
  complementAddresses,
  intersectAddresses,
  NO_ADDRESSES,
  noAddresses,
} from '../../src/model/addresses.ts';
import { subtract } from '../../src/model/ranges.ts';
import type { SourceLine } from '../../src/model/rule.ts';
import {
  ANY_SERVICE,
  intersectServices,
  PROTOCOLS,
  service,
  subtractServices,
  unionServices,
} from '../../src/model/services.ts';
import {
  ANY_NAME,
  ANY_SOURCE_PORT,
  intersectNames,
  type NameSet,
  noNames,
  type Traffic,
} from '../../src/model/traffic.ts';
import { oneFamily, portRanges, protocols } from './boxes.ts';
import { setOf } from './cisco-address.ts';
import type { Named } from './objects.ts';
import { MAX_LINES } from './objects.ts';
import type { RouterosItem } from './routeros-config.ts';
import type { Family, InterfaceNames } from './routeros-lists.ts';

export interface MatchTables {
  readonly family: Family;
  readonly listOf: (name: string) => Named<AddressSet>;
  readonly interfaces: InterfaceNames;
  /** The device's own addresses. */
  readonly own: AddressSet;
  readonly hasIpsec: boolean;
  /** Whether some rule keeps connections from being tracked: new packets may then be in state untracked. */
  readonly hasNotrack: boolean;
}

export interface RouterosMatch {
  readonly parts: readonly { readonly boxes: readonly Traffic[]; readonly unresolved: readonly string[] }[];
  readonly translated?: boolean;
  /** Connection states and the like that no new connection is in. */
  readonly isNever: boolean;
  readonly unresolved: readonly string[];
  readonly lines: readonly SourceLine[];
  /** Fields that are not known. */
  readonly strange: readonly string[];
}

/** Fields that only the device can decide, or that depend on more than the first packet. */
const UNDECIDED = new Set(
  `content layer7-protocol limit dst-limit time random nth psd per-connection-classifier packet-mark routing-mark
   connection-mark routing-table connection-bytes connection-limit connection-rate connection-type packet-size dscp ttl hop-limit
   tcp-mss fragment ingress-priority priority ipv4-options hotspot p2p src-mac-address realm helper tls-host
   in-bridge-port out-bridge-port in-bridge-port-list out-bridge-port-list headers hw-offload`.split(/\s+/),
);
/** Not asked of a packet: what the rule does, and what people write beside it. */
const NOT_ASKED = new Set(
  `action chain comment disabled log log-prefix jump-target to-addresses to-address to-ports address-list address-list-timeout
   new-connection-mark new-packet-mark new-routing-mark new-mss new-dscp new-ttl new-priority new-hop-limit passthrough
   reject-with sniff-target sniff-target-port sniff-id same-not-by-dst randomise-ports route-dst set-priority bytes packets
   hw-offload place-before dynamic invalid`.split(/\s+/),
);
const PORTED = [6, 17, 33, 132, 136];
const MULTICAST = addressSet('224.0.0.0/4', 'ff00::/8');

/** One end in all of its forms: what is surely meant, and what may be. */
interface End {
  known: AddressSet;
  all: AddressSet;
}

interface Asking {
  readonly tables: MatchTables;
  readonly ends: { readonly src: End; readonly dst: End };
  ingress: NameSet;
  egress: NameSet;
  services: readonly number[];
  sourcePorts: readonly number[];
  /** Either end has such a port. */
  eitherPort?: readonly number[];
  translated?: boolean;
  isNever: boolean;
  /** Hold for every packet of the rule. */
  readonly conditions: string[];
  /** Hold for what is in `all` and not `known`. */
  readonly doubts: string[];
  readonly strange: string[];
  readonly lines: Map<number, SourceLine>;
}

export function matchOf(item: RouterosItem, tables: MatchTables): RouterosMatch {
  const any = tables.family === 'ip' ? ANY_V4 : ANY_V6;
  const asking: Asking = {
    tables,
    ends: { src: { known: any, all: any }, dst: { known: any, all: any } },
    ingress: ANY_NAME,
    egress: ANY_NAME,
    services: ANY_SERVICE,
    sourcePorts: ANY_SOURCE_PORT,
    isNever: false,
    conditions: [],
    doubts: [],
    strange: [],
    lines: new Map(),
  };
  for (const [name, value] of item.fields) if (!NOT_ASKED.has(name)) ask(asking, name, value);
  if (!item.fields.has('protocol') && (item.fields.has('dst-port') || item.fields.has('src-port')))
    asking.services = intersectServices(asking.services, protocols(...PORTED));
  const { conditions, doubts } = asking;
  const known = boxesOf(asking, 'known');
  const wide = doubts.length > 0 ? boxesOf(asking, 'all') : [];
  const parts = [
    { boxes: known, unresolved: conditions },
    { boxes: wide, unresolved: [...conditions, ...doubts] },
  ].filter(({ boxes }) => boxes.length > 0 && !asking.isNever);
  return {
    parts,
    ...(asking.translated === undefined ? {} : { translated: asking.translated }),
    isNever: asking.isNever,
    unresolved: [...new Set([...conditions, ...doubts])],
    lines: [...asking.lines.values()],
    strange: asking.strange,
  };
}

function boxesOf(asking: Asking, which: 'known' | 'all'): Traffic[] {
  const { ends, ingress, egress, services, sourcePorts, eitherPort } = asking;
  const [sources, destinations] = [ends.src[which], ends.dst[which]];
  if (noNames(ingress) || noNames(egress) || services.length === 0 || sourcePorts.length === 0) return [];
  if (noAddresses(sources) || noAddresses(destinations)) return [];
  const box = oneFamily({ ingress, egress, sources, destinations, services, sourcePorts });
  if (!eitherPort) return [box];
  const ported = intersectServices(services, protocols(...PORTED));
  return [
    { ...box, services: intersectServices(ported, onPorts(eitherPort)) },
    { ...box, services: ported, sourcePorts: eitherPort },
  ].filter((one) => one.services.length > 0);
}

const onPorts = (flat: readonly number[]) =>
  unionServices(...PORTED.map((number) => service(number, pairsOf(flat))));

function pairsOf(flat: readonly number[]): [number, number][] {
  const pairs: [number, number][] = [];
  for (let i = 0; i < flat.length; i += 2) pairs.push([flat[i], flat[i + 1]]);
  return pairs;
}

interface Asked {
  readonly name: string;
  /** Without the "!". */
  readonly value: string;
  readonly isNegated: boolean;
  /** Field and value, for conditions. */
  readonly asWritten: string;
}

type Ask = (asking: Asking, asked: Asked) => void;

function ask(asking: Asking, name: string, written: string): void {
  const isNegated = written.startsWith('!');
  const value = isNegated ? written.slice(1) : written;
  const asked = { name, value, isNegated, asWritten: `${name}=${written}`.slice(0, 300) };
  if (Object.hasOwn(ASKS, name)) ASKS[name](asking, asked);
  else {
    asking.conditions.push(asked.asWritten);
    if (!UNDECIDED.has(name)) asking.strange.push(name);
  }
}

const endOf = ({ ends }: Asking, name: string): End => (name.startsWith('src') ? ends.src : ends.dst);

function addLines({ lines }: Asking, more: readonly SourceLine[]): void {
  for (const line of more) if (lines.size < MAX_LINES) lines.set(line.number, line);
}

/** What is not certain of a set is left out of `known`, and leaves `all` as wide as it was. */
function narrow(
  asking: Asking,
  end: End,
  found: Pick<Named<AddressSet>, 'value' | 'unresolved'>,
  isNegated: boolean,
): void {
  const isExact = found.unresolved.length === 0;
  const set = isNegated ? complementAddresses(found.value) : found.value;
  end.known = intersectAddresses(end.known, isExact || !isNegated ? set : NO_ADDRESSES);
  if (isExact) end.all = intersectAddresses(end.all, set);
  asking.doubts.push(...found.unresolved.map((reason) => (isNegated ? `not ${reason}` : reason)));
}

function askAddress(asking: Asking, { name, value, isNegated }: Asked): void {
  // An empty value asks nothing.
  if (value === '') return;
  const set = setOf(value);
  narrow(
    asking,
    endOf(asking, name),
    set ? { value: set, unresolved: [] } : { value: NO_ADDRESSES, unresolved: [`${name} ${value}`] },
    isNegated,
  );
}

/** The device may have more addresses than are written (DHCP, PPP). */
function askType(asking: Asking, { name, value, isNegated, asWritten }: Asked): void {
  const end = endOf(asking, name);
  if (value === 'multicast') narrow(asking, end, { value: MULTICAST, unresolved: [] }, isNegated);
  else if (value === 'local')
    narrow(asking, end, { value: asking.tables.own, unresolved: [asWritten] }, isNegated);
  else asking.conditions.push(asWritten);
}

function askNames(asking: Asking, name: string, found: Named<NameSet>): void {
  addLines(asking, found.lines);
  asking.conditions.push(...found.unresolved);
  if (name.startsWith('in-')) asking.ingress = intersectNames(asking.ingress, found.value);
  else asking.egress = intersectNames(asking.egress, found.value);
}

/** Names that differ from those of other vendors (manual, "Filter": protocol). */
const NAMES: Readonly<Record<string, number>> = {
  'ipsec-esp': 50,
  'ipsec-ah': 51,
  ipencap: 4,
  'ipv6-encap': 41,
  'ipv6-frag': 44,
  'ipv6-nonxt': 59,
  'ipv6-opts': 60,
  'ipv6-route': 43,
  'udp-lite': 136,
  'idpr-cmtp': 38,
  'iso-tp4': 29,
  'xns-idp': 22,
  ggp: 3,
  st: 5,
  pup: 12,
  hmp: 20,
  rspf: 73,
  vmtp: 81,
  ddp: 37,
  xtp: 36,
  rsvp: 46,
  pim: 103,
};

function askProtocol(asking: Asking, { value, isNegated, asWritten }: Asked): void {
  const number = /^\d{1,3}$/.test(value) ? Number(value) : (NAMES[value] ?? PROTOCOLS[value]);
  if (number === undefined || number > 255) {
    asking.conditions.push(asWritten);
    asking.strange.push('protocol');
    return;
  }
  const set = protocols(number);
  asking.services = isNegated
    ? subtractServices(asking.services, set)
    : intersectServices(asking.services, set);
}

const next = (value: number) => value + 1;
const previous = (value: number) => value - 1;

/** "80", "80,443,8000-8080". */
export function portsOf(text: string): readonly number[] | undefined {
  const pairs: [number, number][] = [];
  for (const part of text.split(',')) {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part.trim());
    if (!match) return undefined;
    const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])];
    if (first > last || last > 65_535) return undefined;
    pairs.push([first, last]);
  }
  return portRanges(pairs);
}

function askPorts(asking: Asking, { name, value, isNegated, asWritten }: Asked): void {
  const found = portsOf(value);
  if (!found) {
    asking.conditions.push(asWritten);
    asking.strange.push(name);
    return;
  }
  const set = isNegated ? subtract(ANY_SOURCE_PORT, found, next, previous) : found;
  if (name === 'src-port') asking.sourcePorts = set;
  else if (name === 'dst-port') asking.services = intersectServices(asking.services, onPorts(set));
  else if (isNegated) {
    asking.sourcePorts = set;
    asking.services = intersectServices(asking.services, onPorts(set));
  } else asking.eitherPort = set;
}

/** "8:0-255": type and codes; "8": the type. */
function askIcmp(asking: Asking, { value, isNegated, asWritten }: Asked): void {
  const match = /^(\d{1,3})(?:-(\d{1,3}))?(?::(\d{1,3})(?:-(\d{1,3}))?)?$/.exec(value);
  const [type, lastType, code, lastCode] = (match ?? [])
    .slice(1)
    .map((part) => (part === undefined ? undefined : Number(part)));
  if (type === undefined || lastType !== undefined || type > 255) {
    asking.conditions.push(asWritten);
    return;
  }
  const first = type * 256 + (code ?? 0);
  const last = type * 256 + Math.min(255, lastCode ?? code ?? 255);
  const set = service(asking.tables.family === 'ip' ? 1 : 58, [[first, last]]);
  asking.services = isNegated
    ? subtractServices(asking.services, set)
    : intersectServices(asking.services, set);
}

/** Rules are about new connections. */
function askState(asking: Asking, { value, isNegated }: Asked): void {
  const states = value.split(',');
  if (states.includes('new') !== isNegated) return;
  if (!isNegated && states.includes('untracked') && asking.tables.hasNotrack)
    asking.conditions.push('connection-state=untracked');
  else asking.isNever = true;
}

/** The first packet of a connection has SYN and no other flag. */
function askFlags(asking: Asking, { value }: Asked): void {
  const flags = value.split(',');
  const isMet = flags.every((flag) => (flag.startsWith('!') ? flag !== '!syn' : flag === 'syn'));
  if (!isMet) asking.isNever = true;
}

function askList(asking: Asking, { name, value, isNegated }: Asked): void {
  const found = asking.tables.listOf(value);
  addLines(asking, found.lines);
  narrow(asking, endOf(asking, name), found, isNegated);
}

const sign = ({ value, isNegated }: Asked): string => (isNegated ? `!${value}` : value);

const askInterface: Ask = (asking, asked) =>
  askNames(asking, asked.name, asking.tables.interfaces.one(sign(asked)));
const askInterfaces: Ask = (asking, asked) =>
  askNames(asking, asked.name, asking.tables.interfaces.list(sign(asked)));

function askNatState(asking: Asking, { value, isNegated, asWritten }: Asked): void {
  if (value === 'dstnat') asking.translated = !isNegated;
  else asking.conditions.push(asWritten);
}

/** Without IPsec no packet is in a policy of it. */
function askIpsec(asking: Asking, { value, isNegated, asWritten }: Asked): void {
  if (asking.tables.hasIpsec) asking.conditions.push(asWritten);
  else if (value.endsWith(',ipsec') !== isNegated) asking.isNever = true;
}

const ASKS: Readonly<Record<string, Ask>> = {
  'src-address': askAddress,
  'dst-address': askAddress,
  'src-address-list': askList,
  'dst-address-list': askList,
  'src-address-type': askType,
  'dst-address-type': askType,
  'in-interface': askInterface,
  'out-interface': askInterface,
  'in-interface-list': askInterfaces,
  'out-interface-list': askInterfaces,
  protocol: askProtocol,
  'dst-port': askPorts,
  'src-port': askPorts,
  port: askPorts,
  'icmp-options': askIcmp,
  'connection-state': askState,
  'connection-nat-state': askNatState,
  'tcp-flags': askFlags,
  'ipsec-policy': askIpsec,
};
