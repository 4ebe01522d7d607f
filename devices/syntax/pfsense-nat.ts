// port forwards, 1:1 and network prefix translation of config.xml -> rules, and what connections from outside meet
import { type AddressSet, countAddresses, noAddresses } from '../../src/model/addresses.ts';
import type { Translation } from '../../src/model/rule.ts';
import { service, unionServices } from '../../src/model/services.ts';
import { ANY_NAME, type NameSet, type Traffic } from '../../src/model/traffic.ts';
import type { Assembled, PolicyBuilder } from './assemble.ts';
import { type Passing, reportUnknown } from './pfsense-filter.ts';
import {
  addressesOf,
  enter,
  type Match,
  matchOf,
  nameSetOf,
  onlyBetween,
  portsIn,
  type SenseReader,
} from './pfsense-match.ts';
import {
  contentKey,
  describe,
  lastChangeOf,
  modelRule,
  oldRule,
  QUIET,
  type SenseRule,
} from './pfsense-rule.ts';
import { all, flag, textAt, type XmlNode } from './pfsense-xml.ts';

const KNOWN = new Set([
  ...QUIET,
  ...'target local-port natreflection nordr nobinat nosync nat_reflection poolopts source_hash_key external ipprotocol pass natport subnet type'.split(
    ' ',
  ),
]);

/** pf(4): on the way in redirections come first, then 1:1 translation; on the way out 1:1 first. */
export interface OneToOne {
  readonly made: Assembled;
  readonly inwards: Match;
  readonly outwards: Match;
  readonly external: AddressSet;
  readonly internal: AddressSet;
  readonly offset: boolean;
  readonly exempt: boolean;
  readonly devices: NameSet;
}

/** Returns what of the port forwards needs no filter rule, and the 1:1 translations for the way out. */
export function readNat(reader: SenseReader): {
  readonly passing: Passing;
  readonly pairs: readonly OneToOne[];
} {
  const policy = reader.assembly.policy({
    id: 'rdr',
    stage: 'destination-nat',
    evaluation: 'first-match',
    appliesTo: { ingress: ANY_NAME, egress: ANY_NAME },
    otherwise: 'none',
  });
  const forwards = all(reader.text.root, 'nat', 'rule').flatMap(
    (node) => readForward(node, reader, policy) ?? [],
  );
  const pairs = pairsIn(reader);
  for (const { made, inwards, internal, offset, exempt, devices } of pairs) {
    const translation: Translation = {
      kind: 'destination',
      addresses: internal,
      ...(offset ? { offset } : {}),
    };
    const match = onlyBetween(inwards, devices, ANY_NAME);
    if (exempt) enter(policy, made, 'exempt', match);
    else enter(policy, made, 'translate', match, { translation });
  }
  return {
    pairs,
    passing: (filter) => {
      for (const { made, match } of forwards) enter(filter, made, 'accept', match, { translated: true });
    },
  };
}

interface Forward {
  readonly made: Assembled;
  /** Translated packets that need no rule. */
  readonly match: Match;
}

