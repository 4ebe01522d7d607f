// what a policy of FortiOS asks of a packet -> boxes of traffic that are sure, and those under conditions
import type { AddressSet } from '../../src/model/addresses.ts';
import { intersect } from '../../src/model/ranges.ts';
import type { SourceLine } from '../../src/model/rule.ts';
import { ANY_SERVICE, intersectServices, subtractServices, unionServices } from '../../src/model/services.ts';
import { ANY_SOURCE_PORT, type NameSet, noNames, type Traffic } from '../../src/model/traffic.ts';
import { oneFamily } from './boxes.ts';
import { anyOf, type Family } from './fortios-addresses.ts';
import { addressesOf, type FortiScope, type Sorted } from './fortios-scope.ts';
import { type FortiEntry, isEnabled, settingsOf } from './fortios-tree.ts';
import { MAX_LINES, SERVICES, type ServiceBox, together } from './objects.ts';

/** Boxes with the reasons why they may not match after all; none: they surely do. */
export interface Part {
  readonly boxes: readonly Traffic[];
  readonly unresolved: readonly string[];
}

export interface FortiMatch {
  readonly parts: readonly Part[];
  readonly unresolved: readonly string[];
  /** Of the objects that it is resolved through. */
  readonly lines: readonly SourceLine[];
}

/** One family of a policy: the settings that hold its addresses. */
export interface Side {
  readonly family: Family;
  readonly sources: Sorted<AddressSet>;
  /** Undefined where the destinations are VIPs only. */
  readonly destinations?: Sorted<AddressSet>;
  readonly vips: readonly string[];
}

const EVERY_SERVICE: readonly ServiceBox[] = [{ services: ANY_SERVICE, sourcePorts: ANY_SOURCE_PORT }];

/** `service` of a policy; no service at all means every service. */
export function servicesOf(scope: FortiScope, entry: FortiEntry): Sorted<readonly ServiceBox[]> {
  const written = settingsOf(entry, 'service');
  const all = EVERY_SERVICE;
  if (written.length === 0) return { known: all, all, unresolved: [], lines: [] };
  const found = together(
    SERVICES,
    written.map(
      (name) =>
        scope.services.resolve(name) ?? {
          value: [],
          unresolved: [`service ${name} is not defined`],
          lines: [],
        },
    ),
  );
  const isAny = found.value.length === 1 && found.value[0].services === ANY_SERVICE;
  const lines = isAny ? [] : found.lines;
  if (isEnabled(entry, 'service-negate')) {
    const isExact =
      found.unresolved.length === 0 && found.value.every((box) => box.sourcePorts === ANY_SOURCE_PORT);
    const rest = subtractServices(ANY_SERVICE, unionServices(...found.value.map((box) => box.services)));
    const boxes = [{ services: rest, sourcePorts: ANY_SOURCE_PORT }];
    return isExact
      ? { known: boxes, all: boxes, unresolved: [], lines }
      : { known: [], all, unresolved: [`not service ${written.join(' ')}`.slice(0, 300)], lines };
  }
  const merged = mergedBoxes(found.value);
  const isExact = found.unresolved.length === 0;
  return { known: merged, all: isExact ? merged : all, unresolved: found.unresolved, lines };
}

/** One box for all services without source ports: large groups give one box and not hundreds. */
export function mergedBoxes(boxes: readonly ServiceBox[]): ServiceBox[] {
  const plain = boxes.filter((box) => box.sourcePorts === ANY_SOURCE_PORT);
  const rest = boxes.filter((box) => box.sourcePorts !== ANY_SOURCE_PORT);
  if (plain.length < 2) return [...boxes];
  const services = unionServices(...plain.map((box) => box.services));
  return [{ services, sourcePorts: ANY_SOURCE_PORT }, ...rest];
}

/** The families that a policy speaks of, each with its addresses. `isVip`: names of destinations to leave to the caller. */
export function sidesOf(
  scope: FortiScope,
  entry: FortiEntry,
  section: string,
  isVip: (name: string) => boolean = () => false,
): Side[] {
  const isSix = section.endsWith('6');
  const four = section === 'firewall consolidated policy' ? '4' : '';
  const all: readonly (readonly [Family, string, string])[] = [
    ['ip', four, 'internet-service'],
    ['ip6', '6', 'internet-service6'],
  ];
  const families = isSix
    ? ([['ip6', '', 'internet-service6']] as const)
    : isUnified(section)
      ? all.filter((one) => isMeant(entry, one))
      : all.slice(0, 1);
  return (families.length > 0 ? families : all.slice(0, 1)).map(([family, suffix, service]) => {
    const written = settingsOf(entry, `dstaddr${suffix}`);
    const vips = written.filter(isVip);
    const rest = written.filter((name) => !vips.includes(name));
    return {
      family,
      sources: endOf(scope, entry, family, 'srcaddr', suffix, service),
      ...(vips.length > 0 && rest.length === 0
        ? {}
        : { destinations: endOf(scope, entry, family, 'dstaddr', suffix, service, rest) }),
      vips,
    };
  });
}

