// services, groups, applications of PAN-OS -> the boxes of services that a rule means, sure and possible

import type { SourceLine } from '../../src/model/rule.ts';
import {
  ANY_SERVICE,
  intersectServices,
  PROTOCOLS,
  protocolsOf,
  type ServiceSet,
  service,
  serviceSet,
  unionServices,
} from '../../src/model/services.ts';
import { ANY_SOURCE_PORT } from '../../src/model/traffic.ts';
import { portRanges, unionOf } from './boxes.ts';
import {
  type Definition,
  MAX_REASONS,
  type NameTable,
  nameTable,
  type ServiceBox,
  serviceTable,
} from './objects.ts';
import type { Layers } from './panos-address.ts';
import { APP_PORTS } from './panos-app-table.ts';
import { last, linesUnder, words } from './panos-config.ts';
import { at, list, type WordTree } from './tree.ts';

/** `possible` holds all that the rule may mean, `sure` what it means for certain; equal where nothing is unresolved. */
export interface Services {
  readonly sure: readonly ServiceBox[];
  readonly possible: readonly ServiceBox[];
  readonly unresolved: readonly string[];
  readonly lines: readonly SourceLine[];
}

export interface ServiceNames {
  readonly services: NameTable<readonly ServiceBox[]>;
  readonly applications: NameTable<ServiceSet>;
}

export const EVERYTHING: readonly ServiceBox[] = [{ services: ANY_SERVICE, sourcePorts: ANY_SOURCE_PORT }];

const box = (services: ServiceSet): ServiceBox => ({ services, sourcePorts: ANY_SOURCE_PORT });

/** The predefined services of every device. */
const PREDEFINED: readonly (readonly [string, string])[] = [
  ['service-http', 'tcp/80 tcp/8080'],
  ['service-https', 'tcp/443'],
];

export function serviceNames(layers: Layers, overrides: ReadonlyMap<string, ServiceSet>): ServiceNames {
  const services = new Map<string, Definition<readonly ServiceBox[]>>();
  for (const [name, text] of PREDEFINED)
    services.set(name, { own: [[box(serviceSet(...text.split(' ')))]], members: [], lines: [] });
  const applications = new Map<string, Definition<ServiceSet>>();
  for (const [name, text] of Object.entries(APP_PORTS))
    applications.set(name, { own: [serviceSet(...text.split(' '))], members: [], lines: [] });
  for (const layer of layers.toReversed()) {
    for (const node of list(layer, 'service')) services.set(node.word, serviceObject(node));
    for (const node of list(layer, 'service-group'))
      services.set(node.word, { own: [], members: words(node, 'members'), lines: linesUnder(node) });
    for (const node of list(layer, 'application')) applications.set(node.word, application(node, overrides));
    for (const node of list(layer, 'application-filter'))
      applications.set(node.word, unknownApp(node, `application filter ${node.word}`));
    for (const node of list(layer, 'application-group'))
      applications.set(node.word, { own: [], members: words(node, 'members'), lines: linesUnder(node) });
  }
  for (const [name, ports] of overrides)
    if (!applications.has(name)) applications.set(name, { own: [ports], members: [], lines: [] });
  return { services: serviceTable(services), applications: nameTable(APPLICATIONS, applications) };
}

const APPLICATIONS = {
  what: 'application',
  union: (values: readonly ServiceSet[]) => unionOf('services', values) as ServiceSet,
  size: (value: ServiceSet) => value.length,
};

function serviceObject(node: WordTree): Definition<readonly ServiceBox[]> {
  const boxes: ServiceBox[] = [];
  for (const protocol of list(node, 'protocol')) {
    const number = PROTOCOLS[protocol.word];
    const ports = portsOf(last(protocol, 'port'));
    const from = last(protocol, 'source-port');
    const sourcePorts = from === undefined ? [[0, 65_535] as const] : portsOf(from);
    if (number === undefined || !ports || !sourcePorts) continue;
    boxes.push({ services: service(number, ports), sourcePorts: portRanges(sourcePorts) });
  }
  return boxes.length > 0
    ? { own: [boxes], members: [], lines: linesUnder(node) }
    : {
        own: [],
        members: [],
        unresolved: [`service ${node.word} has no readable ports`],
        lines: linesUnder(node),
      };
}

/** "80", "80,443,1000-2000"; undefined for others. */
export function portsOf(text: string | undefined): (readonly [number, number])[] | undefined {
  if (text === undefined) return undefined;
  const ranges = text.split(',').map((part) => /^\s*(\d{1,5})(?:-(\d{1,5}))?\s*$/.exec(part));
  const pairs = ranges.map((found) => found && ([Number(found[1]), Number(found[2] ?? found[1])] as const));
  return pairs.every((pair) => pair && pair[0] <= pair[1] && pair[1] <= 65_535)
    ? (pairs as (readonly [number, number])[])
    : undefined;
}

