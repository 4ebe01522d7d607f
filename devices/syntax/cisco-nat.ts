// NAT statements of IOS with their pools, lists and sides -> NAT rules and the policies that packets meet
import * as addresses from '../../src/model/addresses.ts';
import type { Policy, PolicyEntry, Rule, SourceLine, Stage, Translation } from '../../src/model/rule.ts';
import { service } from '../../src/model/services.ts';
import { intersectTraffic, names, type Traffic } from '../../src/model/traffic.ts';
import { ruleKey } from '../../src/rules/key.ts';
import type { Built, Config } from './cisco-config.ts';
import { MAX_LINES } from './cisco-groups.ts';
import type { DynamicNat, NatStatements, StaticNat } from './cisco-nat-words.ts';
import { type Condition, everything, firstMatches, hull } from './cisco-region.ts';
import { conditionOf, listCondition } from './cisco-route-maps.ts';

/** A step of a policy before it is put in order. */
interface Step {
  readonly stage: Stage;
  /** The side that the packet comes from. */
  readonly from: 'inside' | 'outside' | 'both';
  readonly vrf?: string;
  /** Static beats dynamic, longest prefix first. */
  readonly weight: number;
  readonly entry: PolicyEntry;
}

interface Resolved {
  readonly match: Traffic;
  readonly translation?: Translation;
  readonly unresolved: readonly string[];
  readonly lines: readonly SourceLine[];
  readonly steps: readonly Omit<Step, 'vrf'>[];
}

export function buildNat(nat: NatStatements, config: Config): Built {
  const rules: Rule[] = [];
  const steps: Step[] = [];
  const known = new Map<string, readonly string[]>();
  nat.statements.forEach((statement, position) => {
    const key = config.unique(`nat:${ruleKey(statement.text)}`);
    const found =
      statement.form === 'static' ? resolveStatic(statement, config) : resolveDynamic(statement, nat, config);
    const { vrf } = statement.tail;
    const interfaces = boundTo(statement.domain, vrf, config, known);
    rules.push({
      key,
      kind: 'nat',
      enabled: true,
      position,
      context: { ...(vrf === undefined ? {} : { vrf }), family: 'ip', interfaces },
      match: found.match,
      unresolved: found.unresolved,
      ...(found.translation ? { translation: found.translation } : {}),
      action: actionOf(statement),
      lines: [statement.line, ...found.lines].slice(0, MAX_LINES),
    });
    for (const step of found.steps) steps.push({ ...step, vrf, entry: { ...step.entry, ruleKey: key } });
  });
  return { rules, policies: policiesOf(steps, config) };
}

function boundTo(
  domain: StaticNat['domain'],
  vrf: string | undefined,
  config: Config,
  known: Map<string, readonly string[]>,
): readonly string[] {
  const id = `${domain === 'both'} ${vrf ?? ''}`;
  const both = known.get(id) ?? [
    ...new Set([...sideOf('inside', domain, vrf, config), ...sideOf('outside', domain, vrf, config)]),
  ];
  known.set(id, both);
  return both;
}

function actionOf(statement: StaticNat | DynamicNat): string {
  const side = statement.domain === 'both' ? '' : `${statement.domain} `;
  if (statement.form === 'static') return `${side}source static`;
  return `${side}${statement.of} dynamic${statement.tail.overload ? ' overload' : ''}`;
}

/** Interfaces on a side of NAT in a VRF; a rule of a VRF may also leave by the global table. Those that are shut down count as absent. */
function sideOf(
  side: 'inside' | 'outside' | 'both',
  domain: StaticNat['domain'],
  vrf: string | undefined,
  config: Config,
): readonly string[] {
  const wanted = domain === 'both' ? 'both' : side;
  const own = config.bindings.get(`${wanted} ${vrf ?? ''}`) ?? [];
  if (wanted !== 'outside' || vrf === undefined) return own;
  return [...own, ...(config.bindings.get('outside ') ?? [])];
}

