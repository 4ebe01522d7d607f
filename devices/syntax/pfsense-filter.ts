// filter rules of config.xml -> rules, the filters in and out, and the gateways that rules choose
import { type AddressSet, ANY_V6, addressSet, unionAddresses } from '../../src/model/addresses.ts';
import type { Rule, Translation } from '../../src/model/rule.ts';
import { ANY_NAME, ANY_TRAFFIC, type NameSet, names } from '../../src/model/traffic.ts';
import type { Assembled, PolicyBuilder } from './assemble.ts';
import { enter, type Match, matchOf, nameSetOf, onlyBetween, type SenseReader } from './pfsense-match.ts';
import { contentKey, describe, modelRule, oldRule, QUIET, type SenseRule } from './pfsense-rule.ts';
import type { SenseTunnel } from './pfsense-tunnels.ts';
import { all, child, flag, textAt, type XmlNode } from './pfsense-xml.ts';

interface Met {
  readonly rule: SenseRule;
  readonly made: Assembled;
  readonly match: Match;
}

/** What lets packets in without a filter rule: port forwards with `pass`. */
export type Passing = (policy: PolicyBuilder) => void;

/**
 * pf(4): the first rule with `quick` that matches decides, else the last rule that does. Rules are met as floating, of
 * interface groups, of interfaces. What nothing matches comes in nowhere and goes out everywhere.
 */
export function readFilter(reader: SenseReader, passing: Passing, tunnels: readonly SenseTunnel[]): void {
  const { assembly } = reader;
  const met = rulesInOrder(reader).map((rule) => meet(rule, reader, tunnels));
  const inwards = assembly.policy({
    id: 'in',
    stage: 'filter',
    evaluation: 'first-match',
    appliesTo: { ingress: ANY_NAME, egress: ANY_NAME },
    otherwise: 'drop',
  });
  const outwards = assembly.policy({
    id: 'out',
    stage: 'filter',
    evaluation: 'first-match',
    appliesTo: { ingress: ANY_NAME, egress: ANY_NAME },
    sees: 'translated',
    otherwise: 'accept',
  });
  passing(inwards);
  readFixed(reader, inwards);
  const turn = (wanted: SenseRule['direction']) => {
    const own = met.filter(({ rule }) => rule.direction === wanted || rule.direction === 'any');
    return [...own.filter(({ rule }) => rule.quick), ...own.filter(({ rule }) => !rule.quick).reverse()];
  };
  for (const one of turn('in')) enterFilter(one, inwards, nameSetOf(one.rule, reader.places), ANY_NAME);
  for (const one of turn('out')) enterFilter(one, outwards, ANY_NAME, nameSetOf(one.rule, reader.places));
  readGateways(turn('in'), reader, tunnels);
}

function enterFilter(
  { rule, made, match }: Met,
  policy: PolicyBuilder,
  ingress: NameSet,
  egress: NameSet,
): void {
  if (rule.action === 'match') return;
  enter(policy, made, rule.action === 'pass' ? 'accept' : 'drop', onlyBetween(match, ingress, egress));
}

/** OPNsense meets the rules of its model before the older ones of the same kind. */
function rulesInOrder({ text, places }: SenseReader): SenseRule[] {
  const { root, sense, linesOf } = text;
  const model = all(root, 'OPNsense', 'Firewall', 'Filter', 'rules', 'rule')
    .map((node) => ({ rule: modelRule(node, linesOf), sequence: Number(textAt(node, 'sequence') ?? 0) }))
    .toSorted((a, b) => a.sequence - b.sequence)
    .map(({ rule }) => rule);
  const old = all(root, 'filter', 'rule').map((node) => oldRule(node, sense, linesOf));
  const rank = (rule: SenseRule) =>
    rule.floating ? 0 : rule.interfaces.some((name) => places.isGroup(name)) ? 1 : 2;
  return [...model, ...old].toSorted((a, b) => rank(a) - rank(b));
}

/** Fields of OPNsense's models. */
const MODEL_QUIET = new Set(
  (
    'enabled sequence action quick interface interfacenot interfaces direction ipprotocol protocol source_net source_not source_port ' +
    'destination_net destination_not destination_port gateway log description categories statetype state-policy statetimeout ' +
    'statepolicy allowopts nosync nopfsync replyto disablereplyto sched tag tagged prio set-prio set-prio-low tos max ' +
    'max-src-nodes max-src-states max-src-conn max-src-conn-rate max-src-conn-rates overload adaptivestart adaptiveend ' +
    'icmptype icmp6type tcpflags1 tcpflags2 tcpflags_any shaper1 shaper2 divert-to sort_order prio_group udp-first udp-multiple ' +
    'udp-single created updated target target_port nonat staticnatport poolopts'
  ).split(' '),
);

export function reportUnknown(
  node: XmlNode,
  known: ReadonlySet<string>,
  { assembly, text }: SenseReader,
): void {
  for (const part of node.children) if (!known.has(part.name)) assembly.notUnderstood(...text.linesOf(part));
}

