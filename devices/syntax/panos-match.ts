// zones, addresses, services and conditions of a PAN-OS rule -> boxes of traffic, sure and possible
import {
  type AddressSet,
  ANY_ADDRESS,
  intersectAddresses,
  subtractAddresses,
} from '../../src/model/addresses.ts';
import type { EntryAction, SourceLine } from '../../src/model/rule.ts';
import { ANY_NAME, type NameSet, names, subtractNames, type Traffic } from '../../src/model/traffic.ts';
import type { Assembled, EntryOptions, PolicyBuilder } from './assemble.ts';
import { MAX_LINES, MAX_REASONS } from './objects.ts';
import { type Addresses, addressesOf } from './panos-address.ts';
import { chosen, isYes, last, linesUnder, words } from './panos-config.ts';
import type { Scope } from './panos-scope.ts';
import { type Services, servicesOf } from './panos-service.ts';
import type { WordTree } from './tree.ts';

/** `possible` is a superset; `sure` the part of it that no condition is about. */
export interface Match {
  readonly sure: readonly Traffic[];
  readonly possible: readonly Traffic[];
  readonly unresolved: readonly string[];
  readonly lines: readonly SourceLine[];
}

export interface Way {
  readonly ingress: NameSet;
  readonly egress: NameSet;
}

interface Asked {
  readonly ways: readonly Way[];
  readonly services: Services;
  /** Reasons besides addresses and services. */
  readonly conditions: readonly string[];
  /** Only addresses of it. */
  readonly within?: AddressSet;
}

export function zoneNames(scope: Scope, zones: readonly string[]): NameSet {
  if (zones.length === 0 || zones.includes('any')) return ANY_NAME;
  return names(...zones.flatMap((zone) => scope.namesOf(zone)));
}

/** The rule-type of a security rule says which pairs of its zones it means. */
export function waysOf(scope: Scope, rule: WordTree): Way[] {
  const from = words(rule, 'from');
  const each = from.length === 0 || from.includes('any') ? scope.zones : from;
  const type = last(rule, 'rule-type') ?? 'universal';
  const own = (zone: string) => names(...scope.namesOf(zone));
  if (type === 'intrazone') return each.map((zone) => ({ ingress: own(zone), egress: own(zone) }));
  const egress = zoneNames(scope, words(rule, 'to'));
  if (type !== 'interzone') return [{ ingress: zoneNames(scope, from), egress }];
  return each
    .map((zone) => ({ ingress: own(zone), egress: subtractNames(egress, own(zone)) }))
    .filter((way) => way.egress.except || way.egress.names.length > 0);
}

export function matchOf(
  scope: Scope,
  rule: WordTree,
  { ways, services, conditions, within = ANY_ADDRESS }: Asked,
): Match {
  const sources = sideOf(scope, rule, 'source', within);
  const destinations = sideOf(scope, rule, 'destination', within);
  const boxes = (
    from: AddressSet | undefined,
    to: AddressSet | undefined,
    over: Services['sure'],
  ): Traffic[] =>
    from && to
      ? ways.flatMap((way) => over.map((one) => ({ ...way, sources: from, destinations: to, ...one })))
      : [];
  const reasons = new Set([
    ...sources.unresolved,
    ...destinations.unresolved,
    ...services.unresolved,
    ...conditions,
  ]);
  const possible = boxes(sources.possible, destinations.possible, services.possible);
  return {
    possible,
    sure:
      reasons.size === 0
        ? possible
        : conditions.length > 0
          ? []
          : boxes(sources.sure, destinations.sure, services.sure).filter(isSome),
    unresolved: [...reasons].slice(0, MAX_REASONS),
    lines: linesOf(rule, sources, destinations, services),
  };
}

const isSome = ({ sources, destinations }: Traffic): boolean =>
  sources.v4.length + sources.v6.length > 0 && destinations.v4.length + destinations.v6.length > 0;

function linesOf(
  rule: WordTree,
  ...parts: readonly { readonly lines: readonly SourceLine[] }[]
): SourceLine[] {
  const found = new Map<number, SourceLine>();
  for (const lines of [linesUnder(rule), ...parts.map((part) => part.lines)])
    for (const line of lines) if (found.size < MAX_LINES) found.set(line.number, line);
  return [...found.values()];
}

interface Side extends Pick<Addresses, 'unresolved' | 'lines'> {
  readonly sure: AddressSet | undefined;
  readonly possible: AddressSet;
}

function sideOf(scope: Scope, rule: WordTree, side: 'source' | 'destination', within: AddressSet): Side {
  const found = addressesOf(words(rule, side), scope.addresses);
  if (!found) return { sure: within, possible: within, unresolved: [], lines: [] };
  const { sure, unresolved, lines } = found;
  const isKnown = unresolved.length === 0;
  if (isYes(rule, `negate-${side}`)) {
    // What is not known may be anything: then nothing is surely outside of it.
    const rest = subtractAddresses(within, sure);
    return { sure: isKnown ? rest : undefined, possible: rest, unresolved, lines };
  }
  const own = intersectAddresses(sure, within);
  return { sure: own, possible: isKnown ? own : within, unresolved, lines };
}

export const servicesIn = (scope: Scope, rule: WordTree, accepts: boolean): Services =>
  servicesOf(
    { services: words(rule, 'service'), applications: chosen(rule, 'application') },
    scope.services,
    accepts,
  );

/** What else a rule asks of a packet, in words. */
export function conditionsOf(rule: WordTree): string[] {
  const said = (path: string, what: string): string[] => {
    const values = chosen(rule, path).filter((value) => value !== 'any');
    return values.length > 0 ? [`${what} ${values.slice(0, 10).join(', ')}`] : [];
  };
  const targets = words(rule, 'target', 'devices');
  return [
    ...said('schedule', 'schedule'),
    ...said('source-user', 'user'),
    ...said('category', 'URL category'),
    ...said('hip-profiles', 'HIP profile'),
    ...said('source-hip', 'source HIP profile'),
    ...said('destination-hip', 'destination HIP profile'),
    ...said('source-imsi', 'IMSI'),
    ...said('source-imei', 'IMEI'),
    ...said('source-nw-slice', 'network slice'),
    ...(targets.length > 0
      ? [`${isYes(rule, 'target', 'negate') ? 'not on' : 'on'} devices ${targets.slice(0, 10).join(', ')}`]
      : []),
  ];
}

/** First what is sure, then what may be besides. */
export function enter(
  policy: PolicyBuilder,
  made: Assembled,
  action: EntryAction,
  match: Pick<Match, 'sure' | 'possible' | 'unresolved'>,
  options: Pick<EntryOptions, 'translation' | 'translated'> = {},
): void {
  if (match.unresolved.length === 0) {
    policy.entry(made, action, { ...options, matches: match.possible, unresolved: [] });
    return;
  }
  if (match.sure.length > 0) policy.entry(made, action, { ...options, matches: match.sure, unresolved: [] });
  policy.entry(made, action, { ...options, matches: match.possible, unresolved: match.unresolved });
}
