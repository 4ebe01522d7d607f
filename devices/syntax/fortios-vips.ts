// `config firewall vip`, `vip6`, `vipgrp`, `vipgrp6` of FortiOS -> destination NAT rules
import { type AddressSet, countAddresses, noAddresses, unionAddresses } from '../../src/model/addresses.ts';
import type { Translation } from '../../src/model/rule.ts';
import { ANY_SERVICE, PROTOCOLS, service } from '../../src/model/services.ts';
import { ANY_NAME, ANY_SOURCE_PORT, intersectNames, noNames, type Traffic } from '../../src/model/traffic.ts';
import type { Assembled } from './assemble.ts';
import { setOf } from './cisco-address.ts';
import { anyOf, type Family, prefixOf } from './fortios-addresses.ts';
import { mergedBoxes, servicesOf } from './fortios-match.ts';
import { addressesOf, contextOf, type FortiScope, scoped } from './fortios-scope.ts';
import { portPair } from './fortios-services.ts';
import { entriesOf, type FortiEntry, isEnabled, settingOf, settingsOf } from './fortios-tree.ts';
import { MAX_LINES, type ServiceBox } from './objects.ts';

export interface Vip {
  readonly name: string;
  readonly family: Family;
  readonly rule: Assembled;
  /** Undefined where it translates nothing that is forwarded. */
  readonly translation?: Translation;
  /** What its packets look like behind the translation. */
  readonly behind: { readonly destinations: AddressSet; readonly services: readonly ServiceBox[] };
  /** One address for one: packets from the mapped address leave under the external one. */
  readonly outwards?: { readonly inside: AddressSet; readonly outside: AddressSet };
  readonly ingress: Traffic['ingress'];
  readonly rank: number;
}

export interface Vips {
  readonly byName: ReadonlyMap<string, Vip>;
  /** The VIPs that a name stands for, by itself or as a group; undefined where it is none. */
  readonly named: (name: string) => readonly Vip[] | undefined;
}

export function fortiVips(scope: FortiScope): Vips {
  const byName = new Map<string, Vip>();
  for (const [section, family] of [
    ['firewall vip', 'ip'],
    ['firewall vip6', 'ip6'],
  ] as const)
    for (const entry of entriesOf(scope.sections, section))
      byName.set(entry.name, readVip(scope, entry, family));
  const groups = new Map<string, readonly Vip[]>();
  for (const section of ['firewall vipgrp', 'firewall vipgrp6'])
    for (const entry of entriesOf(scope.sections, section)) {
      const members = settingsOf(entry, 'member');
      groups.set(
        entry.name,
        members.flatMap((name) => byName.get(name) ?? []),
      );
      if (members.some((name) => !byName.has(name)))
        scope.assembly.notUnderstood(...(entry.linesOf.get('member') ?? []));
    }
  return {
    byName,
    named: (name) => {
      const one = byName.get(name);
      return one ? [one] : groups.get(name);
    },
  };
}

interface Target {
  readonly addresses: AddressSet;
  readonly ports?: readonly [number, number];
  readonly unresolved: readonly string[];
}

function readVip(scope: FortiScope, entry: FortiEntry, family: Family): Vip {
  const type = settingOf(entry, 'type') ?? 'static-nat';
  const doubts: string[] = [];
  const outside = externalOf(scope, entry, family, doubts);
  const before = servicesBefore(scope, entry, type, doubts);
  const target = type === 'dns-translation' ? undefined : targetOf(scope, entry, family, type);
  doubts.push(...(target?.unresolved ?? []));
  const ingress = ingressOf(scope, entry);
  const filters = settingsOf(entry, 'src-filter').map((text) => sourceOf(text));
  const sources = filters.length > 0 ? unionAddresses(...filters.flatMap((set) => set ?? [])) : anyOf(family);
  if (filters.includes(undefined)) scope.assembly.notUnderstood(...(entry.linesOf.get('src-filter') ?? []));
  const matches = noNames(ingress)
    ? []
    : before.map((box): Traffic => ({ ingress, egress: ANY_NAME, sources, destinations: outside, ...box }));
  const translation = target && translationOf(entry, type, outside, target, before);
  const isPortForward = isEnabled(entry, 'portforward');
  const rule = scope.assembly.rule({
    key: settingOf(entry, 'uuid') ?? scoped(scope, `vip ${entry.name}`),
    kind: type === 'access-proxy' ? 'proxy' : 'nat',
    list: scoped(scope, 'vip'),
    enabled: settingOf(entry, 'status') !== 'disable',
    context: contextOf(scope, { list: family === 'ip' ? 'vip' : 'vip6', family }),
    matches,
    unresolved: [...new Set(doubts)],
    ...(translation ? { translation } : {}),
    action: `vip ${type}${isPortForward ? ' port-forward' : ''}`,
    ...(settingOf(entry, 'comment') === undefined ? {} : { comment: settingOf(entry, 'comment') }),
    lines: entry.lines.slice(0, MAX_LINES),
  });
  const behind = {
    destinations: target?.addresses ?? anyOf(family),
    services: translation?.ports ? movedTo(before, translation.ports) : before,
  };
  const isOneToOne = type === 'static-nat' && !isPortForward && target && doubts.length === 0;
  return {
    name: entry.name,
    family,
    rule,
    ...(translation ? { translation } : {}),
    behind,
    ...(isOneToOne && isSameSize(outside, target.addresses)
      ? { outwards: { inside: target.addresses, outside } }
      : {}),
    ingress,
    rank: (filters.length > 0 ? 0 : 2) + (isPortForward || type === 'server-load-balance' ? 0 : 1),
  };
}

