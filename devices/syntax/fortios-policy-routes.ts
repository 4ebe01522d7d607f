// `config router policy`, `policy6` and the rules of SD-WAN of FortiOS -> policy routing
import { type AddressSet, unionAddresses } from '../../src/model/addresses.ts';
import { ANY_SERVICE, service } from '../../src/model/services.ts';
import { ANY_NAME, ANY_SOURCE_PORT, allNamesBut, type NameSet } from '../../src/model/traffic.ts';
import { portRanges, protocols } from './boxes.ts';
import { setOf } from './cisco-address.ts';
import { anyOf, type Family, prefixOf } from './fortios-addresses.ts';
import { conditionsOf } from './fortios-conditions.ts';
import { matchOf } from './fortios-match.ts';
import { commentOf, linesWith } from './fortios-policies.ts';
import { wayOut } from './fortios-routes.ts';
import {
  addressesOf,
  contextOf,
  type FortiScope,
  type Sorted,
  scoped,
  sdwanMembers,
  sdwanOf,
} from './fortios-scope.ts';
import { entriesOf, type FortiEntry, isEnabled, settingOf, settingsOf } from './fortios-tree.ts';

type Builder = ReturnType<FortiScope['assembly']['policy']>;

/** Policy routes first, then the rules of SD-WAN, both before the routing table. */
export function policyRoutes(scope: FortiScope): void {
  const policy = scope.assembly.policy({
    id: scoped(scope, 'router policy'),
    stage: 'redirect',
    evaluation: 'first-match',
    appliesTo: { ingress: scope.everywhere, egress: ANY_NAME },
    otherwise: 'none',
  });
  for (const entry of entriesOf(scope.sections, 'router policy')) routerPolicy(scope, entry, 'ip', policy);
  for (const entry of entriesOf(scope.sections, 'router policy6')) routerPolicy(scope, entry, 'ip6', policy);
  const rules = sdwanOf(scope.sections)?.tables.get('service')?.entries.values() ?? [];
  for (const entry of rules) sdwanRule(scope, entry, policy);
}

function routerPolicy(scope: FortiScope, entry: FortiEntry, family: Family, policy: Builder): void {
  const end = (name: 'src' | 'dst') => {
    const named = settingsOf(entry, `${name}addr`);
    const written = settingsOf(entry, name).map(prefixOf);
    if (written.includes(undefined)) scope.assembly.notUnderstood(...(entry.linesOf.get(name) ?? []));
    const isNegated = isEnabled(entry, `${name}-negate`);
    if (written.length === 0) return addressesOf(scope, family, named, isNegated);
    const plain = unionAddresses(...written.flatMap((set) => set ?? []));
    return withPlain(scope, family, named, plain, isNegated);
  };
  const gateway = setOf(settingOf(entry, 'gateway') ?? '');
  const device = settingsOf(entry, 'output-device');
  const isStop = settingOf(entry, 'action') === 'deny';
  const via = [settingOf(entry, 'gateway'), ...device].filter(Boolean).join(' ');
  addRule(scope, entry, policy, {
    family,
    list: family === 'ip' ? 'router policy' : 'router policy6',
    name: `router ${family === 'ip' ? 'policy' : 'policy6'} ${entry.name}`,
    ingress: inputOf(scope, entry),
    sources: end('src'),
    destinations: end('dst'),
    unresolved: internetServices(entry),
    isStop,
    way: isStop ? undefined : wayOut(scope, device, isSpecified(gateway) ? gateway : undefined),
    action: isStop ? 'stop policy routing' : `via ${via}`,
  });
}

const isSpecified = (set: AddressSet | undefined): boolean =>
  set !== undefined && set.v4[0] !== 0 && set.v6[0] !== 0n;

/** Addresses as written together with those of objects. */
function withPlain(
  scope: FortiScope,
  family: Family,
  named: readonly string[],
  plain: AddressSet,
  isNegated: boolean,
): Sorted<AddressSet> {
  const objects = named.length > 0 ? addressesOf(scope, family, named) : undefined;
  if (!isNegated) {
    const known = objects ? unionAddresses(plain, objects.known) : plain;
    const all = objects?.unresolved.length ? anyOf(family) : known;
    return { known, all, unresolved: objects?.unresolved ?? [], lines: objects?.lines ?? [] };
  }
  const reason = ['not these addresses'];
  return { known: { v4: [], v6: [] }, all: anyOf(family), unresolved: reason, lines: objects?.lines ?? [] };
}

function inputOf(scope: FortiScope, entry: FortiEntry): NameSet {
  const found = scope.namesOf(settingsOf(entry, 'input-device'));
  return isEnabled(entry, 'input-device-negate') ? allNamesBut(...found.names) : found;
}

