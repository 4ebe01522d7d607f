// NAT statements of the ASA since 8.3 -> rules, and the two NAT policies that their order makes
import * as addresses from '../../src/model/addresses.ts';
import type { Translation } from '../../src/model/rule.ts';
import {
  ANY_SERVICE,
  protocolsOf,
  type ServiceSet,
  sameServices,
  service,
} from '../../src/model/services.ts';
import { ANY_SOURCE_PORT, type NameSet, type Traffic } from '../../src/model/traffic.ts';
import { ruleKey } from '../../src/rules/key.ts';
import type { AsaNat } from './asa-nat-words.ts';
import { type AsaScope, linesOnce } from './asa-scope.ts';
import type { Assembled } from './assemble.ts';
import { unionOf } from './boxes.ts';
import type { ServiceBox } from './objects.ts';

/** What a statement does to packets at one stage; without a translation it keeps them as they are. */
export interface NatEntry {
  readonly match: Traffic;
  readonly translation?: Translation;
  readonly translated?: boolean;
}

export interface NatStep {
  readonly made: Assembled;
  readonly destination: readonly NatEntry[];
  readonly source: readonly NatEntry[];
}

export function buildAsaNat(scope: AsaScope, found: readonly AsaNat[]): void {
  enterSteps(
    scope,
    found.map((nat) => stepOf(scope, nat)),
  );
}

/** The first statement that matches ends each stage. */
export function enterSteps(scope: AsaScope, steps: readonly NatStep[]): void {
  const head = { evaluation: 'first-match', appliesTo: scope.everywhere, otherwise: 'none' } as const;
  for (const stage of ['destination', 'source'] as const) {
    const policy = scope.assembly.policy({ id: scope.own(`nat:${stage}`), stage: `${stage}-nat`, ...head });
    const last = steps.findLastIndex(
      (step) => step.made.rule.enabled && step[stage].some(({ translation }) => translation),
    );
    // What keeps packets as they are matters only in front of what does not.
    for (const step of steps.slice(0, last + 1))
      for (const { match, translation, translated } of step[stage])
        policy.entry(step.made, translation ? 'translate' : 'exempt', {
          matches: [match],
          ...(translation ? { translation } : {}),
          ...(translated === undefined ? {} : { translated }),
        });
  }
}

interface Ends {
  readonly ingress: NameSet;
  readonly egress: NameSet;
}

function stepOf(scope: AsaScope, nat: AsaNat): NatStep {
  const forth: Ends = {
    ingress: scope.interfaces.namesOf(nat.from),
    egress: scope.interfaces.namesOf(nat.to),
  };
  const back: Ends = { ingress: forth.egress, egress: forth.ingress };
  const isBound = [forth.ingress, forth.egress].every(({ except, names }) => except || names.length > 0);
  const forward = forwardOf(nat, forth);
  const isReversible = nat.isStatic && !nat.isOneWay;
  const reverse = isReversible ? reverseOf(nat, back) : { destination: [], source: [] };
  const step = {
    destination: [...forward.destination, ...reverse.destination],
    source: [...forward.source, ...reverse.source],
  };
  // A rule is listed by the connections that it lets in where it lets any in.
  const main = step.destination.find(({ translation }) => translation) ?? step.source[0];
  const unresolved = new Set([
    ...nat.real.unresolved,
    ...(nat.isStatic ? nat.mapped.unresolved : []),
    ...(nat.destination ? [...nat.destination.mapped.unresolved, ...nat.destination.real.unresolved] : []),
    ...nat.serviceUnresolved,
  ]);
  const made = scope.assembly.rule({
    key: scope.own(nat.object === undefined ? `nat:${ruleKey(nat.text)}` : `nat:object:${nat.object}`),
    kind: 'nat',
    list: scope.own('nat'),
    context: scope.ruleContext({
      list: `section ${nat.section}`,
      ...(nat.from === 'any' && nat.to === 'any' ? {} : { interfaces: interfacesOf(forth) }),
    }),
    enabled: nat.enabled,
    matches: main ? [main.match] : [],
    unresolved: [...unresolved],
    ...(main?.translation ? { translation: main.translation } : {}),
    action: nat.text,
    ...(nat.comment === undefined ? {} : { comment: nat.comment }),
    lines: linesOnce(nat.lines),
  });
  return isBound ? { made, ...step } : { made, destination: [], source: [] };
}

