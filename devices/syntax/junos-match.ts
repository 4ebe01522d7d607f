// what Junos rules compare -> boxes of traffic, sure and possible; services of protocols, ports and applications
import { noAddresses } from '../../src/model/addresses.ts';
import type { EntryAction, SourceLine } from '../../src/model/rule.ts';
import { ANY_SERVICE, intersectServices } from '../../src/model/services.ts';
import {
  ANY_SOURCE_PORT,
  ANY_TRAFFIC,
  intersectTraffic,
  type NameSet,
  type Traffic,
} from '../../src/model/traffic.ts';
import type { Assembled, EntryOptions, PolicyBuilder } from './assemble.ts';
import { portRanges, protocols, unionOf } from './boxes.ts';
import type { Side } from './junos-addresses.ts';
import { EVERYTHING, protocolNumber, serviceSetOf } from './junos-applications.ts';
import { parsePort } from './junos-ports.ts';
import type { Scope } from './junos-scope.ts';
import { MAX_REASONS, SERVICES, type ServiceBox, together } from './objects.ts';
import { list, type WordTree, words } from './tree.ts';

export interface Services {
  readonly sure: readonly ServiceBox[];
  readonly possible: readonly ServiceBox[];
  readonly unresolved: readonly string[];
  readonly lines: readonly SourceLine[];
}

export const EVERY_SERVICE: Services = { sure: EVERYTHING, possible: EVERYTHING, unresolved: [], lines: [] };

/** `match application [ a b ]`; none and `any` stand for everything. */
export function applicationsOf(scope: Scope, asked: readonly string[]): Services {
  if (asked.length === 0 || asked.includes('any')) return EVERY_SERVICE;
  const { value, unresolved, lines } = together(
    SERVICES,
    asked.map(
      (name) =>
        scope.applications.resolve(name) ?? {
          value: [],
          unresolved: [`application ${name} is not known`],
          lines: [],
        },
    ),
  );
  const merged = mergeBoxes(value);
  return { sure: merged, possible: unresolved.length > 0 ? EVERYTHING : merged, unresolved, lines };
}

/** Boxes of the same source ports as one. */
function mergeBoxes(boxes: readonly ServiceBox[]): ServiceBox[] {
  return [...Map.groupBy(boxes, ({ sourcePorts }) => sourcePorts.join())].map(([, same]) => ({
    services: unionOf(
      'services',
      same.map(({ services }) => services),
    ) as ServiceBox['services'],
    sourcePorts: same[0].sourcePorts,
  }));
}

/** `protocol`, `destination-port`, `source-port` of NAT rules, and `application`; ports mean TCP and UDP. */
export function natServices(scope: Scope, match: WordTree | undefined): Services {
  const unresolved: string[] = [];
  const portsOf = (which: string) => {
    const ranges = list(match, which).flatMap((one) => {
      const range = parsePort(one);
      if (!range) unresolved.push(`${which} ${one.word.slice(0, 64)}`);
      return range ? [range] : [];
    });
    return ranges.length > 0 ? ranges : undefined;
  };
  const numbers = words(match, 'protocol').flatMap((text) => {
    const number = protocolNumber(text);
    if (number === undefined) unresolved.push(`protocol ${text.slice(0, 64)}`);
    return number ?? [];
  });
  const ports = portsOf('destination-port');
  const sourcePorts = portsOf('source-port');
  const of = numbers.length > 0 ? numbers : ports || sourcePorts ? [6, 17] : undefined;
  const services = ports ? serviceSetOf(of!, ports) : of ? protocols(...of) : ANY_SERVICE;
  const own = { services, sourcePorts: sourcePorts ? portRanges(sourcePorts) : ANY_SOURCE_PORT };
  const applications = applicationsOf(scope, words(match, 'application'));
  const within = (boxes: readonly ServiceBox[]) =>
    boxes
      .map((box) => ({
        services: intersectServices(box.services, own.services),
        sourcePorts: sourcePorts ? own.sourcePorts : box.sourcePorts,
      }))
      .filter((box) => box.services.length > 0);
  return {
    sure: unresolved.length > 0 ? [] : within(applications.sure),
    possible: within(applications.possible),
    unresolved: [...unresolved, ...applications.unresolved],
    lines: applications.lines,
  };
}

export interface Match {
  readonly sure: readonly Traffic[];
  readonly possible: readonly Traffic[];
  readonly unresolved: readonly string[];
  readonly lines: readonly SourceLine[];
}

export function matchOf(
  ways: readonly { readonly ingress: NameSet; readonly egress: NameSet }[],
  sources: Side,
  destinations: Side,
  services: Services,
  conditions: readonly string[],
): Match {
  const unresolved = [
    ...new Set([...sources.unresolved, ...destinations.unresolved, ...services.unresolved, ...conditions]),
  ].slice(0, MAX_REASONS);
  const boxes = (which: 'sure' | 'possible') =>
    ways.flatMap((way) =>
      services[which].map((one) => ({
        ...way,
        sources: sources[which],
        destinations: destinations[which],
        services: one.services,
        sourcePorts: one.sourcePorts,
      })),
    );
  const possible = boxes('possible');
  return {
    possible,
    sure: unresolved.length === 0 ? possible : conditions.length > 0 ? [] : boxes('sure').filter(isSome),
    unresolved,
    lines: [...sources.lines, ...destinations.lines, ...services.lines],
  };
}

const isSome = ({ sources, destinations, services }: Traffic): boolean =>
  services.length > 0 && !noAddresses(sources) && !noAddresses(destinations);

/** First what is sure, then what may be besides. */
export function enter(
  policy: PolicyBuilder,
  made: Assembled,
  action: EntryAction,
  match: Pick<Match, 'sure' | 'possible' | 'unresolved'>,
  options: Pick<EntryOptions, 'translation'> = {},
): void {
  if (match.unresolved.length === 0) {
    policy.entry(made, action, { ...options, matches: match.possible, unresolved: [] });
    return;
  }
  if (match.sure.length > 0) policy.entry(made, action, { ...options, matches: match.sure, unresolved: [] });
  policy.entry(made, action, { ...options, matches: match.possible, unresolved: match.unresolved });
}

/** A match as only packets of certain interfaces meet it. */
export function restrict(match: Match, within: Partial<Traffic>): Match {
  const cut = (boxes: readonly Traffic[]) =>
    boxes.flatMap((box) => intersectTraffic(box, { ...ANY_TRAFFIC, ...within }) ?? []);
  return { ...match, sure: cut(match.sure), possible: cut(match.possible) };
}