function readForward(node: XmlNode, reader: SenseReader, policy: PolicyBuilder): Forward | undefined {
  const { text, places, assembly } = reader;
  reportUnknown(node, KNOWN, reader);
  const plain = oldRule(node, text.sense, text.linesOf);
  // Older versions leave the interface out where it is WAN.
  const rule: SenseRule = { ...plain, interfaces: plain.interfaces.length > 0 ? plain.interfaces : ['wan'] };
  const reasons = new Set<string>();
  const exempt = flag(node, 'nordr', text.sense);
  const match = matchOf(rule, reader);
  const target = textAt(node, 'target');
  const to = target === undefined ? undefined : addressesOf([target], reader, { reasons, lines: [] });
  const ports = portsAfter(rule, textAt(node, 'local-port'), reader);
  const translation: Translation = {
    kind: 'destination',
    ...(to?.isWhole && !noAddresses(to.sure) ? { addresses: to.sure } : {}),
    ...(ports ? { ports } : {}),
  };
  const reflects = isReflected(node, reader);
  const devices = reflects ? ANY_NAME : nameSetOf(rule, places);
  const inwards = onlyBetween(match, devices, ANY_NAME);
  const passes = passesByItself(node);
  const local = [target, textAt(node, 'local-port')].filter(Boolean).join(':');
  const made = assembly.rule({
    key: keyOfForward(rule, reader, target),
    kind: 'nat',
    list: 'port forward',
    enabled: rule.enabled,
    context: { list: 'port forward', interfaces: rule.interfaces },
    matches: inwards.possible,
    unresolved: match.unresolved,
    ...(exempt ? {} : { translation }),
    action: exempt ? 'no rdr' : `rdr${passes ? ' pass' : ''} to ${local}${reflects ? ', reflected' : ''}`,
    ...describe(rule),
    ...(rule.lastChange ? { lastChange: rule.lastChange } : {}),
    lines: match.lines,
  });
  if (exempt) enter(policy, made, 'exempt', inwards);
  else enter(policy, made, 'translate', inwards, { translation });
  return passes && !exempt ? { made, match: seenAfter(inwards, translation) } : undefined;
}

/** `associated-rule-id` "pass", or the `pass` of newer OPNsense: let through without a filter rule. */
const passesByItself = (node: XmlNode): boolean =>
  textAt(node, 'associated-rule-id') === 'pass' || textAt(node, 'pass') === 'pass';

function keyOfForward(rule: SenseRule, reader: SenseReader, target: string | undefined): string {
  const linked = textAt(rule.node, 'associated-rule-id');
  if (rule.uuid !== undefined) return rule.uuid;
  return linked?.startsWith('nat_') && reader.trackers.get(linked) === 1
    ? linked
    : contentKey('port forward', rule, target, textAt(rule.node, 'local-port'));
}

/** The forward also holds for connections from inside to the outside address. */
function isReflected(node: XmlNode, { text }: SenseReader): boolean {
  const own = textAt(node, 'natreflection') ?? textAt(node, 'nat_reflection');
  if (own !== undefined && own !== 'default' && own !== 'system-default') return own !== 'disable';
  const system = all(text.root, 'system')[0];
  return system !== undefined && !flag(system, 'disablenatreflection', text.sense);
}

/** From the local port on, as many as were asked for; undefined where ports are kept. */
function portsAfter(
  rule: SenseRule,
  local: string | undefined,
  reader: SenseReader,
): readonly [number, number] | undefined {
  const notes = { reasons: new Set<string>(), lines: [] };
  const asked = portsIn(rule.destination.port, rule, reader, notes);
  const found = portsIn(local, rule, reader, notes);
  if (!found?.isWhole || found.sure.length < 2) return undefined;
  const [first, last] = [found.sure[0], found.sure.at(-1)!];
  const whole = asked?.isWhole ? asked.sure : undefined;
  if (whole && whole[0] === first && (local === rule.destination.port || last === first)) {
    // 8000-8010 to 8000 and on is no change of ports.
    if (whole.length === 2 || local === rule.destination.port)
      return whole.length === 2 && whole[0] === whole[1] ? [first, first] : undefined;
  }
  const span = whole?.length === 2 && last === first ? whole[1] - whole[0] : last - first;
  return [first, Math.min(65_535, first + span)];
}

function seenAfter(match: Match, { addresses, ports }: Translation): Match {
  const after = (boxes: readonly Traffic[]) =>
    boxes.map((box) => ({
      ...box,
      ...(addresses ? { destinations: addresses } : {}),
      ...(ports ? { services: portsOfAll(box, ports) } : {}),
    }));
  return { ...match, sure: after(match.sure), possible: after(match.possible) };
}