const interfacesOf = ({ ingress, egress }: Ends): string[] => [
  ...new Set([ingress, egress].flatMap(({ except, names }) => (except ? [] : names))),
];

type Both = Pick<NatStep, 'destination' | 'source'>;

/** Connections from the real side. Ports of `services` are source ports, destination ports, or both. */
function forwardOf(nat: AsaNat, ends: Ends): Both {
  const { destination: written, services } = nat;
  const sources = nat.real.set ?? addresses.ANY_ADDRESS;
  const asked = written?.mapped.set ?? addresses.ANY_ADDRESS;
  const match = boxOf(ends, sources, asked, services?.before);
  const ports = services && destinationPorts(services.before, services.after);
  const isMoved = written !== undefined && !same(written.mapped.set, written.real.set);
  const toAddress = written?.real.set;
  const translation: Translation | undefined =
    isMoved || ports
      ? {
          kind: 'destination',
          ...place(isMoved ? toAddress : asked),
          ...(ports ? { ports } : {}),
          ...(keepsOffset(asked, isMoved ? toAddress : asked) ? { offset: true } : {}),
        }
      : undefined;
  const after: Traffic = translation
    ? {
        ...match,
        destinations: toAddress ?? asked,
        services: ports ? withPorts(match.services, ports) : match.services,
      }
    : match;
  const source = sourceTranslation(sources, nat, services && sourcePorts(services.before, services.after));
  return {
    // Without a destination of its own a statement leaves destinations to others.
    destination: written || translation ? [{ match, ...(translation ? { translation } : {}) }] : [],
    source: [
      {
        match: after,
        ...(source ? { translation: source } : {}),
        ...(translation ? { translated: true } : {}),
      },
    ],
  };
}

/** Static statements also let connections in from the mapped side. */
function reverseOf(nat: AsaNat, ends: Ends): Both {
  const { destination: written, services } = nat;
  const from = written?.real.set ?? addresses.ANY_ADDRESS;
  const mapped = nat.mapped.set;
  const real = nat.real.set ?? addresses.ANY_ADDRESS;
  const before = services && turned(services.after);
  const after = services && turned(services.before);
  const asked = mapped ?? addresses.ANY_ADDRESS;
  const match = boxOf(ends, from, asked, before);
  const ports = before && after && destinationPorts(before, after);
  const isMoved = !same(mapped, nat.real.set);
  const translation: Translation | undefined =
    isMoved || ports
      ? {
          kind: 'destination',
          addresses: real,
          ...(ports ? { ports } : {}),
          ...(keepsOffset(asked, real) ? { offset: true } : {}),
        }
      : undefined;
  const seen: Traffic = translation
    ? { ...match, destinations: real, services: ports ? withPorts(match.services, ports) : match.services }
    : match;
  const becomes = written && exactly(written.mapped);
  const isSourceMoved = written !== undefined && !same(written.real.set, becomes);
  const fromPorts = before && after && sourcePorts(before, after);
  const source: Translation | undefined =
    isSourceMoved || fromPorts
      ? {
          kind: 'source',
          ...place(isSourceMoved ? becomes : from),
          ...(fromPorts ? { ports: fromPorts } : {}),
          ...(keepsOffset(from, isSourceMoved ? becomes : from) ? { offset: true } : {}),
        }
      : undefined;
  const turnsSource = written !== undefined || source !== undefined;
  return {
    destination: [{ match, ...(translation ? { translation } : {}) }],
    source: turnsSource
      ? [
          {
            match: seen,
            ...(source ? { translation: source } : {}),
            ...(translation ? { translated: true } : {}),
          },
        ]
      : [],
  };
}