const isMeant = (entry: FortiEntry, [, suffix, service]: readonly [Family, string, string]): boolean =>
  entry.settings.has(`srcaddr${suffix}`) ||
  entry.settings.has(`dstaddr${suffix}`) ||
  isEnabled(entry, service) ||
  isEnabled(entry, `${service}-src`);

const isUnified = (section: string): boolean =>
  section === 'firewall policy' ||
  section === 'firewall consolidated policy' ||
  section === 'firewall security-policy' ||
  section === 'firewall proxy-policy';

/** An internet service stands in the place of the addresses. */
function endOf(
  scope: FortiScope,
  entry: FortiEntry,
  family: Family,
  end: 'srcaddr' | 'dstaddr',
  suffix: string,
  internetService: string,
  written = settingsOf(entry, `${end}${suffix}`),
): Sorted<AddressSet> {
  const service = end === 'srcaddr' ? `${internetService}-src` : internetService;
  if (!isEnabled(entry, service)) {
    const negated = isEnabled(entry, `${end}-negate`) || isEnabled(entry, `${end}${suffix}-negate`);
    return addressesOf(scope, family, written, negated);
  }
  const names = ['-name', '-id', '-group', '-custom', '-custom-group'].flatMap((kind) =>
    settingsOf(entry, `${service}${kind}`),
  );
  const not = isEnabled(entry, `${service}-negate`) ? 'not ' : '';
  return {
    known: { v4: [], v6: [] },
    all: anyOf(family),
    unresolved: [`${not}${service} ${names.join(' ')}`.slice(0, 300)],
    lines: [],
  };
}

/** All that a policy asks, for sides whose destinations may have been replaced. */
export function matchOf(
  where: { readonly ingress: NameSet; readonly egress: NameSet },
  sides: readonly Side[],
  services: Sorted<readonly ServiceBox[]>,
  conditions: readonly string[],
): FortiMatch {
  const known: Traffic[] = [];
  const wide: Traffic[] = [];
  const reasons = new Set<string>();
  const lines = new Map<number, SourceLine>();
  for (const { sources, destinations } of sides) {
    if (!destinations) continue;
    const asked = [sources, destinations, services];
    known.push(...boxes(where, sources.known, destinations.known, services.known));
    const doubts = asked.flatMap(({ unresolved }) => unresolved);
    for (const reason of doubts) reasons.add(reason);
    if (doubts.length > 0) wide.push(...boxes(where, sources.all, destinations.all, services.all));
    for (const line of asked.flatMap((one) => one.lines))
      if (lines.size < MAX_LINES) lines.set(line.number, line);
  }
  const unresolved = [...conditions, ...reasons];
  const parts = [
    { boxes: known, unresolved: conditions },
    { boxes: wide, unresolved },
  ];
  return { parts: parts.filter((part) => part.boxes.length > 0), unresolved, lines: [...lines.values()] };
}

function boxes(
  { ingress, egress }: { readonly ingress: NameSet; readonly egress: NameSet },
  sources: AddressSet,
  destinations: AddressSet,
  services: readonly ServiceBox[],
): Traffic[] {
  if (noNames(ingress) || noNames(egress)) return [];
  const isEmpty = ({ v4, v6 }: AddressSet) => v4.length + v6.length === 0;
  if (isEmpty(sources) || isEmpty(destinations)) return [];
  return services.map((box) => oneFamily({ ingress, egress, sources, destinations, ...box }));
}

export const whereOf = (scope: FortiScope, entry: FortiEntry) => ({
  ingress: scope.namesOf(settingsOf(entry, 'srcintf')),
  egress: scope.namesOf(settingsOf(entry, 'dstintf')),
});

/** What two lists of services have in common. */
export function commonServices(a: readonly ServiceBox[], b: readonly ServiceBox[]): ServiceBox[] {
  return a.flatMap((one) =>
    b.flatMap((other) => {
      const services = intersectServices(one.services, other.services);
      const sourcePorts = intersect(one.sourcePorts, other.sourcePorts);
      return services.length === 0 || sourcePorts.length === 0 ? [] : [{ services, sourcePorts }];
    }),
  );
}
