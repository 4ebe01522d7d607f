// interfaces, addresses, protocol and ports of a rule of config.xml -> boxes of traffic, sure and possible
import {
  type AddressSet,
  ANY_ADDRESS,
  ANY_V4,
  ANY_V6,
  intersectAddresses,
  NO_ADDRESSES,
  noAddresses,
  subtractAddresses,
  unionAddresses,
} from '../../src/model/addresses.ts';
import type { EntryAction, SourceLine } from '../../src/model/rule.ts';
import { ANY_SERVICE, PROTOCOLS, type ServiceSet, service, unionServices } from '../../src/model/services.ts';
import {
  ANY_NAME,
  ANY_SOURCE_PORT,
  allNamesBut,
  type NameSet,
  names,
  type Traffic,
} from '../../src/model/traffic.ts';
import type { Assembled, Assembly, EntryOptions, PolicyBuilder } from './assemble.ts';
import { ICMP_TYPES, ICMP6_TYPES, icmpRange } from './icmp.ts';
import { MAX_LINES, MAX_REASONS } from './objects.ts';
import { type Aliases, type Ports, portsOf } from './pfsense-aliases.ts';
import { one, type Places } from './pfsense-interfaces.ts';
import type { SenseRule, SenseSide } from './pfsense-rule.ts';
import type { SenseText } from './pfsense-xml.ts';

export interface SenseReader {
  readonly text: SenseText;
  readonly places: Places;
  readonly aliases: Aliases;
  readonly assembly: Assembly;
  /** How many rules have a tracker. */
  readonly trackers: ReadonlyMap<string, number>;
}

export interface Match {
  readonly sure: readonly Traffic[];
  readonly possible: readonly Traffic[];
  readonly unresolved: readonly string[];
  readonly lines: readonly SourceLine[];
}

/** What some of the names stand for; `sure` is the part that is known. */
export interface Known<T> {
  readonly sure: T;
  readonly isWhole: boolean;
}

interface Notes {
  readonly reasons: Set<string>;
  readonly lines: SourceLine[];
}

export function nameSetOf({ interfaces, interfacesNot }: SenseRule, { devicesOf }: Places): NameSet {
  if (interfaces.length === 0) return ANY_NAME;
  const devices = interfaces.flatMap((name) => devicesOf(name));
  return interfacesNot ? allNamesBut(...devices) : names(...devices);
}

export const familySet = (families: SenseRule['families']): AddressSet =>
  families.length > 1 ? ANY_ADDRESS : families[0] === 'inet6' ? ANY_V6 : ANY_V4;

/** The rule's boxes with any interfaces. */
export function matchOf(rule: SenseRule, reader: SenseReader): Match {
  const notes: Notes = { reasons: new Set(rule.conditions), lines: [...rule.lines] };
  const within = familySet(rule.families);
  const sources = sideOf(rule.source, within, reader, notes);
  const destinations = sideOf(rule.destination, within, reader, notes);
  const { services, isSure } = servicesOf(rule, reader, notes);
  const from = portsIn(rule.source.port, rule, reader, notes);
  const sourcePorts = from?.isWhole ? from.sure : ANY_SOURCE_PORT;
  const reasons = [...notes.reasons].slice(0, MAX_REASONS);
  const possible: Traffic = {
    ingress: ANY_NAME,
    egress: ANY_NAME,
    sources: sources.possible,
    destinations: destinations.possible,
    services,
    sourcePorts,
  };
  const isKnown =
    rule.conditions.length === 0 && isSure && (from?.isWhole ?? true) && sources.sure && destinations.sure;
  const sure = isKnown ? [{ ...possible, sources: sources.sure!, destinations: destinations.sure! }] : [];
  return {
    possible: [possible],
    sure: reasons.length === 0 ? [possible] : sure.filter(isSome),
    unresolved: reasons,
    lines: unique(notes.lines),
  };
}

const isSome = ({ sources, destinations }: Traffic): boolean =>
  !noAddresses(sources) && !noAddresses(destinations);

