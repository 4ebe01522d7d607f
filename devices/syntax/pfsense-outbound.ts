// outbound NAT of config.xml: automatic, hybrid, by hand or none -> rules, and what packets meet on their way out
import {
  type AddressSet,
  ANY_V4,
  addressSet,
  intersectAddresses,
  noAddresses,
  unionAddresses,
} from '../../src/model/addresses.ts';
import type { Translation } from '../../src/model/rule.ts';
import { ANY_NAME, ANY_TRAFFIC, names } from '../../src/model/traffic.ts';
import type { PolicyBuilder } from './assemble.ts';
import { reportUnknown } from './pfsense-filter.ts';
import { setOf } from './pfsense-interfaces.ts';
import {
  addressesOf,
  enter,
  matchOf,
  nameSetOf,
  onlyBetween,
  portsIn,
  type SenseReader,
} from './pfsense-match.ts';
import type { OneToOne } from './pfsense-nat.ts';
import { contentKey, describe, modelRule, oldRule, QUIET, type SenseRule } from './pfsense-rule.ts';
import { all, child, flag, isOn, textAt, wordsOf, type XmlNode } from './pfsense-xml.ts';

const KNOWN = new Set([
  ...QUIET,
  ...'target targetip targetip_subnet sourceport dstport natport static-port staticnatport nonat poolopts poolopts_subnet source_hash_key ipprotocol'.split(
    ' ',
  ),
]);

export function readOutbound(reader: SenseReader, pairs: readonly OneToOne[]): void {
  const { root, sense, linesOf } = reader.text;
  const policy = reader.assembly.policy({
    id: 'nat',
    stage: 'source-nat',
    evaluation: 'first-match',
    appliesTo: { ingress: ANY_NAME, egress: ANY_NAME },
    otherwise: 'none',
  });
  for (const { made, outwards, external, offset, exempt, devices } of pairs) {
    const match = onlyBetween(outwards, ANY_NAME, devices);
    const translation: Translation = { kind: 'source', addresses: external, ...(offset ? { offset } : {}) };
    if (exempt) enter(policy, made, 'exempt', match);
    else enter(policy, made, 'translate', match, { translation });
  }
  const mode = textAt(root, 'nat', 'outbound', 'mode') ?? 'automatic';
  const byHand = mode === 'advanced' || mode === 'manual' || mode === 'hybrid';
  const model = all(root, 'OPNsense', 'Firewall', 'Filter', 'snatrules', 'rule')
    .toSorted((a, b) => Number(textAt(a, 'sequence') ?? 0) - Number(textAt(b, 'sequence') ?? 0))
    .map((node) => modelRule(node, linesOf));
  for (const rule of model) readRule(rule, true, reader, policy);
  for (const node of all(root, 'nat', 'outbound', 'rule')) {
    reportUnknown(node, KNOWN, reader);
    readRule(withSourcePort(oldRule(node, sense, linesOf)), byHand, reader, policy);
  }
  if (root && (mode === 'automatic' || mode === 'hybrid')) readAutomatic(reader, policy);
}

const withSourcePort = (rule: SenseRule): SenseRule => ({
  ...rule,
  source: { ...rule.source, port: textAt(rule.node, 'sourceport') ?? rule.source.port },
});