/** One policy for each stage, side and VRF, its entries in the order in which IOS tries them; none where a side has no interface. */
function policiesOf(steps: readonly Step[], config: Config): Policy[] {
  const groups = new Map<string, Step[]>();
  for (const step of steps) {
    const id = ['nat', step.stage, `from-${step.from}`, ...(step.vrf === undefined ? [] : [step.vrf])].join(
      ':',
    );
    const group = groups.get(id);
    if (group) group.push(step);
    else groups.set(id, [step]);
  }
  const policies: Policy[] = [];
  for (const [id, group] of groups) {
    const [{ stage, from, vrf }] = group;
    const ingress = sideOf(from, from, vrf, config);
    const egress = sideOf(from === 'inside' ? 'outside' : 'inside', from, vrf, config);
    if (ingress.length === 0 || egress.length === 0) continue;
    // A packet from outside is translated before it is routed, wherever it then goes.
    const anyWay = from === 'outside' && stage === 'destination-nat';
    policies.push({
      id,
      stage,
      evaluation: 'first-match',
      appliesTo: {
        ingress: names(...ingress),
        egress: anyWay ? { except: true, names: [] } : names(...egress),
      },
      otherwise: 'none',
      entries: group.sort((a, b) => b.weight - a.weight).map(({ entry }) => entry),
    });
  }
  return policies;
}

const otherSide = { inside: 'outside', outside: 'inside', both: 'both' } as const;

/** The two ways through a static statement, each with what it makes of an address. */
interface Ways {
  readonly inward: Traffic;
  readonly outward: Traffic;
  readonly there: Translation;
  readonly back: Translation;
}

function waysOf(statement: StaticNat, reach: addresses.AddressSet | undefined): Ways {
  const { protocol, length, firstPort, secondPort } = statement;
  const real = addresses.addressSet(`${statement.first}${prefixOf(statement)}`);
  const services = (port?: number) =>
    protocol === undefined
      ? {}
      : { services: service(protocol, port === undefined ? undefined : [[port, port]]) };
  const ports = (port: number | undefined) => (port === undefined ? {} : { ports: [port, port] as const });
  const offset = length === undefined ? {} : { offset: true };
  const base = everything('ip');
  return {
    inward: { ...base, destinations: reach ?? addresses.ANY_V4, ...services(secondPort) },
    outward: {
      ...base,
      sources: real,
      ...services(),
      ...(firstPort === undefined ? {} : { sourcePorts: [firstPort, firstPort] }),
    },
    there: { kind: 'destination', addresses: real, ...ports(firstPort), ...offset },
    back: { kind: 'source', ...(reach ? { addresses: reach } : {}), ...ports(secondPort), ...offset },
  };
}

const prefixOf = ({ length }: StaticNat): string => (length === undefined ? '' : `/${length}`);

/**
 * The second address of a static statement is how the other side reaches the first one: `inside source static L G` turns
 * packets from outside to G toward L; `outside source static G L` turns packets from inside to L toward G, which is a relay.
 */
function resolveStatic(statement: StaticNat, config: Config): Resolved {
  const { domain, protocol, length, tail } = statement;
  const reach = reachedAt(statement, config);
  const { inward, outward, there, back } = waysOf(statement, reach.addresses);
  const reasons = [...reach.unresolved, ...tail.unknown.map((word) => `option ${word}`)];
  const condition = tail.routeMap === undefined ? undefined : mapCondition(tail.routeMap, config);
  // The route-map is about packets of the other direction, so that it does not narrow this one by ranges.
  const unresolved = tail.routeMap === undefined ? reasons : [...reasons, `route-map ${tail.routeMap}`];
  const outwards = condition
    ? condition.boxes.flatMap((box) => intersectTraffic(box, outward) ?? [])
    : [outward];
  const entry = (match: Traffic, translation: Translation, conditions: readonly string[]): PolicyEntry => ({
    ruleKey: '',
    match,
    unresolved: conditions,
    action: 'translate',
    translation,
  });
  const weight = (protocol === undefined ? 0 : 64) + (length ?? 32);
  return {
    match: inward,
    translation: there,
    unresolved,
    lines: condition?.lines ?? [],
    steps: [
      { stage: 'destination-nat', from: otherSide[domain], weight, entry: entry(inward, there, unresolved) },
      ...outwards.map((match) => ({
        stage: 'source-nat' as const,
        from: domain,
        weight,
        entry: entry(match, back, [...reasons, ...(condition?.unresolved ?? [])]),
      })),
    ],
  };
}