function meet(rule: SenseRule, reader: SenseReader, tunnels: readonly SenseTunnel[]): Met {
  const isModel = child(rule.node, 'action') !== undefined || child(rule.node, 'source_net') !== undefined;
  reportUnknown(rule.node, isModel ? MODEL_QUIET : QUIET, reader);
  const match = matchOf(rule, reader);
  const devices = nameSetOf(rule, reader.places);
  const whole = onlyBetween(
    match,
    rule.direction === 'out' ? ANY_NAME : devices,
    rule.direction === 'out' ? devices : ANY_NAME,
  );
  const translation = chosenWay(rule, reader, tunnels)?.translation;
  const list = rule.floating ? 'floating' : rule.interfaces.join();
  const made = reader.assembly.rule({
    key: keyOf(rule, reader),
    kind: translation ? 'policy-route' : 'filter',
    list,
    enabled: rule.enabled,
    context: contextOf(rule, list),
    matches: whole.possible,
    unresolved: match.unresolved,
    ...(translation ? { translation } : {}),
    action: rule.gateway === undefined ? rule.action : `${rule.action} by gateway ${rule.gateway}`,
    ...describe(rule),
    ...(rule.lastChange ? { lastChange: rule.lastChange } : {}),
    lines: match.lines,
  });
  return { rule, made, match };
}

const contextOf = (rule: SenseRule, list: string): Rule['context'] => ({
  list,
  ...(rule.interfaces.length > 0 ? { interfaces: rule.interfaces } : {}),
  ...(rule.direction === 'any' ? { direction: 'both' as const } : { direction: rule.direction }),
});

/** A tracker is an id, but tools write the same one into many rules. */
function keyOf(rule: SenseRule, reader: SenseReader): string {
  const tracker = textAt(rule.node, 'tracker');
  if (rule.uuid !== undefined) return rule.uuid;
  if (tracker !== undefined && reader.trackers.get(tracker) === 1) return `rule ${tracker}`;
  return contentKey('rule', rule, rule.gateway);
}

/** "Block private networks", and no IPv6 at all where it is not allowed: both come before the rules of people. */
function readFixed({ text, places, assembly }: SenseReader, policy: PolicyBuilder): void {
  const system = child(text.root, 'system');
  if (system && !child(system, 'ipv6allow')) {
    const made = assembly.rule({
      key: 'no ipv6',
      kind: 'filter',
      list: 'fixed',
      context: { list: 'fixed', family: 'ip6' },
      matches: [{ ...ANY_TRAFFIC, sources: ANY_V6, destinations: ANY_V6 }],
      action: 'block',
      lines: text.linesOf(system).slice(0, 1),
    });
    policy.entry(made, 'drop');
  }
  for (const { id, device, node } of places.interfaces.values())
    for (const [name, sources] of [
      ['blockpriv', PRIVATE],
      ['blockbogons', undefined],
    ] as const) {
      if (!flag(node, name, text.sense)) continue;
      const made = assembly.rule({
        key: `${name} ${id}`,
        kind: 'filter',
        list: 'fixed',
        context: { list: 'fixed', interfaces: [id], direction: 'in' },
        matches: [{ ...ANY_TRAFFIC, ingress: names(device), ...(sources ? { sources } : {}) }],
        unresolved: sources ? [] : ['networks that nobody was given'],
        action: 'block',
        lines: text.linesOf(child(node, name)),
      });
      policy.entry(made, 'drop');
    }
}

const PRIVATE = addressSet('10.0.0.0/8', '127.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7');

interface Chosen {
  readonly translation: Translation;
  readonly egress: NameSet;
}

/** The gateway that a rule sends packets to, or all members of a group of gateways. */
function chosenWay(
  rule: SenseRule,
  { places }: SenseReader,
  tunnels: readonly SenseTunnel[],
): Chosen | undefined {
  if (rule.gateway === undefined || rule.gateway === 'default' || rule.action !== 'pass') return undefined;
  const members = places.groupsOfGateways.get(rule.gateway) ?? [rule.gateway];
  const known = members.map((name) => places.gateways.get(name));
  const devices = known.flatMap((gateway) => gateway?.device ?? []);
  const tunnel = tunnels.find((one) => one.enabled && devices.includes(one.device));
  const egress = devices.length === members.length ? names(...devices) : ANY_NAME;
  if (tunnel)
    return {
      translation: { kind: 'tunnel', ...(tunnel.farEnd ? { addresses: tunnel.farEnd } : {}) },
      egress,
    };
  const sets = known.map((gateway) => gateway?.address);
  const isWhole = sets.length > 0 && sets.every((set) => set !== undefined);
  const addresses = isWhole ? { addresses: unionAddresses(...(sets as AddressSet[])) } : {};
  return { translation: { kind: 'policy-route', ...addresses }, egress };
}

/** Rules without a gateway that are met before keep their packets on the ways that routes give. */
function readGateways(met: readonly Met[], reader: SenseReader, tunnels: readonly SenseTunnel[]): void {
  const last = met.findLastIndex(({ rule }) => rule.enabled && chosenWay(rule, reader, tunnels));
  if (last < 0) return;
  const policy = reader.assembly.policy({
    id: 'gateways',
    stage: 'redirect',
    evaluation: 'first-match',
    appliesTo: { ingress: ANY_NAME, egress: ANY_NAME },
    otherwise: 'none',
  });
  for (const { rule, made, match } of met.slice(0, last + 1)) {
    if (rule.action !== 'pass') continue;
    const way = chosenWay(rule, reader, tunnels);
    const ingress = nameSetOf(rule, reader.places);
    if (way)
      enter(policy, made, 'translate', onlyBetween(match, ingress, way.egress), {
        translation: way.translation,
      });
    else enter(policy, made, 'exempt', onlyBetween(match, ingress, ANY_NAME));
  }
}