/** "any" is every interface of the VDOM. */
function ingressOf(scope: FortiScope, entry: FortiEntry): Traffic['ingress'] {
  const external = scope.namesOf(settingsOf(entry, 'extintf'));
  const filter = settingsOf(entry, 'srcintf-filter');
  return filter.length > 0 ? intersectNames(external, scope.namesOf(filter)) : external;
}

function externalOf(scope: FortiScope, entry: FortiEntry, family: Family, doubts: string[]): AddressSet {
  const objects = settingsOf(entry, 'extaddr');
  if (objects.length > 0) {
    const found = addressesOf(scope, family, objects);
    doubts.push(...found.unresolved);
    return found.all;
  }
  const texts = settingsOf(entry, 'extip');
  const set = rangesOf(texts);
  if (set && set.v4[1] !== 0) return set;
  // 0.0.0.0 follows the address that the interface has.
  const face = scope.interfaces.get(settingOf(entry, 'extintf') ?? '');
  if (set && face && !noAddresses(face.addresses)) return face.addresses;
  doubts.push(`the address of ${settingOf(entry, 'extintf') ?? 'the interface'}`);
  return anyOf(family);
}

const rangesOf = (texts: readonly string[]): AddressSet | undefined => {
  const sets = texts.map((text) => setOf(text));
  return sets.length === 0 || sets.includes(undefined)
    ? undefined
    : unionAddresses(...sets.flatMap((set) => set ?? []));
};

const sourceOf = (text: string): AddressSet | undefined => prefixOf(text.includes('/') ? text : text);

/** What of a packet's protocol and ports the VIP takes. */
function servicesBefore(
  scope: FortiScope,
  entry: FortiEntry,
  type: string,
  doubts: string[],
): readonly ServiceBox[] {
  if (entry.settings.has('service')) {
    const found = servicesOf(scope, entry);
    doubts.push(...found.unresolved);
    return found.all;
  }
  const isServer = type === 'server-load-balance' || type === 'access-proxy';
  const protocol = isServer ? serverProtocol(settingOf(entry, 'server-type')) : settingOf(entry, 'protocol');
  const number = PROTOCOLS[protocol ?? 'tcp'];
  if ((!isServer && !isEnabled(entry, 'portforward')) || protocol === 'ip')
    return [{ services: ANY_SERVICE, sourcePorts: ANY_SOURCE_PORT }];
  const ports = settingsOf(entry, 'extport').map(portPair);
  if (ports.includes(undefined)) scope.assembly.notUnderstood(...(entry.linesOf.get('extport') ?? []));
  const pairs = ports.flatMap((pair) => (pair && pair[1] > 0 ? [pair] : []));
  const services = number === undefined ? ANY_SERVICE : service(number, pairs.length > 0 ? pairs : undefined);
  return [{ services, sourcePorts: ANY_SOURCE_PORT }];
}

const serverProtocol = (type: string | undefined): string => (type === 'udp' || type === 'ip' ? type : 'tcp');