export function unique(lines: readonly SourceLine[]): SourceLine[] {
  const found = new Map<number, SourceLine>();
  for (const line of lines) if (found.size < MAX_LINES) found.set(line.number, line);
  return [...found.values()];
}

function sideOf(side: SenseSide, within: AddressSet, reader: SenseReader, notes: Notes) {
  if (side.names.length === 0) return side.not ? none : { sure: within, possible: within };
  const { sure, isWhole } = addressesOf(side.names, reader, notes);
  if (side.not) {
    const rest = subtractAddresses(within, sure);
    return { sure: isWhole ? rest : undefined, possible: rest };
  }
  const own = intersectAddresses(sure, within);
  return { sure: own, possible: isWhole ? own : within };
}

const none = { sure: NO_ADDRESSES, possible: NO_ADDRESSES };

export function addressesOf(list: readonly string[], reader: SenseReader, notes: Notes): Known<AddressSet> {
  const sets: AddressSet[] = [];
  let isWhole = true;
  const miss = (reason: string) => {
    isWhole = false;
    notes.reasons.add(reason.slice(0, 300));
  };
  for (const name of list.slice(0, 10_000)) {
    const place = placeOf(name, reader.places);
    const alias = place ? undefined : reader.aliases.addresses.resolve(name);
    const literal = place || alias ? undefined : one(name);
    if (place) {
      sets.push(place.set);
      if (place.missing) miss(place.missing);
    } else if (alias) {
      sets.push(alias.value);
      notes.lines.push(...alias.lines);
      for (const reason of alias.unresolved) miss(reason);
    } else if (literal) sets.push(literal);
    else miss(`address ${name} is not in the text`);
  }
  return { sure: unionAddresses(...sets), isWhole };
}

/** "lan" is its networks, "lanip" its addresses, "(self)" every address of the device. */
function placeOf(
  name: string,
  { interfaces, self }: Places,
): { set: AddressSet; missing?: string } | undefined {
  if (name === '(self)' || name === 'self') {
    const isDynamic = [...interfaces.values()].some((place) => place.isDynamic);
    return {
      set: self,
      ...(isDynamic ? { missing: 'addresses of the device are not all in the text' } : {}),
    };
  }
  const network = interfaces.get(name);
  if (network)
    return {
      set: network.network,
      ...(network.isDynamic ? { missing: `networks of ${name} are not in the text` } : {}),
    };
  const own = name.endsWith('ip') ? interfaces.get(name.slice(0, -2)) : undefined;
  if (!own) return undefined;
  return { set: own.own, ...(own.isDynamic ? { missing: `address of ${own.id} is not in the text` } : {}) };
}

const PORTED = new Set(['tcp', 'udp', 'tcp/udp', 'sctp']);

/** Ports that a name, number or range stands for; undefined where none is asked for. */
export function portsIn(
  text: string | undefined,
  { protocol }: Pick<SenseRule, 'protocol'>,
  { aliases }: SenseReader,
  notes: Notes,
): Known<Ports> | undefined {
  if (text === undefined || text === 'any' || !PORTED.has(protocol ?? '')) return undefined;
  const alias = aliases.ports.resolve(text);
  if (alias) {
    notes.lines.push(...alias.lines);
    for (const reason of alias.unresolved) notes.reasons.add(reason);
    return { sure: alias.value, isWhole: alias.unresolved.length === 0 };
  }
  const ports = portsOf(text);
  if (ports) return { sure: ports, isWhole: true };
  notes.reasons.add(`port ${text.slice(0, 100)} is not in the text`);
  return { sure: [], isWhole: false };
}