const unknownApp = (node: WordTree, reason: string): Definition<ServiceSet> => ({
  own: [],
  members: [],
  unresolved: [reason],
  lines: linesUnder(node),
});

/** A custom App-ID: its default ports, and those on which an override assigns it. */
function application(node: WordTree, overrides: ReadonlyMap<string, ServiceSet>): Definition<ServiceSet> {
  const own: ServiceSet[] = [];
  let isWhole = true;
  for (const port of words(node, 'default', 'port')) {
    const found = /^(tcp|udp|sctp)\/([\d,-]{1,200})$/.exec(port);
    const ports = portsOf(found?.[2]);
    if (found && ports) own.push(service(PROTOCOLS[found[1]], ports));
    else isWhole = false;
  }
  const protocol = Number(last(node, 'default', 'ident-by-ip-protocol') ?? Number.NaN);
  if (protocol >= 0 && protocol <= 255) own.push(service(protocol));
  if (at(node, 'default', 'ident-by-icmp-type')) own.push(service(1));
  if (at(node, 'default', 'ident-by-icmp6-type')) own.push(service(58));
  const override = overrides.get(node.word);
  if (override) own.push(override);
  return own.length > 0 && isWhole
    ? { own, members: [], lines: linesUnder(node) }
    : { ...unknownApp(node, `application ${node.word}`), own };
}

/**
 * `service` and `application` of a rule. An application on its default ports is those ports where a rule accepts; everywhere
 * else the application is a condition, since ports alone do not show it.
 */
export function servicesOf(
  written: { readonly services: readonly string[]; readonly applications: readonly string[] },
  { services, applications }: ServiceNames,
  accepts: boolean,
): Services {
  const byDefault = written.services.includes('application-default');
  const named = written.services.filter((name) => name !== 'any' && name !== 'application-default');
  const onServices = byDefault
    ? undefined
    : named.length === 0 || written.services.includes('any')
      ? whole(EVERYTHING)
      : pick(named, services, 'service', (value) => value);
  if (written.applications.length === 0) {
    if (onServices) return onServices;
    return { sure: [], possible: EVERYTHING, unresolved: ['default ports of any application'], lines: [] };
  }
  const apps = pick(written.applications, applications, 'application', (value) => [box(value)]);
  const condition = `application ${written.applications.slice(0, 20).join(', ')}`;
  if (!onServices) return accepts ? apps : { ...apps, sure: [], unresolved: reasons(apps, condition) };
  const known = apps.unresolved.length === 0 ? apps.possible : EVERYTHING;
  return {
    sure: [],
    possible: narrowed(onServices.possible, known),
    unresolved: reasons(onServices, condition),
    lines: [...onServices.lines, ...apps.lines],
  };
}

const whole = (boxes: readonly ServiceBox[]): Services => ({
  sure: boxes,
  possible: boxes,
  unresolved: [],
  lines: [],
});

const reasons = ({ unresolved }: Services, condition: string): string[] => [
  ...new Set([...unresolved, condition]),
];

function pick<T>(
  names: readonly string[],
  table: NameTable<T>,
  what: string,
  boxes: (value: T) => readonly ServiceBox[],
): Services {
  const sure: ServiceBox[] = [];
  const unresolved = new Set<string>();
  const lines: SourceLine[] = [];
  for (const name of names) {
    const found = table.resolve(name);
    if (!found)
      unresolved.add(what === 'application' ? `application ${name}` : `${what} ${name} is not in the text`);
    else {
      for (const one of boxes(found.value)) if (one.services.length > 0) sure.push(one);
      lines.push(...found.lines);
      for (const reason of found.unresolved) if (unresolved.size < MAX_REASONS) unresolved.add(reason);
    }
  }
  const merged = merge(sure);
  return {
    sure: merged,
    possible: unresolved.size > 0 ? EVERYTHING : merged,
    unresolved: [...unresolved],
    lines,
  };
}

/** Boxes with the same source ports are one. */
function merge(boxes: readonly ServiceBox[]): ServiceBox[] {
  const alike = Map.groupBy(boxes, ({ sourcePorts }) => sourcePorts.join());
  return [...alike.values()].map((group) => ({
    services: unionOf(
      'services',
      group.map(({ services }) => services),
    ) as ServiceSet,
    sourcePorts: group[0].sourcePorts,
  }));
}

/** An application may be met on other ports than its own, but not over other protocols. */
function narrowed(boxes: readonly ServiceBox[], apps: readonly ServiceBox[]): readonly ServiceBox[] {
  if (apps === EVERYTHING) return boxes;
  const over = unionServices(
    ...apps.flatMap(({ services }) => protocolsOf(services).map((number) => service(number))),
  );
  return boxes
    .map(({ services, sourcePorts }) => ({ services: intersectServices(services, over), sourcePorts }))
    .filter(({ services }) => services.length > 0);
}