const portsOfAll = ({ services }: Traffic, ports: readonly [number, number]) => {
  const found = [...new Set(services.map((value) => Math.floor(value / 65_536)))];
  return unionServices(...found.map((number) => service(number, [ports])));
};

function pairsIn(reader: SenseReader): OneToOne[] {
  const { root, sense, linesOf } = reader.text;
  const old = all(root, 'nat', 'onetoone').map((node) => {
    reportUnknown(node, KNOWN, reader);
    return pairOf(node, oldRule(node, sense, linesOf), textAt(node, 'external'), reader);
  });
  const model = all(root, 'OPNsense', 'Firewall', 'Filter', 'onetoone', 'rule').map((node) =>
    pairOf(node, modelRule(node, linesOf), textAt(node, 'external'), reader),
  );
  const prefixes = all(root, 'nat', 'npt').map((node) => {
    const rule: SenseRule = { ...oldRule(node, sense, linesOf), families: ['inet6'] };
    return pairOf(node, { ...rule, destination: NOBODY }, rule.destination.names[0], reader);
  });
  const modelPrefixes = all(root, 'OPNsense', 'Firewall', 'Filter', 'npt', 'rule').map((node) => {
    const rule: SenseRule = { ...modelRule(node, linesOf), families: ['inet6'] };
    return pairOf(node, { ...rule, destination: NOBODY }, rule.destination.names[0], reader);
  });
  return [...old, ...model, ...prefixes, ...modelPrefixes].flatMap((pair) => pair ?? []);
}

const NOBODY = { names: [], not: false, port: undefined };

/** `source` is the inside, `external` where it appears, `destination` the far side. */
function pairOf(
  node: XmlNode,
  plain: SenseRule,
  outside: string | undefined,
  reader: SenseReader,
): OneToOne | undefined {
  const { text, places, assembly } = reader;
  const rule: SenseRule = {
    ...plain,
    interfaces: plain.interfaces.length > 0 ? plain.interfaces : ['wan'],
    protocol: undefined,
  };
  const notes = { reasons: new Set<string>(), lines: [] };
  const outwards = matchOf(rule, reader);
  const internal = outwards.possible[0].sources;
  const external = outside === undefined ? undefined : addressesOf([sized(outside, rule)], reader, notes);
  if (!external || noAddresses(external.sure)) {
    assembly.notUnderstood(...text.linesOf(node));
    return undefined;
  }
  const far = {
    ...rule,
    source: rule.destination,
    destination: { names: [sized(outside!, rule)], not: false, port: undefined },
  };
  const inwards = matchOf(far, reader);
  const exempt = flag(node, 'nobinat', text.sense);
  const offset = countAddresses(internal) > 1 && countAddresses(internal) === countAddresses(external.sure);
  const devices = nameSetOf(rule, places);
  const translation: Translation = {
    kind: 'destination',
    addresses: internal,
    ...(offset ? { offset } : {}),
  };
  const change = lastChangeOf(node);
  const made = assembly.rule({
    key: rule.uuid ?? contentKey('1:1', rule, outside),
    kind: 'nat',
    list: '1:1',
    enabled: rule.enabled,
    context: { list: '1:1', interfaces: rule.interfaces },
    matches: onlyBetween(inwards, devices, ANY_NAME).possible,
    unresolved: inwards.unresolved,
    ...(exempt ? {} : { translation }),
    action: exempt ? 'no binat' : `binat ${rule.source.names.join(' ')} as ${outside}`,
    ...describe(rule),
    ...(change ? { lastChange: change } : {}),
    lines: outwards.lines,
  });
  return { made, inwards, outwards, external: external.sure, internal, offset, exempt, devices };
}

/** The outside is written as its first address: it is as large as the inside. */
function sized(outside: string, { source }: SenseRule): string {
  const bits = /\/(\d{1,3})$/.exec(source.names[0] ?? '')?.[1];
  return bits !== undefined && !outside.includes('/') ? `${outside}/${bits}` : outside;
}