/** A rule of the list by hand is not met where the mode is automatic or where there is no outbound NAT at all. */
function readRule(plain: SenseRule, isMet: boolean, reader: SenseReader, policy: PolicyBuilder): void {
  const { text, places, assembly } = reader;
  const { node } = plain;
  const rule = { ...plain, interfaces: plain.interfaces.length > 0 ? plain.interfaces : ['wan'] };
  const exempt = flag(node, 'nonat', text.sense) || isOn(textAt(node, 'nonat'));
  const match = onlyBetween(matchOf(rule, reader), ANY_NAME, nameSetOf(rule, places));
  const { addresses, written } = targetOf(node, rule, reader);
  const port = portsIn(textAt(node, 'natport') ?? textAt(node, 'target_port'), rule, reader, {
    reasons: new Set(),
    lines: [],
  });
  const translation: Translation = {
    kind: 'source',
    ...(addresses && !noAddresses(addresses) ? { addresses } : {}),
    ...(port?.isWhole && port.sure.length === 2 ? { ports: [port.sure[0], port.sure[1]] as const } : {}),
  };
  const made = assembly.rule({
    key: rule.uuid ?? contentKey('outbound', rule, written),
    kind: 'nat',
    list: 'outbound',
    enabled: rule.enabled,
    context: { list: 'outbound', interfaces: rule.interfaces },
    matches: match.possible,
    unresolved: match.unresolved,
    ...(exempt ? {} : { translation }),
    action: `${exempt ? 'no nat' : `nat to ${written}`}${isMet ? '' : ' (not in this mode)'}`,
    ...describe(rule),
    ...(rule.lastChange ? { lastChange: rule.lastChange } : {}),
    lines: match.lines,
  });
  if (!isMet) return;
  if (exempt) enter(policy, made, 'exempt', match);
  else enter(policy, made, 'translate', match, { translation });
}

/** Nothing written: the address of the interface by which packets leave. */
function targetOf(
  node: XmlNode,
  rule: SenseRule,
  reader: SenseReader,
): { addresses: AddressSet | undefined; written: string } {
  const text = textAt(node, 'target') ?? textAt(node, 'targetip');
  const within = rule.families.includes('inet') ? ANY_V4 : undefined;
  if (text === undefined) {
    const own = rule.interfaces.map((name) => reader.places.interfaces.get(name));
    const isKnown = own.every((place) => place && !place.isDynamic);
    const all = unionAddresses(
      ...own.map((place) => setOf(textAt(place?.node, 'ipaddr'), textAt(place?.node, 'ipaddrv6'))),
    );
    return {
      addresses: isKnown ? (within ? intersectAddresses(all, within) : all) : undefined,
      written: 'interface address',
    };
  }
  const bits = textAt(node, 'targetip_subnet');
  const name = text === 'other-subnet' ? `${textAt(node, 'targetip') ?? ''}/${bits ?? '32'}` : text;
  const found = addressesOf([name], reader, { reasons: new Set(), lines: [] });
  return { addresses: found.isWhole ? found.sure : undefined, written: name };
}

/** Every network that the device knows of inside appears outside as the address of the interface it leaves by. */
function readAutomatic({ text, places, assembly }: SenseReader, policy: PolicyBuilder): void {
  const interfaces = [...places.interfaces.values()];
  const inside = unionAddresses(
    addressSet('127.0.0.0/8'),
    ...interfaces.filter(({ isWan }) => !isWan).map(({ network }) => network),
    ...all(text.root, 'staticroutes', 'route')
      .filter((node) => !flag(node, 'disabled', text.sense))
      .map((node) => setOf(textAt(node, 'network'))),
    ...all(text.root, 'openvpn', 'openvpn-server').map((node) =>
      setOf(...wordsOf(textAt(node, 'tunnel_network'))),
    ),
  );
  const mode = child(text.root, 'nat', 'outbound', 'mode');
  for (const { id, device, isDynamic, node } of interfaces.filter(({ isWan }) => isWan)) {
    const own = intersectAddresses(setOf(textAt(node, 'ipaddr')), ANY_V4);
    const translation: Translation = {
      kind: 'source',
      ...(isDynamic || noAddresses(own) ? {} : { addresses: own }),
    };
    const made = assembly.rule({
      key: `outbound automatic ${id}`,
      kind: 'nat',
      list: 'outbound automatic',
      context: { list: 'outbound automatic', interfaces: [id] },
      matches: [
        {
          ...ANY_TRAFFIC,
          sources: intersectAddresses(inside, ANY_V4),
          destinations: ANY_V4,
          egress: names(device),
        },
      ],
      translation,
      action: 'nat to interface address',
      lines: text.linesOf(mode),
    });
    policy.entry(made, 'translate', { translation });
  }
}