/** Where the packets go. */
function targetOf(scope: FortiScope, entry: FortiEntry, family: Family, type: string): Target | undefined {
  if (isEnabled(entry, 'nat46') || isEnabled(entry, 'nat64')) {
    for (const name of ['nat46', 'nat64', 'ipv6-mappedip', 'ipv4-mappedip'])
      scope.assembly.notUnderstood(...(entry.linesOf.get(name) ?? []));
    if (settingOf(entry, 'nat44') === 'disable' || isEnabled(entry, 'nat64')) return undefined;
  }
  if (type === 'access-proxy') return undefined;
  if (type === 'server-load-balance') return serversOf(scope, entry, family);
  const ports = settingsOf(entry, 'mappedport')
    .map(portPair)
    .filter((pair) => pair !== undefined);
  const mapped = isEnabled(entry, 'portforward') && ports.length > 0 ? { ports: spanOf(ports) } : {};
  const object = settingOf(entry, 'mapped-addr');
  if (type === 'fqdn' && object !== undefined) {
    const found = addressesOf(scope, family, [object]);
    return { addresses: found.all, ...mapped, unresolved: found.unresolved };
  }
  const addresses = rangesOf(settingsOf(entry, 'mappedip'));
  if (addresses) return { addresses, ...mapped, unresolved: [] };
  scope.assembly.notUnderstood(...(entry.linesOf.get('mappedip') ?? entry.lines.slice(0, 1)));
  return undefined;
}

/** Real servers that are not switched off; the device chooses one. */
function serversOf(scope: FortiScope, entry: FortiEntry, family: Family): Target | undefined {
  const servers = [...(entry.tables.get('realservers')?.entries.values() ?? [])].filter(
    (one) => settingOf(one, 'status') !== 'disable',
  );
  const unresolved: string[] = [];
  const sets = servers.flatMap((one) => {
    const object = settingsOf(one, 'address');
    if (settingOf(one, 'type') !== 'address' || object.length === 0)
      return rangesOf(settingsOf(one, 'ip')) ?? [];
    const found = addressesOf(scope, family, object);
    unresolved.push(...found.unresolved);
    return found.all;
  });
  if (sets.length === 0) return undefined;
  const ports = servers
    .map((one) => portPair(settingOf(one, 'port') ?? settingOf(entry, 'extport') ?? ''))
    .filter((pair) => pair !== undefined && pair[1] > 0)
    .flatMap((pair) => (pair ? [pair] : []));
  return {
    addresses: unionAddresses(...sets),
    ...(ports.length > 0 && settingOf(entry, 'server-type') !== 'ip' ? { ports: spanOf(ports) } : {}),
    unresolved,
  };
}

const spanOf = (pairs: readonly (readonly [number, number])[]): readonly [number, number] => [
  Math.min(...pairs.map(([first]) => first)),
  Math.max(...pairs.map(([, last]) => last)),
];

function translationOf(
  entry: FortiEntry,
  type: string,
  outside: AddressSet,
  { addresses, ports }: Target,
  before: readonly ServiceBox[],
): Translation {
  const isOffset = type === 'static-nat' && countAddresses(outside) > 1 && isSameSize(outside, addresses);
  const same = ports && settingsOf(entry, 'extport').length === 1 && isSamePorts(before, ports);
  return {
    kind: 'destination',
    addresses,
    ...(ports && !same ? { ports } : {}),
    ...(isOffset ? { offset: true } : {}),
  };
}

const isSamePorts = (before: readonly ServiceBox[], [first, last]: readonly [number, number]): boolean =>
  before.every(({ services }) => (services[0] & 0xffff) === first && (services[1] & 0xffff) === last);

const isSameSize = (a: AddressSet, b: AddressSet): boolean => countAddresses(a) === countAddresses(b);

function movedTo(before: readonly ServiceBox[], ports: readonly [number, number]): ServiceBox[] {
  const moved = before.flatMap(({ services, sourcePorts }) =>
    services.length === 0
      ? []
      : protocolNumbers(services).map((number) => ({ services: service(number, [ports]), sourcePorts })),
  );
  return mergedBoxes(moved);
}

/** The protocols of a VIP with ports are few; of all protocols only those with ports move. */
function protocolNumbers(services: readonly number[]): number[] {
  const found = new Set<number>();
  for (let i = 0; i < services.length; i += 2)
    for (const number of [6, 17, 132])
      if (services[i] <= number * 65_536 + 65_535 && services[i + 1] >= number * 65_536) found.add(number);
  return [...found];
}

/** Those with a source filter first, then port forwards, then whole addresses; as written among equals. */
export function vipPolicy(scope: FortiScope, active: ReadonlySet<Vip>): void {
  const policy = scope.assembly.policy({
    id: scoped(scope, 'vip'),
    stage: 'destination-nat',
    evaluation: 'first-match',
    appliesTo: { ingress: scope.everywhere, egress: ANY_NAME },
    otherwise: 'none',
  });
  for (const { rule, translation } of [...active].sort((a, b) => a.rank - b.rank))
    if (translation) policy.entry(rule, 'translate', { translation });
}