const internetServices = (entry: FortiEntry): string[] =>
  [
    'internet-service-id',
    'internet-service-name',
    'internet-service-custom',
    'internet-service-group',
  ].flatMap((name) => {
    const values = settingsOf(entry, name);
    return values.length > 0 ? [`${name} ${values.join(' ')}`.slice(0, 300)] : [];
  });

function sdwanRule(scope: FortiScope, entry: FortiEntry, policy: Builder): void {
  const family: Family = settingOf(entry, 'addr-mode') === 'ipv6' ? 'ip6' : 'ip';
  const six = family === 'ip6' ? '6' : '';
  const ids = settingsOf(entry, 'priority-members');
  const zones = settingsOf(entry, 'priority-zone');
  const members = sdwanMembers(scope.sections)
    .filter(({ id, zone }) => ids.includes(id) || zones.includes(zone))
    .map((member) => member.interface);
  const end = (name: 'src' | 'dst') =>
    addressesOf(scope, family, settingsOf(entry, `${name}${six}`), isEnabled(entry, `${name}-negate`));
  const written = [...settingsOf(entry, 'input-device'), ...settingsOf(entry, 'input-zone')];
  addRule(scope, entry, policy, {
    family,
    list: 'sdwan service',
    name: `sdwan service ${entry.name}`,
    ingress: isEnabled(entry, 'input-device-negate')
      ? allNamesBut(...scope.namesOf(written).names)
      : scope.namesOf(written),
    sources: end('src'),
    destinations: end('dst'),
    unresolved: isEnabled(entry, 'internet-service') ? internetServices(entry) : [],
    isStop: false,
    way: wayOut(scope, members),
    action: `via SD-WAN ${members.join(' ')}`.trimEnd(),
  });
}

interface Draft {
  readonly family: Family;
  readonly list: string;
  readonly name: string;
  readonly ingress: NameSet;
  readonly sources: Sorted<AddressSet>;
  readonly destinations: Sorted<AddressSet>;
  readonly unresolved: readonly string[];
  /** Ends policy routing for its packets: the routing table then decides. */
  readonly isStop: boolean;
  readonly way: ReturnType<typeof wayOut>;
  readonly action: string;
}

function addRule(scope: FortiScope, entry: FortiEntry, policy: Builder, draft: Draft): void {
  const { family, ingress, sources, destinations, way } = draft;
  const services = servicesOfRoute(entry);
  const conditions = [...conditionsOf(scope, entry), ...draft.unresolved];
  const match = matchOf(
    { ingress, egress: ANY_NAME },
    [{ family, sources, destinations, vips: [] }],
    { known: services, all: services, unresolved: [], lines: [] },
    conditions,
  );
  const rule = scope.assembly.rule({
    key: settingOf(entry, 'uuid') ?? scoped(scope, draft.name),
    kind: 'policy-route',
    list: scoped(scope, draft.list),
    enabled: settingOf(entry, 'status') !== 'disable',
    context: contextOf(scope, { list: draft.list, family }),
    matches: match.parts.flatMap(({ boxes }) => boxes),
    unresolved: [...match.unresolved, ...(way?.unresolved ?? [])],
    ...(way ? { translation: way.translation } : {}),
    action: draft.action,
    ...commentOf(entry),
    lines: linesWith(entry, match.lines),
  });
  if (!draft.isStop && !way) return;
  for (const { boxes, unresolved } of match.parts)
    policy.entry(rule, draft.isStop ? 'exempt' : 'translate', {
      matches: boxes,
      unresolved: [...unresolved, ...(way?.unresolved ?? [])],
      ...(way ? { translation: way.translation } : {}),
    });
}

/** `protocol` (0: any) with `start-port`-`end-port` and `start-source-port`-`end-source-port`. */
function servicesOfRoute(entry: FortiEntry) {
  const number = (name: string, otherwise: number) => {
    const value = Number(settingOf(entry, name) ?? otherwise);
    return Number.isInteger(value) && value >= 0 && value <= 65_535 ? value : otherwise;
  };
  const protocol = number('protocol', 0);
  const ports = [number('start-port', 0), number('end-port', 65_535)] as const;
  const sources = [number('start-source-port', 0), number('end-source-port', 65_535)] as const;
  const hasPorts = (ports[0] > 1 || ports[1] < 65_535) && ports[0] <= ports[1];
  const hasSources = (sources[0] > 1 || sources[1] < 65_535) && sources[0] <= sources[1];
  const services =
    protocol === 0 || protocol > 255
      ? ANY_SERVICE
      : hasPorts
        ? service(protocol, [ports])
        : protocols(protocol);
  return [{ services, sourcePorts: hasSources ? portRanges([sources]) : ANY_SOURCE_PORT }];
}