function servicesOf(
  rule: SenseRule,
  reader: SenseReader,
  notes: Notes,
): { services: ServiceSet; isSure: boolean } {
  const { protocol } = rule;
  if (protocol === undefined || protocol === 'any') return { services: ANY_SERVICE, isSure: true };
  if (PORTED.has(protocol)) {
    const ports = portsIn(rule.destination.port, rule, reader, notes);
    const pairs = ports?.isWhole ? pairsOf(ports.sure) : undefined;
    const numbers = protocol.split('/').map((name) => PROTOCOLS[name]);
    return {
      services: unionServices(...numbers.map((number) => service(number, pairs))),
      isSure: ports?.isWhole ?? true,
    };
  }
  if (/^(?:icmp|icmp6|icmpv6|ipv6-icmp)$/.test(protocol)) return icmpOf(rule, notes);
  const number = /^\d{1,3}$/.test(protocol) ? Number(protocol) : PROTOCOLS[protocol];
  if (number !== undefined && number <= 255) return { services: service(number), isSure: true };
  notes.reasons.add(`protocol ${protocol.slice(0, 40)}`);
  return { services: ANY_SERVICE, isSure: false };
}

export function pairsOf(flat: Ports): (readonly [number, number])[] {
  const pairs: (readonly [number, number])[] = [];
  for (let i = 0; i < flat.length; i += 2) pairs.push([flat[i], flat[i + 1]]);
  return pairs;
}

/** Names of pf.conf(5), ICMP TYPES, besides those of other firewalls. */
const PF_ICMP: Readonly<Record<string, readonly [v4: string, v6: string]>> = {
  echoreq: ['8', '128'],
  echorep: ['0', '129'],
  unreach: ['3', '1'],
  squench: ['4', ''],
  redir: ['5', '137'],
  althost: ['6', ''],
  routeradv: ['9', '134'],
  routersol: ['10', '133'],
  timex: ['11', '3'],
  paramprob: ['12', '4'],
  timereq: ['13', ''],
  timerep: ['14', ''],
  inforeq: ['15', ''],
  inforep: ['16', ''],
  maskreq: ['17', ''],
  maskrep: ['18', ''],
  toobig: ['', '2'],
  listqry: ['', '130'],
  listenrep: ['', '131'],
  listendone: ['', '132'],
  neighbrsol: ['', '135'],
  neighbradv: ['', '136'],
};

function icmpOf(
  { families, icmpTypes, protocol }: SenseRule,
  notes: Notes,
): { services: ServiceSet; isSure: boolean } {
  const isSix = protocol !== 'icmp';
  const wanted = (isSix ? ['inet6'] : families) as SenseRule['families'];
  const types = icmpTypes.filter((type) => type !== 'any');
  const sets: ServiceSet[] = [];
  let isSure = true;
  for (const family of wanted) {
    const [number, table, index] =
      family === 'inet' ? ([1, ICMP_TYPES, 0] as const) : ([58, ICMP6_TYPES, 1] as const);
    if (types.length === 0) sets.push(service(number));
    for (const type of types) {
      const written = Object.hasOwn(PF_ICMP, type) ? PF_ICMP[type][index] : type;
      const range = written === '' ? undefined : icmpRange(written, table);
      if (range) sets.push(service(number, [range]));
      else if (written !== '') {
        notes.reasons.add(`ICMP type ${type.slice(0, 40)}`);
        sets.push(service(number));
        isSure = false;
      }
    }
  }
  return { services: unionServices(...sets), isSure };
}

export const onlyBetween = (match: Match, ingress: NameSet, egress: NameSet): Match => ({
  ...match,
  sure: match.sure.map((box) => ({ ...box, ingress, egress })),
  possible: match.possible.map((box) => ({ ...box, ingress, egress })),
});

/** First what is sure, then what may be besides. */
export function enter(
  policy: PolicyBuilder,
  made: Assembled,
  action: EntryAction,
  match: Pick<Match, 'sure' | 'possible' | 'unresolved'>,
  options: Pick<EntryOptions, 'translation' | 'translated'> = {},
): void {
  const isKnown = match.unresolved.length === 0;
  if (match.sure.length > 0 || isKnown)
    policy.entry(made, action, {
      ...options,
      matches: isKnown ? match.possible : match.sure,
      unresolved: [],
    });
  if (!isKnown)
    policy.entry(made, action, { ...options, matches: match.possible, unresolved: match.unresolved });
}