function reachedAt(
  statement: StaticNat,
  config: Config,
): { addresses?: addresses.AddressSet; unresolved: readonly string[] } {
  if (statement.second !== undefined) {
    return { addresses: addresses.addressSet(`${statement.second}${prefixOf(statement)}`), unresolved: [] };
  }
  return interfaceAddresses(statement.secondInterface ?? '', config);
}

function interfaceAddresses(
  name: string,
  config: Config,
): { addresses?: addresses.AddressSet; unresolved: readonly string[] } {
  const own = config.byName.get(name)?.addresses.v4 ?? [];
  if (own.length > 0) return { addresses: { v4: own, v6: [] }, unresolved: [] };
  return { unresolved: [`address of ${name} is not in the configuration`] };
}

function resolveDynamic(statement: DynamicNat, nat: NatStatements, config: Config): Resolved {
  const { domain, of, tail } = statement;
  const condition = conditionFor(statement, config);
  const pool = statement.pool === undefined ? undefined : nat.pools.get(statement.pool);
  const target =
    statement.interface === undefined
      ? { addresses: pool?.addresses, unresolved: pool ? [] : [`pool ${statement.pool} is not defined`] }
      : // An address that only the device knows is an ordinary masquerade.
        { addresses: interfaceAddresses(statement.interface, config).addresses, unresolved: [] };
  const translation: Translation = {
    kind: of === 'source' ? 'source' : 'destination',
    ...(target.addresses ? { addresses: target.addresses } : {}),
  };
  const unresolved = [
    ...condition.unresolved,
    ...target.unresolved,
    ...tail.unknown.map((word) => `option ${word}`),
  ];
  const from = of === 'source' ? domain : otherSide[domain];
  const usable = of === 'source' || target.addresses !== undefined;
  return {
    match: hull(condition.boxes),
    translation,
    unresolved,
    lines: [...(pool?.lines ?? []), ...condition.lines],
    steps: (usable ? condition.boxes : []).map((match) => ({
      stage: of === 'source' ? ('source-nat' as const) : ('destination-nat' as const),
      from,
      weight: -1,
      entry: { ruleKey: '', match, unresolved, action: 'translate' as const, translation },
    })),
  };
}

function conditionFor(statement: DynamicNat, config: Config): Condition {
  if (statement.routeMap !== undefined) return mapCondition(statement.routeMap, config);
  const name = statement.list ?? '';
  const condition = listCondition(name, config.lists, 'ip', config.conditions);
  // A standard list names the address that `inside destination` looks at: the destination.
  if (statement.of !== 'destination' || !config.lists.get(`ip ${name}`)?.standard) return condition;
  const swap = (box: Traffic): Traffic => ({ ...box, sources: box.destinations, destinations: box.sources });
  return { ...condition, boxes: condition.boxes.map(swap) };
}

/** What a route-map permits as a whole: its permits without what an earlier deny took. */
function mapCondition(name: string, config: Config): Condition {
  const steps = config.routeMaps.get(name);
  if (!steps)
    return { boxes: [everything('ip')], unresolved: [`route-map ${name} is not defined`], lines: [] };
  const parts = steps.map((step) => {
    const own = conditionOf(step, config.lists, 'ip', config.conditions);
    return { ...own, lines: [...step.lines, ...own.lines], permits: step.action === 'permit' };
  });
  return firstMatches(parts, `route-map ${name}`);
}