function sourceTranslation(
  from: addresses.AddressSet,
  nat: AsaNat,
  ports: readonly [number, number] | undefined,
): Translation | undefined {
  if (nat.isStatic && same(nat.real.set, nat.mapped.set) && !ports) return undefined;
  return {
    kind: 'source',
    ...place(exactly(nat.mapped)),
    ...(ports ? { ports } : {}),
    ...(nat.isStatic && keepsOffset(from, nat.mapped.set) ? { offset: true } : {}),
  };
}

const boxOf = (
  { ingress, egress }: Ends,
  sources: addresses.AddressSet,
  destinations: addresses.AddressSet,
  box: ServiceBox | undefined,
): Traffic => ({
  ingress,
  egress,
  sources,
  destinations,
  services: box?.services ?? ANY_SERVICE,
  sourcePorts: box?.sourcePorts ?? ANY_SOURCE_PORT,
});

/** What a packet seems to come from must not be a superset. */
const exactly = ({ set, unresolved }: AsaNat['real']) => (unresolved.length === 0 ? set : undefined);

const place = (set: addresses.AddressSet | undefined) => (set ? { addresses: set } : {});

const same = (a: addresses.AddressSet | undefined, b: addresses.AddressSet | undefined): boolean =>
  a !== undefined && b !== undefined && addresses.sameAddresses(a, b);

/** One range onto another of the same size goes address by address. */
export function keepsOffset(
  from: addresses.AddressSet | undefined,
  to: addresses.AddressSet | undefined,
): boolean {
  if (!from || !to || from.v4.length !== to.v4.length || from.v6.length !== to.v6.length) return false;
  const count = addresses.countAddresses(to);
  return count > 1 && from.v4.length + from.v6.length === 2 && count === addresses.countAddresses(from);
}

const span = (flat: readonly number[]): readonly [number, number] => [flat[0], flat[flat.length - 1]];
const isEveryPort = ([first, last]: readonly [number, number]) => first === 0 && last === 65_535;

/** Destination ports of a service, all protocols of it together. */
function destinationSpan({ services }: ServiceBox): readonly [number, number] {
  if (sameServices(services, ANY_SERVICE) || services.length === 0) return [0, 65_535];
  return [services[0] & 0xffff, services[services.length - 1] & 0xffff];
}

function destinationPorts(before: ServiceBox, after: ServiceBox): readonly [number, number] | undefined {
  const [from, to] = [destinationSpan(before), destinationSpan(after)];
  return isEveryPort(from) || (from[0] === to[0] && from[1] === to[1]) ? undefined : to;
}

function sourcePorts(before: ServiceBox, after: ServiceBox): readonly [number, number] | undefined {
  const [from, to] = [span(before.sourcePorts), span(after.sourcePorts)];
  return isEveryPort(from) || (from[0] === to[0] && from[1] === to[1]) ? undefined : to;
}

/** The same service as the answer's sender has it: ports change places. */
function turned(box: ServiceBox): ServiceBox {
  if (sameServices(box.services, ANY_SERVICE)) return box;
  const pairs: [number, number][] = [];
  for (let i = 0; i < box.sourcePorts.length; i += 2)
    pairs.push([box.sourcePorts[i], box.sourcePorts[i + 1]]);
  const services = protocolsOf(box.services).map((protocol) => service(protocol, pairs));
  return { services: unionOf('services', services) as ServiceSet, sourcePorts: destinationSpan(box) };
}

const withPorts = (services: ServiceSet, ports: readonly [number, number]): ServiceSet =>
  unionOf(
    'services',
    protocolsOf(services).map((protocol) => service(protocol, [ports])),
  ) as ServiceSet;
